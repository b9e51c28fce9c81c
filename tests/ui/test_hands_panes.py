"""The mouse over a chart with panes: their borders, and gestures that begin in a pane."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from desktop.domain.studies.study import Study
from tests.ui.hands import ALT, CTRL, MIDDLE, SHIFT, Desk


@pytest.fixture
def desk(qtbot: QtBot) -> Desk:
    desk = Desk(qtbot)
    desk.chart.studies.add(Study.of("rsi"))
    desk.chart.studies.add(Study.of("macd"))
    desk.settle()
    return desk


def heights(desk: Desk) -> tuple[int, int, int]:
    """Of prices and both panes."""
    upper, lower = desk.frame.panes
    return upper.top, upper.height, lower.height


def border(desk: Desk, pane: int) -> QPoint:
    return QPoint(300, desk.frame.panes[pane].top)


def in_pane(desk: Desk) -> QPoint:
    return QPoint(300, desk.frame.panes[0].top + 30)


@pytest.mark.parametrize("by", [-40, 15])
def test_the_upper_border_moves_between_prices_and_pane(desk: Desk, by: int) -> None:
    main, upper, lower = heights(desk)
    at = border(desk, 0)
    desk.drag(at, at + QPoint(7, by))
    desk.settle()
    assert heights(desk) == (main + by, upper - by, lower)


@pytest.mark.parametrize("by", [-15, 15])
def test_the_lower_border_moves_between_the_panes(desk: Desk, by: int) -> None:
    main, upper, lower = heights(desk)
    at = border(desk, 1)
    desk.drag(at, at + QPoint(0, by))
    desk.settle()
    assert heights(desk) == (main, upper + by, lower - by)


@pytest.mark.parametrize(("pane", "by"), [(0, 500), (1, 500), (1, -500), (0, -900)])
def test_no_pane_gets_lower_than_sixty_pixels(desk: Desk, pane: int, by: int) -> None:
    total = sum(heights(desk))
    at = border(desk, pane)
    desk.drag(at, at + QPoint(0, by))
    desk.settle()
    assert min(heights(desk)) >= 60
    assert sum(heights(desk)) == total


def test_a_double_click_on_a_border_gives_the_usual_height(desk: Desk) -> None:
    before = heights(desk)
    at = border(desk, 0)
    desk.drag(at, at - QPoint(0, 60))
    desk.settle()
    assert heights(desk) != before
    desk.double_click(border(desk, 0))
    desk.settle()
    assert heights(desk) == before


def test_a_border_moves_neither_time_nor_prices(desk: Desk) -> None:
    before = (desk.view.right, desk.view.spacing, desk.view.is_autoscaled)
    at = border(desk, 0)
    desk.drag(at, at + QPoint(50, 10))
    assert (desk.view.right, desk.view.spacing, desk.view.is_autoscaled) == before
    desk.move(border(desk, 0))
    assert desk.chart.view.viewport().cursor().shape() == Qt.CursorShape.SplitVCursor


@pytest.mark.parametrize("button", [Qt.MouseButton.LeftButton, MIDDLE])
def test_a_drag_in_a_pane_moves_time_alone(desk: Desk, button: Qt.MouseButton) -> None:
    desk.chart.set_autoscale(False)
    desk.settle()
    right, prices = desk.view.right, (desk.view.bottom, desk.view.top)
    at = in_pane(desk)
    desk.drag(at, at + QPoint(80, 20), button)
    assert desk.view.right == pytest.approx(right - 10)
    assert (desk.view.bottom, desk.view.top) == prices


def test_the_wheel_over_a_pane_zooms_at_the_cursor(desk: Desk) -> None:
    slot, spacing = desk.view.slot_at(300), desk.view.spacing
    desk.wheel(in_pane(desk), 120)
    assert desk.view.spacing == pytest.approx(1.1 * spacing)
    assert desk.view.slot_at(300) == pytest.approx(slot)


def test_a_pane_s_axis_leaves_the_prices_alone(desk: Desk) -> None:
    before = (desk.view.bottom, desk.view.top)
    at = QPoint(880, in_pane(desk).y())
    desk.wheel(at, 120)
    desk.drag(at, at - QPoint(0, 20))
    desk.double_click(at)
    desk.settle()
    assert desk.view.is_autoscaled
    assert (desk.view.bottom, desk.view.top) == before


def test_nothing_is_measured_or_asked_for_in_a_pane(desk: Desk) -> None:
    asked: list[object] = []
    desk.chart.pointer.alert_requested.connect(asked.append)
    desk.chart.price_menu_requested.connect(lambda *what: asked.append(what))
    at = in_pane(desk)
    desk.drag(at, at + QPoint(80, 20), modifiers=SHIFT)
    assert desk.chart.gestures.measurement is None
    desk.click(at, ALT)
    right_end = QPoint(desk.frame.plot_width - 10, at.y())
    desk.move(right_end)
    desk.settle()
    desk.click(right_end)
    assert asked == []
    with desk.qtbot.waitSignal(desk.chart.maximise_requested):
        desk.double_click(at)


def test_the_crosshair_is_in_every_pane(desk: Desk) -> None:
    desk.move(in_pane(desk))
    desk.settle()
    cross = desk.chart.crosshair
    assert cross is not None
    assert cross.y == in_pane(desk).y()
    assert cross.value is None
    desk.qtbot.keyPress(desk.chart, Qt.Key.Key_Control)
    desk.settle()
    assert desk.chart.crosshair is not None
    assert desk.chart.crosshair.y == in_pane(desk).y()
    desk.qtbot.keyRelease(desk.chart, Qt.Key.Key_Control, CTRL)
