"""Every action of the window by its key: time, scales, watchlist, panels, full screen, clipboard."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication, QKeySequence
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from desktop.domain.bar_text import bar_tsv
from desktop.domain.look import ChartKind
from desktop.domain.settings import Settings, Theme
from desktop.domain.studies.study import Study
from desktop.ui.action_set import keys_text
from desktop.ui.actions import ACTIONS, spec_of
from desktop.ui.chart.view import Area
from desktop.ui.chart_menus import ORDERS, Spot
from desktop.ui.main_window import MainWindow
from tests.ui.window_services import NAMES, Parts, make_parts

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support", extend=True)
OF_A_LIST = {spec.id for spec in ACTIONS if spec.context == "list"}


@pytest.fixture
def parts() -> Parts:
    return make_parts(Settings(theme=Theme.DARK))


@pytest.fixture
def window(qtbot: QtBot, parts: Parts) -> MainWindow:
    return shown(qtbot, parts)


def shown(qtbot: QtBot, parts: Parts) -> MainWindow:
    window = MainWindow(parts.services)
    qtbot.addWidget(window)
    window.resize(1280, 800)
    with qtbot.waitActive(window):
        window.show()
    window.chart.setFocus()
    qtbot.waitUntil(lambda: window.chart.is_settled and window.chart.frame is not None)
    return window


def press(qtbot: QtBot, window: MainWindow, action_id: str) -> None:
    """The action's first key, on whatever has the focus."""
    combination = QKeySequence(spec_of(action_id).keys[0])[0]
    qtbot.keyClick(QApplication.focusWidget() or window, combination.key(), combination.keyboardModifiers())


def test_somebody_does_every_action(window: MainWindow) -> None:
    assert {spec.id for spec in ACTIONS} - window.commands.bound == OF_A_LIST


def test_every_action_with_a_menu_is_in_it_and_shows_its_key(window: MainWindow) -> None:
    for spec in ACTIONS:
        if spec.menu and spec.context != "list":
            action = window.commands.action(spec.id)
            assert action in window.commands.menus[spec.menu].actions()
            assert action.isVisible()
            shown_key = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            assert shown_key.replace("Return", "Enter") == keys_text(spec)


def test_menus_without_actions_do_not_show(window: MainWindow) -> None:
    for menu in window.commands.menus.values():
        assert menu.menuAction().isVisible() == any(action.isVisible() for action in menu.actions())


def test_before_the_first_question_is_answered_there_is_no_chart_to_act_on(qtbot: QtBot, parts: Parts) -> None:
    window = MainWindow(parts.services, is_first_start=True)
    qtbot.addWidget(window)
    possible = {spec.id for spec in window.commands.offered}
    assert {"settings.open", "app.quit", "theme.dark", "help.shortcuts", "demo.open"} <= possible
    assert not possible & {"view.reset", "time.go_to", "search.open", "audit.open", "image.save", "panel.watchlist"}


# --- the watchlist ---------------------------------------------------------------------------------------------


def test_arrows_go_through_the_watchlist_and_stop_at_its_ends(qtbot: QtBot, parts: Parts, window: MainWindow) -> None:
    tickers = list(NAMES)
    press(qtbot, window, "symbol.previous")
    assert parts.chart.ticker == tickers[0]
    for ticker in [*tickers[1:], tickers[-1]]:
        press(qtbot, window, "symbol.next")
        assert parts.chart.ticker == ticker
    assert QApplication.focusWidget() is window.chart


def test_from_a_ticker_that_is_not_listed_the_arrows_go_to_the_ends(
    qtbot: QtBot, parts: Parts, window: MainWindow
) -> None:
    tickers = list(NAMES)
    for action_id, there in (("symbol.next", tickers[1]), ("symbol.previous", tickers[-1])):
        parts.watchlist.tickers = tuple(tickers)
        window.open_ticker(tickers[0])
        parts.watchlist.remove(tickers[0])
        press(qtbot, window, action_id)
        assert parts.chart.ticker == there


