"""Bars merged four by four, level upon level, so that a picture of a million bars reads a few thousand numbers.

A cell of level k covers 4^k slots from a fixed multiple of 4^k on; a slot without a bar adds nothing. Cells hold
first open, highest high, lowest low, last close and the largest volume (a sum would draw combs).
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

import numpy as np

from desktop.domain.bars import Bars, Floats, Ints
from desktop.ui.chart.slots import SlotAxis

FACTOR: Final = 4
OPEN, HIGH, LOW, CLOSE, VOLUME = range(5)
_MIN_CELLS: Final = 8  # a level this small gets no further one


class Level:
    """Cells of one size: `keys` strictly increasing (n,), `values` (5, n); grows at both ends without copying all."""

    __slots__ = ("_begin", "_end", "_keys", "_values")

    def __init__(self) -> None:
        self._keys = np.empty(0, np.int64)
        self._values = np.empty((5, 0))
        self._begin = self._end = 0

    def __len__(self) -> int:
        return self._end - self._begin

    @property
    def keys(self) -> Ints:
        return self._keys[self._begin : self._end]

    @property
    def values(self) -> Floats:
        return self._values[:, self._begin : self._end]

    @property
    def nbytes(self) -> int:
        return self._keys.nbytes + self._values.nbytes

    def tail(self, count: int) -> tuple[list[int], Floats]:
        """Keys and values of the last cells, at most `count`."""
        begin = max(self._begin, self._end - count)
        return self._keys[begin : self._end].tolist(), self._values[:, begin : self._end]

    def put_last(self, key: int, cell: list[float]) -> None:
        """The cell of a key that is the last one, or comes after it."""
        if self._begin < self._end and self._keys[self._end - 1] == key:
            self._values[:, self._end - 1] = cell
        else:
            self._splice(len(self), len(self), np.array([key]), np.array(cell)[:, None])

    def replace(self, first_key: int, last_key: int, keys: Ints, values: Floats) -> None:
        """Puts cells in the place of those with keys in [first_key, last_key]."""
        begin, end = np.searchsorted(self.keys, [first_key, last_key + 1])
        self._splice(int(begin), int(end), keys, values)

    def _splice(self, begin: int, end: int, keys: Ints, values: Floats) -> None:
        """Moves the shorter side to make the gap [begin, end) fit, then writes into it."""
        count, grow = len(self), len(keys) - (end - begin)
        is_front = begin < count - end
        spare = self._begin if is_front else self._keys.shape[0] - self._end
        if grow > spare:
            self._reserve(grow, is_front)
        old_begin, old_end = self._begin, self._end
        if is_front:
            self._begin -= grow
            source, target = slice(old_begin, old_begin + begin), slice(self._begin, self._begin + begin)
        else:
            self._end += grow
            source, target = slice(old_begin + end, old_end), slice(old_begin + end + grow, self._end)
        if grow and source.start != source.stop:
            self._keys[target] = self._keys[source].copy()
            self._values[:, target] = self._values[:, source].copy()
        window = slice(self._begin + begin, self._begin + begin + len(keys))
        self._keys[window], self._values[:, window] = keys, values

    def _reserve(self, grow: int, is_front: bool) -> None:
        """Room for so many cells more at one end, and some at both."""
        count = len(self)
        spare = max(64, (count + grow) // 8)
        capacity = count + grow + 2 * spare
        keys, values = np.empty(capacity, np.int64), np.empty((5, capacity))
        begin = spare + grow if is_front else spare
        window = slice(begin, begin + count)
        keys[window], values[:, window] = self.keys, self.values
        self._keys, self._values, self._begin, self._end = keys, values, begin, begin + count


class Pyramid:
    """The levels above a series of bars whose slots are known; the bars themselves are level 0 and stay outside."""

    def __init__(self) -> None:
        self.levels: list[Level] = []

    @property
    def nbytes(self) -> int:
        return sum(level.nbytes for level in self.levels)

    def clear(self) -> None:
        self.levels.clear()

    def update(self, bars: Bars, axis: SlotAxis, begin: int, end: int) -> None:
        """Bars `begin` to `end` (exclusive) are new or different.

        The cost is that of the cells above them. Bars never leave; after a removal, `clear` and update all.
        """
        starts = bars.start_ms
        if begin >= end or (begin == end - 1 == len(starts) - 1 and self._update_last(bars, axis)):
            return
        first, last = axis.slot_of(starts, begin), axis.slot_of(starts, end - 1)
        size, depth = len(starts), 0
        while size > _MIN_CELLS * FACTOR:
            below = self.levels[depth - 1] if depth else None
            if depth == len(self.levels):  # the first one of this size: made of everything below it
                self.levels.append(Level())
                first = int(below.keys[0]) if below else axis.slot_of(starts, 0)
                last = int(below.keys[-1]) if below else axis.slot_of(starts, size - 1)
            first, last = first // FACTOR, last // FACTOR
            if below:
                lo, hi = (int(i) for i in np.searchsorted(below.keys, [first * FACTOR, (last + 1) * FACTOR]))
                keys, values = merge(below.keys[lo:hi] // FACTOR, below.values[:, lo:hi])
            else:
                lo, hi = axis.index_range(starts, first * FACTOR, (last + 1) * FACTOR - 1)
                keys, values = merge(axis.slots(starts, lo, hi) // FACTOR, _columns(bars, lo, hi))
            self.levels[depth].replace(first, last, keys, values)
            size, depth = len(self.levels[depth]), depth + 1

    def _update_last(self, bars: Bars, axis: SlotAxis) -> bool:
        """The cells above the last bar alone, which is what a tick costs; False when there has to be another level."""
        begin, end = max(0, len(bars) - FACTOR), len(bars)
        key, size = axis.slot_of(bars.start_ms, -1), end
        keys: list[int] = axis.slots(bars.start_ms, begin, end).tolist()
        columns: Sequence[Floats] | Floats = _columns(bars, begin, end)
        for level in self.levels:
            key //= FACTOR
            lo = bisect_left(keys, key * FACTOR)
            level.put_last(key, _cell([column[lo:].tolist() for column in columns]))
            (keys, columns), size = level.tail(FACTOR), len(level)
        return size <= _MIN_CELLS * FACTOR

    def visible(self, bars: Bars, axis: SlotAxis, begin: int, end: int, size: int) -> tuple[Ints, Floats]:
        """Buckets of `size` slots (a power of two) over the bars `begin` to `end`: keys (slot // size), columns (5, m).

        Whole buckets are answered: the outermost may hold bars that were not asked for.
        """
        if begin >= end:
            return np.empty(0, np.int64), np.empty((5, 0))
        depth = min((size.bit_length() - 1) // 2, len(self.levels))
        if depth == 0:
            slots, columns = axis.slots(bars.start_ms, begin, end), _columns(bars, begin, end)
            return (slots, np.stack(columns)) if size == 1 else merge(slots // size, columns)
        first, last = (axis.slot_of(bars.start_ms, index) // size for index in (begin, end - 1))
        level, cell = self.levels[depth - 1], FACTOR**depth
        lo, hi = np.searchsorted(level.keys, [first * size // cell, (last + 1) * size // cell])
        keys, values = level.keys[lo:hi], level.values[:, lo:hi]
        return (keys, values) if size == cell else merge(keys * cell // size, values)


def merge(keys: Ints, values: Sequence[Floats] | Floats) -> tuple[Ints, Floats]:
    """Neighbouring columns of equal key as one. keys: (n,) not decreasing; values: (5, n)."""
    if not len(keys):
        return keys, np.empty((5, 0))
    starts = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
    ends = np.append(starts[1:], len(keys)) - 1
    merged = np.empty((5, len(starts)))
    merged[OPEN], merged[CLOSE] = values[OPEN][starts], values[CLOSE][ends]
    merged[HIGH] = np.maximum.reduceat(values[HIGH], starts)
    merged[LOW] = np.minimum.reduceat(values[LOW], starts)
    merged[VOLUME] = np.fmax.reduceat(values[VOLUME], starts)
    return keys[starts], merged


def _cell(columns: list[list[float]]) -> list[float]:
    """A few bars or cells as one. For so few, numpy's calls cost ten times as much."""
    opens, highs, lows, closes, volumes = columns
    known = [volume for volume in volumes if not math.isnan(volume)]
    return [opens[0], max(highs), min(lows), closes[-1], max(known, default=math.nan)]


def _columns(bars: Bars, begin: int, end: int) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    part = slice(begin, end)
    return bars.open[part], bars.high[part], bars.low[part], bars.close[part], bars.volume[part]
