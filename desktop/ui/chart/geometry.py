"""Pixel arithmetic of the chart as plain functions of numbers. Nothing here knows Qt.

A *slot* is the place of one bar on the time axis, an integer; `spacing` is its width. Device pixels are integers and
are only ever reached through `Grid`, whose origin is a whole pixel, so that panning shifts every column by the same
amount and nothing shimmers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np

from desktop.domain.bars import Floats, Ints

DEFAULT_SPACING: Final = 8.0  # logical pixels a bar
MAX_SPACING: Final = 200.0
MERGE_BELOW: Final = 1.0  # device pixels a bar below which bars are merged
FILL_BELOW: Final = 2.0  # device pixels a bar below which columns leave no gap
BODY_FROM: Final = 2.5  # logical pixels a bar from which body and wick are drawn apart
_STEPS: Final = (1.0, 2.0, 2.5, 5.0)


def right_margin(plot_width: float) -> float:
    """Empty slots right of the last bar: 5, on narrow charts 3. `plot_width` in logical pixels."""
    return 3.0 if plot_width < 500 else 5.0


def body_width(spacing: float, scale: float) -> int:
    """Width of a candle's body in device pixels for a spacing in logical ones; odd below 3 px, parity of the wick."""
    wick = wick_width(spacing, scale)
    if spacing < BODY_FROM:
        return wick
    if spacing <= 4.0:
        width = math.floor(3 * scale)
    else:
        share = 1 - 0.2 * math.atan(max(4.0, spacing) - 4.0) / (math.pi / 2)
        width = min(math.floor(spacing * share * scale), math.floor(spacing * scale))
    if width % 2 != wick % 2:
        width -= 1
    return max(width, wick)


def wick_width(spacing: float, scale: float) -> int:
    """Width of a wick in device pixels for a spacing in logical ones: a tenth of the bar, at most 3 logical pixels."""
    if spacing < BODY_FROM:
        return 1
    return max(1, min(math.floor(spacing * 0.1 * scale), math.floor(3 * scale)), math.floor(scale))


def bucket_size(spacing_px: float) -> int:
    """How many slots share a column: the smallest power of two that is at least one device pixel wide, else 1."""
    if spacing_px >= MERGE_BELOW:
        return 1
    return 1 << max(0, math.ceil(math.log2(MERGE_BELOW / spacing_px) - 1e-9))


@dataclass(frozen=True, slots=True)
class Grid:
    """Slots to device pixels: slot `s` covers the columns from `left(s)` up to `left(s + 1)`, exclusive."""

    origin: int  # device pixel of slot 0's left edge
    spacing: float  # device pixels a slot

    def left(self, slot: Ints) -> Ints:
        """Leftmost device column of each slot. slot: (n,) int64."""
        columns: Ints = np.floor(slot * self.spacing + 1e-6).astype(np.int64) + self.origin
        return columns

    def centre(self, slot: Ints) -> Ints:
        """Device column each bar is centred on."""
        columns: Ints = np.floor((slot + 0.5) * self.spacing + 1e-6).astype(np.int64) + self.origin
        return columns

    def left_of(self, slot: int) -> int:
        return math.floor(slot * self.spacing + 1e-6) + self.origin

    def centre_of(self, slot: int) -> int:
        return math.floor((slot + 0.5) * self.spacing + 1e-6) + self.origin

    def slot_at(self, x: float) -> int:
        """The slot a device column lies in."""
        return math.floor((x - self.origin) / self.spacing)


