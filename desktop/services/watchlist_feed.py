"""Keeps the watchlist's tickers subscribed, for as long as they are on it."""

from __future__ import annotations

from PySide6.QtCore import QObject

from desktop.domain.market import market_of
from desktop.services.live import Channel, LiveMarket, Subscription, channels_of
from desktop.services.watchlist import Watchlist


class WatchlistFeed(QObject):
    """Listens to trades and quotes of every watched ticker; the board shows them."""

    def __init__(self, watchlist: Watchlist, live: LiveMarket, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._watchlist = watchlist
        self._live = live
        self._subscriptions: dict[str, Subscription] = {}
        watchlist.changed.connect(self._follow)
        self._follow()

    def _follow(self) -> None:
        wanted = self._watchlist.tickers
        for ticker in set(self._subscriptions) - set(wanted):
            self._subscriptions.pop(ticker).close()
        for ticker in wanted:
            if ticker not in self._subscriptions:
                channels = channels_of(market_of(ticker), Channel.TRADE, Channel.QUOTE)
                self._subscriptions[ticker] = self._live.listen(ticker, channels)

    def close(self) -> None:
        """Ends all of them."""
        self._watchlist.changed.disconnect(self._follow)
        for subscription in self._subscriptions.values():
            subscription.close()
        self._subscriptions.clear()
