"""The command palette and the sheet of shortcuts, by keyboard."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.domain.settings import Settings, Theme
from desktop.domain.timeframe import Span, Timeframe
from desktop.ui.actions import ACTIONS
from desktop.ui.command_palette import CommandPalette
from desktop.ui.main_window import MainWindow
from desktop.ui.shortcut_sheet import ShortcutSheet
from tests.ui.window_services import Parts, make_parts

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support", extend=True)
CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def parts() -> Parts:
    return make_parts(Settings(theme=Theme.DARK))


@pytest.fixture
def window(qtbot: QtBot, parts: Parts) -> MainWindow:
    window = MainWindow(parts.services)
    qtbot.addWidget(window)
    window.resize(1280, 800)
    with qtbot.waitActive(window):
        window.show()
    window.chart.setFocus()
    return window


@pytest.fixture
def palette(qtbot: QtBot, window: MainWindow) -> CommandPalette:
    qtbot.keyClick(window.chart, Qt.Key.Key_K, CTRL)
    assert QApplication.focusWidget() is window.palette_box.field
    return window.palette_box


def names(palette: CommandPalette) -> list[str]:
    return [entry.name for entry in palette.rows.entries]


@pytest.mark.parametrize("key", [Qt.Key.Key_K, Qt.Key.Key_P])
def test_either_key_opens_it_and_escape_gives_the_keyboard_back(qtbot: QtBot, window: MainWindow, key: Qt.Key) -> None:
    qtbot.keyClick(window.chart, key, CTRL)
    assert window.palette_box.isVisible()
    qtbot.keyClick(window.palette_box.field, Qt.Key.Key_Escape)
    assert not window.palette_box.isVisible()
    assert QApplication.focusWidget() is window.chart


def test_empty_it_offers_everything_that_can_be_done(window: MainWindow, palette: CommandPalette) -> None:
    offered = {spec.name for spec in window.commands.offered if spec.id != "palette.open"}
    assert set(names(palette)) == offered
    assert len(offered) > 30


def test_letters_find_an_action_and_enter_does_it(qtbot: QtBot, parts: Parts, palette: CommandPalette) -> None:
    qtbot.keyClicks(palette.field, "light")
    assert names(palette)[0] == "Light"
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert parts.preferences.settings.theme is Theme.LIGHT
    assert not palette.isVisible()


def test_keys_are_shown(palette: CommandPalette) -> None:
    keys = {entry.name: entry.keys for entry in palette.rows.entries}
    assert keys["Go to date"] == "Alt+G"
    assert keys["Maximise chart"] == "Alt+Enter"
    assert keys["Check the plan again"] == ""


def test_a_ticker_is_found_through_the_search(qtbot: QtBot, parts: Parts, palette: CommandPalette) -> None:
    qtbot.keyClicks(palette.field, "ether")
    assert names(palette)[0] == "ETH/USD"
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert parts.chart.ticker == "X:ETHUSD"


def test_a_timeframe_comes_first(qtbot: QtBot, parts: Parts, palette: CommandPalette) -> None:
    qtbot.keyClicks(palette.field, "4h")
    assert names(palette)[0] == "4 hours"
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert parts.chart.timeframe == Timeframe(4, Span.HOUR)


def test_the_arrows_go_round(qtbot: QtBot, window: MainWindow, palette: CommandPalette) -> None:
    qtbot.keyClicks(palette.field, "scale")
    assert len(names(palette)) > 2
    qtbot.keyClick(palette.field, Qt.Key.Key_Up)
    assert palette.list.currentIndex().row() == len(names(palette)) - 1
    qtbot.keyClick(palette.field, Qt.Key.Key_Down)
    assert palette.list.currentIndex().row() == 0


def test_nothing_found_does_nothing(qtbot: QtBot, palette: CommandPalette) -> None:
    qtbot.keyClicks(palette.field, "qqqzzz")
    assert names(palette) == []
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert palette.isVisible()


def test_it_closes_when_the_keyboard_goes_elsewhere(window: MainWindow, palette: CommandPalette) -> None:
    window.chart.setFocus(Qt.FocusReason.MouseFocusReason)
    assert not palette.isVisible()


def test_it_lies_inside_a_small_window(qtbot: QtBot, window: MainWindow) -> None:
    window.resize(720, 480)
    window.palette_box.open()
    assert window.rect().contains(window.palette_box.geometry())


# --- the sheet -------------------------------------------------------------------------------------------------


@pytest.fixture
def sheet(qtbot: QtBot, window: MainWindow) -> ShortcutSheet:
    qtbot.keyClicks(window.chart, "?")
    sheet = window.findChild(ShortcutSheet)
    assert isinstance(sheet, ShortcutSheet)
    qtbot.waitUntil(sheet.isVisible)
    return sheet


def test_it_shows_every_action_with_a_key(window: MainWindow, sheet: ShortcutSheet) -> None:
    said = "\n".join(sheet.shown)
    for spec in ACTIONS:
        if spec.keys and spec.id in window.commands.bound:
            assert spec.name in said, spec.id


def test_typing_narrows_it(qtbot: QtBot, sheet: ShortcutSheet) -> None:
    everything = sheet.shown
    qtbot.keyClicks(sheet.search, "zoom")
    assert len(sheet.shown) == 3
    assert all("zoom" in text.casefold() for text in sheet.shown)
    qtbot.keyClicks(sheet.search, "qqq")
    assert sheet.shown == ()
    sheet.search.clear()
    assert sheet.shown == everything


def test_keys_can_be_searched_too(qtbot: QtBot, sheet: ShortcutSheet) -> None:
    qtbot.keyClicks(sheet.search, "alt+g")
    assert [text.split(" Alt")[0] for text in sheet.shown] == ["Go to date"]
