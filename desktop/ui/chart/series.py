"""The ways a series of bars is drawn: candles, hollow candles, bars, line, area, baseline, Heikin-Ashi."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, Qt
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPen, QPolygonF

from desktop.domain.bars import Bars, Ints
from desktop.domain.heikin_ashi import HeikinAshi
from desktop.domain.look import ChartKind
from desktop.ui.chart.candles import Columns, candle_rects, directions, extents, is_drawn_as_one
from desktop.ui.chart.geometry import Grid, PriceScale, wick_width
from desktop.ui.chart.pyramid import CLOSE, HIGH, LOW, OPEN
from desktop.ui.chart.rects import Rects, fill_rects, stack_rects
from desktop.ui.theme import Tokens

_LINE_PX: Final = 1.5
_DENSE_BELOW: Final = 2.0  # device pixels a bar below which a line is drawn as one rectangle a column
_TICK_SHARE: Final = 0.3  # of the spacing: the ticks of an OHLC bar
_FILL_ALPHA: Final = (0.30, 0.03)  # of an area, at its line and at its foot


class Drawn:
    """The bars that are drawn for those of a series: themselves, their closes alone, or Heikin-Ashi bars."""

    def __init__(self) -> None:
        self.kind = ChartKind.CANDLES
        self.bars = Bars.empty()
        self._heikin_ashi = HeikinAshi()

    def update(self, bars: Bars, first_index: int = 0) -> None:
        """The series is `bars` now; those before `first_index` are as they were."""
        if self.kind is ChartKind.HEIKIN_ASHI:
            self._heikin_ashi.update(bars, first_index)
            self.bars = self._heikin_ashi.of(bars)
        elif self.kind.is_line:
            close = bars.close
            self.bars = Bars(bars.start_ms, close, close, close, close, bars.volume, bars.vwap, bars.trades)
        else:
            self.bars = bars

    def set_kind(self, kind: ChartKind, bars: Bars) -> None:
        """Draws the series another way."""
        self.kind = kind
        self._heikin_ashi = HeikinAshi()
        self.update(bars)


def signs_of(kind: ChartKind, columns: Columns) -> NDArray[np.int8]:
    """1 up, -1 down, 0 neutral for each column; hollow candles compare with the close before."""
    if kind is not ChartKind.HOLLOW or not len(columns):
        return directions(columns)
    closes = columns.values[CLOSE]
    before = np.concatenate(([columns.previous_close], closes[:-1]))
    signs: NDArray[np.int8] = np.nan_to_num(np.sign(closes - before)).astype(np.int8)
    return signs


def paint_series(
    painter: QPainter,
    kind: ChartKind,
    columns: Columns,
    grid: Grid,
    prices: PriceScale,
    tokens: Tokens,
    signs: NDArray[np.int8],
) -> None:
    """Draws the columns, in device pixels."""
    if kind.is_line:
        _paint_line(painter, kind, columns, grid, prices, tokens)
        return
    if kind is ChartKind.BARS and not is_drawn_as_one(columns, grid):
        rects, owners = _bar_rects(columns, grid, prices)
    else:
        may_be_hollow = kind is ChartKind.HOLLOW or (tokens.hollow_up and kind is not ChartKind.BARS)
        if may_be_hollow and not is_drawn_as_one(columns, grid):
            rects, owners = _hollow_rects(columns, grid, prices, columns.values[CLOSE] > columns.values[OPEN])
        else:
            rects, owners = candle_rects(columns, grid, prices), None
    if owners is not None:
        signs = signs[owners]
    elif len(rects) > len(signs):  # wicks, then bodies
        signs = np.concatenate([signs, signs])
    for sign, colour in ((1, tokens.up), (-1, tokens.down), (0, tokens.neutral)):
        fill_rects(painter, rects[signs == sign], colour)


def _bar_rects(columns: Columns, grid: Grid, prices: PriceScale) -> tuple[Rects, Ints]:
    """Stem, open tick to the left and close tick to the right of each column, and whose each rectangle is."""
    thick = wick_width(columns.spacing, columns.scale)
    reach = max(1, int(grid.spacing * _TICK_SHARE))
    left = grid.centre(columns.keys) - thick // 2
    right = left + thick - 1
    opens, closes = prices.rows(columns.values[OPEN]), prices.rows(columns.values[CLOSE])
    high, low = prices.spans(columns.values[HIGH], columns.values[LOW])
    down, up = thick // 2, (thick - 1) // 2
    stems = stack_rects(left, high, right, low)
    ticks_left = stack_rects(left - reach, opens - down, right, opens + up)
    ticks_right = stack_rects(left, closes - down, right + reach, closes + up)
    return np.concatenate([stems, ticks_left, ticks_right]), np.tile(np.arange(len(columns)), 3)


def _hollow_rects(columns: Columns, grid: Grid, prices: PriceScale, is_hollow: NDArray[np.bool_]) -> tuple[Rects, Ints]:
    """Candles of which some have a frame instead of a body; a body too small for a hole stays whole."""
    count = len(columns)
    left, right = extents(columns, grid)
    border = max(1, int(columns.scale))
    opens, closes = prices.rows(columns.values[OPEN]), prices.rows(columns.values[CLOSE])
    high, low = prices.spans(columns.values[HIGH], columns.values[LOW])
    top, bottom = np.minimum(opens, closes), np.maximum(opens, closes)
    hollow = is_hollow & (right - left + 1 >= 3 * border) & (bottom - top + 1 >= 3 * border)
    thick = wick_width(columns.spacing, columns.scale)
    wick_left = grid.centre(columns.keys) - thick // 2
    wick_right = wick_left + thick - 1
    whole = np.flatnonzero(~hollow)
    open_ones = np.flatnonzero(hollow)
    everyone = np.arange(count)
    above = stack_rects(wick_left, high, wick_right, np.where(hollow, top, low))
    x1, x2, y1, y2 = (edge[open_ones] for edge in (left, right, top, bottom))
    parts = [
        (above, everyone),
        (stack_rects(left, top, right, bottom)[whole], whole),
        (stack_rects(wick_left, bottom, wick_right, low)[open_ones], open_ones),
        (stack_rects(x1, y1, x2, y1 + border - 1), open_ones),
        (stack_rects(x1, y2 - border + 1, x2, y2), open_ones),
        (stack_rects(x1, y1, x1 + border - 1, y2), open_ones),
        (stack_rects(x2 - border + 1, y1, x2, y2), open_ones),
    ]
    return np.concatenate([rects for rects, _ in parts]), np.concatenate([owners for _, owners in parts])


# --- lines -----------------------------------------------------------------------------------------------------


def _paint_line(
    painter: QPainter, kind: ChartKind, columns: Columns, grid: Grid, prices: PriceScale, tokens: Tokens
) -> None:
    x, rows = centres(columns, grid), prices.rows(columns.values[CLOSE])
    if kind is ChartKind.LINE:
        _stroke(painter, columns, grid, prices, x, rows, tokens.accent)
        return
    clip = painter.clipBoundingRect().toRect() if painter.hasClipping() else painter.viewport()
    foot = prices.y0 + prices.height
    if kind is ChartKind.AREA:
        _fill(painter, x, rows, foot, tokens.accent, (prices.y0, foot))
        _stroke(painter, columns, grid, prices, x, rows, tokens.accent)
        return
    middle = prices.y0 + prices.height // 2
    halves = (
        (QRect(clip.left(), prices.y0, clip.width(), middle - prices.y0), tokens.up, prices.y0),
        (QRect(clip.left(), middle, clip.width(), foot - middle), tokens.down, foot),
    )
    for half, colour, edge in halves:
        painter.save()
        painter.setClipRect(half.intersected(clip))
        _fill(painter, x, rows, middle, colour, (edge, middle))
        _stroke(painter, columns, grid, prices, x, rows, colour)
        painter.restore()


def centres(columns: Columns, grid: Grid) -> Ints:
    """Device column each bucket's point stands on."""
    if columns.size == 1:
        return grid.centre(columns.keys)
    return (grid.left(columns.keys * columns.size) + grid.left((columns.keys + 1) * columns.size)) // 2


