"""The events of one channel and ticker in time order, made ahead of the clock in a worker thread."""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from desktop.demo.socket_cluster import Kind, socket_symbol
from desktop.demo.source import CatalogRow, MarketSource
from desktop.demo.wire import bar_event, quote_events, trade_events
from desktop.domain.bars import Bar, Bars
from desktop.domain.market import Market
from desktop.domain.timeframe import MINUTE_MS, ONE_DAY, ONE_MINUTE, ONE_SECOND, SECOND_MS, bucket_start

STOCK_SECONDS_HELD_MS: Final = 2_000  # second bars of stocks wait for late trades
Event = tuple[int, bytes]  # when it is sent in market ms, and its JSON


@dataclass
class Stream:
    """Events of one channel and ticker from `filled_to_ms` at its making on; a pure function of source and times."""

    source: MarketSource
    channel: str
    kind: Kind
    symbol: str  # with a hyphen, as subscriptions are kept
    row: CatalogRow
    filled_to_ms: int  # everything sent before this is in `pending` or gone
    is_begun: bool = False  # whether it was filled at all
    pending: deque[Event] = field(default_factory=deque)

    def fill(self, to_ms: int) -> None:
        """Makes the events that are sent in [filled_to_ms, to_ms)."""
        from_ms = self.filled_to_ms
        symbol = socket_symbol(self.row)
        ticker, market = self.row.ticker, self.row.market
        match self.kind:
            case "trade":
                trades = self.source.trades(ticker, from_ms, to_ms)
                events = zip(trades.time_ms.tolist(), trade_events(market, symbol, trades), strict=True)
            case "quote":
                quotes = self.source.quotes(ticker, from_ms, to_ms)
                events = zip(quotes.time_ms.tolist(), quote_events(market, symbol, quotes), strict=True)
            case _:
                events = zip(*self._bar_events(symbol, from_ms, to_ms), strict=True)
        self.pending.extend(events)
        self.filled_to_ms, self.is_begun = to_ms, True

    def take(self, until_ms: int) -> list[Event]:
        """The events sent up to and including `until_ms`; they are gone then."""
        taken = []
        pending = self.pending
        while pending and pending[0][0] <= until_ms:
            taken.append(pending.popleft())
        return taken

    def _bar_events(self, symbol: str, from_ms: int, to_ms: int) -> tuple[list[int], list[bytes]]:
        """Bars that are sent in the range: when they close; seconds of stocks a little later."""
        timeframe, length_ms = (ONE_MINUTE, MINUTE_MS) if self.kind == "minute" else (ONE_SECOND, SECOND_MS)
        is_held = self.kind == "second" and self.row.market is Market.STOCKS
        delay_ms = length_ms + (STOCK_SECONDS_HELD_MS if is_held else 0)
        finest = self.source.finest(self.row.ticker)
        if finest.typical_ms > length_ms:
            return [], []
        bars = self.source.bars(self.row.ticker, timeframe, from_ms - delay_ms, to_ms - delay_ms, to_ms)
        days = self._days(bars) if self.row.market is Market.STOCKS else [None] * len(bars)
        events = [bar_event(self.channel, symbol, bars[i], length_ms, days[i]) for i in range(len(bars))]
        return (bars.start_ms + delay_ms).tolist(), events

    def _days(self, bars: Bars) -> list[Bar | None]:
        """For each stock bar the running day up to its end: open, volume, vwap."""
        if not len(bars):
            return []
        first_ms = int(bars.start_ms[0])
        day_ms = bucket_start(first_ms, ONE_DAY, Market.STOCKS)
        known = self.source.bars(self.row.ticker, ONE_DAY, day_ms, day_ms + 1, first_ms)
        volume, notional = (known[0].volume, known[0].volume * known[0].vwap) if len(known) else (0.0, 0.0)
        opened = known[0].open if len(known) else bars[0].open
        days: list[Bar | None] = []
        for index in range(len(bars)):
            bar = bars[index]
            volume += bar.volume
            notional += bar.volume * bar.vwap
            days.append(Bar(day_ms, opened, bar.high, bar.low, bar.close, volume, notional / volume if volume else 0.0))
        return days


def in_time_order(lists: list[list[Event]]) -> list[bytes]:
    """The events of several streams as one; equal times keep the order of the streams."""
    if len(lists) == 1:
        return [event for _, event in lists[0]]
    return [event for _, event in heapq.merge(*lists, key=lambda event: event[0])]
