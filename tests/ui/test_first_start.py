"""The page a newcomer sees: the demo market or a key."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from desktop.domain.settings import Colours
from desktop.ui.first_start import FirstStart
from desktop.ui.theme import DARK, LIGHT
from tests.ui.window_services import KeySource, Parts, make_parts

GOOD_KEY = "abcdefghijklmnop1234"


@pytest.fixture
def parts() -> Parts:
    return make_parts()


@pytest.fixture
def page(qtbot: QtBot, parts: Parts) -> FirstStart:
    built = FirstStart(parts.services, DARK)
    qtbot.addWidget(built)
    built.resize(1280, 760)
    built.show()
    return built


def test_the_demo_is_one_click(qtbot: QtBot, page: FirstStart) -> None:
    with qtbot.waitSignal(page.demo_chosen):
        qtbot.mouseClick(page.demo_button, Qt.MouseButton.LeftButton)


def test_colour_safe_candles_are_one_click(qtbot: QtBot, page: FirstStart, parts: Parts) -> None:
    assert not page.safe_colours.isChecked()
    page.safe_colours.click()
    assert parts.preferences.settings.colours is Colours.SAFE
    page.safe_colours.click()
    assert parts.preferences.settings.colours is Colours.CLASSIC


def test_enter_in_the_field_takes_the_key(qtbot: QtBot, page: FirstStart, parts: Parts) -> None:
    assert page.field.echoMode() is QLineEdit.EchoMode.Password
    page.remember.setChecked(True)
    qtbot.keyClicks(page.field, GOOD_KEY)
    qtbot.keyClick(page.field, Qt.Key.Key_Return)
    assert parts.keys.used == [(GOOD_KEY, True)]
    assert page.field.text() == ""


def test_a_bad_key_is_refused_in_place_and_can_be_mended(qtbot: QtBot, page: FirstStart, parts: Parts) -> None:
    qtbot.keyClicks(page.field, "short")
    qtbot.mouseClick(page.connect_button, Qt.MouseButton.LeftButton)
    assert parts.keys.used == []
    assert page.remark.text()
    assert page.connect_button.isEnabled()


def test_without_a_keyring_a_key_is_for_this_run_only(qtbot: QtBot, parts: Parts) -> None:
    parts.keys.keyring_name = None
    page = FirstStart(parts.services, DARK)
    qtbot.addWidget(page)
    page.show()
    assert not page.remember.isEnabled()
    qtbot.keyClicks(page.field, GOOD_KEY)
    qtbot.mouseClick(page.connect_button, Qt.MouseButton.LeftButton)
    assert parts.keys.used == [(GOOD_KEY, False)]


@pytest.mark.parametrize("size", [(640, 480), (1024, 640), (2560, 1440)])
def test_both_ways_can_be_reached_at_any_size(page: FirstStart, size: tuple[int, int]) -> None:
    page.resize(*size)
    page.set_tokens(LIGHT)
    assert page.demo_button.width() >= page.demo_button.sizeHint().width()
    assert page.connect_button.width() >= page.connect_button.sizeHint().width()


@pytest.mark.parametrize("size", [(720, 480), (1024, 640)])
def test_no_button_is_squashed_in_a_small_window(page: FirstStart, size: tuple[int, int]) -> None:
    page.resize(*size)
    for button in (page.demo_button, page.connect_button):
        assert button.height() >= button.sizeHint().height()


def test_a_key_that_could_not_be_saved_leaves_a_message_behind(qtbot: QtBot, page: FirstStart, parts: Parts) -> None:
    parts.keys.use = lambda text, *, remember: setattr(parts.keys, "source", KeySource.TYPED)  # type: ignore[method-assign]
    qtbot.keyClicks(page.field, GOOD_KEY)
    qtbot.keyClick(page.field, Qt.Key.Key_Return)
    assert not page.connect_button.isEnabled()
    with qtbot.waitSignal(page.key_given):
        parts.keys.saved.emit(False, "The keyring is locked.")
    assert [notice.text for notice in parts.notices.open] == ["The keyring is locked."]
    assert page.connect_button.isEnabled()


def test_the_demo_is_ready_under_the_return_key_and_tab_leads_to_the_key(qtbot: QtBot, page: FirstStart) -> None:
    assert page.focusWidget() is page.demo_button
    for expected in (page.field, page.remember, page.connect_button):
        qtbot.keyClick(page.focusWidget(), Qt.Key.Key_Tab)
        assert page.focusWidget() is expected
