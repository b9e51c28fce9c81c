"""Bars of one ticker and timeframe as columns, and the growing series a chart reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

VALUE_COLUMNS: Final = ("open", "high", "low", "close", "volume", "vwap", "trades")


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar. `start_ms` Unix ms UTC; volume, vwap and trades are NaN where the source does not know them."""

    start_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float = float("nan")
    vwap: float = float("nan")
    trades: float = float("nan")


@dataclass(frozen=True, slots=True)
class Bars:
    """Columns of equal length n, oldest first, `start_ms` strictly increasing; float columns NaN where unknown."""

    start_ms: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    vwap: Floats
    trades: Floats

    def __len__(self) -> int:
        return len(self.start_ms)

    def __getitem__(self, index: int) -> Bar:
        return Bar(int(self.start_ms[index]), *(float(getattr(self, name)[index]) for name in VALUE_COLUMNS))

    @classmethod
    def empty(cls) -> Self:
        return cls(np.empty(0, np.int64), *(np.empty(0) for _ in VALUE_COLUMNS))

    @classmethod
    def from_columns(cls, start_ms: Ints, values: Iterable[Floats]) -> Self:
        """From columns in any order of time with repeats: sorted, of equal starts the last one wins."""
        start_ms = np.asarray(start_ms, np.int64)
        columns = [np.asarray(column, np.float64) for column in values]
        if len(start_ms) > 1 and not (np.diff(start_ms) > 0).all():
            order = np.argsort(start_ms, kind="stable")
            start_ms = start_ms[order]
            is_last = np.append(start_ms[1:] != start_ms[:-1], True)
            start_ms = start_ms[is_last]
            columns = [column[order][is_last] for column in columns]
        return cls(start_ms, *columns)

    @classmethod
    def from_rows(cls, rows: Iterable[Bar]) -> Self:
        listed = list(rows)
        return cls.from_columns(
            np.array([bar.start_ms for bar in listed], np.int64),
            [np.array([getattr(bar, name) for bar in listed], np.float64) for name in VALUE_COLUMNS],
        )

    def values(self) -> list[Floats]:
        """The float columns in the order of VALUE_COLUMNS."""
        return [getattr(self, name) for name in VALUE_COLUMNS]

    def take(self, begin: int, end: int) -> Bars:
        """Bars `begin` to `end` (exclusive) as views."""
        return Bars(self.start_ms[begin:end], *(column[begin:end] for column in self.values()))

    def between(self, from_ms: int, to_ms: int) -> Bars:
        """The bars whose start lies in [from_ms, to_ms), as views."""
        begin, end = np.searchsorted(self.start_ms, [from_ms, to_ms])
        return self.take(int(begin), int(end))

    def merged(self, newer: Bars) -> Bars:
        """Both, sorted; where both have a start, `newer` wins."""
        if not len(newer):
            return self
        if not len(self):
            return newer
        return Bars.from_columns(
            np.concatenate([self.start_ms, newer.start_ms]),
            [np.concatenate(pair) for pair in zip(self.values(), newer.values(), strict=True)],
        )


@dataclass(frozen=True, slots=True)
class SeriesChange:
    """What a merge did: `prepended` bars in front, then everything from `first_index` on may differ.

    `first_index` is in the new numbering; it equals the length when nothing but the front changed.
    """

    prepended: int
    first_index: int

    @property
    def is_nothing(self) -> bool:
        return self.prepended == 0 and self.first_index < 0


NO_CHANGE: Final = SeriesChange(0, -1)


