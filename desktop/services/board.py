"""The newest values of every watched ticker: from snapshots, then from each live event."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from desktop.data.wire_socket import Event, MinuteEvent, QuoteEvent, TradeEvent
from desktop.domain.freshness import Freshness, Origin, Seen
from desktop.domain.market import Snapshot
from desktop.domain.timeframe import MINUTE_MS

_GAP_WEIGHT = 0.1  # of the newest gap in a ticker's usual gap
_FIRST_GAP_MS = 1_000.0


@dataclass(slots=True)
class LiveQuote:
    """What is known of one ticker now. Times Unix ms UTC (market time); None where nothing is known."""

    ticker: str
    last: float | None = None
    last_ms: int | None = None  # the event's own time
    received_ms: int | None = None  # when `last` came
    checked_ms: int | None = None  # when REST or the stream last said that there is nothing newer
    origin: Origin = Origin.CACHE
    since_ms: int | None = None  # when its subscription was confirmed on the connection that stands
    previous: float | None = None  # the price before, for the direction of a flash
    prev_close: float | None = None
    day_volume: float | None = None
    bid: float | None = None
    ask: float | None = None
    freshness: Freshness = Freshness.CACHED
    usual_gap_ms: float = _FIRST_GAP_MS
    has_ticks: bool = False  # something finer than minute bars has come
    snapshot_ms: int = 0

    @property
    def seen(self) -> Seen | None:
        """Origin and times of the price."""
        if self.last_ms is None or self.received_ms is None:
            return None
        return Seen(self.origin, self.last_ms, self.received_ms, self.checked_ms or self.received_ms)

    @property
    def change(self) -> float | None:
        """Since the previous close."""
        return None if self.last is None or self.prev_close is None else self.last - self.prev_close

    @property
    def change_pct(self) -> float | None:
        return None if self.change is None or not self.prev_close else self.change / self.prev_close * 100


class Board:
    """LiveQuotes by ticker, and which of them changed since the last look."""

    def __init__(self) -> None:
        self.quotes: dict[str, LiveQuote] = {}
        self._changed: set[str] = set()

    def quote(self, ticker: str) -> LiveQuote:
        """The ticker's quote, made when it is new."""
        if (quote := self.quotes.get(ticker)) is None:
            quote = self.quotes[ticker] = LiveQuote(ticker)
        return quote

    def take_changed(self) -> set[str]:
        """Tickers that changed since the last call; for one caller."""
        changed, self._changed = self._changed, set()
        return changed

    def mark(self, ticker: str) -> None:
        self._changed.add(ticker)

    def apply(self, quote: LiveQuote, event: Event, received_ms: int) -> None:
        """Takes over one live event; an older one than what is shown changes no price."""
        before_ms = quote.last_ms
        if isinstance(event, TradeEvent):
            self._price(quote, event.price, event.time_ms)
            if quote.day_volume is not None and event.time_ms > quote.snapshot_ms:
                quote.day_volume += event.size
        elif isinstance(event, QuoteEvent):
            quote.bid, quote.ask = event.bid, event.ask
            if event.symbol_is_price_source:
                self._price(quote, event.bid, event.time_ms)
        elif event.end_ms > (quote.last_ms or 0):
            self._price(quote, event.close, event.end_ms - 1)
        self._learn_gap(quote, event, received_ms)
        quote.received_ms = received_ms
        if quote.last_ms != before_ms:
            quote.checked_ms = received_ms  # an older event says nothing of what is newer
        quote.origin = Origin.STREAM
        self._changed.add(quote.ticker)

    def _learn_gap(self, quote: LiveQuote, event: Event, received_ms: int) -> None:
        if isinstance(event, MinuteEvent):
            if not quote.has_ticks:
                quote.usual_gap_ms = MINUTE_MS  # such a feed speaks once a minute
        elif not quote.has_ticks:
            quote.has_ticks, quote.usual_gap_ms = True, _FIRST_GAP_MS
        elif quote.received_ms is not None and received_ms > quote.received_ms:
            gap_ms = received_ms - quote.received_ms
            quote.usual_gap_ms += (gap_ms - quote.usual_gap_ms) * _GAP_WEIGHT

    def _price(self, quote: LiveQuote, price: float, time_ms: int) -> None:
        if quote.last_ms is None or time_ms >= quote.last_ms:
            quote.previous, quote.last, quote.last_ms = quote.last, price, time_ms

    def put_snapshots(self, snapshots: Iterable[Snapshot], received_ms: int, origin: Origin = Origin.REST) -> None:
        """Takes over snapshots received at `received_ms`: previous close and day volume always, a price that is newer.

        Those of REST also say that there is nothing newer; those of the cache, which come first, do not.
        """
        for snapshot in snapshots:
            quote = self.quote(snapshot.ticker)
            if snapshot.prev_close:
                quote.prev_close = snapshot.prev_close
            if snapshot.day_volume is not None:
                quote.day_volume = snapshot.day_volume
                quote.snapshot_ms = snapshot.updated_ms or received_ms
            if snapshot.last is not None and math.isfinite(snapshot.last):
                time_ms = snapshot.last_ms or snapshot.updated_ms or received_ms
                self._rest_price(quote, snapshot.last, time_ms, received_ms, origin)
            if quote.bid is None:
                quote.bid, quote.ask = snapshot.bid, snapshot.ask
            self._changed.add(snapshot.ticker)

    def put_close(self, ticker: str, close: float, end_ms: int, prev_close: float | None, received_ms: int) -> None:
        """Takes over a finished day's close, where nothing newer is known."""
        quote = self.quote(ticker)
        if quote.last_ms is None or end_ms > quote.last_ms:
            quote.prev_close = prev_close
        self._rest_price(quote, close, end_ms, received_ms, Origin.CACHE)
        self._changed.add(ticker)

    def _rest_price(self, quote: LiveQuote, price: float, time_ms: int, received_ms: int, origin: Origin) -> None:
        if quote.last_ms is None or time_ms > quote.last_ms or quote.origin is Origin.CACHE:
            if quote.last_ms is None or time_ms > quote.last_ms:
                self._price(quote, price, time_ms)
            if time_ms >= (quote.last_ms or 0):
                quote.origin, quote.received_ms = origin, received_ms
        if origin is Origin.REST:
            quote.checked_ms = received_ms
