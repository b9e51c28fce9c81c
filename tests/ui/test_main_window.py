"""The window as a person uses it: keys on the chart, search, timeframes, menus, themes, first start, closing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QCloseEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QDialog,
    QDockWidget,
    QLineEdit,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from desktop.domain.settings import Settings, Theme
from desktop.domain.timeframe import Span, Timeframe
from desktop.ui.main_window import MainWindow
from desktop.ui.notice_bar import NoticeBar
from desktop.ui.settings_dialog import SettingsDialog
from desktop.ui.theme import DARK, EAST_ASIA_DARK, HIGH_CONTRAST, LIGHT, SAFE_DARK, Tokens
from desktop.ui.timeframe_bar import IntervalBox
from tests.ui.window_services import Parts, make_parts

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support", extend=True)  # popups and raise() off screen
MakeWindow = Callable[..., MainWindow]


@pytest.fixture
def parts() -> Parts:
    return make_parts(Settings(theme=Theme.DARK))


@pytest.fixture
def make_window(qtbot: QtBot, parts: Parts) -> MakeWindow:
    def make(*, size: tuple[int, int] = (1280, 800), **options: object) -> MainWindow:
        window = MainWindow(parts.services, **options)  # type: ignore[arg-type]
        qtbot.addWidget(window)
        window.resize(*size)
        with qtbot.waitActive(window):
            window.show()
        return window

    return make


@pytest.fixture
def window(make_window: MakeWindow) -> MainWindow:
    return make_window(world_label="DEMO", data_folder="/somewhere/candelabra")


def action(window: MainWindow, text: str) -> QAction:
    """The menu's entry, by its text without the mnemonic."""
    return next(a for a in window.findChildren(QAction) if a.text().replace("&", "") == text)


def interval_edit(window: MainWindow) -> QLineEdit:
    edit = window.findChild(IntervalBox).findChild(QLineEdit)  # type: ignore[union-attr]
    assert isinstance(edit, QLineEdit)
    return edit


def checked_timeframes(window: MainWindow) -> list[str]:
    return [b.text() for b in window.findChildren(QToolButton) if b.isChecked() and b.text()[:1].isdigit()]


# --- what it shows ---------------------------------------------------------------------------------------------


def test_the_title_names_series_product_and_world(make_window: MakeWindow, window: MainWindow) -> None:
    assert window.windowTitle() == "X:BTCUSD 1m – Candelabra – DEMO"
    assert make_window().windowTitle() == "X:BTCUSD 1m – Candelabra"


def test_the_title_and_buttons_follow_the_series(parts: Parts, window: MainWindow) -> None:
    parts.chart.show("AAPL", Timeframe(4, Span.HOUR))
    assert window.windowTitle() == "AAPL 4h – Candelabra – DEMO"
    assert checked_timeframes(window) == ["4h"]


def test_the_chart_has_the_focus_at_the_start(window: MainWindow) -> None:
    assert QApplication.focusWidget() is window.chart


def test_notices_of_before_the_window_are_shown(parts: Parts, make_window: MakeWindow) -> None:
    parts.notices.post("The settings file was damaged.", "warning")
    bar = make_window().findChild(NoticeBar)
    assert isinstance(bar, NoticeBar)
    assert bar.isVisible()


@pytest.mark.parametrize("size", [(1024, 640), (2560, 1440)])
def test_nothing_is_cut_off(parts: Parts, make_window: MakeWindow, size: tuple[int, int]) -> None:
    parts.notices.post("A long message. " * 30, "warning")
    window = make_window(size=size, world_label="REPLAY")
    assert (window.width(), window.height()) == size
    for widget in window.findChildren(QAbstractButton):
        if widget.isVisible() and widget.text():
            inside = widget.parentWidget().rect() if widget.parentWidget() else widget.rect()
            assert inside.contains(widget.geometry()), widget.text()
            assert widget.width() >= widget.minimumSizeHint().width(), widget.text()
    assert window.chart.width() > size[0] // 3


def test_every_control_has_a_name_for_a_screen_reader(window: MainWindow) -> None:
    controls = [w for w in window.findChildren(QWidget) if w.isVisible() and w.focusPolicy() & Qt.FocusPolicy.TabFocus]
    assert len(controls) > 10
    nameless = [
        w
        for w in controls
        if not (w.accessibleName() or w.toolTip() or (isinstance(w, QAbstractButton) and w.text()))
        and w.focusProxy() is None
    ]
    assert [(type(w).__name__, w.objectName(), type(w.parent()).__name__) for w in nameless] == []


# --- keys on the chart -----------------------------------------------------------------------------------------


