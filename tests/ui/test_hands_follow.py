"""Where the view stands when bars come, are put in front, or another series is shown; also under a held button."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PySide6.QtCore import QPoint
from pytestqt.qtbot import QtBot

from desktop.domain.bars import Bar, Bars
from desktop.domain.timeframe import Timeframe
from desktop.ui.chart.slots import time_of_slot
from tests.ui.chart_source import START_MS, SeriesSource, walk
from tests.ui.hands import PLOT, PRICE_AXIS, SHIFT, TIME_AXIS, Desk

MINUTE, FIVE = Timeframe.parse("1m"), Timeframe.parse("5m")
HELD = pytest.mark.parametrize("held", [None, PLOT, PRICE_AXIS, TIME_AXIS])
TICKERS = pytest.mark.parametrize("ticker", ["X:BTCUSD", "AAPL", "C:EURUSD"])


def next_bar(source: SeriesSource, close: float | None = None) -> Bar:
    last = source.series.bars[-1]
    close = last.close if close is None else close
    return Bar(last.start_ms + 60_000, last.close, max(last.close, close), min(last.close, close), close, 100.0)


def grab(desk: Desk, held: QPoint | None) -> None:
    """Holds a place of the chart in the middle of a drag, or nothing."""
    if held is not None:
        desk.press(held)
        desk.move(held + QPoint(10, 6), held + QPoint(20, 12))
    desk.settle()


# --- bars come ---------------------------------------------------------------------------------------------------


@HELD
@TICKERS
def test_with_the_last_bar_in_view_the_margin_stays(qtbot: QtBot, held: QPoint | None, ticker: str) -> None:
    desk = Desk(qtbot, SeriesSource(walk(2000), ticker=ticker))
    grab(desk, held)
    margin = desk.view.right - desk.view.last_slot
    spacing = desk.view.spacing
    for _ in range(3):
        desk.source.put(next_bar(desk.source))
        desk.settle()
    assert desk.view.last_slot == 2002
    assert desk.view.right - desk.view.last_slot == pytest.approx(margin, abs=1e-9)
    assert desk.view.spacing == spacing
    assert not desk.chart.buttons.latest.isVisible()


@HELD
@TICKERS
def test_with_the_last_bar_out_of_view_nothing_moves(qtbot: QtBot, held: QPoint | None, ticker: str) -> None:
    desk = Desk(qtbot, SeriesSource(walk(2000), ticker=ticker))
    desk.view.pan(3000)
    desk.chart.set_autoscale(True)
    grab(desk, held)
    before = (desk.view.right, desk.view.spacing, desk.view.bottom, desk.view.top)
    for _ in range(3):
        desk.source.put(next_bar(desk.source))
    desk.settle()
    assert (desk.view.right, desk.view.spacing, desk.view.bottom, desk.view.top) == before
    assert desk.chart.buttons.latest.isVisible()
    assert desk.chart.buttons.latest.text() == "→ latest  +3"


def test_a_drag_goes_on_from_where_a_new_bar_put_the_view(qtbot: QtBot) -> None:
    desk = Desk(qtbot)
    right = desk.view.right
    desk.press(PLOT)
    desk.move(PLOT + QPoint(40, 0))
    desk.source.put(next_bar(desk.source))
    desk.move(PLOT + QPoint(80, 0))
    desk.release(PLOT + QPoint(80, 0))
    assert desk.view.right == pytest.approx(right - 10 + 1)


def test_a_tick_of_the_last_bar_moves_nothing(qtbot: QtBot) -> None:
    desk = Desk(qtbot)
    before = (desk.view.right, desk.view.spacing, desk.view.bottom, desk.view.top)
    last = desk.source.series.bars[-1]
    for share in (0.2, 0.8):
        close = last.low + (last.high - last.low) * share
        desk.source.put(Bar(last.start_ms, last.open, last.high, last.low, close, last.volume))
        desk.settle()
    assert (desk.view.right, desk.view.spacing, desk.view.bottom, desk.view.top) == before


# --- history is put in front ---------------------------------------------------------------------------------------


@HELD
@TICKERS
def test_history_never_moves_the_time_at_the_left_edge(qtbot: QtBot, held: QPoint | None, ticker: str) -> None:
    bars = walk(3000)
    desk = Desk(qtbot, SeriesSource(bars.take(1000, 3000), ticker=ticker))
    desk.view.pan(2500.5)
    desk.chart.set_autoscale(True)
    grab(desk, held)
    model = desk.chart.model
    left_ms = time_of_slot(model.axis, model.bars.start_ms, desk.view.left)
    before = (desk.view.right, desk.view.spacing, desk.view.bottom, desk.view.top)
    x = desk.x_of(math.floor(desk.view.left) + 30)
    for begin in (700, 300, 0):
        desk.source.merge(bars.take(begin, begin + 400))
        desk.settle()
    assert len(model.bars) == 3000
    assert time_of_slot(model.axis, model.bars.start_ms, desk.view.left) == left_ms
    assert (desk.view.right, desk.view.spacing, desk.view.bottom, desk.view.top) == before
    assert desk.x_of(math.floor(desk.view.left) + 30) == x
    if held is not None:
        desk.move(held + QPoint(20, 12))
        assert (desk.view.right, desk.view.spacing) == pytest.approx(before[:2])


def test_a_measurement_stays_where_it_was_made(qtbot: QtBot) -> None:
    bars = walk(3000)
    desk = Desk(qtbot, SeriesSource(bars.take(1000, 3000)))
    desk.press(PLOT, modifiers=SHIFT)
    desk.move(PLOT + QPoint(50, 0), PLOT + QPoint(160, -80))
    desk.settle()
    before = desk.chart.grab().toImage()
    desk.source.merge(bars.take(0, 1000))
    desk.settle()
    assert desk.chart.grab().toImage() == before


# --- another series --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fraction", [0.0, 0.3, 0.875])
@TICKERS
def test_another_interval_keeps_the_time_at_the_right_edge(qtbot: QtBot, ticker: str, fraction: float) -> None:
    desk = Desk(qtbot, SeriesSource(walk(2000), ticker=ticker))
    desk.view.right = 1500 + fraction
    model = desk.chart.model
    right_ms = time_of_slot(model.axis, model.bars.start_ms, desk.view.right)
    spacing = desk.view.spacing
    desk.source.show(walk(2000, step_ms=300_000), ticker, FIVE)
    desk.settle()
    assert time_of_slot(model.axis, model.bars.start_ms, desk.view.right) == pytest.approx(right_ms, abs=1)
    desk.source.show(walk(2000), ticker, MINUTE)
    desk.settle()
    assert time_of_slot(model.axis, model.bars.start_ms, desk.view.right) == pytest.approx(right_ms, abs=2)
    assert desk.view.spacing == spacing


@HELD
def test_another_interval_stays_with_the_latest_bar(qtbot: QtBot, held: QPoint | None) -> None:
    desk = Desk(qtbot)
    grab(desk, held)
    desk.source.show(walk(900, step_ms=300_000), "X:BTCUSD", FIVE)
    desk.settle()
    assert desk.view.right == desk.view.last_slot + 1 + 5
    right = desk.view.right
    if held is not None:
        desk.move(held + QPoint(28, 12))
        assert desk.view.right == pytest.approx(right - (1 if held is PLOT else 0))


@HELD
def test_another_symbol_keeps_spacing_and_goes_to_its_latest_bar(qtbot: QtBot, held: QPoint | None) -> None:
    desk = Desk(qtbot)
    desk.wheel(angle=120)
    desk.wheel(PRICE_AXIS, 120)
    desk.view.pan(3000)
    grab(desk, held)
    spacing = desk.view.spacing
    desk.source.show(walk(1200, price=0.004), "X:DOGEUSD", MINUTE)
    desk.settle()
    assert desk.view.spacing == spacing
    assert desk.view.right == desk.view.last_slot + 1 + 5
    assert desk.view.is_autoscaled
    assert desk.view.top < 1
    if held is PRICE_AXIS:
        desk.move(held + QPoint(0, 80))
        assert desk.view.is_autoscaled


def test_another_interval_keeps_a_price_range_set_by_hand(qtbot: QtBot) -> None:
    desk = Desk(qtbot)
    desk.wheel(PRICE_AXIS, 120)
    before = (desk.view.bottom, desk.view.top)
    desk.source.show(walk(900, step_ms=300_000), "X:BTCUSD", FIVE)
    desk.settle()
    assert (desk.view.bottom, desk.view.top) == before


# --- autoscale -----------------------------------------------------------------------------------------------------


def test_autoscale_leaves_the_margins_of_the_rule(qtbot: QtBot) -> None:
    desk = Desk(qtbot)
    shown = slice(math.floor(desk.view.left), 2000)
    bars = desk.source.series.bars
    low, high = float(np.min(bars.low[shown])), float(np.max(bars.high[shown]))
    span = desk.view.top - desk.view.bottom
    assert (desk.view.top - high) / span == pytest.approx(0.2, abs=0.02)
    assert (low - desk.view.bottom) / span == pytest.approx(0.3, abs=0.02)


@pytest.mark.parametrize(("by", "is_taken"), [(0.10, False), (-0.10, False), (0.20, True), (-0.20, True)])
def test_autoscale_moves_for_more_than_two_percent_only(qtbot: QtBot, by: float, is_taken: bool) -> None:
    """A range of 6 stands in a height of 12; its lower end moves the bottom of the scale by 1.6 times as much."""
    rows = [Bar(START_MS + i * 60_000, 100.0, 103.0, low, 100.0, 10.0) for i, low in enumerate((99.0, 99.0, 97.0))]
    desk = Desk(qtbot, SeriesSource(Bars.from_rows(rows)))
    before = (desk.view.bottom, desk.view.top)
    assert before == (pytest.approx(97 - 3.6), pytest.approx(103 + 2.4))
    desk.source.put(Bar(rows[-1].start_ms, 100.0, 103.0, 97.0 + by, 100.0, 10.0))
    desk.settle()
    assert (desk.view.bottom != before[0]) == is_taken
    if is_taken:
        assert desk.view.bottom == pytest.approx(before[0] + 1.6 * by)


def test_autoscale_follows_what_leaves_the_screen_at_once(qtbot: QtBot) -> None:
    desk = Desk(qtbot)
    top = desk.view.top
    desk.source.put(next_bar(desk.source, close=top * 1.02))
    desk.settle()
    assert desk.view.top > top * 1.02