def _stroke(
    painter: QPainter, columns: Columns, grid: Grid, prices: PriceScale, x: Ints, rows: Ints, colour: str
) -> None:
    width = _LINE_PX * columns.scale
    if grid.spacing * columns.size < _DENSE_BELOW:
        fill_rects(painter, _dense_rects(columns, grid, prices, rows, max(1, round(width))), colour)
        return
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    pen = QPen(QColor(colour), width)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.drawPolyline(polygon(x + 0.5, rows + 0.5))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def _dense_rects(columns: Columns, grid: Grid, prices: PriceScale, rows: Ints, thick: int) -> Rects:
    """One rectangle a column from its lowest to its highest close, joined with the column before."""
    left, right = grid.left(columns.keys * columns.size), grid.left((columns.keys + 1) * columns.size) - 1
    before = np.concatenate((rows[:1], rows[:-1]))
    upper, lower = prices.spans(columns.values[HIGH], columns.values[LOW])
    high, low = np.minimum(upper, before), np.maximum(lower, before)
    left[1:] = np.minimum(left[1:], right[:-1] + 1)  # no gap where nothing was traded
    return stack_rects(left, high - (thick - 1) // 2, np.maximum(left, right), low + thick // 2)


def _fill(painter: QPainter, x: Ints, rows: Ints, foot: int, colour: str, reach: tuple[int, int]) -> None:
    """The area between a line and a row, fading from reach[0] to reach[1]."""
    strong, weak = QColor(colour), QColor(colour)
    strong.setAlphaF(_FILL_ALPHA[0])
    weak.setAlphaF(_FILL_ALPHA[1])
    fade = QLinearGradient(0, reach[0], 0, reach[1])
    fade.setColorAt(0, strong)
    fade.setColorAt(1, weak)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(fade)
    edge_x, edge_y = np.array([x[-1], x[0]]), np.array([foot, foot])
    painter.drawPolygon(polygon(np.concatenate((x, edge_x)) + 0.5, np.concatenate((rows, edge_y)) + 0.5))


def polygon(x: NDArray[np.floating[Any]], y: NDArray[np.floating[Any]]) -> QPolygonF:
    """Points (n,) each as Qt has them."""
    return QPolygonF([QPointF(a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True)])
