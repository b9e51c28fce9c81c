"""What the chart is measured against: a bare widget that paints the same, and other charts on pyqtgraph.

Each peer shows bars `left` to `right` (fractions) by `look(left, right)` and paints at once with `repaint()` of its
`surface`. All content is the same where the peer allows it: grid, candles, volume, labels, crosshair, legend.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPicture, QPixmap, QTransform
from PySide6.QtWidgets import QWidget

from desktop.domain.bars import Bars
from desktop.ui.chart.geometry import bucket_size
from desktop.ui.chart.pyramid import CLOSE, HIGH, LOW, OPEN, VOLUME, Pyramid
from desktop.ui.chart.rects import fill_rects
from desktop.ui.chart.slots import IndexSlots
from desktop.ui.theme import DARK, blend, number_font

RIGHT, BELOW = 80, 28  # the axes
LEGEND = (
    *(("X:BTCUSD", "text"), (" · 1m · ", "text"), ("Massive", "text"), (" · ", "text"), ("LIVE", "good")),
    *(("O ", "secondary"), ("64,100.00  ", "up"), ("H ", "secondary"), ("64,210.00  ", "up"), ("L ", "secondary")),
    *(("63,990.00  ", "up"), ("C ", "secondary"), ("64,180.00  ", "up"), ("+80.00 (+0.12 %)  ", "up")),
    *(("V ", "secondary"), ("812 K", "text"), (" · bar settled, REST", "secondary")),
)
FIRST_LINE = 5  # runs


@dataclass(frozen=True, slots=True)
class Peer:
    """Another chart. `look(left, right)` shows bars; `point(x, y)` puts the crosshair there."""

    surface: QWidget
    look: Callable[[float, float], None]
    point: Callable[[QPointF], None]


class BareChart(QWidget):
    """The limit: one widget, one paint event, the shortest way from the same pyramid to the same pixels."""

    def __init__(self, bars: Bars, pyramid: Pyramid) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.bars, self.pyramid, self.axis = bars, pyramid, IndexSlots(60_000)
        self.left, self.right, self.cursor = 0.0, 1.0, QPointF(400, 300)
        self.fixed = number_font(12)
        self.tall = QFontMetrics(self.fixed).height()
        self.labels: dict[str, QPixmap] = {}
        self.legend = self.text_picture(LEGEND)

    def text_picture(self, runs: tuple[tuple[str, str], ...]) -> list[tuple[int, int, str, QColor]]:
        """Where each run of the legend goes: they are drawn anew in each frame, placed once."""
        metrics, placed, x = QFontMetrics(self.fixed), [], 10
        for index, (text, role) in enumerate(runs):
            if index == FIRST_LINE:
                x = 10
            placed.append((x, 8 + (index >= FIRST_LINE) * (self.tall + 3), text, QColor(getattr(DARK, role))))
            x += metrics.horizontalAdvance(text)
        return placed

    def label(self, painter: QPainter, x: int, y: int, text: str) -> None:
        picture = self.labels.get(text)
        if picture is None:
            picture = QPixmap(QFontMetrics(self.fixed).horizontalAdvance(text), self.tall)
            picture.fill(QColor(DARK.chart))
            pen = QPainter(picture)
            pen.setFont(self.fixed)
            pen.setPen(QColor(DARK.text))
            pen.drawText(0, QFontMetrics(self.fixed).ascent(), text)
            pen.end()
            self.labels[text] = picture
        painter.drawPixmap(x, y, picture)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        wide, high = self.width() - RIGHT, self.height() - BELOW
        painter.fillRect(self.rect(), QColor(DARK.chart))
        bottom, top = paint_bars(painter, self.bars, self.pyramid, self.axis, self.left, self.right, wide, high, self)
        painter.setFont(self.fixed)
        x, y = int(self.cursor.x()), int(self.cursor.y())
        down, across = np.arange(0, high, 12), np.arange(0, wide, 12)
        fill_rects(painter, columns_of(x, down, x, down + 5), DARK.crosshair)
        fill_rects(painter, columns_of(across, y, across + 5, y), DARK.crosshair)
        for left, line, text, colour in self.legend:
            painter.setPen(colour)
            painter.drawText(left, line + self.tall - 4, text)
        for box, text in (
            (QRectF(wide, y - 10, RIGHT, 20), f"{top - (top - bottom) * y / high:,.2f}"),
            (QRectF(x - 60, high, 120, BELOW), "Tue 03 Mar '26 14:00"),
        ):
            painter.fillRect(box, QColor(DARK.crosshair_box))
            painter.setPen(QColor(DARK.crosshair_text))
            painter.drawText(QPointF(box.left() + 6, box.center().y() + 4), text)
        painter.fillRect(wide, 0, 1, self.height(), QColor(DARK.line))
        painter.fillRect(0, high, self.width(), 1, QColor(DARK.line))
        painter.end()


def columns_of(x1: Any, y1: Any, x2: Any, y2: Any) -> NDArray[np.int32]:
    """Rectangles (n, 4) from columns or single numbers."""
    return np.stack(np.broadcast_arrays(x1, y1, x2, y2), axis=1).astype(np.int32)


def paint_bars(
    painter: QPainter,
    bars: Bars,
    pyramid: Pyramid,
    axis: IndexSlots,
    left: float,
    right: float,
    wide: int,
    high: int,
    labels: BareChart | None = None,
) -> tuple[float, float]:
    """Grid, volume and candles of the bars from `left` to `right`, labels where a bare chart asks; the price range."""
    spacing = wide / (right - left)
    size = bucket_size(spacing)
    begin, end = max(0, math.floor(left) // size * size), min(len(bars), (math.ceil(right) // size + 1) * size)
    keys, values = pyramid.visible(bars, axis, begin, end, size)
    low, most = float(values[LOW].min()), float(values[HIGH].max())
    bottom, top = low - (most - low) * 0.6, most + (most - low) * 0.4
    step = 10 ** math.floor(math.log10((top - bottom) / 8))
    prices = np.arange(math.ceil(bottom / step), math.floor(top / step) + 1) * step
    rows = ((top - prices) / (top - bottom) * high).astype(int)
    if labels is None:
        prices = prices[:0]
    else:
        every = max(1, math.ceil((right - left) / 16))
        times = np.arange(math.ceil(left / every), math.floor(right / every) + 1) * every
        xs = ((times - left) * spacing).astype(int)
        fill_rects(painter, columns_of(0, rows, wide - 1, rows), DARK.grid)
        fill_rects(painter, columns_of(xs, 0, xs, high - 1), DARK.grid)
        for row, price in zip(rows.tolist(), prices.tolist(), strict=True):
            labels.label(painter, wide + 7, row - 8, f"{price:,.2f}")
        for x, time in zip(xs.tolist(), times.tolist(), strict=True):
            labels.label(painter, x - 16, high + 6, f"{time // 60 % 24:02d}:{time % 60:02d}")
    x1 = np.floor((keys * size - left) * spacing).astype(np.int64)
    x2 = np.floor(((keys + 1) * size - left) * spacing).astype(np.int64) - (1 if spacing * size < 3 else 2)
    of = high / (top - bottom)
    opens, tops, lows, closes = (np.rint((top - values[row]) * of) for row in (OPEN, HIGH, LOW, CLOSE))
    heights = np.nan_to_num(values[VOLUME]) * (high * 0.2 / float(np.nanmax(values[VOLUME])))
    is_up = values[CLOSE] >= values[OPEN]
    volumes = columns_of(x1, high - 1 - heights, x2, high - 1)
    if spacing < 2.5:
        candles, repeats = columns_of(x1, tops, x2, lows), 1
    else:
        middle = (x1 + x2) // 2
        wicks = columns_of(middle, tops, middle, lows)
        candles = np.concatenate([wicks, columns_of(x1, np.minimum(opens, closes), x2, np.maximum(opens, closes))])
        repeats = 2
    for is_mine, colour in ((is_up, DARK.up), (~is_up, DARK.down)):
        fill_rects(painter, volumes[is_mine], blend(colour, DARK.chart, DARK.volume_alpha))
    for is_mine, colour in ((is_up, DARK.up), (~is_up, DARK.down)):
        fill_rects(painter, candles[np.tile(is_mine, repeats)], colour)
    return bottom, top


def bare(bars: Bars, pyramid: Pyramid, size: QSize) -> Peer:
    chart = BareChart(bars, pyramid)
    chart.resize(size)
    chart.show()

    def look(left: float, right: float) -> None:
        chart.left, chart.right = left, right

    def point(at: QPointF) -> None:
        chart.cursor = at

    return Peer(chart, look, point)


class _LeanItem(pg.GraphicsObject):  # type: ignore[misc]
    """The same rectangles as an item of a PlotWidget, which has axes and grid itself."""

    def __init__(self, bars: Bars, pyramid: Pyramid) -> None:
        super().__init__()
        self.bars, self.pyramid, self.axis = bars, pyramid, IndexSlots(60_000)

    def boundingRect(self) -> QRectF:
        return QRectF(self.getViewBox().viewRect())

    def paint(self, painter: QPainter, *_: object) -> None:
        box = self.getViewBox()
        (left, right), place = box.viewRange()[0], box.sceneBoundingRect()
        painter.save()
        painter.setWorldTransform(QTransform.fromTranslate(place.left(), place.top()))
        paint_bars(painter, self.bars, self.pyramid, self.axis, left, right, int(place.width()), int(place.height()))
        painter.restore()


def plot_widget(bars: Bars, pyramid: Pyramid, size: QSize) -> Peer:
    """A PlotWidget with its own axes and grid, a lean item, InfiniteLines and a legend."""
    plot = pg.PlotWidget(background=DARK.chart)
    plot.showGrid(x=True, y=True)
    item = _LeanItem(bars, pyramid)
    plot.addItem(item, ignoreBounds=True)
    lines = [pg.InfiniteLine(angle=angle, pen=pg.mkPen(DARK.crosshair)) for angle in (90, 0)]
    for line in lines:
        plot.addItem(line, ignoreBounds=True)
    legend = pg.LabelItem("".join(text for text, _ in LEGEND))
    legend.setParentItem(plot.getPlotItem())
    legend.anchor(itemPos=(0, 0), parentPos=(0, 0), offset=(60, 8))
    plot.resize(size)
    plot.show()

    def look(left: float, right: float) -> None:
        begin, end = max(0, int(left)), min(len(bars), int(right))
        step = bucket_size(plot.width() / (right - left))
        _, values = pyramid.visible(bars, item.axis, begin, end, step)
        low, most = float(values[LOW].min()), float(values[HIGH].max())
        item.prepareGeometryChange()
        plot.setRange(
            xRange=(left, right), yRange=(low - (most - low) * 0.6, most + (most - low) * 0.4), padding=0, update=True
        )

    def point(at: QPointF) -> None:
        place = plot.getPlotItem().vb.mapSceneToView(at)
        lines[0].setPos(place.x())
        lines[1].setPos(place.y())

    return Peer(plot.viewport(), look, point)


class _ExampleItem(pg.GraphicsObject):  # type: ignore[misc]
    """The candlesticks of pyqtgraph's own example, line by line."""

    def __init__(self, bars: Bars) -> None:
        super().__init__()
        self.picture = QPicture()
        p = QPainter(self.picture)
        p.setPen(pg.mkPen("w"))
        w = 1 / 3.0
        rows = zip(bars.open.tolist(), bars.close.tolist(), bars.low.tolist(), bars.high.tolist(), strict=True)
        red, green = pg.mkBrush("r"), pg.mkBrush("g")
        for t, (open_, close, low, high) in enumerate(rows):
            p.drawLine(QPointF(t, low), QPointF(t, high))
            p.setBrush(red if open_ > close else green)
            p.drawRect(QRectF(t - w, open_, w * 2, close - open_))
        p.end()

    def paint(self, p: QPainter, *_: object) -> None:
        p.drawPicture(0, 0, self.picture)

    def boundingRect(self) -> QRectF:
        return QRectF(self.picture.boundingRect())


