"""The settings page of the base addresses: presets, and own ones, checked before they are taken."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from desktop.domain.addresses import REST_SCHEMES, SOCKET_SCHEMES, checked_base
from desktop.domain.errors import BadInput
from desktop.domain.settings import VENDOR_REST, VENDOR_SOCKET, VENDOR_SOCKET_DELAYED
from desktop.ui.forms import DropDown, Remark, button, button_row, field_label, label
from desktop.ui.services_api import PlanLimitsApi, PreferencesApi

CUSTOM: Final = "Custom"
PRESETS: Final = (  # name, REST base, socket base
    ("Massive", VENDOR_REST, VENDOR_SOCKET),
    ("Massive (15 min delayed)", VENDOR_REST, VENDOR_SOCKET_DELAYED),
    ("Polygon.io (legacy hosts)", "https://api.polygon.io", "wss://socket.polygon.io"),
)


class ConnectionPage(QWidget):
    """Where data come from. `applied` follows a change of the settings: the source is to be opened anew."""

    applied = Signal()

    def __init__(self, preferences: PreferencesApi, limits: PlanLimitsApi, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._preferences = preferences
        self._limits = limits
        self.preset = DropDown()
        self.preset.addItems([*(name for name, _rest, _socket in PRESETS), CUSTOM])
        self.rest, self.rest_remark = QLineEdit(), Remark()
        self.socket, self.socket_remark = QLineEdit(), Remark()
        self.apply_button = button("A&pply and reconnect", is_primary=True)
        self.check_button = button("&Check the plan again")
        self.check_remark = Remark()
        self._lay_out()
        self.preset.activated.connect(self._on_preset)
        for field, remark in ((self.rest, self.rest_remark), (self.socket, self.socket_remark)):
            field.textEdited.connect(lambda _text, remark=remark: remark.say(""))
            field.textChanged.connect(self._show_preset)
            field.returnPressed.connect(self.apply)
        self.apply_button.clicked.connect(self.apply)
        self.check_button.clicked.connect(self._check_again)
        preferences.changed.connect(self._on_settings)
        self.renew()

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setSpacing(6)
        layout.addWidget(label("Connection", "heading"))
        layout.addWidget(
            label("Where history and live prices come from. The API key is sent there: use hosts you trust.", "quiet")
        )
        layout.addSpacing(6)
        rows: tuple[tuple[str, QWidget, Remark | None], ...] = (
            ("P&reset", self.preset, None),
            ("&History and reference data (REST)", self.rest, self.rest_remark),
            ("&Live prices (socket)", self.socket, self.socket_remark),
        )
        for name, field, remark in rows:
            layout.addWidget(field_label(name, field))
            layout.addWidget(field)
            if remark is not None:
                layout.addWidget(remark)
            layout.addSpacing(6)
        layout.addWidget(
            label(
                "Addresses begin with https:// and wss://. Only this machine may be used without encryption.", "quiet"
            )
        )
        layout.addSpacing(6)
        layout.addLayout(button_row(self.apply_button))
        layout.addSpacing(14)
        layout.addWidget(
            label("What the plan does not include is remembered and not asked for. After an upgrade:", "quiet")
        )
        layout.addLayout(button_row(self.check_button, self.check_remark))
        layout.addStretch(1)

    def renew(self) -> None:
        """Shows the settings as they are; what was typed and not applied is gone."""
        settings = self._preferences.settings
        self.rest.setText(settings.rest_base)
        self.socket.setText(settings.socket_base)
        for field in (self.rest, self.socket):
            field.setCursorPosition(0)
        self.rest_remark.say("")
        self.socket_remark.say("")
        self.check_remark.say("")

    def _check_again(self) -> None:
        self._limits.check_again()
        self.check_remark.say("It is being asked for again.", "good")

    def apply(self) -> None:
        """Takes both addresses, or says what is wrong with each and takes none."""
        rest = self._checked(self.rest, self.rest_remark, REST_SCHEMES)
        socket = self._checked(self.socket, self.socket_remark, SOCKET_SCHEMES)
        if rest is None or socket is None:
            (self.rest if rest is None else self.socket).setFocus()
            return
        self._preferences.update(rest_base=rest, socket_base=socket)
        self.renew()
        self.applied.emit()

    def _checked(self, field: QLineEdit, remark: Remark, schemes: tuple[str, str]) -> str | None:
        try:
            base = checked_base(field.text(), schemes=schemes)
        except BadInput as error:
            remark.say(str(error), "error")
            return None
        remark.say("")
        return base

    def _on_preset(self, index: int) -> None:
        if index == len(PRESETS):
            self.rest.setFocus()
            self.rest.selectAll()
            return
        _name, rest, socket = PRESETS[index]
        self.rest.setText(rest)
        self.socket.setText(socket)
        self.rest_remark.say("")
        self.socket_remark.say("")

    def _show_preset(self) -> None:
        shown = (self.rest.text().strip().rstrip("/"), self.socket.text().strip().rstrip("/"))
        index = next((at for at, (_name, *bases) in enumerate(PRESETS) if tuple(bases) == shown), len(PRESETS))
        self.preset.setCurrentIndex(index)

    def _on_settings(self) -> None:
        if not self.isVisible():  # nobody is typing
            self.renew()
