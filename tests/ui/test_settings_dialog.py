"""The settings as a person uses them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from desktop.domain.settings import Plan, Settings, Theme
from desktop.ui.settings_dialog import PAGES, SettingsDialog
from desktop.ui.theme import DARK, LIGHT
from tests.ui.window_services import KeySource, Parts, make_parts

GOOD_KEY = "abcdefghijklmnop1234"


@pytest.fixture
def parts() -> Parts:
    return make_parts()


@pytest.fixture
def dialog(qtbot: QtBot, parts: Parts) -> Iterator[SettingsDialog]:
    built = SettingsDialog(parts.services, DARK, data_folder="/home/me/candelabra")
    qtbot.addWidget(built)
    built.open()
    return built


def test_every_page_opens_by_name_and_the_dialog_never_blocks(dialog: SettingsDialog) -> None:
    assert not dialog.isModal()
    for name in PAGES:
        dialog.show_page(name)
        assert any(page.accessibleName() == name and page.isVisible() for page in pages_of(dialog))
    dialog.set_tokens(LIGHT)


def pages_of(dialog: SettingsDialog) -> tuple:
    return (dialog.key_page, dialog.plan_page, dialog.connection_page, dialog.appearance_page, dialog.data_page)


def test_a_key_is_used_for_this_run_and_never_shown_again(qtbot: QtBot, dialog: SettingsDialog, parts: Parts) -> None:
    page = dialog.key_page
    assert page.field.echoMode() is QLineEdit.EchoMode.Password
    qtbot.keyClicks(page.field, GOOD_KEY)
    qtbot.mouseClick(page.use_button, Qt.MouseButton.LeftButton)
    assert parts.keys.used == [(GOOD_KEY, False)]
    assert page.field.text() == ""


def test_a_bad_key_is_refused_in_place(qtbot: QtBot, dialog: SettingsDialog, parts: Parts) -> None:
    page = dialog.key_page
    qtbot.keyClicks(page.field, "short")
    qtbot.mouseClick(page.use_button, Qt.MouseButton.LeftButton)
    assert parts.keys.used == []
    assert page.remark.isVisible()
    assert page.remark.text()


def test_without_a_keyring_saving_is_off_and_explained(qtbot: QtBot, parts: Parts) -> None:
    parts.keys.keyring_name = None
    dialog = SettingsDialog(parts.services, DARK)
    qtbot.addWidget(dialog)
    dialog.open()
    assert not dialog.key_page.save_button.isEnabled()
    assert dialog.key_page.use_button.isEnabled()


def test_the_page_says_which_key_is_in_use(dialog: SettingsDialog, parts: Parts) -> None:
    assert "No key" in dialog.key_page.state.text()
    parts.keys.source = KeySource.ENV_MASSIVE
    parts.keys.changed.emit()
    assert "MASSIVE_API_KEY" in dialog.key_page.state.text()


def test_another_plan_is_applied_and_opens_the_source_anew(qtbot: QtBot, dialog: SettingsDialog, parts: Parts) -> None:
    page = dialog.plan_page
    assert not page.apply_button.isEnabled()
    page.choices.show_value(Plan.PAID)
    page.choices.chosen.emit()
    with qtbot.waitSignal(dialog.world_change_requested):
        qtbot.mouseClick(page.apply_button, Qt.MouseButton.LeftButton)
    assert parts.preferences.settings.plan is Plan.PAID
    assert not dialog.isVisible()


@pytest.mark.parametrize(
    ("rest", "socket"),
    [
        ("http://example.com", "wss://example.com"),
        ("https://example.com", "ws://example.com"),
        ("example.com", "wss://example.com"),
        ("https://example.com?apiKey=x", "wss://example.com"),
        ("", ""),
    ],
)
def test_unsafe_addresses_are_refused_in_place(dialog: SettingsDialog, parts: Parts, rest: str, socket: str) -> None:
    page = dialog.connection_page
    dialog.show_page("Connection")
    page.rest.setText(rest)
    page.socket.setText(socket)
    page.apply()
    assert parts.preferences.settings == Settings()
    assert dialog.isVisible()
    assert page.rest_remark.text() or page.socket_remark.text()


def test_addresses_of_this_machine_may_be_plain(qtbot: QtBot, dialog: SettingsDialog, parts: Parts) -> None:
    page = dialog.connection_page
    page.rest.setText("http://127.0.0.1:8080/")
    page.socket.setText("ws://localhost:8081")
    with qtbot.waitSignal(dialog.world_change_requested):
        page.apply()
    settings = parts.preferences.settings
    assert (settings.rest_base, settings.socket_base) == ("http://127.0.0.1:8080", "ws://localhost:8081")


def test_the_theme_applies_at_once(dialog: SettingsDialog, parts: Parts) -> None:
    page = dialog.appearance_page
    page.choices.show_value(Theme.LIGHT)
    page.choices.chosen.emit()
    assert parts.preferences.settings.theme is Theme.LIGHT
    assert dialog.isVisible()


def test_escape_closes(qtbot: QtBot, dialog: SettingsDialog) -> None:
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()
