"""Whole-frame times of the chart: panning, ticking and moving the crosshair, against a pyqtgraph PlotWidget.

Run: `.venv/bin/python -m benchmarks.chart_paint [--frames N] [--size WxH]`. Interleaved rounds, medians: trust the
ratios. Every
frame is one that a paint event was counted for; the run stops when one is missing.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QPointF, QSize
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QWidget

from desktop.domain.bars import Bar
from desktop.ui import theme
from desktop.ui.chart.chart_widget import ChartWidget
from tests.ui.chart_source import FixedClock, SeriesSource, walk

Step = Callable[[int], None]


class PaintCounter(QObject):
    """Counts the paint events of one widget."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.count = 0
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.Paint
        return False


class Subject:
    """Something that can do a step and paint it now; `step` returns after the frame was painted."""

    def __init__(self, name: str, surface: QWidget, step: Step, flush: Callable[[], None]) -> None:
        self.name = name
        self._counter = PaintCounter(surface)
        self._step = step
        self._flush = flush
        self.times: list[float] = []
        self._turn = 0

    def run(self, frames: int) -> None:
        for _ in range(frames):
            before = self._counter.count
            begin = time.thread_time()
            self._step(self._turn)
            self._flush()
            self.times.append((time.thread_time() - begin) * 1000)
            self._turn += 1
            if self._counter.count == before:
                raise SystemExit(f"{self.name}: a step was not painted")

    @property
    def median(self) -> float:
        return statistics.median(self.times)


def chart_of(app: QApplication, source: SeriesSource, size: QSize) -> ChartWidget:
    chart = ChartWidget(source, FixedClock(), theme.DARK)
    chart.resize(size)
    chart.show()
    app.processEvents()
    chart.paint_now()
    return chart


def chart_subjects(app: QApplication, count: int, visible: int, size: QSize) -> list[Subject]:
    """Pan, tick and crosshair on a chart of `count` bars with `visible` of them on the screen."""
    source = SeriesSource(walk(count))
    chart = chart_of(app, source, size)
    view = chart.model.view
    view.set_spacing(view.width / visible, view.width)
    chart.show_latest()
    chart.paint_now()
    surface = chart.view.viewport()
    last = source.series.bars[-1]
    bottom = view.right

    def pan(turn: int) -> None:
        view.right = bottom - (turn % 40) * max(1.0, visible / 100)
        chart.set_autoscale(True)

    def tick(turn: int) -> None:
        close = last.low + (last.high - last.low) * (turn % 17) / 17
        source.put(Bar(last.start_ms, last.open, last.high, last.low, close, last.volume))

    def point(turn: int) -> None:
        chart.view.hovered.emit(QPointF(100 + turn * 7 % 600, 100 + turn * 5 % 300))

    steps = (("pan", pan), ("tick", tick), ("crosshair", point))
    return [Subject(f"{name} {count:,}/{visible:,}", surface, step, chart.paint_now) for name, step in steps]


class _Candles(pg.GraphicsObject):  # type: ignore[misc]
    """The candles of pyqtgraph's own example, as one line per bar: a kind reference."""

    def __init__(self, source: SeriesSource) -> None:
        super().__init__()
        bars = source.series.bars
        x = np.repeat(np.arange(len(bars)), 2)
        y = np.stack([bars.low, bars.high], axis=1).ravel()
        self._path = pg.arrayToQPath(x, y, connect="pairs")

    def paint(self, painter: object, *_: object) -> None:
        painter.setPen(pg.mkPen(theme.DARK.up))  # type: ignore[attr-defined]
        painter.drawPath(self._path)  # type: ignore[attr-defined]

    def boundingRect(self) -> object:
        return self._path.boundingRect()


def plot_subject(app: QApplication, count: int, visible: int, size: QSize) -> Subject:
    """A PlotWidget with axes and grid, panned in the same way; it draws wicks alone."""
    plot = pg.PlotWidget()
    plot.showGrid(x=True, y=True)
    plot.addItem(_Candles(SeriesSource(walk(count))))
    plot.resize(size)
    plot.show()
    app.processEvents()

    def pan(turn: int) -> None:
        right = count - (turn % 40) * max(1.0, visible / 100)
        plot.setXRange(right - visible, right, padding=0)

    viewport = plot.viewport()
    return Subject(f"PlotWidget pan {count:,}/{visible:,}", viewport, pan, viewport.repaint)


def fill_subject(size: QSize) -> Callable[[], float]:
    """The floor: filling an image of the same size and blitting it."""
    source, target = QImage(size, QImage.Format.Format_RGB32), QImage(size, QImage.Format.Format_RGB32)

    def once() -> float:
        begin = time.thread_time()
        source.fill(0x131722)
        painter = pg.QtGui.QPainter(target)
        painter.drawImage(0, 0, source)
        painter.end()
        return (time.thread_time() - begin) * 1000

    return once


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=8, help="frames of each subject in each of 12 rounds")
    parser.add_argument("--size", default="1920x1080")
    options = parser.parse_args()
    size = QSize(*(int(part) for part in options.size.split("x")))
    app = QApplication([])
    source = SeriesSource(walk(1_000_000))
    begin = time.thread_time()
    chart = chart_of(app, source, size)
    print(f"first paint of 1,000,000 bars in memory: {(time.thread_time() - begin) * 1000:.0f} ms")
    chart.close()
    cases = ((1_000, 200), (1_000_000, 200), (1_000, 1_000), (1_000_000, 2_000), (1_000_000, 1_000_000))
    subjects = [subject for count, visible in cases for subject in chart_subjects(app, count, visible, size)]
    subjects.append(plot_subject(app, 1_000, 200, size))
    floor_once, floor = fill_subject(size), []
    for _ in range(12):
        for subject in subjects:
            subject.run(options.frames)
        floor += [floor_once() for _ in range(options.frames)]
    base = statistics.median(floor)
    print(f"floor (fill and blit): {base:.2f} ms")
    print(f"{'subject':<34}{'median ms':>10}{'p95':>8}{'x floor':>9}")
    for subject in subjects:
        p95 = sorted(subject.times)[int(len(subject.times) * 0.95)]
        print(f"{subject.name:<34}{subject.median:>10.2f}{p95:>8.2f}{subject.median / base:>9.1f}")
    by_name = {subject.name: subject.median for subject in subjects}
    pans = by_name["pan 1,000/200"], by_name["pan 1,000,000/200"]
    print(f"1M against 1k bars, 200 visible: {pans[1] / pans[0]:.2f}x")
    print(
        f"PlotWidget with axes and grid against ours, 200 visible: {by_name['PlotWidget pan 1,000/200'] / pans[0]:.1f}x"
    )
    print(f"crosshair against pan: {by_name['crosshair 1,000,000/2,000'] / by_name['pan 1,000,000/2,000']:.2f}x")
    print(f"tick against pan: {by_name['tick 1,000,000/2,000'] / by_name['pan 1,000,000/2,000']:.2f}x")


if __name__ == "__main__":
    main()
