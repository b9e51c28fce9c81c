"""Every row of what the mouse does to a chart, with real events."""

from __future__ import annotations

import math

import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.domain.bars import Bars
from desktop.domain.look import ScaleKind
from desktop.ui.chart.geometry import MAX_SPACING
from desktop.ui.chart.hand_options import HandOptions
from desktop.ui.ticker_mime import TICKER_MIME, ticker_mime
from tests.ui.chart_source import SeriesSource, walk
from tests.ui.hands import ALT, CTRL, MIDDLE, NONE, PLOT, PRICE_AXIS, RIGHT, SHIFT, TIME_AXIS, Desk


@pytest.fixture
def desk(qtbot: QtBot) -> Desk:
    return Desk(qtbot)


# --- wheel -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("angle", "factor"), [(120, 1.1), (-120, 0.9), (480, 1.1), (-480, 0.9)])
def test_a_notch_zooms_by_a_tenth_at_the_cursor(desk: Desk, angle: int, factor: float) -> None:
    desk.view.pan(3000)
    slot, spacing = desk.view.slot_at(PLOT.x()), desk.view.spacing
    desk.wheel(angle=angle)
    assert desk.view.spacing == pytest.approx(spacing * factor)
    desk.settle()
    assert abs(desk.x_of(slot) - PLOT.x()) <= 1