def example(bars: Bars, size: QSize) -> Peer:
    plot = pg.PlotWidget()
    plot.addItem(_ExampleItem(bars))
    plot.resize(size)
    plot.show()

    def look(left: float, right: float) -> None:
        part = slice(max(0, int(left)), int(right))
        plot.setRange(
            xRange=(left, right), yRange=(float(bars.low[part].min()), float(bars.high[part].max())), padding=0
        )

    return Peer(plot.viewport(), look, lambda at: None)


def finplot(bars: Bars, size: QSize) -> Peer | None:
    """Candles and volume of finplot, which keeps its own axes, crosshair and legend; None where it is not installed.

    After a jump it does not paint until it is told to: `look` tells it when it moves by more than a screen.
    """
    try:
        import finplot as fplt
        import pandas as pd
    except ImportError:
        return None
    frame = pd.DataFrame(
        {"open": bars.open, "close": bars.close, "high": bars.high, "low": bars.low, "volume": bars.volume},
        index=pd.to_datetime(bars.start_ms, unit="ms"),
    )
    axes = fplt.create_plot("finplot", init_zoom_periods=200, maximize=False)
    fplt.candlestick_ochl(frame[["open", "close", "high", "low"]], ax=axes)
    fplt.volume_ocv(frame[["open", "close", "volume"]], ax=axes.overlay())
    fplt.show(qt_exec=False)
    window = axes.vb.win
    window.resize(size)
    window.show()
    shown = [0.0, 0.0]

    def look(left: float, right: float) -> None:
        is_zoom = not math.isclose(right - left, shown[1] - shown[0], rel_tol=0.1)
        is_jump = is_zoom or abs(left - shown[0]) > right - left
        shown[:] = left, right
        axes.vb.update_y_zoom(left, right)
        if is_jump:
            fplt._repaint_candles()

    return Peer(window.viewport(), look, lambda at: None)