@dataclass(frozen=True, slots=True)
class PriceScale:
    """Prices to device rows: `top` at row `y0`, `bottom` at row `y0 + height`; upside down when inverted.

    On a logarithmic scale `bottom` and `top` are natural logarithms of prices, and prices up to 0 lie far below.
    """

    bottom: float
    top: float
    y0: int
    height: int
    is_log: bool = False
    is_inverted: bool = False

    def places(self, price: Floats) -> Floats:
        """Where each price lies, in fractions of device rows; NaN stays NaN."""
        if self.is_log:
            with np.errstate(divide="ignore", invalid="ignore"):
                price = np.where(price > 0, np.log(price), np.where(np.isnan(price), np.nan, -np.inf))
        share = (self.top - price) / (self.top - self.bottom)
        if self.is_inverted:
            share = 1 - share
        return self.y0 + share * self.height

    def rows(self, price: Floats) -> Ints:
        """Device row of each price; far outside prices are held within a million rows so that int32 holds them."""
        clipped: Ints = np.rint(np.minimum(np.maximum(self.places(price), -1e6), 1e6)).astype(np.int64)
        return clipped

    def spans(self, high: Floats, low: Floats) -> tuple[Ints, Ints]:
        """Upper and lower device row of each pair of prices, the upper first also on a scale on its head."""
        tops, bottoms = self.rows(high), self.rows(low)
        return (bottoms, tops) if self.is_inverted else (tops, bottoms)

    def row(self, price: float) -> int:
        """As `rows` says; without numpy where arithmetic is the same."""
        if self.is_log or not math.isfinite(price):
            return int(self.rows(np.array([price]))[0])
        share = (self.top - price) / (self.top - self.bottom)
        if self.is_inverted:
            share = 1 - share
        return round(min(max(self.y0 + share * self.height, -1e6), 1e6))

    def price(self, row: float) -> float:
        share = (row - self.y0) / self.height
        if self.is_inverted:
            share = 1 - share
        units = self.top - share * (self.top - self.bottom)
        return math.exp(min(units, 700.0)) if self.is_log else units


def fit_range(
    low: float, high: float, *, top_margin: float, bottom_margin: float, is_log: bool = False
) -> tuple[float, float]:
    """The range (bottom, top) that leaves these shares of the height free; a flat one is opened by half a percent."""
    if high - low <= (1e-9 if is_log else max(abs(high), abs(low)) * 1e-9):
        room = 0.005 if is_log else abs(high) * 0.005 or 1.0
        low, high = low - room, high + room
    height = (high - low) / (1.0 - top_margin - bottom_margin)
    return low - height * bottom_margin, high + height * top_margin


def is_near(current: tuple[float, float], wanted: tuple[float, float], low: float, high: float) -> bool:
    """Whether the current range may stay: it shows [low, high] and differs by at most 2 % of its height."""
    height = current[1] - current[0]
    difference = max(abs(current[0] - wanted[0]), abs(current[1] - wanted[1]))
    return current[0] <= low and high <= current[1] and difference <= 0.02 * height


@dataclass(frozen=True, slots=True)
class Step:
    """A round distance between axis labels: `mantissa` × 10^`exponent`, exact."""

    mantissa: Decimal
    exponent: int

    @property
    def exact(self) -> Decimal:
        return self.mantissa.scaleb(self.exponent)

    @property
    def decimals(self) -> int:
        """Digits after the point its multiples need."""
        return max(0, -self.exponent + (1 if self.mantissa == Decimal("2.5") else 0))


def price_step(span: float, height_px: float, min_gap_px: float) -> Step:
    """The smallest of 1, 2, 2.5, 5 × 10ⁿ whose labels are at least `min_gap_px` apart over `span` in `height_px`."""
    least = span * min_gap_px / max(1.0, height_px)
    exponent = math.floor(math.log10(least))
    for mantissa in (*_STEPS, 10.0):
        if mantissa * 10.0**exponent >= least * (1 - 1e-12):
            break
    return Step(Decimal(1), exponent + 1) if mantissa == 10.0 else Step(Decimal(repr(mantissa)).normalize(), exponent)


def multiples(bottom: float, top: float, step: Step) -> list[Decimal]:
    """Exact multiples of a step within [bottom, top], lowest first."""
    exact = step.exact
    first = math.ceil(Decimal(repr(bottom)) / exact)
    last = math.floor(Decimal(repr(top)) / exact)
    return [exact * index for index in range(first, last + 1)]