@pytest.mark.parametrize("step", [1, 3, 8, 15, 40])
@pytest.mark.parametrize("sign", [1, -1])
def test_parts_of_a_notch_add_up_to_one(desk: Desk, step: int, sign: int) -> None:
    desk.view.pan(3000)
    spacing, slot = desk.view.spacing, desk.view.slot_at(PLOT.x())
    for _ in range(120 // step):
        desk.wheel(angle=sign * step)
    assert desk.view.spacing == pytest.approx(spacing * (1.1 if sign > 0 else 0.9), rel=1e-12)
    assert desk.view.slot_at(PLOT.x()) == pytest.approx(slot, abs=1e-9)


def test_a_touchpad_is_followed_by_its_pixels(desk: Desk) -> None:
    desk.view.pan(3000)
    spacing, right = desk.view.spacing, desk.view.right
    for _ in range(10):
        desk.wheel(angle=999, pixels=QPoint(0, 10))
    assert desk.view.spacing == pytest.approx(spacing * 1.1)
    desk.view.spacing, desk.view.right = spacing, right
    desk.wheel(sideways=999, pixels=QPoint(-50, 3))
    assert desk.view.right == pytest.approx(right + 0.8 * 50 / spacing)
    assert desk.view.spacing == spacing


def test_pixels_without_a_phase_are_not_believed(desk: Desk) -> None:
    spacing = desk.view.spacing
    desk.wheel(angle=120)
    assert desk.view.spacing == pytest.approx(spacing * 1.1)


@pytest.mark.parametrize("x", [5, 300, 500, 840])
@pytest.mark.parametrize("angle", [-120, -33, 17, 120])
def test_the_time_under_the_cursor_stays_while_zooming_to_the_ends(desk: Desk, x: int, angle: int) -> None:
    """Also while the price labels get longer and the plot narrower."""
    desk.view.pan(6000)
    desk.chart.set_autoscale(True)
    desk.settle()
    slot = desk.view.slot_at(x)
    for _ in range(60):
        before = desk.view.spacing
        desk.wheel(QPoint(x, 200), angle)
        desk.chart.paint_now()
        assert abs(desk.x_of(slot) - x) <= 1
        if desk.view.spacing == before:
            break
    assert desk.view.least_spacing - 1e-9 <= desk.view.spacing <= MAX_SPACING


def test_an_axis_that_grows_does_not_move_the_picture(qtbot: QtBot) -> None:
    bars = walk(2000, price=9.0)
    lifted = [column * 1e7 for column in bars.values()[:4]]
    wide = Bars(bars.start_ms, *lifted, *bars.values()[4:])
    desk = Desk(qtbot, SeriesSource(wide.take(0, 1000).merged(bars.take(1000, 2000))))
    view = desk.view
    view.set_spacing(20, view.width)
    view.right = 1050.0
    desk.chart.set_autoscale(True)
    desk.settle()
    narrow, slot = view.width, view.slot_at(400)
    desk.wheel(QPoint(400, 200), -120)
    desk.settle()
    for _ in range(12):
        desk.wheel(QPoint(400, 200), -120)
        desk.chart.paint_now()
        assert abs(desk.x_of(slot) - 400) <= 1
    assert view.width < narrow


def test_zooming_ends_where_two_bars_fill_the_plot_and_where_the_series_fits(desk: Desk) -> None:
    for _ in range(60):
        desk.wheel(angle=120)
    assert desk.view.spacing == MAX_SPACING
    for _ in range(90):
        desk.wheel(angle=-120)
    assert desk.view.spacing == pytest.approx(desk.view.width / (2000 + 5))


def test_with_the_option_the_wheel_zooms_at_the_last_bar(qtbot: QtBot) -> None:
    desk = Desk(qtbot, options=HandOptions(anchors_last=True))
    x = desk.view.x_of(desk.view.last_slot + 0.5)
    desk.wheel(angle=-120)
    assert desk.view.x_of(desk.view.last_slot + 0.5) == pytest.approx(x)
    slot = desk.view.slot_at(PLOT.x())
    desk.wheel(angle=-120, modifiers=CTRL)
    assert desk.view.slot_at(PLOT.x()) == pytest.approx(slot)
    assert desk.view.x_of(desk.view.last_slot + 0.5) != pytest.approx(x)


def test_with_the_option_the_wheel_scrolls_and_ctrl_zooms(qtbot: QtBot) -> None:
    desk = Desk(qtbot, options=HandOptions(wheel_scrolls=True))
    right, spacing = desk.view.right, desk.view.spacing
    desk.wheel(angle=100)
    assert (desk.view.right, desk.view.spacing) == (pytest.approx(right - 80 / spacing), spacing)
    slot = desk.view.slot_at(PLOT.x())
    desk.wheel(angle=120, modifiers=CTRL)
    assert desk.view.spacing == pytest.approx(spacing * 1.1)
    assert desk.view.slot_at(PLOT.x()) == pytest.approx(slot)


@pytest.mark.parametrize(("angle", "sideways", "modifiers"), [(100, 0, SHIFT), (0, 100, NONE), (0, 100, SHIFT)])
def test_shift_and_sideways_wheels_scroll_80_pixels_a_hundred(
    desk: Desk, angle: int, sideways: int, modifiers: Qt.KeyboardModifier
) -> None:
    right, spacing = desk.view.right, desk.view.spacing
    desk.wheel(angle=angle, sideways=sideways, modifiers=modifiers)
    assert desk.view.right == pytest.approx(right - 80 / spacing)
    assert desk.view.spacing == spacing


def test_the_wheel_on_the_price_axis_scales_about_the_middle(desk: Desk) -> None:
    view = desk.view
    middle, span = (view.top + view.bottom) / 2, view.top - view.bottom
    with desk.qtbot.waitSignal(desk.chart.autoscale_changed) as told:
        desk.wheel(PRICE_AXIS, 120)
    assert told.args == [False]
    assert view.top - view.bottom == pytest.approx(0.9 * span)
    desk.wheel(PRICE_AXIS, -120)
    assert view.top - view.bottom == pytest.approx(span)
    assert (view.top + view.bottom) / 2 == pytest.approx(middle)


def test_the_wheel_on_the_time_axis_zooms_about_the_right_edge(desk: Desk) -> None:
    right = desk.view.right
    desk.wheel(TIME_AXIS, 120)
    assert desk.view.right == pytest.approx(right)
    assert desk.view.spacing == pytest.approx(8.8)


@pytest.mark.parametrize("value", [0.3, -0.2])
def test_pinching_zooms_at_the_fingers(desk: Desk, value: float) -> None:
    desk.view.pan(3000)
    slot, spacing = desk.view.slot_at(500), desk.view.spacing
    desk.pinch(QPoint(500, 250), value)
    assert desk.view.spacing == pytest.approx(spacing * (1 + value))
    desk.settle()
    assert abs(desk.x_of(slot) - 500) <= 1


# --- drags -----------------------------------------------------------------------------------------------------


def test_a_drag_begins_after_three_pixels_and_pans_in_time(desk: Desk) -> None:
    right, bottom = desk.view.right, desk.view.bottom
    desk.drag(PLOT, PLOT + QPoint(2, 0))
    assert desk.view.right == right
    desk.drag(PLOT, PLOT + QPoint(80, 60))
    assert desk.view.right == pytest.approx(right - 10)
    assert desk.view.is_autoscaled
    desk.chart.set_autoscale(False)
    desk.settle()
    bottom, span = desk.view.bottom, desk.view.top - desk.view.bottom
    desk.drag(PLOT, PLOT + QPoint(0, 60))
    assert desk.view.bottom == pytest.approx(bottom + 60 / desk.view.height * span)


def test_the_bar_under_the_hand_stays_under_it(desk: Desk) -> None:
    slot = desk.view.slot_at(PLOT.x())
    desk.press(PLOT)
    for x in range(310, 700, 13):
        desk.move(QPoint(x, 200))
        assert desk.view.slot_at(x) == pytest.approx(slot)
    desk.release(QPoint(700, 200))


def test_a_drag_on_the_price_axis_stretches_by_the_rule(desk: Desk) -> None:
    view = desk.view
    middle, span, fixed = (view.top + view.bottom) / 2, view.top - view.bottom, 0.2 * (view.height - 1)
    with desk.qtbot.waitSignal(desk.chart.autoscale_changed) as told:
        desk.drag(PRICE_AXIS, PRICE_AXIS - QPoint(0, 100))
    assert told.args == [False]
    from_bottom = view.height - 200
    assert view.top - view.bottom == pytest.approx(span * (from_bottom + fixed) / (from_bottom + 100 + fixed))
    assert (view.top + view.bottom) / 2 == pytest.approx(middle)


@pytest.mark.parametrize("kind", [ScaleKind.PERCENT, ScaleKind.INDEXED])
def test_a_drag_on_a_relative_price_axis_does_nothing(desk: Desk, kind: ScaleKind) -> None:
    desk.chart.set_scale(kind)
    desk.settle()
    before = (desk.view.bottom, desk.view.top)
    desk.drag(PRICE_AXIS, PRICE_AXIS - QPoint(0, 100))
    desk.settle()
    assert (desk.view.bottom, desk.view.top) == before
    assert desk.view.is_autoscaled


def test_a_drag_on_the_time_axis_compresses_to_the_right(desk: Desk) -> None:
    right, width = desk.view.right, desk.view.width
    desk.drag(TIME_AXIS, TIME_AXIS + QPoint(100, 0))
    assert desk.view.spacing == pytest.approx(8 * (width - 400) / (width - 300))
    assert desk.view.right == pytest.approx(right)
    desk.drag(TIME_AXIS, TIME_AXIS - QPoint(100, 0))
    assert desk.view.spacing > 8 * (width - 400) / (width - 300)


def test_the_middle_button_pans_freely(desk: Desk) -> None:
    right, bottom, span = desk.view.right, desk.view.bottom, desk.view.top - desk.view.bottom
    with desk.qtbot.waitSignal(desk.chart.autoscale_changed) as told:
        desk.drag(PLOT, PLOT + QPoint(40, 60), MIDDLE)
    assert told.args == [False]
    assert desk.view.right == pytest.approx(right - 5)
    assert desk.view.bottom == pytest.approx(bottom + 60 / desk.view.height * span)


def test_alt_and_the_right_button_are_left_to_window_managers(desk: Desk) -> None:
    before = (desk.view.right, desk.view.spacing, desk.view.bottom, desk.view.top)
    desk.drag(PLOT, PLOT + QPoint(80, 60), RIGHT, ALT)
    assert (desk.view.right, desk.view.spacing, desk.view.bottom, desk.view.top) == before
    assert not desk.chart.view.is_dragging


# --- clicks ----------------------------------------------------------------------------------------------------


def test_a_double_click_on_the_price_axis_turns_autoscale_on(desk: Desk) -> None:
    span = desk.view.top - desk.view.bottom
    desk.wheel(PRICE_AXIS, 120)
    with desk.qtbot.waitSignal(desk.chart.autoscale_changed) as told:
        desk.double_click(PRICE_AXIS)
    assert told.args == [True]
    desk.settle()
    assert desk.view.top - desk.view.bottom == pytest.approx(span)


def test_a_double_click_on_the_time_axis_resets_time(desk: Desk) -> None:
    desk.wheel(angle=120)
    desk.view.pan(2000)
    desk.double_click(TIME_AXIS)
    assert desk.view.spacing == 8
    assert desk.view.right == desk.view.last_slot + 1 + 5


def test_a_double_click_on_the_plot_asks_for_more_room(desk: Desk) -> None:
    told: list[str] = []
    desk.chart.maximise_requested.connect(lambda: told.append("maximise"))
    desk.chart.pointer.collapse_requested.connect(lambda: told.append("collapse"))
    before = (desk.view.right, desk.view.spacing)
    desk.double_click(PLOT)
    assert told == ["maximise"]
    desk.double_click(PLOT, CTRL)
    assert told == ["maximise", "collapse"]
    desk.double_click(PRICE_AXIS)
    desk.double_click(TIME_AXIS)
    assert told == ["maximise", "collapse"]
    assert (desk.view.right, desk.view.spacing) == before


def test_alt_and_a_click_ask_for_an_alert_at_the_price(desk: Desk) -> None:
    with desk.qtbot.waitSignal(desk.chart.pointer.alert_requested) as told:
        desk.click(PLOT, ALT)
    assert told.args == [pytest.approx(desk.frame.prices.price(PLOT.y()))]
    asked: list[float] = []
    desk.chart.pointer.alert_requested.connect(asked.append)
    desk.click(PLOT)
    desk.click(PRICE_AXIS, ALT)
    desk.drag(PLOT, PLOT + QPoint(30, 0), modifiers=ALT)
    assert asked == []


# --- pointing --------------------------------------------------------------------------------------------------


def test_the_crosshair_stands_on_a_bar_s_centre_with_labels_on_both_axes(desk: Desk) -> None:
    for x in (300, 303, 306):
        desk.move(QPoint(x, 200))
        desk.settle()
        cross = desk.chart.crosshair
        assert cross is not None
        slot = desk.frame.grid.slot_at(x)
        assert cross.x == desk.frame.grid.centre_of(slot)
        assert cross.y == 200
        assert cross.price == desk.chart.model.style.text(desk.frame.prices.price(200))
        assert cross.time.endswith("UTC")
        assert desk.chart.model.style.text(desk.source.series.bars[slot].close) in desk.chart.legend_text


def test_the_crosshair_goes_with_the_mouse(desk: Desk) -> None:
    desk.move(PLOT)
    desk.settle()
    QApplication.sendEvent(desk.chart.view, QEvent(QEvent.Type.Leave))
    desk.settle()
    assert desk.chart.crosshair is None
    last = desk.source.series.bars[-1]
    assert desk.chart.model.style.text(last.close) in desk.chart.legend_text


def test_each_part_has_its_cursor(desk: Desk) -> None:
    shapes = []
    for at in (PLOT, PRICE_AXIS, TIME_AXIS):
        desk.move(at)
        shapes.append(desk.chart.view.viewport().cursor().shape())
    shape = Qt.CursorShape
    assert shapes == [shape.CrossCursor, shape.SizeVerCursor, shape.SizeHorCursor]


def test_the_plus_at_the_price_opens_its_menu(desk: Desk) -> None:
    asked: list[tuple[float, QPoint]] = []
    desk.chart.price_menu_requested.connect(lambda price, at: asked.append((price, at)))
    at = QPoint(desk.frame.plot_width - 10, 200)
    desk.move(at)
    desk.settle()
    desk.click(at)
    ((price, place),) = asked
    assert price == pytest.approx(desk.frame.prices.price(200))
    assert place == desk.chart.view.viewport().mapToGlobal(at)
    desk.click(PLOT)
    assert len(asked) == 1


# --- a symbol is dropped -----------------------------------------------------------------------------------------


def drop(desk: Desk, mime: QMimeData) -> bool:
    """Drags over the plot and lets go; whether the chart took it."""
    surface, move = desk.chart.view.viewport(), Qt.DropAction.MoveAction | Qt.DropAction.CopyAction
    enter = QDragEnterEvent(PLOT, move, mime, Qt.MouseButton.LeftButton, NONE)
    QApplication.sendEvent(surface, enter)
    over = QDragMoveEvent(PLOT, move, mime, Qt.MouseButton.LeftButton, NONE)
    QApplication.sendEvent(surface, over)
    if not enter.isAccepted():
        return False
    let_go = QDropEvent(QPointF(PLOT), move, mime, Qt.MouseButton.LeftButton, NONE)
    QApplication.sendEvent(surface, let_go)
    assert over.isAccepted()
    assert let_go.dropAction() == Qt.DropAction.CopyAction
    return let_go.isAccepted()


def test_a_dropped_symbol_is_asked_for(desk: Desk) -> None:
    with desk.qtbot.waitSignal(desk.chart.ticker_dropped) as told:
        assert drop(desk, ticker_mime("X:ETHUSD"))
    assert told.args == ["X:ETHUSD"]


def test_other_things_are_not_taken(desk: Desk) -> None:
    text = QMimeData()
    text.setText("X:ETHUSD")
    assert not drop(desk, text)
    empty = QMimeData()
    empty.setData(TICKER_MIME, b"")
    assert not drop(desk, empty)


# --- box zoom ----------------------------------------------------------------------------------------------------


def test_a_box_fills_the_plot(qtbot: QtBot) -> None:
    desk = Desk(qtbot, options=HandOptions(has_box_zoom=True))
    desk.view.pan(3000)
    desk.chart.set_autoscale(True)
    desk.settle()
    view, prices = desk.view, desk.frame.prices
    left, right, low, high = view.slot_at(300), view.slot_at(500), prices.price(320), prices.price(120)
    desk.drag(QPoint(500, 320), QPoint(300, 120), modifiers=CTRL)
    assert not view.is_autoscaled
    assert (view.left, view.right) == (pytest.approx(left), pytest.approx(right))
    assert (view.bottom, view.top) == (pytest.approx(low), pytest.approx(high))


def test_without_the_option_a_box_is_a_pan_and_a_slip_is_nothing(qtbot: QtBot, desk: Desk) -> None:
    right = desk.view.right
    desk.drag(PLOT, PLOT + QPoint(80, 60), modifiers=CTRL)
    assert desk.view.right == pytest.approx(right - 10)
    other = Desk(qtbot, options=HandOptions(has_box_zoom=True))
    before = (other.view.right, other.view.spacing, other.view.is_autoscaled)
    other.drag(PLOT, PLOT + QPoint(80, 2), modifiers=CTRL)
    assert (other.view.right, other.view.spacing, other.view.is_autoscaled) == before


def test_keys_pressed_through_the_window_reach_the_magnet(qtbot: QtBot) -> None:
    desk = Desk(qtbot)
    desk.move(PLOT)
    desk.settle()
    assert desk.chart.crosshair is not None
    assert desk.chart.crosshair.y == PLOT.y()
    QTest.keyPress(desk.chart, Qt.Key.Key_Control)
    desk.settle()
    bar = desk.source.series.bars[desk.frame.grid.slot_at(PLOT.x())]
    rows = [desk.frame.prices.row(price) for price in (bar.open, bar.high, bar.low, bar.close)]
    nearest = min(rows, key=lambda row: math.fabs(row - PLOT.y()))
    assert desk.chart.crosshair.y == nearest
    QTest.keyRelease(desk.chart, Qt.Key.Key_Control)
    desk.settle()
    assert desk.chart.crosshair.y == PLOT.y()
