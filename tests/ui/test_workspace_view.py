"""Tabs and grids as a person uses them: keys, clicks, the menu of links, shared crosshair and range."""

from __future__ import annotations

import math

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from desktop.domain.layout import Grid, Link, LinkOptions
from desktop.domain.settings import Colours, Settings, Theme
from desktop.domain.timeframe import Timeframe
from desktop.ui.chart.chart_widget import ChartWidget
from desktop.ui.link_button import LinkButton
from desktop.ui.main_window import MainWindow
from desktop.ui.theme import contrast, resolve
from tests.ui.window_services import Parts, make_parts

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support", extend=True)
CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def parts() -> Parts:
    return make_parts(Settings(theme=Theme.DARK))


@pytest.fixture
def window(qtbot: QtBot, parts: Parts) -> MainWindow:
    window = MainWindow(parts.services)
    qtbot.addWidget(window)
    window.resize(1600, 900)
    with qtbot.waitActive(window):
        window.show()
    return window


def charts_of(window: MainWindow) -> tuple[ChartWidget, ...]:
    """Those in front, painted as they stand."""
    charts = tuple(pane.chart for pane in window.workspace_view.panes)
    for chart in charts:
        chart.paint_now()
    return charts


def press(window: MainWindow, key: Qt.Key, modifiers: Qt.KeyboardModifier = CTRL) -> None:
    QTest.keyClick(QApplication.focusWidget() or window, key, modifiers)


def click(window: MainWindow, number: int) -> None:
    view = charts_of(window)[number].view
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(60, 120))


def link(parts: Parts, *numbers: int, **shared: bool) -> None:
    for number in numbers:
        parts.workspace.set_link(parts.workspace.charts[number], Link.BLUE)
    parts.workspace.set_options(Link.BLUE, LinkOptions(**shared))


def test_one_chart_alone_has_no_tabs_no_frame_and_no_dot(window: MainWindow) -> None:
    (pane,) = window.workspace_view.panes
    assert not window.workspace_view.tab_row.isVisible()
    assert not pane.dot.isVisible()
    assert pane.chart.size() == window.workspace_view.size()


@pytest.mark.parametrize("grid", list(Grid))
def test_a_grid_fills_the_window_with_charts_of_like_size(parts: Parts, window: MainWindow, grid: Grid) -> None:
    window.commands.run(f"grid.{grid.name.lower()}")
    window.repaint()
    panes = window.workspace_view.panes
    assert len(panes) == grid.size
    assert all(pane.isVisible() and pane.dot.isVisible() == (grid is not Grid.ONE) for pane in panes)
    for pane, (_, _, rows, columns) in zip(panes, grid.places, strict=True):
        width = window.workspace_view.width() * columns / max(c + w for _, c, _, w in grid.places)
        height = window.workspace_view.height() * rows / max(r + h for r, _, h, _ in grid.places)
        assert (pane.width(), pane.height()) == pytest.approx((width, height), abs=3)
        assert pane.chart.size().expandedTo(pane.chart.minimumSizeHint()) == pane.chart.size(), "nothing is squeezed"


def test_the_dot_never_covers_legend_or_axis(qtbot: QtBot, window: MainWindow) -> None:
    window.commands.run("grid.nine")
    for pane in window.workspace_view.panes:
        pane.chart.paint_now()
        qtbot.waitUntil(lambda pane=pane: pane.dot.geometry().right() < pane.chart.model.view.width)
        assert pane.dot.geometry().left() > pane.chart.model.view.width - 26


def test_keys_and_clicks_go_from_chart_to_chart(parts: Parts, window: MainWindow) -> None:
    window.commands.run("grid.four")
    charts = parts.workspace.charts
    click(window, 2)
    assert parts.workspace.active is charts[2]
    assert window.chart is window.workspace_view.panes[2].chart
    assert window.windowTitle().startswith(charts[2].ticker)
    press(window, Qt.Key.Key_Tab)
    assert parts.workspace.active is charts[3]
    assert QApplication.focusWidget() is window.chart
    press(window, Qt.Key.Key_Tab)
    assert parts.workspace.active is charts[0]
    press(window, Qt.Key.Key_Tab, CTRL | SHIFT)
    assert parts.workspace.active is charts[3]
    press(window, Qt.Key.Key_2)
    assert parts.workspace.active is charts[1]
    press(window, Qt.Key.Key_9)
    assert parts.workspace.active is charts[1], "there is no ninth"