def test_a_ticker_goes_on_the_watchlist_and_off_again(qtbot: QtBot, parts: Parts, window: MainWindow) -> None:
    tick = window.commands.action("watchlist.toggle")
    before = parts.watchlist.tickers
    press(qtbot, window, "watchlist.toggle")
    assert parts.watchlist.tickers == before[1:]
    assert not tick.isChecked()
    assert [notice.action for notice in parts.notices.open] == ["Undo"]
    press(qtbot, window, "watchlist.toggle")
    assert set(parts.watchlist.tickers) == set(before)
    assert tick.isChecked()


# --- the window ------------------------------------------------------------------------------------------------


def test_full_screen_and_back(qtbot: QtBot, window: MainWindow) -> None:
    press(qtbot, window, "view.full_screen")
    assert window.isFullScreen()
    assert window.commands.action("view.full_screen").isChecked()
    press(qtbot, window, "view.full_screen")
    assert not window.isFullScreen()


def test_the_chart_alone_and_back(qtbot: QtBot, parts: Parts, window: MainWindow) -> None:
    height = window.chart.height()
    press(qtbot, window, "view.maximise")
    assert not window.panel.isVisible()
    assert not window.search_box.isVisible()
    qtbot.waitUntil(lambda: window.chart.height() > height)
    assert QApplication.focusWidget() is window.chart
    press(qtbot, window, "view.maximise")
    assert window.panel.isVisible()
    assert window.search_box.isVisible()


def test_a_window_that_closes_with_the_chart_alone_comes_back_whole(
    qtbot: QtBot, parts: Parts, window: MainWindow
) -> None:
    press(qtbot, window, "view.maximise")
    window.save_layout()
    window.hide()
    assert shown(qtbot, parts).panel.isVisible()


def test_what_was_closed_before_stays_closed_after_the_chart_was_alone(qtbot: QtBot, window: MainWindow) -> None:
    window.commands.run("panel.watchlist")
    press(qtbot, window, "view.maximise")
    press(qtbot, window, "view.maximise")
    assert not window.panel.isVisible()


def test_f6_goes_round_the_parts_and_shift_f6_back(qtbot: QtBot, window: MainWindow) -> None:
    start = QApplication.focusWidget()
    seen = []
    for _ in range(6):
        press(qtbot, window, "panel.next")
        seen.append(QApplication.focusWidget())
        if seen[-1] is start:
            break
    assert seen[-1] is start
    assert window.panel.table in seen
    assert window.search_box in seen
    for widget in reversed(seen[:-1]):
        press(qtbot, window, "panel.previous")
        assert QApplication.focusWidget() is widget


# --- time and price --------------------------------------------------------------------------------------------


def test_scales_by_key_and_back(qtbot: QtBot, window: MainWindow) -> None:
    press(qtbot, window, "scale.log")
    assert window.chart.scale.kind == "log"
    press(qtbot, window, "scale.invert")
    press(qtbot, window, "scale.percent")
    assert (window.chart.scale.kind, window.chart.scale.is_inverted) == ("percent", True)
    assert window.commands.action("scale.percent").isChecked()
    press(qtbot, window, "scale.percent")
    press(qtbot, window, "scale.invert")
    assert (window.chart.scale.kind, window.chart.scale.is_inverted) == ("linear", False)


def test_autoscale_from_the_menu(window: MainWindow) -> None:
    window.commands.run("price.autoscale")
    assert not window.chart.model.view.is_autoscaled
    window.commands.run("price.autoscale")
    assert window.chart.model.view.is_autoscaled


def test_keys_of_the_chart_mean_nothing_elsewhere(qtbot: QtBot, parts: Parts, window: MainWindow) -> None:
    window.panel.table.setFocus()
    qtbot.keyClick(window.panel.table, Qt.Key.Key_Down)
    qtbot.keyClick(window.panel.table, Qt.Key.Key_Home)
    assert parts.chart.ticker == "X:BTCUSD"
    assert window.chart.model.view.is_last_in_view


def test_a_comma_opens_the_box_for_a_timeframe(qtbot: QtBot, window: MainWindow) -> None:
    press(qtbot, window, "interval.open")
    assert window.actions_of_chart.interval_box.isVisible()


