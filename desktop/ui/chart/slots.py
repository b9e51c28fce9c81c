"""Where bars stand on the time axis: one slot a bar, or one slot a length of time.

Slots are counted from where the series stood when the axis was made. Bars put in front get negative slots, so older
history never moves what is on the screen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from desktop.domain.bars import Ints
from desktop.domain.market import Market
from desktop.domain.settings import ClosedTime
from desktop.domain.timeframe import HOUR_MS, Span, Timeframe

_SAMPLES: Final = 256  # distances between bars that tell the usual one


class SlotAxis(Protocol):
    """Time to slot and back. `starts` are the series' bar starts, (n,) int64, Unix ms."""

    unit_ms: int  # the usual length of a bar

    def slots(self, starts: Ints, begin: int, end: int) -> Ints:
        """Slots of the bars `begin` to `end` (exclusive)."""

    def slot_of(self, starts: Ints, index: int) -> int: ...

    def index_range(self, starts: Ints, first_slot: int, last_slot: int) -> tuple[int, int]:
        """Half-open range of the bars that stand in slots `first_slot` to `last_slot` (inclusive)."""

    def last_indices(self, starts: Ints, slots: Ints) -> Ints:
        """Index of the last bar in or before each slot (n,); -1 where there is none."""

    def time_at(self, starts: Ints, slot: int) -> int:
        """Start of a slot in Unix ms, extrapolated beyond the bars."""

    def slot_at_time(self, starts: Ints, time_ms: int) -> int:
        """The slot that shows a time: of an index axis the first bar at or after it."""

    def typical_ms(self, starts: Ints, first_slot: int, last_slot: int) -> int:
        """The usual time from one slot to the next between these two, at least `unit_ms`."""

    def prepend(self, count: int) -> None:
        """So many bars were put in front of the series."""


@dataclass(slots=True)
class TimeSlots:
    """One slot for each length of time, so that holes are seen: crypto."""

    anchor_ms: int
    unit_ms: int

    def slots(self, starts: Ints, begin: int, end: int) -> Ints:
        return (starts[begin:end] - self.anchor_ms) // self.unit_ms

    def slot_of(self, starts: Ints, index: int) -> int:
        return (int(starts[index]) - self.anchor_ms) // self.unit_ms

    def index_range(self, starts: Ints, first_slot: int, last_slot: int) -> tuple[int, int]:
        ends = [self.anchor_ms + first_slot * self.unit_ms, self.anchor_ms + (last_slot + 1) * self.unit_ms]
        begin, end = np.searchsorted(starts, np.array(ends, np.int64))
        return int(begin), int(end)

    def last_indices(self, starts: Ints, slots: Ints) -> Ints:
        return np.searchsorted(starts, self.anchor_ms + (slots + 1) * self.unit_ms).astype(np.int64) - 1

    def time_at(self, starts: Ints, slot: int) -> int:
        return self.anchor_ms + slot * self.unit_ms

    def slot_at_time(self, starts: Ints, time_ms: int) -> int:
        return -(-(time_ms - self.anchor_ms) // self.unit_ms)

    def typical_ms(self, starts: Ints, first_slot: int, last_slot: int) -> int:
        return self.unit_ms

    def prepend(self, count: int) -> None:
        return


@dataclass(slots=True)
class IndexSlots:
    """One slot for each bar, so that closed hours take no room: stocks and forex."""

    unit_ms: int
    offset: int = 0  # bars in front of slot 0

    def slots(self, starts: Ints, begin: int, end: int) -> Ints:
        return np.arange(begin - self.offset, end - self.offset, dtype=np.int64)

    def slot_of(self, starts: Ints, index: int) -> int:
        return (index if index >= 0 else len(starts) + index) - self.offset

    def index_range(self, starts: Ints, first_slot: int, last_slot: int) -> tuple[int, int]:
        begin = min(max(first_slot + self.offset, 0), len(starts))
        return begin, max(begin, min(last_slot + 1 + self.offset, len(starts)))

    def last_indices(self, starts: Ints, slots: Ints) -> Ints:
        return np.clip(slots + self.offset, -1, len(starts) - 1)

    def time_at(self, starts: Ints, slot: int) -> int:
        index = slot + self.offset
        if not len(starts):
            return slot * self.unit_ms
        if index < 0:
            return int(starts[0]) + index * self.unit_ms
        if index >= len(starts):
            return int(starts[-1]) + (index - len(starts) + 1) * self.unit_ms
        return int(starts[index])

    def slot_at_time(self, starts: Ints, time_ms: int) -> int:
        if len(starts) and time_ms > starts[-1]:
            beyond = -(-(time_ms - int(starts[-1])) // self.unit_ms)
            return len(starts) - 1 + beyond - self.offset
        return int(np.searchsorted(starts, time_ms)) - self.offset

    def typical_ms(self, starts: Ints, first_slot: int, last_slot: int) -> int:
        begin, end = self.index_range(starts, first_slot, last_slot)
        if end - begin < 2:
            return self.unit_ms
        at = np.linspace(begin, end - 2, min(end - begin - 1, _SAMPLES)).astype(np.int64)
        return max(self.unit_ms, int(np.median(starts[at + 1] - starts[at])))

    def prepend(self, count: int) -> None:
        self.offset += count


def slot_axis(
    market: Market, timeframe: Timeframe, starts: Ints, closed_time: ClosedTime = ClosedTime.MARKET
) -> SlotAxis:
    """The axis for a series: continuous time where closed time is shown and bars are evenly long, else one slot a bar.

    Bars of stocks are even up to an hour: longer ones begin anew with each New York day.
    """
    is_shown = closed_time is ClosedTime.SHOWN or (closed_time is ClosedTime.MARKET and market is Market.CRYPTO)
    is_even = timeframe.span not in (Span.MONTH, Span.YEAR)
    if market is Market.STOCKS:
        is_even = timeframe.fixed_ms is not None and HOUR_MS % timeframe.fixed_ms == 0
    if is_shown and is_even:
        return TimeSlots(int(starts[0]) if len(starts) else 0, timeframe.typical_ms)
    return IndexSlots(timeframe.typical_ms)


def time_of_slot(axis: SlotAxis, starts: Ints, slot: float) -> int:
    """The time of a slot, or between two for a fraction. Unix ms; starts: those of the bars, (n,)."""
    whole = math.floor(slot)
    start = axis.time_at(starts, whole)
    return start + round((slot - whole) * (axis.time_at(starts, whole + 1) - start))


def slot_of_time(axis: SlotAxis, starts: Ints, time_ms: int) -> float:
    """The slot of a time, a fraction between the starts of two; starts: those of the bars, (n,)."""
    if not len(starts):
        return time_ms / axis.unit_ms
    if time_ms < starts[0]:
        return axis.slot_of(starts, 0) - (int(starts[0]) - time_ms) / axis.unit_ms
    slot = axis.slot_at_time(starts, time_ms)
    here = axis.time_at(starts, slot)
    before = axis.time_at(starts, slot - 1)
    return slot - (here - time_ms) / (here - before)