def test_what_is_typed_and_chosen_acts_on_the_active_chart(parts: Parts, window: MainWindow) -> None:
    window.commands.run("grid.columns")
    left, right = parts.workspace.charts
    press(window, Qt.Key.Key_2)
    window.open_ticker("C:EURUSD")
    window.open_timeframe(Timeframe.parse("4h"))
    assert (right.ticker, str(right.timeframe)) == ("C:EURUSD", "4h")
    assert (left.ticker, str(left.timeframe)) == ("X:BTCUSD", "1m")
    assert "C:EURUSD 4h" in window.windowTitle()
    window.commands.run("scale.log")
    kinds = [pane.chart.scale.kind.value for pane in window.workspace_view.panes]
    assert kinds == ["linear", "log"]
    press(window, Qt.Key.Key_1)
    assert "X:BTCUSD 1m" in window.windowTitle()
    assert not window.commands.action("scale.log").isChecked()


def test_tabs_open_close_and_number(parts: Parts, window: MainWindow) -> None:
    row = window.workspace_view.tab_row
    first = parts.workspace.active
    press(window, Qt.Key.Key_T)
    press(window, Qt.Key.Key_T)
    assert row.isVisible()
    assert row.bar.count() == 3
    assert row.bar.currentIndex() == 2
    assert QApplication.focusWidget() is window.chart
    press(window, Qt.Key.Key_1)
    assert parts.workspace.active is first
    press(window, Qt.Key.Key_PageUp)
    assert row.bar.currentIndex() == 2, "round to the last one"
    press(window, Qt.Key.Key_W)
    press(window, Qt.Key.Key_W)
    assert parts.workspace.active is first
    assert not row.isVisible()
    press(window, Qt.Key.Key_W)
    assert len(parts.workspace.tabs) == 1, "the last one stays"


def test_a_tab_comes_back_with_its_own_active_chart(parts: Parts, window: MainWindow) -> None:
    window.commands.run("grid.four")
    click(window, 1)
    press(window, Qt.Key.Key_T)
    press(window, Qt.Key.Key_PageUp)
    assert parts.workspace.active is parts.workspace.charts[1]
    assert QApplication.focusWidget() is window.workspace_view.panes[1].chart


def test_ctrl_enter_in_the_search_opens_a_tab(parts: Parts, window: MainWindow) -> None:
    first = parts.workspace.active
    window.commands.run("search.open")
    QTest.keyClicks(window.search_box, "pepe")
    QTest.keyClick(window.search_box, Qt.Key.Key_Return, CTRL)
    assert [chart.ticker for chart in parts.workspace.charts] == [first.ticker, "X:PEPEUSD"]
    assert parts.workspace.active.ticker == "X:PEPEUSD"
    assert QApplication.focusWidget() is window.chart


def test_a_tab_is_renamed_in_place(parts: Parts, window: MainWindow) -> None:
    row = window.workspace_view.tab_row
    window.commands.run("tab.rename")
    edit = QApplication.focusWidget()
    assert isinstance(edit, QLineEdit)
    QTest.keyClicks(edit, "Coins & more")
    QTest.keyClick(edit, Qt.Key.Key_Return)
    assert parts.workspace.tab.name == "Coins & more"
    press(window, Qt.Key.Key_T)
    assert row.bar.tabText(0) == "Coins && more"
    assert QApplication.focusWidget() is window.chart


def test_a_tab_dragged_elsewhere_is_moved(parts: Parts, window: MainWindow) -> None:
    press(window, Qt.Key.Key_T)
    first, second = parts.workspace.tabs
    window.workspace_view.tab_row.bar.moveTab(0, 1)
    assert parts.workspace.tabs == (second, first)
    assert parts.workspace.tab is second
    assert window.workspace_view.tab_row.bar.currentIndex() == 0


def test_boxes_outlive_the_chart_they_stand_on(parts: Parts, window: MainWindow, qtbot: QtBot) -> None:
    press(window, Qt.Key.Key_T)
    QTest.keyClicks(window.chart, "5")
    gone = window.chart
    parts.workspace.close_tab(parts.workspace.tab)
    qtbot.waitUntil(lambda: not isValid(gone))
    QTest.keyClicks(window.chart, "5")
    edit = QApplication.focusWidget()
    assert isinstance(edit, QLineEdit)
    QTest.keyClick(edit, Qt.Key.Key_Return)
    assert str(parts.workspace.active.timeframe) == "5m"


