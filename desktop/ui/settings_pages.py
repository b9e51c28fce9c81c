"""The small pages of the settings: plan, appearance, data."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from pathlib import Path
from typing import Generic, TypeVar

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QCheckBox, QLineEdit, QRadioButton, QVBoxLayout, QWidget

from desktop.domain.settings import Colours, Plan, Theme
from desktop.ui.forms import button, button_row, field_label, label
from desktop.ui.services_api import PreferencesApi

_Value = TypeVar("_Value", bound=enum.Enum)


class Choices(QWidget, Generic[_Value]):
    """Radio buttons with an explanation each; `chosen` follows a person's choice, not `show_value`."""

    chosen = Signal()

    def __init__(self, rows: Sequence[tuple[_Value, str, str]], parent: QWidget | None = None) -> None:
        """rows: value, name with mnemonic, explanation or nothing."""
        super().__init__(parent)
        self.buttons: dict[_Value, QRadioButton] = {}
        self._group = QButtonGroup(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        for value, name, explanation in rows:
            radio = self.buttons[value] = QRadioButton(name)
            radio.setAccessibleDescription(explanation)
            self._group.addButton(radio)
            layout.addWidget(radio)
            if explanation:
                text = label(explanation, "quiet")
                text.setContentsMargins(28, 0, 0, 8)
                layout.addWidget(text)
        self._group.buttonClicked.connect(lambda _button: self.chosen.emit())

    @property
    def value(self) -> _Value:
        return next(value for value, radio in self.buttons.items() if radio.isChecked())

    def show_value(self, value: _Value) -> None:
        self.buttons[value].setChecked(True)


class PlanPage(QWidget):
    """What the vendor's plan allows. `applied` follows a change of the settings."""

    applied = Signal()

    def __init__(self, preferences: PreferencesApi, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._preferences = preferences
        self.choices = Choices(
            (
                (Plan.FREE, "&Free", "5 calls a minute, prices at the end of the day, no streaming."),
                (Plan.PAID, "&Paid", "No limit of calls a minute, and streaming: the forming candle moves by itself."),
            )
        )
        self.apply_button = button("A&pply and reconnect", is_primary=True)
        layout = QVBoxLayout(self)
        layout.setSpacing(8)
        layout.addWidget(label("Plan", "heading"))
        layout.addWidget(
            label("The plan of your API key. Candelabra keeps to its limits, so that no call is refused.", "quiet")
        )
        layout.addSpacing(4)
        layout.addWidget(self.choices)
        layout.addWidget(
            label("A plan without streaming of a market still shows its history; the status bar says so.", "quiet")
        )
        layout.addSpacing(4)
        layout.addLayout(button_row(self.apply_button))
        layout.addStretch(1)
        self.choices.chosen.connect(self._show_change)
        self.apply_button.clicked.connect(self._apply)
        preferences.changed.connect(self.renew)
        self.renew()

    def renew(self) -> None:
        """Shows the plan as it is set."""
        self.choices.show_value(self._preferences.settings.plan)
        self._show_change()

    def _show_change(self) -> None:
        self.apply_button.setEnabled(self.choices.value is not self._preferences.settings.plan)

    def _apply(self) -> None:
        self._preferences.update(plan=self.choices.value)
        self.applied.emit()


class AppearancePage(QWidget):
    """Theme, colours and motion; a choice applies at once."""

    def __init__(self, preferences: PreferencesApi, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._preferences = preferences
        self.choices = Choices(
            (
                (Theme.SYSTEM, "Like the &system", "Follows the desktop when it turns dark or light."),
                (Theme.DARK, "&Dark", ""),
                (Theme.LIGHT, "&Light", ""),
            )
        )
        self.colours = Choices(
            (
                (Colours.CLASSIC, "&Classic", "Teal up, red down."),
                (Colours.SAFE, "C&olour-safe", "Blue up and hollow, orange down: told apart with any colour vision."),
                (Colours.HIGH_CONTRAST, "&High contrast", "White and orange on black, whatever the theme."),
                (Colours.EAST_ASIA, "&East Asia", "Red up, teal down."),
            )
        )
        self.reduced_motion = QCheckBox("&Reduce motion")
        self.reduced_motion.setAccessibleDescription("Nothing glides, flashes or pulses.")
        layout = QVBoxLayout(self)
        layout.setSpacing(8)
        layout.addWidget(label("Appearance", "heading"))
        layout.addWidget(label("A choice applies at once.", "quiet"))
        layout.addSpacing(4)
        layout.addWidget(self.choices)
        layout.addSpacing(14)
        layout.addWidget(label("Up and down", "heading"))
        layout.addWidget(self.colours)
        layout.addSpacing(14)
        layout.addWidget(label("Motion", "heading"))
        layout.addWidget(self.reduced_motion)
        layout.addWidget(label("Nothing glides, flashes or pulses.", "quiet"))
        layout.addStretch(1)
        self.choices.chosen.connect(lambda: self._preferences.update(theme=self.choices.value))
        self.colours.chosen.connect(lambda: self._preferences.update(colours=self.colours.value))
        self.reduced_motion.toggled.connect(lambda is_on: self._preferences.update(reduced_motion=is_on))
        preferences.changed.connect(self.renew)
        self.renew()

    def renew(self) -> None:
        """Shows what is set."""
        settings = self._preferences.settings
        self.choices.show_value(settings.theme)
        self.colours.show_value(settings.colours)
        self.reduced_motion.setChecked(settings.reduced_motion)


class DataPage(QWidget):
    """Where files are, and the way into the demo market."""

    demo_requested = Signal()

    def __init__(self, data_folder: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.folder = _path_field(data_folder)
        self.logs = _path_field(str(Path(data_folder) / "logs") if data_folder else "")
        self.demo_button = button("&Open the demo market")
        layout = QVBoxLayout(self)
        layout.setSpacing(6)
        layout.addWidget(label("Data", "heading"))
        layout.addWidget(
            label("Prices are cached and settings kept on this machine only. The API key is in no file.", "quiet")
        )
        for name, field in (("Data and settings &folder", self.folder), ("&Logs", self.logs)):
            layout.addSpacing(6)
            layout.addWidget(field_label(name, field))
            layout.addWidget(field)
        layout.addSpacing(18)
        layout.addWidget(label("Demo market", "heading"))
        layout.addWidget(
            label(
                "Synthetic prices that move all day: no key, no account. Its data are kept apart from yours.", "quiet"
            )
        )
        layout.addSpacing(4)
        layout.addLayout(button_row(self.demo_button))
        layout.addStretch(1)
        self.demo_button.clicked.connect(self.demo_requested)


def _path_field(path: str) -> QLineEdit:
    field = QLineEdit(path)
    field.setReadOnly(True)
    field.setPlaceholderText("not known")
    field.setToolTip(path)
    field.setCursorPosition(0)
    return field