def test_alt_g_goes_to_a_date(qtbot: QtBot, parts: Parts, window: MainWindow) -> None:
    press(qtbot, window, "time.go_to")
    box = window.actions_of_chart.date_box
    edit = QApplication.focusWidget()
    assert box.isAncestorOf(edit)
    qtbot.keyClicks(edit, "2026-03-03 09:00")
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    view, model = window.chart.model.view, window.chart.model
    middle_ms = model.axis.time_at(model.bars.start_ms, int((view.left + view.right) / 2))
    assert middle_ms == 1_772_528_400_000
    press(qtbot, window, "view.reset")
    qtbot.waitUntil(lambda: view.is_last_in_view)


# --- the clipboard ---------------------------------------------------------------------------------------------


def test_copying_takes_the_bar_under_the_crosshair_else_the_last(qtbot: QtBot, window: MainWindow) -> None:
    bars = window.chart.model.bars
    press(qtbot, window, "bar.copy")
    assert QGuiApplication.clipboard().text() == bar_tsv(bars[-1])
    window.chart.keys.show_time(int(bars.start_ms[-50]))
    press(qtbot, window, "bar.copy")
    assert QGuiApplication.clipboard().text() == bar_tsv(bars[-50])


def test_escape_takes_the_crosshair_away(qtbot: QtBot, window: MainWindow) -> None:
    window.chart.keys.show_time(int(window.chart.model.bars.start_ms[-50]))
    qtbot.waitUntil(lambda: window.chart.crosshair is not None)
    press(qtbot, window, "chart.leave")
    qtbot.waitUntil(lambda: window.chart.crosshair is None)


# --- menus of the right button ---------------------------------------------------------------------------------


def menu_at(window: MainWindow, at: QPoint) -> QMenu:
    """The menu that the right button opens there."""
    window.chart.customContextMenuRequested.emit(at)
    return next(menu for menu in window.chart.findChildren(QMenu) if menu.isVisible() and menu.parent() is window.chart)


def texts(menu: QMenu) -> list[str]:
    return [action.text().replace("&", "") for action in menu.actions() if action.isVisible() and action.text()]


def place(window: MainWindow, area: Area) -> QPoint:
    chart = window.chart
    x = chart.width() - 20 if area == "price" else 300
    y = chart.height() - 8 if area == "time" else 300
    return QPoint(x, y)


def test_the_plots_menu_has_its_entries_in_order(window: MainWindow) -> None:
    said = texts(menu_at(window, place(window, "plot")))
    expected = ["Reset view", "Go to date…", "Interval", "Scale", "Audit this range…", "Save image…", "Settings…"]
    assert [text for text in said if text in expected] == expected
    assert said[1].startswith("Copy price ")


@pytest.mark.parametrize(
    ("area", "expected"),
    [
        ("price", ["Autoscale", "Linear scale", "Logarithmic scale", "Percent", "Indexed to 100", "Inverted scale"]),
        ("time", ["Go to date…", "Reset view"]),
    ],
)
def test_the_axes_have_menus_of_their_own(window: MainWindow, area: Area, expected: list[str]) -> None:
    said = texts(menu_at(window, place(window, area)))
    assert [text for text in said if text in expected] == expected


def test_a_price_is_copied_as_a_plain_number(window: MainWindow) -> None:
    at = place(window, "plot")
    menu = menu_at(window, at)
    copy = next(action for action in menu.actions() if action.text().startswith("Copy price "))
    copy.trigger()
    text = QGuiApplication.clipboard().text()
    assert copy.text() == f"Copy price {float(text):,.2f}"
    frame = window.chart.frame
    assert frame is not None
    assert float(text) == pytest.approx(frame.prices.price(at.y() * frame.scale), abs=0.005)


def test_a_timeframe_is_chosen_from_the_menu(parts: Parts, window: MainWindow) -> None:
    menu = menu_at(window, place(window, "plot"))
    intervals = next(action.menu() for action in menu.actions() if action.text() == "Interval")
    assert isinstance(intervals, QMenu)
    entries = {action.text(): action for action in intervals.actions()}
    assert entries["1 minute"].isChecked()
    entries["4 hours"].trigger()
    assert str(parts.chart.timeframe) == "4h"


