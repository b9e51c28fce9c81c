"""What studies draw: lines, histograms, bands, clouds and dots, in device pixels."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter, QPen

from desktop.domain.bars import Floats, Ints
from desktop.domain.studies.entry import ColourRole, PlotKind
from desktop.ui.chart.geometry import PriceScale
from desktop.ui.chart.rects import fill_rects, stack_rects
from desktop.ui.chart.series import polygon
from desktop.ui.theme import Tokens

_LINE_PX: Final = 1.25
_DENSE_BELOW: Final = 2.0  # device pixels a point below which a line is drawn as one rectangle a column
_BAND_ALPHA: Final = 0.10
_CLOUD_ALPHA: Final = 0.16
_WEAK_ALPHA: Final = 0.5  # of a histogram that falls back towards zero
_FAR: Final = 1e6


@dataclass(frozen=True, slots=True)
class Curve:
    """One plot of a study. x: device columns (n,); values: (n,) each, NaN where unknown.

    left, right: the columns a histogram's bars cover. close: of the same bars, for a "trend" line.
    """

    kind: PlotKind
    colour: str
    role: ColourRole
    scale: PriceScale
    x: Ints
    values: tuple[Floats, ...]
    left: Ints
    right: Ints
    close: Floats
    step: float  # device pixels a point

    def tail(self, first_x: int) -> Curve:
        """The part from the last point before a column on."""
        begin = max(0, int(np.searchsorted(self.x, first_x)) - 2)
        return Curve(
            self.kind,
            self.colour,
            self.role,
            self.scale,
            self.x[begin:],
            tuple(values[begin:] for values in self.values),
            self.left[begin:],
            self.right[begin:],
            self.close[begin:],
            self.step,
        )


def colour_of(role: ColourRole, tokens: Tokens) -> str:
    """The colour of a role; "trend" is the better of both and decided by the values."""
    match role:
        case "up" | "trend":
            return tokens.up
        case "down":
            return tokens.down
        case "muted":
            return tokens.neutral
        case "first":
            return tokens.studies[0]
        case "second":
            return tokens.studies[1]
        case "third":
            return tokens.studies[2]
        case _:
            return tokens.studies[3]


def paint_curve(painter: QPainter, curve: Curve, tokens: Tokens, scale: float) -> None:
    """Draws a curve; scale: device pixels a logical one."""
    if not len(curve.x):
        return
    match curve.kind:
        case "line":
            for values, colour in _by_trend(curve, tokens):
                paint_line(painter, curve.x, curve.scale.places(values), colour, _LINE_PX * scale, curve.step)
        case "dots":
            for values, colour in _by_trend(curve, tokens):
                _paint_dots(painter, curve, values, colour, scale)
        case "histogram":
            _paint_histogram(painter, curve, tokens)
        case "band":
            lower, upper = (curve.scale.places(values) for values in curve.values)
            _paint_between(painter, curve.x, lower, upper, curve.colour, _BAND_ALPHA)
            for edge in (lower, upper):
                paint_line(painter, curve.x, edge, curve.colour, scale, curve.step)
        case "cloud":
            first, second = curve.values
            tops, bottoms = curve.scale.places(first), curve.scale.places(second)
            for is_up, colour in ((True, tokens.up), (False, tokens.down)):
                chosen = (first >= second) == is_up
                near = chosen.copy()  # up to the next point, so that no gap stays where the edges cross
                near[1:] |= chosen[:-1]
                hidden = np.where(near, tops, math.nan)
                _paint_between(painter, curve.x, hidden, bottoms, colour, _CLOUD_ALPHA)


def paint_line(painter: QPainter, x: Ints, y: Floats, colour: str, width: float, step: float) -> None:
    """A line through points, broken where a value is unknown. step: the usual distance of points in device pixels."""
    if step < _DENSE_BELOW:
        _paint_dense(painter, x, y, colour, max(1, round(width)))
        return
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    pen = QPen(QColor(colour), width)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    held = np.clip(y, -_FAR, _FAR)
    for begin, end in runs(np.isfinite(y)):
        if end - begin > 1:
            painter.drawPolyline(polygon(x[begin:end] + 0.5, held[begin:end] + 0.5))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def _paint_dense(painter: QPainter, x: Ints, y: Floats, colour: str, thick: int) -> None:
    known = np.isfinite(y)
    before = np.concatenate((y[:1], y[:-1]))
    before = np.where(np.isfinite(before), before, y)
    held = np.where(known, y, 0.0)
    high = np.rint(np.clip(np.minimum(held, np.where(known, before, 0.0)), -_FAR, _FAR)).astype(np.int64)
    low = np.rint(np.clip(np.maximum(held, np.where(known, before, 0.0)), -_FAR, _FAR)).astype(np.int64)
    left = np.concatenate((x[:1], x[:-1] + 1))
    left = np.minimum(left, x)
    rects = stack_rects(left, high - (thick - 1) // 2, x, low + thick // 2)
    fill_rects(painter, rects[known], colour)


def _by_trend(curve: Curve, tokens: Tokens) -> Iterator[tuple[Floats, str]]:
    """Values and colour; a "trend" is two lines, one below the close and one above it."""
    values = curve.values[0]
    if curve.role != "trend":
        yield values, curve.colour
        return
    is_below = values < curve.close
    yield np.where(is_below, values, math.nan), tokens.up
    yield np.where(is_below, math.nan, values), tokens.down


def _paint_dots(painter: QPainter, curve: Curve, values: Floats, colour: str, scale: float) -> None:
    known = np.isfinite(values)
    size = max(2, round(2.5 * scale))
    x, y = curve.x[known] - size // 2, curve.scale.rows(values[known]) - size // 2
    fill_rects(painter, stack_rects(x, y, x + size - 1, y + size - 1), colour)


def _paint_histogram(painter: QPainter, curve: Curve, tokens: Tokens) -> None:
    values = curve.values[0]
    known = np.isfinite(values)
    held = np.where(known, values, 0.0)
    zero, rows = curve.scale.row(0.0), curve.scale.rows(held)
    rects = stack_rects(curve.left, np.minimum(rows, zero), curve.right, np.maximum(rows, zero))
    if curve.role != "trend":
        fill_rects(painter, rects[known], curve.colour)
        return
    grows = np.abs(held) >= np.abs(np.concatenate((held[:1], held[:-1])))
    for is_up, colour in ((True, tokens.up), (False, tokens.down)):
        for is_growing in (True, False):
            shade = QColor(colour)
            shade.setAlphaF(1.0 if is_growing else _WEAK_ALPHA)
            chosen = known & ((held >= 0) == is_up) & (grows == is_growing)
            fill_rects(painter, rects[chosen], shade.name(QColor.NameFormat.HexArgb))


def _paint_between(painter: QPainter, x: Ints, one: Floats, other: Floats, colour: str, alpha: float) -> None:
    shade = QColor(colour)
    shade.setAlphaF(alpha)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(shade)
    one, other = np.clip(one, -_FAR, _FAR), np.clip(other, -_FAR, _FAR)
    for begin, end in runs(np.isfinite(one) & np.isfinite(other)):
        part = slice(begin, end)
        across = np.concatenate((x[part], x[part][::-1])) + 0.5
        painter.drawPolygon(polygon(across, np.concatenate((one[part], other[part][::-1]))))


def runs(known: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Where neighbours are true: from index, to index (exclusive)."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], known, [False])).astype(np.int8)))
    return [(int(begin), int(end)) for begin, end in edges.reshape(-1, 2)]
