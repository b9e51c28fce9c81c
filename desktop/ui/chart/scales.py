"""The kinds of price scale: linear, logarithmic, in percent, indexed to 100; each may stand on its head.

A scale's *units* are what is even on the screen: prices, or their natural logarithms. Percent and indexed scales are
even in prices; only their labels differ.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import pairwise
from typing import Final

import numpy as np

from desktop.domain.bars import Floats
from desktop.domain.look import ScaleKind
from desktop.ui import formatting
from desktop.ui.chart.axes import MIN_GRID_Y, PriceLabel, axis_style, price_labels
from desktop.ui.chart.geometry import multiples, price_step
from desktop.ui.formatting import PriceStyle

_LINEAR_UP_TO: Final = 2.5  # highest over lowest price up to which a log axis has evenly spaced prices
_IN_A_DECADE: Final = (tuple(range(1, 10)), (1, 2, 5), (1,))


@dataclass(frozen=True, slots=True)
class Scale:
    """A kind of scale; `reference` is the price that is 0 % or 100 (NaN while there is none)."""

    kind: ScaleKind = ScaleKind.LINEAR
    is_inverted: bool = False
    reference: float = math.nan

    @property
    def is_log(self) -> bool:
        return self.kind is ScaleKind.LOG

    @property
    def is_relative(self) -> bool:
        """Whether the axis compares with a reference price."""
        return self.kind in (ScaleKind.PERCENT, ScaleKind.INDEXED)

    def units(self, price: float) -> float:
        """Where a price stands; NaN for prices that a logarithmic scale does not have."""
        if not self.is_log:
            return price
        return math.log(price) if price > 0 else math.nan

    def price(self, units: float) -> float:
        return math.exp(min(units, 700.0)) if self.is_log else units

    def extremes(self, low: Floats, high: Floats) -> tuple[float, float]:
        """Lowest and highest units of prices (n,) each; NaN when there are none."""
        if self.is_log:
            low, high = low[low > 0], high[high > 0]
        low, high = low[np.isfinite(low)], high[np.isfinite(high)]
        if not len(low) or not len(high):
            return math.nan, math.nan
        return self.units(float(low.min())), self.units(float(high.max()))


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes prices as a scale's axis does."""

    scale: Scale = field(default_factory=Scale)
    style: PriceStyle = field(default_factory=PriceStyle)
    decimals: int = 2  # of percents and index points

    def text(self, price: float | None) -> str:
        """`64,231.50`, `+2.50 %` or `102.50`; a dash for None and NaN."""
        scale = self.scale
        if price is None or not scale.is_relative or not scale.reference:
            return self.style.text(price)
        if not math.isfinite(price) or not math.isfinite(scale.reference):
            return formatting.NOTHING
        share = price / scale.reference * 100
        if scale.kind is ScaleKind.INDEXED:
            return formatting.decimal_text(Decimal(repr(share)), self.decimals)
        return formatting.signed_percent(Decimal(repr(share - 100)), self.decimals)


def scale_labels(
    scale: Scale, bottom: float, top: float, height: float, font_height: float, style: PriceStyle
) -> tuple[list[PriceLabel], Writer]:
    """Labels for the units [bottom, top] over `height` logical pixels, lowest first, no two alike, and their writer."""
    if scale.is_log:
        return _log_labels(scale, bottom, top, height, max(MIN_GRID_Y, 2.5 * font_height), style)
    if scale.is_relative and scale.reference > 0:
        return _relative_labels(scale, bottom, top, height, max(MIN_GRID_Y, 2.5 * font_height), style)
    labels, wide_style = price_labels(bottom, top, height, font_height, style)
    return labels, Writer(scale, _at_least(wide_style, style))


def _at_least(style: PriceStyle, usual: PriceStyle) -> PriceStyle:
    return replace(style, decimals=max(style.decimals, usual.decimals))


def _relative_labels(
    scale: Scale, bottom: float, top: float, height: float, gap: float, style: PriceStyle
) -> tuple[list[PriceLabel], Writer]:
    zero = 100.0 if scale.kind is ScaleKind.PERCENT else 0.0
    low, high = (price / scale.reference * 100 - zero for price in (bottom, top))
    if not high > low:
        return [], Writer(scale, style)
    step = price_step(high - low, height, gap)
    writer = Writer(scale, style, max(2, step.decimals))
    labels = []
    for value in multiples(low, high, step):
        is_percent = scale.kind is ScaleKind.PERCENT
        text = (formatting.signed_percent if is_percent else formatting.decimal_text)(value, writer.decimals)
        labels.append(PriceLabel(scale.reference * (float(value) + zero) / 100, text))
    return labels, writer


def _log_labels(
    scale: Scale, bottom: float, top: float, height: float, gap: float, style: PriceStyle
) -> tuple[list[PriceLabel], Writer]:
    if not top > bottom or not math.isfinite(top - bottom):
        return [], Writer(scale, style)
    low, high = scale.price(bottom), scale.price(top)
    if not 0 < low < high < math.inf:
        return [], Writer(scale, style)
    if high / low <= _LINEAR_UP_TO:
        # One price step covers the fewest rows at the top.
        step = price_step(high * (top - bottom), height, gap)
        wide_style = axis_style(style, step)
        texts = [(float(v), _exact(v, wide_style.decimals, style)) for v in multiples(low, high, step)]
        return [PriceLabel(*pair) for pair in texts], Writer(scale, _at_least(wide_style, style))
    labels = [PriceLabel(float(value), _plain(value, style)) for value in _decades(low, high, height, gap)]
    return labels, Writer(scale, style)


def _decades(low: float, high: float, height: float, gap: float) -> list[Decimal]:
    """Round prices of a wide logarithmic range: 1 to 9, 1-2-5 or 1 of each decade, or of every so many decades."""
    decade_px = height / math.log10(high / low)
    for digits in _IN_A_DECADE:
        least = min(math.log10(above / below) for below, above in pairwise([*digits, 10]))
        if least * decade_px >= gap:
            break
    every = max(1, math.ceil(gap / decade_px)) if digits == (1,) else 1
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    found = []
    for exponent in range(first // every * every, last + 1, every):
        found += [value for digit in digits if low <= (value := Decimal(digit).scaleb(exponent)) <= high]
    return found


def _plain(value: Decimal, style: PriceStyle) -> str:
    """A round price with as many decimals as it needs itself: `0.05`, `2,000`."""
    exponent = value.as_tuple().exponent
    decimals = max(0, -exponent) if isinstance(exponent, int) else 0
    return _exact(value, decimals, style)


def _exact(value: Decimal, decimals: int, style: PriceStyle) -> str:
    return formatting.decimal_text(value, decimals, folds_zeros=style.folds_zeros)
