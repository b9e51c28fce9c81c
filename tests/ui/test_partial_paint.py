"""What is painted bit by bit leaves the same pixels as painting everything."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QMouseEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.domain.bars import Bar
from desktop.domain.freshness import Freshness
from desktop.ui import theme
from desktop.ui.chart.chart_widget import ChartWidget
from tests.ui.chart_source import FixedClock, SeriesSource, walk


def on_screen(chart: ChartWidget) -> QImage:
    """The pixels the window has been given so far."""
    picture = chart.screen().grabWindow(chart.winId())
    return picture.toImage().convertToFormat(QImage.Format.Format_RGB32)


def hover(chart: ChartWidget, at: QPoint) -> None:
    viewport, none = chart.view.viewport(), Qt.MouseButton.NoButton
    place, outside = QPointF(at), QPointF(viewport.mapToGlobal(at))
    QApplication.sendEvent(
        viewport,
        QMouseEvent(QEvent.Type.MouseMove, place, outside, none, none, Qt.KeyboardModifier.NoModifier),
    )


@pytest.mark.parametrize("seed", range(6))
def test_ticks_and_crosshair_moves_leave_what_a_whole_repaint_does(qtbot: QtBot, seed: int) -> None:
    random = np.random.default_rng(seed)
    source, clock = SeriesSource(walk(400, seed=seed), name="Bitcoin – US Dollar"), FixedClock()
    source.say(freshness=Freshness.LIVE, bar_state="forming", last_event_ms=clock.now_ms())
    chart = ChartWidget(source, clock, theme.DARK)
    qtbot.addWidget(chart)
    chart.resize(700, 420)
    with qtbot.waitExposed(chart):
        chart.show()
    chart.paint_now()
    last = source.series.bars[-1]
    span = last.high - last.low
    for _ in range(12):
        match random.integers(0, 4):
            case 0:
                close = last.low + span * float(random.random())
                source.put(Bar(last.start_ms, last.open, last.high, last.low, close, last.volume))
            case 1:
                hover(chart, QPoint(int(random.integers(0, 700)), int(random.integers(0, 420))))
            case 2:
                clock.time_ms += int(random.integers(1, 3000))
                hover(chart, QPoint(int(random.integers(100, 500)), 200))
            case _:
                source.say(sentence=str(random.choice(["", "The vendor is slow."])) or None)
        chart.paint_now()
    bit_by_bit = on_screen(chart)
    chart.view.viewport().update()
    chart.paint_now()
    assert bit_by_bit == on_screen(chart)
    assert len(np.unique(np.frombuffer(bit_by_bit.constBits(), np.uint32))) > 20
