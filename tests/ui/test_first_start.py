"""The page a newcomer sees: the demo market or a key."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from desktop.ui.first_start import FirstStart
from desktop.ui.theme import DARK, LIGHT
from tests.ui.window_services import Parts, make_parts

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
