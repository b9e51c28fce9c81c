"""The settings as a person uses them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from desktop.domain.settings import Colours, Plan, Settings, Theme
from desktop.ui.settings_connection_page import CUSTOM
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
    return (
        dialog.key_page,
        dialog.plan_page,
        dialog.connection_page,
        dialog.appearance_page,
        dialog.time_page,
        dialog.data_page,
    )


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


def test_colours_and_motion_apply_at_once(qtbot: QtBot, dialog: SettingsDialog, parts: Parts) -> None:
    dialog.show_page("Appearance")
    page = dialog.appearance_page
    for colours, radio in page.colours.buttons.items():
        radio.click()
        assert parts.preferences.settings.colours is colours
    assert not parts.preferences.settings.reduced_motion
    page.reduced_motion.click()
    assert parts.preferences.settings.reduced_motion
    parts.preferences.update(reduced_motion=False, colours=Colours.SAFE)
    assert not page.reduced_motion.isChecked()
    assert page.colours.value is Colours.SAFE


def test_escape_closes(qtbot: QtBot, dialog: SettingsDialog) -> None:
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_a_preset_fills_both_addresses_and_typing_makes_it_custom(qtbot: QtBot, dialog: SettingsDialog) -> None:
    page = dialog.connection_page
    dialog.show_page("Connection")
    qtbot.keyClicks(page.preset, "Poly")
    page.preset.activated.emit(page.preset.currentIndex())
    assert (page.rest.text(), page.socket.text()) == ("https://api.polygon.io", "wss://socket.polygon.io")
    qtbot.keyClicks(page.socket, "x")
    assert page.preset.currentText() == CUSTOM


def test_while_the_keyring_works_nothing_can_be_pressed_and_its_answer_frees_the_page(
    qtbot: QtBot, dialog: SettingsDialog, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = dialog.key_page
    monkeypatch.setattr(parts.keys, "use", lambda text, *, remember: setattr(parts.keys, "is_busy", True))
    qtbot.keyClicks(page.field, GOOD_KEY)
    qtbot.keyClick(page.field, Qt.Key.Key_Return)
    assert not any(each.isEnabled() for each in (page.field, page.save_button, page.use_button, page.forget_button))
    parts.keys.saved.emit(False, "The keyring is locked.")  # the service is still busy while it says so
    assert page.remark.text() == "The keyring is locked."
    assert page.save_button.isEnabled()
    assert page.field.isEnabled()


def test_a_key_that_was_typed_and_not_used_is_gone_when_the_dialog_opens_again(
    qtbot: QtBot, dialog: SettingsDialog
) -> None:
    qtbot.keyClicks(dialog.key_page.field, GOOD_KEY)
    dialog.close()
    dialog.open()
    assert dialog.key_page.field.text() == ""
    dialog.key_page.field.undo()
    assert dialog.key_page.field.text() == ""


def test_nothing_is_clipped_at_the_usual_size(dialog: SettingsDialog) -> None:
    for page, name in zip(pages_of(dialog), PAGES, strict=True):
        dialog.show_page(name)
        for each in page.findChildren(QWidget):
            if each.isVisible() and isinstance(each, QLabel | QPushButton | QLineEdit):
                least = each.heightForWidth(each.width()) if each.hasHeightForWidth() else each.sizeHint().height()
                assert each.height() >= least, (name, each)
                assert page.rect().contains(each.geometry()) or each.parentWidget() is not page, (name, each)
