"""Measuring with the mouse: what lies between two places of a chart, in numbers and as a picture over it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter

from desktop.domain.timeframe import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from desktop.ui import formatting
from desktop.ui.chart.model import ChartModel
from desktop.ui.chart.overlay import Layout
from desktop.ui.chart.painting import Frame, fill_rounded
from desktop.ui.formatting import MINUS, PriceStyle

_FILL = 0.16  # share of the colour in the ground


@dataclass(frozen=True, slots=True)
class Place:
    """A slot of the time axis and a price."""

    slot: int
    price: float


@dataclass(frozen=True, slots=True)
class Measurement:
    """From one place to another. volume: of all bars from the first to the last, None when one is not known."""

    start: Place
    end: Place
    passed_ms: int
    volume: float | None

    @property
    def change(self) -> float:
        return self.end.price - self.start.price

    @property
    def bars(self) -> int:
        return self.end.slot - self.start.slot

    def lines(self, style: PriceStyle) -> tuple[str, str, str]:
        """`+410.50 (+0.64 %)`, `15 bars, 3 h 45 m`, `Vol 812 K`."""
        pct = self.change / self.start.price * 100 if self.start.price else None
        sign = MINUS if self.bars < 0 else ""
        unit = "bar" if abs(self.bars) == 1 else "bars"
        return (
            f"{style.change(self.change)} ({formatting.percent(pct)})",
            f"{sign}{abs(self.bars):,} {unit}, {sign}{length_text(abs(self.passed_ms))}",
            f"Vol {formatting.volume(self.volume)}",
        )


def measured(model: ChartModel, start: Place, end: Place) -> Measurement:
    """Measures from one place to another, the bars at both ends included."""
    starts = model.bars.start_ms
    begin, after = model.axis.index_range(starts, min(start.slot, end.slot), max(start.slot, end.slot))
    total = float(np.sum(model.bars.volume[begin:after]))
    passed_ms = model.axis.time_at(starts, end.slot) - model.axis.time_at(starts, start.slot)
    return Measurement(start, end, passed_ms, total if np.isfinite(total) else None)


def length_text(passed_ms: int) -> str:
    """A length of time in its two largest units: `3 h 45 m`, `12 d`, `30 s`."""
    units = ((DAY_MS, "d"), (HOUR_MS, "h"), (MINUTE_MS, "m"), (SECOND_MS, "s"))
    for (size, name), (smaller, smaller_name) in zip(units, (*units[1:], (1, "ms")), strict=True):
        if passed_ms >= size:
            rest = passed_ms % size // smaller
            return f"{passed_ms // size} {name}" + (f" {rest} {smaller_name}" if rest else "")
    return f"{passed_ms} ms" if passed_ms else "0 s"


def add_measurement(layout: Layout, frame: Frame, found: Measurement, style: PriceStyle) -> None:
    """The box from one place to the other with its two arrows, and a label beside its end."""
    x0, x1 = frame.grid.centre_of(found.start.slot), frame.grid.centre_of(found.end.slot)
    y0, y1 = frame.prices.row(found.start.price), frame.prices.row(found.end.price)
    left, right, top, bottom = min(x0, x1), max(x0, x1), min(y0, y1), max(y0, y1)
    tokens = frame.tokens
    colour = QColor(tokens.neutral if found.change == 0 else (tokens.up if found.change > 0 else tokens.down))
    reach = frame.px(5)
    box = QRect(left - reach, top - reach, right - left + 2 * reach + 1, bottom - top + 2 * reach + 1)

    def draw(painter: QPainter) -> None:
        painter.save()
        painter.setClipRect(frame.plot)
        ground = QColor(colour)
        ground.setAlphaF(_FILL)
        painter.fillRect(QRect(left, top, right - left + 1, bottom - top + 1), ground)
        _arrow(painter, frame, colour, ((left + right) // 2, y0), ((left + right) // 2, y1))
        _arrow(painter, frame, colour, (x0, (top + bottom) // 2), (x1, (top + bottom) // 2))
        painter.restore()

    layout.add(draw, box.intersected(frame.plot))
    _add_label(layout, frame, found.lines(style), QRect(left, top, right - left + 1, bottom - top + 1), y1 > y0)


def _arrow(painter: QPainter, frame: Frame, colour: QColor, start: tuple[int, int], end: tuple[int, int]) -> None:
    """A line along a row or a column with a head at its end; the head alone stays away when there is no room."""
    (x0, y0), (x1, y1) = start, end
    line, half = frame.line, frame.line // 2
    is_column = x0 == x1 and y0 != y1
    painter.fillRect(
        QRect(min(x0, x1) - half, min(y0, y1) - half, abs(x1 - x0) + line, abs(y1 - y0) + line),
        colour,
    )
    size = frame.px(4)
    if max(abs(x1 - x0), abs(y1 - y0)) < 2 * size:
        return
    back = 1 if (y1 < y0 if is_column else x1 < x0) else -1
    for step in range(size + 1):
        for side in (-step, step):
            x, y = (x1 + side, y1 + back * step) if is_column else (x1 + back * step, y1 + side)
            painter.fillRect(QRect(x - half, y - half, line, line), colour)


def _add_label(layout: Layout, frame: Frame, lines: tuple[str, ...], around: QRect, is_below: bool) -> None:
    metrics = QFontMetrics(frame.fonts.number)
    padding, gap = frame.px(6), frame.px(8)
    wide = max(metrics.horizontalAdvance(line) for line in lines) + 2 * padding
    high = metrics.height() * len(lines) + 2 * padding
    left = around.center().x() - wide // 2
    top = around.bottom() + gap if is_below else around.top() - gap - high
    edge = frame.px(4)
    left = max(edge, min(left, frame.plot_width - wide - edge))
    top = max(edge, min(top, frame.plot_height - high - edge))
    box = QRect(left, top, wide, high)

    def draw(painter: QPainter) -> None:
        fill_rounded(painter, box, frame.tokens.crosshair_box, frame.px(3))
        painter.setFont(frame.fonts.number)
        painter.setPen(QColor(frame.tokens.crosshair_text))
        for index, line in enumerate(lines):
            row = QRect(box.left(), box.top() + padding + index * metrics.height(), box.width(), metrics.height())
            painter.drawText(row, Qt.AlignmentFlag.AlignCenter, line)

    layout.add(draw, box)


def add_zoom_box(layout: Layout, frame: Frame, start: tuple[int, int], end: tuple[int, int]) -> None:
    """The rectangle that is about to fill the plot; device pixels."""
    line = frame.line
    left, right = sorted((start[0], end[0]))
    top, bottom = sorted((start[1], end[1]))
    box = QRect(left, top, right - left + 1, bottom - top + 1).intersected(frame.plot)
    if box.isEmpty():
        return

    def draw(painter: QPainter) -> None:
        ground = QColor(frame.tokens.accent)
        ground.setAlphaF(_FILL)
        painter.fillRect(box, ground)
        for side in (
            QRect(box.left(), box.top(), box.width(), line),
            QRect(box.left(), box.bottom() - line + 1, box.width(), line),
            QRect(box.left(), box.top(), line, box.height()),
            QRect(box.right() - line + 1, box.top(), line, box.height()),
        ):
            painter.fillRect(side, QColor(frame.tokens.accent))

    layout.add(draw, box)