# --- links -----------------------------------------------------------------------------------------------------


def menu_texts(button: LinkButton, *, checked: bool = False) -> list[str]:
    menu = button.menu_of_links()
    texts = [a.text() for a in menu.actions() if not a.isSeparator() and (a.isChecked() or not checked)]
    menu.close()
    return texts


def choose(button: LinkButton, text: str) -> None:
    menu = button.menu_of_links()
    next(action for action in menu.actions() if action.text() == text).trigger()
    menu.close()


def test_the_menu_links_and_shares(parts: Parts, window: MainWindow) -> None:
    window.commands.run("grid.columns")
    left, right = (pane.dot for pane in window.workspace_view.panes)
    assert menu_texts(left, checked=True) == ["Not linked"]
    choose(left, "Red")
    choose(right, "Red")
    assert parts.workspace.charts[1].ticker == parts.workspace.charts[0].ticker
    assert menu_texts(right, checked=True) == ["Red", "Shared crosshair"]
    choose(right, "Same interval")
    parts.workspace.charts[0].show("AAPL", Timeframe.parse("1h"))
    assert (parts.workspace.charts[1].ticker, str(parts.workspace.charts[1].timeframe)) == ("AAPL", "1h")
    assert "linked, red" in left.accessibleName()


def test_the_crosshair_is_at_the_same_time_in_all_of_a_group(parts: Parts, window: MainWindow, qtbot: QtBot) -> None:
    window.commands.run("grid.four")
    link(parts, 0, 1)
    parts.workspace.charts[1].show("X:BTCUSD", Timeframe.parse("5m"))
    panes = window.workspace_view.panes
    charts_of(window)
    view = panes[0].chart.view.viewport()
    QTest.mouseMove(view, QPoint(200, 150))
    qtbot.waitUntil(lambda: panes[0].chart.link.crosshair_ms is not None)
    time_ms, other_ms = panes[0].chart.link.crosshair_ms, panes[1].chart.link.crosshair_ms
    assert time_ms is not None
    assert other_ms is not None
    assert other_ms <= time_ms < other_ms + 300_000
    assert panes[2].chart.link.crosshair_ms is None
    panes[0].chart.keys.run("chart.leave")
    assert panes[1].chart.link.crosshair_ms is None


def test_the_range_is_the_same_in_all_of_a_group(parts: Parts, window: MainWindow) -> None:
    window.commands.run("grid.columns")
    link(parts, 0, 1, range=True)
    left, right = charts_of(window)
    for action_id in ("time.zoom_out", "time.screen_back", "time.zoom_in", "time.bars_left"):
        left.keys.run(action_id)
        assert left.link.edges is not None
        assert right.link.edges is not None
        assert right.link.edges == pytest.approx(left.link.edges, abs=60_000 / left.model.view.spacing)
    right.keys.run("time.bars_right")
    assert left.link.edges == pytest.approx(right.link.edges, abs=60_000 / left.model.view.spacing)
    parts.workspace.set_options(Link.BLUE, LinkOptions(range=False))
    before = right.link.edges
    left.keys.run("time.screen_back")
    assert right.link.edges == before


def test_a_range_spans_intervals(parts: Parts, window: MainWindow) -> None:
    window.commands.run("grid.rows")
    link(parts, 0, 1, range=True)
    parts.workspace.charts[1].show("X:BTCUSD", Timeframe.parse("5m"))
    upper, lower = charts_of(window)
    upper.keys.run("time.zoom_out")
    assert upper.link.edges is not None
    assert lower.link.edges is not None
    assert math.isclose(lower.link.edges[1], upper.link.edges[1], abs_tol=300_000)
    assert lower.model.view.spacing == pytest.approx(5 * upper.model.view.spacing, rel=0.02)


@pytest.mark.parametrize("colours", list(Colours))
@pytest.mark.parametrize("is_dark", [True, False])
def test_link_colours_are_seen_and_differ(colours: Colours, is_dark: bool) -> None:
    tokens = resolve(Theme.DARK if is_dark else Theme.LIGHT, is_dark, colours)
    assert len(set(tokens.links)) == len(Link) == len(tokens.links)
    assert all(contrast(colour, tokens.chart) >= 3 for colour in tokens.links)