def test_a_letter_opens_the_search_with_it(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.keyClicks(window.chart, "e")
    assert QApplication.focusWidget() is window.search_box
    qtbot.keyClicks(window.search_box, "t")
    assert window.search_box.text() == "et"


def test_search_enter_opens_the_ticker(qtbot: QtBot, parts: Parts, window: MainWindow) -> None:
    qtbot.keyClicks(window.chart, "eth")
    qtbot.keyClick(window.search_box, Qt.Key.Key_Return)
    assert parts.chart.ticker == "X:ETHUSD"
    assert parts.search.remembered == ["X:ETHUSD"]
    assert QApplication.focusWidget() is window.chart


def test_escape_leaves_the_search_for_the_chart(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.keyClicks(window.chart, "e")
    qtbot.keyClick(QApplication.activePopupWidget() or window.search_box, Qt.Key.Key_Escape)
    assert QApplication.focusWidget() is window.chart


def test_digits_open_the_interval_box(qtbot: QtBot, parts: Parts, window: MainWindow) -> None:
    qtbot.keyClicks(window.chart, "1")
    qtbot.keyClicks(interval_edit(window), "5")
    qtbot.keyClick(interval_edit(window), Qt.Key.Key_Return)
    assert (parts.chart.ticker, parts.chart.timeframe) == ("X:BTCUSD", Timeframe(15, Span.MINUTE))
    assert checked_timeframes(window) == ["15m"]
    assert QApplication.focusWidget() is window.chart


def test_a_timeframe_button_keeps_the_ticker(qtbot: QtBot, parts: Parts, window: MainWindow) -> None:
    button = next(b for b in window.findChildren(QToolButton) if b.text() == "1D")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert (parts.chart.ticker, parts.chart.timeframe) == ("X:BTCUSD", Timeframe(1, Span.DAY))
    assert QApplication.focusWidget() is window.chart


# --- watchlist -------------------------------------------------------------------------------------------------


def test_undo_of_a_notice_puts_the_ticker_back(qtbot: QtBot, parts: Parts, window: MainWindow) -> None:
    before = parts.watchlist.tickers
    table = next(w for w in window.panel.findChildren(QWidget) if w.inherits("QTableView"))
    table.setFocus()
    qtbot.keyClick(table, Qt.Key.Key_Down)
    qtbot.keyClick(table, Qt.Key.Key_Delete)
    assert len(parts.watchlist.tickers) == len(before) - 1
    bar = window.findChild(NoticeBar)
    assert isinstance(bar, NoticeBar)
    undo = next(b for b in bar.findChildren(QAbstractButton) if b.text() == "Undo")
    qtbot.mouseClick(undo, Qt.MouseButton.LeftButton)
    assert parts.watchlist.tickers == before


def test_a_notice_of_another_part_goes_to_the_connection(qtbot: QtBot, parts: Parts, window: MainWindow) -> None:
    parts.notices.post("The feed was refused.", "error", action="Reconnect", action_id="retry")
    bar = window.findChild(NoticeBar)
    assert isinstance(bar, NoticeBar)
    button = next(b for b in bar.findChildren(QAbstractButton) if b.text() == "Reconnect")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert parts.connection.actions == ["retry"]


def test_the_watchlist_can_be_closed_and_opened(qtbot: QtBot, window: MainWindow) -> None:
    dock = window.findChild(QDockWidget)
    assert isinstance(dock, QDockWidget)
    close = next(b for b in dock.findChildren(QAbstractButton) if b.accessibleName() == "Close Watchlist")
    qtbot.mouseClick(close, Qt.MouseButton.LeftButton)
    assert not dock.isVisible()
    action(window, "Watchlist").trigger()
    assert dock.isVisible()


# --- menus, dialogs, themes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "title"), [("Shortcuts", "Shortcuts"), ("About Candelabra", "About Candelabra")])
def test_help_opens_without_blocking_and_escape_closes(qtbot: QtBot, window: MainWindow, text: str, title: str) -> None:
    action(window, text).trigger()
    dialog = next(d for d in window.findChildren(QDialog) if d.windowTitle() == title)
    assert dialog.isVisible()
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not [d for d in window.findChildren(QDialog) if d.windowTitle() == title])


def test_the_settings_open_at_a_page_and_pass_their_wishes_on(qtbot: QtBot, window: MainWindow) -> None:
    window.run_action("enter_key")
    dialog = window.findChild(SettingsDialog)
    assert isinstance(dialog, SettingsDialog)
    assert dialog.isVisible()
    with qtbot.waitSignal(window.world_change_requested):
        dialog.world_change_requested.emit()
    with qtbot.waitSignal(window.demo_requested):
        dialog.demo_requested.emit()
    dialog.close()


def test_a_theme_from_the_menu_reaches_every_part(parts: Parts, window: MainWindow) -> None:
    assert DARK.panel in window.styleSheet()
    action(window, "Light").trigger()
    assert parts.preferences.settings.theme is Theme.LIGHT
    assert LIGHT.panel in window.styleSheet()
    assert DARK.panel not in window.styleSheet()
    assert QApplication.palette().base().color().name().upper() == LIGHT.chart
    assert action(window, "Light").isChecked()
    assert not action(window, "Dark").isChecked()


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Colour-safe", SAFE_DARK),
        ("High contrast", HIGH_CONTRAST),
        ("Red up (East Asia)", EAST_ASIA_DARK),
        ("Classic colours", DARK),
    ],
)
def test_colours_from_the_menu_reach_the_chart(window: MainWindow, text: str, tokens: Tokens) -> None:
    action(window, text).trigger()
    assert action(window, text).isChecked()
    window.chart.paint_now()
    assert window.chart.frame is not None
    assert window.chart.frame.tokens is tokens