def test_entries_can_be_added_by_id(window: MainWindow) -> None:
    spots: list[Spot] = []

    def make(menu: QMenu, spot: Spot) -> None:
        spots.append(spot)

    assert "bar.details" in ORDERS["plot"]
    window.actions_of_chart.menus.register("bar.details", make)
    menu_at(window, place(window, "plot"))
    assert [(spot.area, spot.at) for spot in spots] == [("plot", place(window, "plot"))]


def test_every_id_of_the_table_in_a_menu_exists_or_is_registered(window: MainWindow) -> None:
    """Entries of parts that are not built are left out, and no line stands alone."""
    for area in ("plot", "price", "time"):
        menu = menu_at(window, place(window, area))
        assert texts(menu)
        menu.close()


def test_the_plus_beside_the_price_offers_what_can_be_done_there(qtbot: QtBot, window: MainWindow) -> None:
    chart = window.chart
    frame = chart.frame
    assert frame is not None
    at = QPoint(frame.plot_width - 10, 150)
    qtbot.mouseMove(chart.view.viewport(), at - QPoint(60, 40))
    qtbot.mouseMove(chart.view.viewport(), at)
    qtbot.waitUntil(lambda: chart.crosshair is not None and chart.crosshair.y == 150)
    price = chart.model.style.text(chart.frame.prices.price(150)) if chart.frame is not None else ""
    qtbot.mouseClick(chart.view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    assert f"Copy price {price}" in texts(menu)
    menu.close()


# --- several charts --------------------------------------------------------------------------------------------


def test_in_a_grid_the_active_chart_is_alone_until_another_one_is_active(qtbot: QtBot, window: MainWindow) -> None:
    window.commands.run("grid.four")
    panes = window.workspace_view.panes
    assert len(panes) == 4
    qtbot.waitUntil(lambda: all(pane.isVisible() for pane in panes))
    window.commands.run("view.maximise")
    assert [pane.isVisible() for pane in panes] == [True, False, False, False]
    page = panes[0].parentWidget()
    qtbot.waitUntil(lambda: panes[0].width() == page.width() and panes[0].height() == page.height())
    window.commands.run("chart.next")
    assert window.chart is panes[1].chart
    assert all(pane.isVisible() for pane in panes)
    assert window.panel.isVisible()
    assert not window.commands.action("view.maximise").isChecked()


def test_a_double_click_on_the_plot_does_the_same(qtbot: QtBot, window: MainWindow) -> None:
    viewport = window.chart.view.viewport()
    for is_alone in (True, False):
        qtbot.mouseDClick(viewport, Qt.MouseButton.LeftButton, pos=QPoint(300, 300))
        qtbot.waitUntil(lambda is_alone=is_alone: window.panel.isVisible() is not is_alone)


def test_reduced_motion_keeps_the_boxes_still(parts: Parts, window: MainWindow) -> None:
    assert not window.actions_of_chart.date_box.is_still
    parts.preferences.update(reduced_motion=True)
    assert window.actions_of_chart.date_box.is_still
    assert window.actions_of_chart.interval_box.is_still


def test_undo_takes_back_studies_and_drawings_alike(qtbot: QtBot, window: MainWindow) -> None:
    chart = window.chart
    chart.studies.add(Study.of("ema"))
    chart.studies.add(Study.of("rsi"))
    chart.studies.remove(chart.studies.items[0].id)
    labels = []
    for _ in range(3):
        press(qtbot, window, "edit.undo")
        labels.append([placed.study.label for placed in chart.studies.items])
    assert labels == [["EMA 20", "RSI 14"], ["EMA 20"], []]
    press(qtbot, window, "edit.redo")
    assert [placed.study.label for placed in chart.studies.items] == ["EMA 20"]


def test_a_look_is_kept_by_the_workspace(window: MainWindow, parts: Parts) -> None:
    window.chart.set_kind(ChartKind.AREA)
    window.chart.studies.add(Study.of("rsi"))
    workspace = parts.services.workspace
    look = workspace.layout.tabs[0].cells[0].look
    assert (look.kind, [one.study.label for one in look.studies]) == (ChartKind.AREA, ["RSI 14"])
