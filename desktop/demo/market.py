"""The synthetic market: endless, addressable at any moment, the same for the same seed on every machine.

Minutes are drawn from hashes (market_minutes) between day edges drawn from hashes (market_days); trades are made
inside the minutes on demand (market_trades) and everything larger is summed from the minutes, all in whole numbers,
so that every level agrees with every other exactly.
"""

from __future__ import annotations

from collections.abc import Sequence

from desktop.demo.market_catalogue import FIRST_DATE, Listing, days_since_epoch, listings
from desktop.demo.market_history import History
from desktop.demo.source import CatalogRow, Quotes, Split, Trades
from desktop.domain.bars import Bars
from desktop.domain.market import Market
from desktop.domain.sessions import new_york_date
from desktop.domain.timeframe import DAY_MS, ONE_DAY, ONE_HOUR, ONE_MINUTE, ONE_SECOND, Timeframe
from desktop.domain.world import World, demo_world


class SyntheticMarket:
    """A MarketSource. Safe to use from several threads; see History for the memory it holds.

    Bars are on the scale of `now_ms`, trades and quotes as they were traded: both agree after the last split.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._listings = {listing.ticker: listing for listing in listings()}
        self._history = History(seed)
        self._bars = {
            ONE_SECOND: self._history.seconds,
            ONE_MINUTE: self._history.minutes,
            ONE_HOUR: self._history.hours,
            ONE_DAY: self._history.days,
        }

    @property
    def world(self) -> World:
        return demo_world(self._seed)

    @property
    def first_ms(self) -> int:
        return days_since_epoch(FIRST_DATE) * DAY_MS

    @property
    def end_ms(self) -> int | None:
        return None

    def tickers(self) -> Sequence[CatalogRow]:
        """The catalogue, sorted by ticker."""
        return [listing.row for listing in self._listings.values()]

    def finest(self, ticker: str) -> Timeframe:
        return ONE_SECOND

    def has_trades(self, ticker: str) -> bool:
        return ticker in self._listings

    def splits(self, ticker: str) -> Sequence[Split]:
        """Splits of a stock, oldest first: also those after the clock's time."""
        listing = self._listings.get(ticker)
        return listing.splits if listing else ()

    def bars(self, ticker: str, timeframe: Timeframe, from_ms: int, to_ms: int, now_ms: int) -> Bars:
        """See MarketSource.bars."""
        listing, draw = self._listings.get(ticker), self._bars.get(timeframe)
        to_ms = min(to_ms, now_ms)
        if listing is None or draw is None or to_ms <= from_ms:
            return Bars.empty()
        return draw(listing, from_ms, to_ms, now_ms).as_bars(listing, _scale(listing, now_ms))

    def trades(self, ticker: str, from_ms: int, to_ms: int) -> Trades:
        """See MarketSource.trades; prices and sizes of the time, not adjusted for later splits."""
        listing = self._listings.get(ticker)
        if listing is None or listing.market is Market.FOREX:
            return Trades.empty()
        found = self._history.events(listing, from_ms, to_ms)
        return Trades.joined([events.as_trades(listing, _scale(listing, events.time_ms[0])) for events in found])

    def quotes(self, ticker: str, from_ms: int, to_ms: int) -> Quotes:
        """See MarketSource.quotes; one with each trade, for currencies the quotes that make the bars."""
        listing = self._listings.get(ticker)
        if listing is None:
            return Quotes.empty()
        found = self._history.events(listing, from_ms, to_ms)
        return Quotes.joined([events.as_quotes(listing, _scale(listing, events.time_ms[0])) for events in found])


def _scale(listing: Listing, time_ms: int) -> int:
    return listing.scale_at(days_since_epoch(new_york_date(int(time_ms)))) if listing.splits else 1