def test_reduced_motion_stops_what_glides(parts: Parts, window: MainWindow) -> None:
    def moves() -> bool:
        """Whether a jump is still under way after its first frame."""
        window.chart.keys.run("time.first")
        window.chart.paint_now()
        before = window.chart.model.view.right
        window.chart.keys.run("time.latest")
        window.chart.paint_now()
        is_there = window.chart.model.view.is_last_in_view
        return not is_there or window.chart.model.view.right == before

    parts.preferences.update(reduced_motion=True)
    assert not moves()
    parts.preferences.update(reduced_motion=False)
    assert moves()


def test_the_chart_is_repainted_in_the_new_theme(window: MainWindow) -> None:
    def ground() -> str:
        image = window.chart.grab(window.chart.rect()).toImage()
        corner = QPoint(4, image.height() // 2)
        return image.pixelColor(corner).name().upper()

    window.chart.paint_now()
    assert ground() == DARK.chart
    action(window, "Light").trigger()
    window.chart.paint_now()
    assert ground() == LIGHT.chart


# --- first start -----------------------------------------------------------------------------------------------


def test_the_first_start_shows_the_question_alone(make_window: MakeWindow, qtbot: QtBot) -> None:
    window = make_window(is_first_start=True)
    assert not window.chart.isVisible()
    assert not window.search_box.isVisible()
    assert not window.panel.isVisible()
    assert not action(window, "Search symbol").isEnabled()
    with qtbot.waitSignal(window.demo_requested):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Space)


def test_the_first_start_leaves_the_saved_layout_alone(parts: Parts, make_window: MakeWindow) -> None:
    parts.preferences.update(window={"geometry": "kept"})
    make_window(is_first_start=True).save_layout()
    assert parts.preferences.settings.window == {"geometry": "kept"}


# --- closing and layout ----------------------------------------------------------------------------------------


def test_closing_asks_and_stays(qtbot: QtBot, window: MainWindow) -> None:
    event = QCloseEvent()
    with qtbot.waitSignal(window.close_requested):
        QApplication.sendEvent(window, event)
    assert not event.isAccepted()
    assert window.isVisible()


def test_quit_asks_as_well(qtbot: QtBot, window: MainWindow) -> None:
    with qtbot.waitSignal(window.close_requested):
        action(window, "Quit").trigger()


def test_the_layout_comes_back(qtbot: QtBot, parts: Parts, make_window: MakeWindow) -> None:
    window = make_window(size=(760, 500))
    window.findChild(QDockWidget).close()  # type: ignore[union-attr]
    window.save_layout()
    window.hide()
    again = MainWindow(parts.services)
    qtbot.addWidget(again)
    again.show()
    assert (again.width(), again.height()) == (760, 500)
    assert not again.panel.isVisible()


@pytest.mark.parametrize("held", [{"geometry": "not base64!", "state": "é"}, {"geometry": "", "state": "AAAA"}])
def test_a_damaged_layout_is_ignored(parts: Parts, make_window: MakeWindow, held: dict[str, str]) -> None:
    parts.preferences.update(window=held)
    assert make_window().panel.isVisible()


def test_a_window_that_is_gone_hears_no_more(qtbot: QtBot, parts: Parts) -> None:
    window = MainWindow(parts.services)
    window.deleteLater()
    qtbot.waitUntil(lambda: not isValid(window))
    parts.chart.show("AAPL", Timeframe(1, Span.DAY))
    parts.preferences.update(theme=Theme.LIGHT)
    parts.notices.post("Anything.", "warning")
    parts.connection.changed.emit()
    QApplication.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Dark)
