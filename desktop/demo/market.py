"""The synthetic market: endless, addressable at any moment, the same for the same seed on every machine.

Minutes are drawn from hashes (market_minutes) between day edges drawn from hashes (market_days); trades are made
inside the minutes on demand (market_trades) and everything larger is summed from the minutes, all in whole numbers,
so that every level agrees with every other exactly.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from itertools import pairwise

import numpy as np

from desktop.demo.market_cache import LeastRecentlyUsed
from desktop.demo.market_catalogue import FIRST_DATE, Listing, days_since_epoch, listings
from desktop.demo.market_days import CHUNK, NO_SESSION, Days, Plan
from desktop.demo.market_hash import key_of
from desktop.demo.market_minutes import Minutes, Ticks
from desktop.demo.market_trades import Events, trades_of
from desktop.demo.source import CatalogRow, Quotes, Split, Trades
from desktop.domain.bars import Bars, Ints
from desktop.domain.market import Market
from desktop.domain.sessions import new_york_date
from desktop.domain.timeframe import DAY_MS, HOUR_MS, MINUTE_MS, ONE_DAY, ONE_HOUR, ONE_MINUTE, ONE_SECOND, Timeframe
from desktop.domain.world import World, demo_world

_BATCH = 16  # days drawn together: arrays that fit the processor's cache
_FEW_DAYS = 3  # are drawn alone and kept by the minute, more are kept by the hour or day only
_MINUTES_AT_ONCE = 240
_LONGEST_SILENCE_DAYS = 30
_NEW_YORK_DAY_MS = 5 * HOUR_MS  # cuts between any two sessions, in summer and winter


class SyntheticMarket:
    """A MarketSource. Safe to use from several threads; its caches stay below about 200 MB.

    Bars are on the scale of `now_ms`, trades and quotes as they were traded: both agree after the last split.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._listings = {listing.ticker: listing for listing in listings()}
        self._days = Days(seed)
        self._drawn: LeastRecentlyUsed[str, Minutes] = LeastRecentlyUsed(2048)
        self._minutes_of_day: LeastRecentlyUsed[tuple[str, int], Ticks] = LeastRecentlyUsed(1536)
        self._hours_of_chunk: LeastRecentlyUsed[tuple[str, int], Ticks] = LeastRecentlyUsed(256)
        self._days_of_chunk: LeastRecentlyUsed[tuple[str, int], Ticks] = LeastRecentlyUsed(8192)
        self._events: LeastRecentlyUsed[tuple[str, int], Events] = LeastRecentlyUsed(4096)
        # WORKAROUND mallopt(3), "dynamic mmap threshold": until it has freed one large block glibc gives memory back
        # to the system after every array, which makes drawing minutes 2.4 times slower (measured).
        np.empty(2 << 20)

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

    def has_trades(self, ticker: str) -> bool:
        return ticker in self._listings

    def splits(self, ticker: str) -> Sequence[Split]:
        """Splits of a stock, oldest first: also those after the clock's time."""
        listing = self._listings.get(ticker)
        return listing.splits if listing else ()

    def bars(self, ticker: str, timeframe: Timeframe, from_ms: int, to_ms: int, now_ms: int) -> Bars:
        """See MarketSource.bars."""
        listing = self._listings.get(ticker)
        to_ms = min(to_ms, now_ms)
        if listing is None or to_ms <= from_ms:
            return Bars.empty()
        if timeframe == ONE_SECOND:
            ticks = self._seconds(listing, from_ms, to_ms, now_ms)
        elif timeframe == ONE_MINUTE:
            ticks = self._minutes_until(listing, from_ms, to_ms, now_ms)
        elif timeframe in (ONE_HOUR, ONE_DAY):
            ticks = self._larger(listing, timeframe, from_ms, to_ms, now_ms)
        else:
            return Bars.empty()
        return ticks.as_bars(listing, _scale(listing, now_ms))

    def trades(self, ticker: str, from_ms: int, to_ms: int) -> Trades:
        """See MarketSource.trades; prices and sizes of the time, not adjusted for later splits."""
        listing = self._listings.get(ticker)
        if listing is None or listing.market is Market.FOREX:
            return Trades.empty()
        parts = [
            events.as_trades(listing, _scale(listing, events.time_ms[0]))
            for events in self._events_between(listing, from_ms, to_ms)
        ]
        if len(parts) == 1:
            return parts[0]
        return _joined_trades(parts) if parts else Trades.empty()

    def quotes(self, ticker: str, from_ms: int, to_ms: int) -> Quotes:
        """See MarketSource.quotes; one with each trade, for currencies the quotes that make the bars."""
        listing = self._listings.get(ticker)
        if listing is None:
            return Quotes.empty()
        parts = [
            events.as_quotes(listing, _scale(listing, events.time_ms[0]))
            for events in self._events_between(listing, from_ms, to_ms)
        ]
        if len(parts) == 1:
            return parts[0]
        return _joined_quotes(parts) if parts else Quotes.empty()

    def last_trade(self, ticker: str, now_ms: int) -> Trades:
        """The last trade before `now_ms`: one row, or none when the last month had none."""
        minute_ms = self._last_minute(ticker, now_ms)
        trades = self.trades(ticker, minute_ms, min(minute_ms + MINUTE_MS, now_ms)) if minute_ms else Trades.empty()
        return trades.take(max(0, len(trades) - 1), len(trades))

    def last_quote(self, ticker: str, now_ms: int) -> Quotes:
        """The last quote before `now_ms`: one row, or none when the last month had none."""
        minute_ms = self._last_minute(ticker, now_ms)
        quotes = self.quotes(ticker, minute_ms, min(minute_ms + MINUTE_MS, now_ms)) if minute_ms else Quotes.empty()
        return quotes.take(max(0, len(quotes) - 1), len(quotes))

    def _last_minute(self, ticker: str, now_ms: int) -> int:
        """Start of the last minute with a trade before `now_ms`, or 0."""
        listing = self._listings.get(ticker)
        if listing is None:
            return 0
        for plan, chunk, rows in reversed(list(self._rows(listing, now_ms - _LONGEST_SILENCE_DAYS * DAY_MS, now_ms))):
            for row in rows[::-1]:
                bars = self._day(listing, plan, chunk, row).between(0, now_ms - MINUTE_MS + 1)
                minute_ms = now_ms - now_ms % MINUTE_MS
                if plan.first_minute_ms[row] <= minute_ms <= plan.last_ms[row]:
                    forming = self._events_of_minute(listing, minute_ms).between(minute_ms, now_ms)
                    if len(forming):
                        return minute_ms
                if len(bars):
                    return int(bars.start_ms[-1])
        return 0

    def _seconds(self, listing: Listing, from_ms: int, to_ms: int, now_ms: int) -> Ticks:
        reach_ms = min(to_ms + 999 - (to_ms - 1) % 1000, now_ms)  # the last second is whole unless it is forming
        parts = [events.seconds() for events in self._events_between(listing, from_ms - from_ms % 1000, reach_ms)]
        return Ticks.joined(parts).between(from_ms, to_ms)

    def _minutes_until(self, listing: Listing, from_ms: int, to_ms: int, now_ms: int) -> Ticks:
        """Minutes with trades that start in the range, which ends at `now_ms` or before; the last may be forming."""
        ticks = self._minutes(listing, from_ms, to_ms)
        if not len(ticks) or ticks.start_ms[-1] + MINUTE_MS <= now_ms:
            return ticks
        forming_ms = int(ticks.start_ms[-1])
        forming = self._events_of_minute(listing, forming_ms).between(0, now_ms)
        return Ticks.joined([ticks.between(from_ms, forming_ms), forming.grouped(MINUTE_MS)])

    def _larger(self, listing: Listing, timeframe: Timeframe, from_ms: int, to_ms: int, now_ms: int) -> Ticks:
        """Hours or days that start in the range, the last as far as `now_ms`."""
        parts: list[Ticks] = []
        for plan, chunk, rows in self._rows(listing, from_ms, to_ms, by_day=timeframe == ONE_DAY):
            is_over = plan.last_ms[rows] < now_ms
            if is_over.any():
                parts.append(self._closed(listing, timeframe, plan, chunk, rows[is_over]))
            for row in rows[~is_over]:
                minutes = self._minutes_until(listing, int(plan.first_minute_ms[row]), now_ms, now_ms)
                parts.append(_summed(minutes, timeframe, plan.day_ms[row]))
        return Ticks.joined(parts).between(from_ms, to_ms)

    def _closed(self, listing: Listing, timeframe: Timeframe, plan: Plan, chunk: int, rows: Ints) -> Ticks:
        """Hours or days of days that are over; only few rows are drawn alone."""
        is_day = timeframe == ONE_DAY
        cache = self._days_of_chunk if is_day else self._hours_of_chunk
        held = cache.peek((listing.ticker, chunk))
        if held is None and len(rows) <= _FEW_DAYS:
            return Ticks.joined(
                [_summed(self._day(listing, plan, chunk, row), timeframe, plan.day_ms[row]) for row in rows]
            )
        if held is None:
            held = cache.get((listing.ticker, chunk), lambda: self._whole_chunk(listing, timeframe, plan))
        starts = plan.day_ms if is_day else plan.first_minute_ms
        return held.between(int(starts[rows[0]]), int(starts[rows[-1]]) + DAY_MS)

    def _whole_chunk(self, listing: Listing, timeframe: Timeframe, plan: Plan) -> Ticks:
        """All the hours or days of a plan."""
        parts = []
        drawn = self._minutes_drawn(listing)
        rows = np.flatnonzero(plan.session != NO_SESSION)
        for begin in range(0, len(rows), _BATCH):
            batch = rows[begin : begin + _BATCH]
            minutes = drawn.of_days(plan, batch)
            if timeframe == ONE_HOUR:
                parts.append(minutes.grouped(60).traded())
                continue
            days = minutes.grouped(minutes.start_ms.shape[1])
            parts.append(Ticks(plan.day_ms[batch][:, None], *days.columns()[1:]).traded())
        return Ticks.joined(parts)

    def _minutes(self, listing: Listing, from_ms: int, to_ms: int) -> Ticks:
        """Minutes with trades that start in the range, whole, whatever the time is."""
        parts: list[Ticks] = []
        drawn = self._minutes_drawn(listing)
        for plan, chunk, rows in self._rows(listing, from_ms, to_ms):
            if len(rows) <= _FEW_DAYS:
                parts += [self._day(listing, plan, chunk, row) for row in rows]
            else:
                batches = (rows[begin : begin + _BATCH] for begin in range(0, len(rows), _BATCH))
                parts += [drawn.of_days(plan, batch).traded() for batch in batches]
        return Ticks.joined(parts).between(from_ms, to_ms)

    def _day(self, listing: Listing, plan: Plan, chunk: int, row: int) -> Ticks:
        """Minutes with trades of one day, kept."""
        key = (listing.ticker, chunk * CHUNK + int(row))
        return self._minutes_of_day.get(
            key, lambda: self._minutes_drawn(listing).of_days(plan, np.array([row])).traded()
        )

    def _rows(
        self, listing: Listing, from_ms: int, to_ms: int, *, by_day: bool = False
    ) -> Iterator[tuple[Plan, int, Ints]]:
        """Plans and, of each, the days whose session touches the range; `by_day`: whose bar starts in it."""
        from_ms = max(from_ms, listing.first_day * DAY_MS)
        for chunk in range((from_ms // DAY_MS - 1) // CHUNK, (to_ms - 1) // DAY_MS // CHUNK + 1):
            plan = self._days.plan(listing, chunk)
            first, last = (plan.day_ms, plan.day_ms) if by_day else (plan.first_minute_ms, plan.last_ms)
            rows = np.flatnonzero((plan.session != NO_SESSION) & (first < to_ms) & (last >= from_ms))
            if len(rows):
                yield plan, chunk, rows

    def _events_between(self, listing: Listing, from_ms: int, to_ms: int) -> Iterator[Events]:
        """Trades in the range in pieces, none of them empty and each of one day in New York."""
        if to_ms <= from_ms:
            return
        minute_ms = from_ms - from_ms % MINUTE_MS
        if to_ms <= minute_ms + MINUTE_MS:
            pieces = iter([self._events_of_minute(listing, minute_ms)])
        else:
            pieces = self._events_of_minutes(listing, self._minutes(listing, minute_ms, to_ms))
        for events in pieces:
            wanted = events.between(from_ms, to_ms)
            if len(wanted):
                yield wanted

    def _events_of_minutes(self, listing: Listing, minutes: Ticks) -> Iterator[Events]:
        drawn = self._minutes_drawn(listing)
        day = (minutes.start_ms - _NEW_YORK_DAY_MS) // DAY_MS if listing.splits else np.zeros(len(minutes), np.int64)
        edges = np.flatnonzero(np.diff(day, prepend=-1, append=-1)).tolist()
        for begin, end in pairwise(edges):
            for at in range(begin, end, _MINUTES_AT_ONCE):
                yield trades_of(drawn, minutes.take(at, min(at + _MINUTES_AT_ONCE, end)))

    def _events_of_minute(self, listing: Listing, minute_ms: int) -> Events:
        """All trades of one minute, kept; none when it has none."""

        def draw() -> Events:
            bar = self._minutes(listing, minute_ms, minute_ms + MINUTE_MS)
            return trades_of(self._minutes_drawn(listing), bar) if len(bar) else Events.empty()

        return self._events.get((listing.ticker, minute_ms), draw)

    def _minutes_drawn(self, listing: Listing) -> Minutes:
        return self._drawn.get(listing.ticker, lambda: Minutes(listing, key_of(self._seed, "minutes", listing.ticker)))


def _scale(listing: Listing, time_ms: int) -> int:
    return listing.scale_at(days_since_epoch(new_york_date(int(time_ms)))) if listing.splits else 1


def _summed(minutes: Ticks, timeframe: Timeframe, day_ms: int) -> Ticks:
    """The hours, or the one day that starts at `day_ms`, of some minutes of one day."""
    if timeframe == ONE_HOUR:
        return minutes.summed(minutes.start_ms // HOUR_MS * HOUR_MS)
    return minutes.summed(np.full(len(minutes), day_ms))


def _joined_trades(parts: list[Trades]) -> Trades:
    return Trades(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Trades)))


def _joined_quotes(parts: list[Quotes]) -> Quotes:
    return Quotes(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Quotes)))