class BarSeries:
    """A growing column store: cheap append, cheap update of the last bar, amortised prepend.

    `bars` gives views into the store; they stay valid until the next change.
    """

    def __init__(self, bars: Bars | None = None) -> None:
        self._capacity = 1024
        self._begin = self._end = self._capacity // 2
        self._starts = np.empty(self._capacity, np.int64)
        self._values = np.empty((len(VALUE_COLUMNS), self._capacity))
        self._view: Bars | None = None
        if bars is not None:
            self.merge(bars)

    def __len__(self) -> int:
        return self._end - self._begin

    @property
    def bars(self) -> Bars:
        if self._view is None:
            window = slice(self._begin, self._end)
            self._view = Bars(self._starts[window], *self._values[:, window])
        return self._view

    @property
    def last_start_ms(self) -> int | None:
        return int(self._starts[self._end - 1]) if len(self) else None

    def clear(self) -> None:
        self._begin = self._end = self._capacity // 2
        self._view = None

    def upsert(self, bar: Bar) -> SeriesChange:
        """Puts one bar in: replaces the one of the same start, else appends or inserts."""
        last = self.last_start_ms
        if last is not None and bar.start_ms < last:
            return self.merge(Bars.from_rows([bar]))
        row = [getattr(bar, name) for name in VALUE_COLUMNS]
        if last == bar.start_ms:
            index = self._end - 1
            if np.array_equal(self._values[:, index], row, equal_nan=True):
                return NO_CHANGE
        else:
            self._make_room(0, 1)
            index = self._end
            self._starts[index] = bar.start_ms
            self._end += 1
        self._values[:, index] = row
        self._view = None
        return SeriesChange(0, index - self._begin)

    def merge(self, newer: Bars) -> SeriesChange:
        """Puts many bars in; where a start exists already the new bar wins."""
        if not len(newer):
            return NO_CHANGE
        old = self.bars
        if len(old) and newer.start_ms[-1] < old.start_ms[0]:
            return self._prepend(newer)
        if not len(old) or newer.start_ms[0] > old.start_ms[-1]:
            return self._append(newer)
        first = int(np.searchsorted(old.start_ms, newer.start_ms[0]))
        kept, tail = old.take(0, first), old.take(first, len(old))
        merged_tail = tail.merged(newer)
        if len(merged_tail) == len(tail) and all(
            np.array_equal(a, b, equal_nan=True) for a, b in zip(tail.values(), merged_tail.values(), strict=True)
        ):
            return NO_CHANGE
        is_in_front = newer.start_ms[0] < old.start_ms[0]
        prepended = int(np.searchsorted(merged_tail.start_ms, old.start_ms[0])) if is_in_front else 0
        self._end = self._begin + len(kept)
        self._append(merged_tail)
        return SeriesChange(prepended, first + prepended)

    def remove(self, start_ms: Ints) -> None:
        """Takes the bars with these starts out; ascending, each of them held."""
        old = self.bars
        first = int(np.searchsorted(old.start_ms, start_ms[0]))
        rest = old.take(first, len(old))
        keep = ~np.isin(rest.start_ms, start_ms)
        kept = Bars(rest.start_ms[keep], *(column[keep] for column in rest.values()))
        self._end = self._begin + first
        self._append(kept)
        self._view = None

    def _append(self, bars: Bars) -> SeriesChange:
        index = len(self)
        self._make_room(0, len(bars))
        self._write(self._end, bars)
        self._end += len(bars)
        return SeriesChange(0, index)

    def _prepend(self, bars: Bars) -> SeriesChange:
        self._make_room(len(bars), 0)
        self._begin -= len(bars)
        self._write(self._begin, bars)
        return SeriesChange(len(bars), len(self))

    def _write(self, at: int, bars: Bars) -> None:
        self._starts[at : at + len(bars)] = bars.start_ms
        for row, column in zip(self._values, bars.values(), strict=True):
            row[at : at + len(bars)] = column
        self._view = None

    def _make_room(self, front: int, back: int) -> None:
        if self._begin >= front and self._capacity - self._end >= back:
            return
        count = len(self)
        capacity = max(1024, 2 * (count + front + back))
        spare = capacity - count - front - back
        begin = front + (spare // 2 if front else min(self._begin, spare // 4))
        starts = np.empty(capacity, np.int64)
        values = np.empty((len(VALUE_COLUMNS), capacity))
        starts[begin : begin + count] = self._starts[self._begin : self._end]
        values[:, begin : begin + count] = self._values[:, self._begin : self._end]
        self._starts, self._values, self._capacity = starts, values, capacity
        self._begin, self._end = begin, begin + count
        self._view = None
