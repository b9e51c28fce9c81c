"""Columns of prices to the rectangles that show them. Pure numpy, device pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from desktop.domain.bars import Floats, Ints
from desktop.ui.chart.geometry import BODY_FROM, FILL_BELOW, Grid, PriceScale, body_width, wick_width
from desktop.ui.chart.pyramid import CLOSE, HIGH, LOW, OPEN, VOLUME
from desktop.ui.chart.rects import Rects, stack_rects

_MOST_ROWS = 1 << 20


@dataclass(frozen=True, slots=True)
class Columns:
    """What is visible: m buckets of `size` slots, keys (m,) = slot // size, values (5, m) as the pyramid has them."""

    keys: Ints
    values: Floats
    size: int
    previous_close: float  # before the first bucket; NaN when there is none
    spacing: float  # logical pixels a slot
    scale: float  # device pixels a logical one

    def __len__(self) -> int:
        return len(self.keys)

    def tail(self, first_key: int) -> Columns:
        """The columns from a key on."""
        begin = int(np.searchsorted(self.keys, first_key))
        previous = float(self.values[CLOSE, begin - 1]) if begin else self.previous_close
        return Columns(self.keys[begin:], self.values[:, begin:], self.size, previous, self.spacing, self.scale)


def directions(columns: Columns) -> NDArray[np.int8]:
    """1 up, -1 down, 0 neutral for each column; an unchanged bar is judged by the previous close."""
    opens, closes = columns.values[OPEN], columns.values[CLOSE]
    signs = np.sign(closes - opens)
    flat = np.flatnonzero(signs == 0)
    if len(flat):
        before = np.where(flat > 0, closes[flat - 1], columns.previous_close)
        signs[flat] = np.nan_to_num(np.sign(closes[flat] - before))
    whole: NDArray[np.int8] = signs.astype(np.int8)
    return whole


def extents(columns: Columns, grid: Grid) -> tuple[Ints, Ints]:
    """Leftmost and rightmost device column of each body, never overlapping the one before."""
    keys, size = columns.keys, columns.size
    if size > 1 or grid.spacing < FILL_BELOW:
        return grid.left(keys * size), grid.left((keys + 1) * size) - 1
    width = body_width(columns.spacing, columns.scale)
    left = grid.centre(keys) - width // 2
    right = left + width - 1
    left[1:] = np.maximum(left[1:], right[:-1] + 1)
    return left, right


def is_drawn_as_one(columns: Columns, grid: Grid) -> bool:
    """Whether there is no room for a body beside its wick."""
    return columns.size > 1 or columns.spacing < BODY_FROM or grid.spacing < FILL_BELOW


def candle_rects(columns: Columns, grid: Grid, prices: PriceScale) -> Rects:
    """Wick and body of each column: (2m, 4), or (m, 4) where they are one; column i is at rows i and m + i."""
    left, right = extents(columns, grid)
    high, low = prices.spans(columns.values[HIGH], columns.values[LOW])
    if is_drawn_as_one(columns, grid):
        return stack_rects(left, high, right, low)
    opens, closes = prices.rows(columns.values[OPEN]), prices.rows(columns.values[CLOSE])
    body = stack_rects(left, np.minimum(opens, closes), right, np.maximum(opens, closes))
    wick_px = wick_width(columns.spacing, columns.scale)
    wick_left = grid.centre(columns.keys) - wick_px // 2
    return np.concatenate([stack_rects(wick_left, high, wick_left + wick_px - 1, low), body])


def volume_rects(columns: Columns, grid: Grid, top: float, bottom_row: int, height: int) -> Rects:
    """A bar of at least 1 px for every column with volume: (m, 4); those without are empty below the plot.

    top: the volume that is `height` rows high; bottom_row: the lowest row (inclusive).
    """
    left, right = extents(columns, grid)
    volumes = columns.values[VOLUME]
    has_volume = volumes > 0  # false for unknown ones
    share = np.minimum(volumes / top, 2.0) if top > 0 else volumes * 0
    rows = np.where(has_volume, np.maximum(np.rint(share * height), 1), 0).astype(np.int64)
    upper = np.where(has_volume, bottom_row - rows + 1, _MOST_ROWS)
    return stack_rects(left, upper, right, np.where(has_volume, bottom_row, _MOST_ROWS))


def strip_of(columns: Columns, grid: Grid, slot: int) -> tuple[int, int, int]:
    """Device columns (first, last) that the bucket of a slot may paint on, and that bucket's key."""
    key = slot // columns.size
    left = grid.left_of(key * columns.size)
    right = grid.left_of((key + 1) * columns.size) - 1
    room = math.ceil(2 * columns.scale)
    return left - room, right + room, key
