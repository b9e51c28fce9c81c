"""Bars and trades of the synthetic market in whole numbers: drawn when asked for, kept within bounds."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import numpy as np

from desktop.demo.market_cache import LeastRecentlyUsed
from desktop.demo.market_catalogue import Listing
from desktop.demo.market_days import CHUNK, NO_SESSION, Days, Plan
from desktop.demo.market_hash import key_of
from desktop.demo.market_minutes import Minutes, Ticks
from desktop.demo.market_trades import Events, trades_of
from desktop.domain.bars import Ints
from desktop.domain.timeframe import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

_BATCH: Final = 16  # days drawn together: arrays that fit the processor's cache
_FEW_DAYS: Final = 3  # of minutes are kept, more are drawn again
_SOME_DAYS: Final = 12  # are summed from their hours, more are kept as days
_MINUTES_AT_ONCE: Final = 240
_NEW_YORK_DAY_MS: Final = 5 * HOUR_MS  # cuts between any two sessions, in summer and winter


class History:
    """All bars and trades under one seed; each answer is a function of its arguments.

    Ranges are half-open and choose bars by their start, trades by their time. The caches hold at most about 250 MB.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._plans = Days(seed)
        self._drawn: LeastRecentlyUsed[str, Minutes] = LeastRecentlyUsed(2048)
        self._minutes_of_day: LeastRecentlyUsed[tuple[str, int], Ticks] = LeastRecentlyUsed(1536)
        self._hours_of_day: LeastRecentlyUsed[tuple[str, int], Ticks] = LeastRecentlyUsed(24_576)
        self._days_of_chunk: LeastRecentlyUsed[tuple[str, int], Ticks] = LeastRecentlyUsed(4096)
        self._events: LeastRecentlyUsed[tuple[str, int], Events] = LeastRecentlyUsed(4096)
        # WORKAROUND mallopt(3), "dynamic mmap threshold": until it has freed one large block glibc gives memory back
        # to the system after every array, which makes drawing minutes 2.4 times slower (measured).
        np.empty(2 << 20)

    def seconds(self, listing: Listing, from_ms: int, to_ms: int, now_ms: int) -> Ticks:
        """Second bars, the last as far as `now_ms`."""
        until_ms = min(-(-to_ms // SECOND_MS) * SECOND_MS, now_ms)
        parts = [events.grouped(SECOND_MS) for events in self.events(listing, from_ms - from_ms % SECOND_MS, until_ms)]
        return Ticks.joined(parts).between(from_ms, to_ms)

    def minutes(self, listing: Listing, from_ms: int, to_ms: int, now_ms: int) -> Ticks:
        """Minute bars, the last as far as `now_ms`, which is not before `to_ms`."""
        ticks = self._whole_minutes(listing, from_ms, to_ms)
        if not len(ticks) or ticks.start_ms[-1] + MINUTE_MS <= now_ms:
            return ticks
        forming_ms = int(ticks.start_ms[-1])
        forming = self._events_of_minute(listing, forming_ms).between(forming_ms, now_ms)
        return Ticks.joined([ticks.between(from_ms, forming_ms), forming.grouped(MINUTE_MS)])

    def hours(self, listing: Listing, from_ms: int, to_ms: int, now_ms: int) -> Ticks:
        """Hour bars, the last as far as `now_ms`."""
        parts: list[Ticks] = []
        for plan, chunk, rows in self._rows(listing, from_ms, to_ms):
            is_over = plan.last_ms[rows] < now_ms
            parts += self._hours(listing, plan, chunk, rows[is_over])
            for row in rows[~is_over]:
                minutes = self.minutes(listing, int(plan.first_minute_ms[row]), now_ms, now_ms)
                parts.append(minutes.summed(minutes.start_ms // HOUR_MS * HOUR_MS))
        return Ticks.joined(parts).between(from_ms, to_ms)

    def days(self, listing: Listing, from_ms: int, to_ms: int, now_ms: int) -> Ticks:
        """Day bars, the last as far as `now_ms`."""
        parts: list[Ticks] = []
        for plan, chunk, rows in self._rows(listing, from_ms, to_ms, by_day=True):
            is_over = plan.last_ms[rows] < now_ms
            parts += self._days(listing, plan, chunk, rows[is_over])
            for row in rows[~is_over]:
                minutes = self.minutes(listing, int(plan.first_minute_ms[row]), now_ms, now_ms)
                parts.append(_one_day(minutes, plan.day_ms[row]))
        return Ticks.joined(parts).between(from_ms, to_ms)

    def events(self, listing: Listing, from_ms: int, to_ms: int) -> Iterator[Events]:
        """Trades in pieces, in time order, none of them empty and each of one day in New York."""
        minute_ms = from_ms - from_ms % MINUTE_MS
        if to_ms <= from_ms:
            return
        if to_ms <= minute_ms + MINUTE_MS:
            pieces = iter([self._events_of_minute(listing, minute_ms)])
        else:
            pieces = self._events_of_minutes(listing, self._whole_minutes(listing, minute_ms, to_ms))
        for piece in pieces:
            events = piece.between(from_ms, to_ms)
            if len(events):
                yield events

    def _rows(
        self, listing: Listing, from_ms: int, to_ms: int, *, by_day: bool = False
    ) -> Iterator[tuple[Plan, int, Ints]]:
        """Plans and, of each, the days whose session touches the range; `by_day`: whose bar starts in it."""
        from_ms = max(from_ms, listing.first_day * DAY_MS)
        for chunk in range((from_ms // DAY_MS - 1) // CHUNK, (to_ms - 1) // DAY_MS // CHUNK + 1):
            plan = self._plans.plan(listing, chunk)
            first, last = (plan.day_ms, plan.day_ms) if by_day else (plan.first_minute_ms, plan.last_ms)
            rows = np.flatnonzero((plan.session != NO_SESSION) & (first < to_ms) & (last >= from_ms))
            if len(rows):
                yield plan, chunk, rows

    def _whole_minutes(self, listing: Listing, from_ms: int, to_ms: int) -> Ticks:
        """Minutes with trades, whole, whatever the time is."""
        parts: list[Ticks] = []
        drawn = self._minutes_drawn(listing)
        for plan, chunk, rows in self._rows(listing, from_ms, to_ms):
            if len(rows) <= _FEW_DAYS:
                parts += [self._minutes_of(listing, plan, chunk, row) for row in rows.tolist()]
            else:
                parts += [drawn.of_days(plan, batch).traded() for batch in _batches(rows)]
        return Ticks.joined(parts).between(from_ms, to_ms)

    def _minutes_of(self, listing: Listing, plan: Plan, chunk: int, row: int) -> Ticks:
        """Minutes with trades of one day."""
        return self._minutes_of_day.get(
            (listing.ticker, chunk * CHUNK + row),
            lambda: self._minutes_drawn(listing).of_days(plan, np.array([row])).traded(),
        )

    def _hours(self, listing: Listing, plan: Plan, chunk: int, rows: Ints) -> list[Ticks]:
        """Hours of days that are over, day by day."""
        days = (rows + chunk * CHUNK).tolist()
        held = [self._hours_of_day.peek((listing.ticker, day)) for day in days]
        missing = [index for index, ticks in enumerate(held) if ticks is None]
        for batch in _batches(np.array(missing, np.int64)):
            hours = self._minutes_drawn(listing).of_days(plan, rows[batch]).grouped(60)
            for place, index in enumerate(batch.tolist()):
                held[index] = hours.take_row(place).traded()
                self._hours_of_day.put((listing.ticker, days[index]), held[index])
        return [ticks for ticks in held if ticks is not None]

    def _days(self, listing: Listing, plan: Plan, chunk: int, rows: Ints) -> list[Ticks]:
        """Day bars of days that are over."""
        key = (listing.ticker, chunk)
        if not len(rows):
            return []
        if self._days_of_chunk.peek(key) is None and len(rows) <= _SOME_DAYS:
            hours = self._hours(listing, plan, chunk, rows)
            return [_one_day(ticks, plan.day_ms[row]) for row, ticks in zip(rows, hours, strict=True)]
        held = self._days_of_chunk.get(key, lambda: self._whole_chunk(listing, plan))
        return [held.between(int(plan.day_ms[rows[0]]), int(plan.day_ms[rows[-1]]) + 1)]

    def _whole_chunk(self, listing: Listing, plan: Plan) -> Ticks:
        """All the days of a plan, whether they are over or not."""
        parts = []
        for batch in _batches(np.flatnonzero(plan.session != NO_SESSION)):
            minutes = self._minutes_drawn(listing).of_days(plan, batch)
            days = minutes.grouped(minutes.start_ms.shape[1])
            parts.append(Ticks(plan.day_ms[batch][:, None], *days.columns()[1:]).traded())
        return Ticks.joined(parts)

    def _events_of_minutes(self, listing: Listing, minutes: Ticks) -> Iterator[Events]:
        drawn = self._minutes_drawn(listing)
        day = (minutes.start_ms - _NEW_YORK_DAY_MS) // DAY_MS if listing.splits else np.zeros(len(minutes), np.int64)
        edges = np.flatnonzero(np.diff(day, prepend=-1, append=-1)).tolist()
        for begin, end in pairwise(edges):
            for at in range(begin, end, _MINUTES_AT_ONCE):
                yield trades_of(drawn, minutes.take(at, min(at + _MINUTES_AT_ONCE, end)))

    def _events_of_minute(self, listing: Listing, minute_ms: int) -> Events:
        """All trades of one minute; none when it has none."""

        def draw() -> Events:
            bar = self._whole_minutes(listing, minute_ms, minute_ms + MINUTE_MS)
            return trades_of(self._minutes_drawn(listing), bar) if len(bar) else Events.empty()

        return self._events.get((listing.ticker, minute_ms), draw)

    def _minutes_drawn(self, listing: Listing) -> Minutes:
        return self._drawn.get(listing.ticker, lambda: Minutes(listing, key_of(self._seed, "minutes", listing.ticker)))


def _batches(rows: Ints) -> Iterator[Ints]:
    return (rows[begin : begin + _BATCH] for begin in range(0, len(rows), _BATCH))


def _one_day(parts: Ticks, day_ms: int) -> Ticks:
    """The bar that starts at `day_ms` of the minutes or hours of its day."""
    return parts.summed(np.full(len(parts), day_ms))
