"""The first page a person sees: the demo market, or the own key."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from desktop.domain.errors import BadInput
from desktop.domain.settings import Colours
from desktop.ui.forms import KeyField, Remark, button, field_label, form_style, label
from desktop.ui.icons import app_icon
from desktop.ui.services_api import WindowServices
from desktop.ui.settings_key_page import NO_KEYRING
from desktop.ui.theme import Tokens, palette

_LOGO_PX = 72
_CARD_WIDTHS_PX = (300, 380)  # at 720 and from 850 px of window


class FirstStart(QWidget):
    """Two cards. `demo_chosen`: the demo market is wanted; `key_given`: the services hold a key now."""

    demo_chosen = Signal()
    key_given = Signal()

    def __init__(self, services: WindowServices, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("first-start")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("Welcome")
        self._services = services
        self._is_connecting = False
        self._logo = QLabel()
        self.demo_button = button("Explore the demo &market", is_primary=True, is_big=True)
        self.field = KeyField(tokens)
        self.remember = QCheckBox()
        self.remark = Remark()
        self.connect_button = button("&Connect", is_big=True)
        self.safe_colours = QCheckBox("Colour-sa&fe candles: blue and orange instead of teal and red")
        self.safe_colours.setChecked(services.preferences.settings.colours is Colours.SAFE)
        self._cards = QHBoxLayout()
        self._build()
        self.setTabOrder(self.demo_button, self.field)
        self.setTabOrder(self.field, self.remember)
        self.setTabOrder(self.remember, self.connect_button)
        self.setTabOrder(self.connect_button, self.safe_colours)
        self.demo_button.clicked.connect(self.demo_chosen)
        self.connect_button.clicked.connect(self._connect_key)
        self.safe_colours.toggled.connect(self._choose_colours)
        self.field.returnPressed.connect(self._connect_key)
        self.field.textEdited.connect(lambda _text: self.remark.say(""))
        services.keys.saved.connect(self._on_saved)
        self._show_state()
        self.set_tokens(tokens)

    def _build(self) -> None:
        title = label("Candelabra", "title")
        sentence = label("Live candlestick charts of crypto, stocks and currencies.", "quiet")
        for text in (self._logo, title, sentence):
            text.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._cards.setSpacing(24)
        self._cards.addStretch(1)
        for card in (self._demo_card(), self._key_card()):
            self._cards.addWidget(card, 100)
        self._cards.addStretch(1)
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(32, 32, 32, 32)
        column.setSpacing(6)
        column.addStretch(2)
        for text in (self._logo, title, sentence):
            column.addWidget(text)
        column.addSpacing(26)
        column.addLayout(self._cards)
        column.addSpacing(16)
        column.addWidget(self.safe_colours, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(3)
        room = QScrollArea()
        room.setWidgetResizable(True)
        room.setFrameShape(QFrame.Shape.NoFrame)
        room.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        room.setWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(room)

    def _demo_card(self) -> QFrame:
        card, column = _card("Explore the demo market")
        column.addWidget(label("A synthetic market that trades around the clock, on this machine.", "quiet"))
        column.addSpacing(4)
        for promise in (
            "No key and no account",
            "Synthetic prices, marked DEMO",
            "Your own key can follow at any time",
        ):
            column.addWidget(label(f"•  {promise}"))
        column.addStretch(1)
        column.addWidget(self.demo_button)
        return card

    def _key_card(self) -> QFrame:
        card, column = _card("Use your Massive.com API key")
        column.addWidget(label("Where to get one: massive.com → Dashboard → API keys.", "quiet"))
        column.addSpacing(4)
        column.addWidget(field_label("API &key", self.field))
        column.addWidget(self.field)
        column.addWidget(self.remark)
        column.addWidget(self.remember)
        self._no_keyring = label(f"{NO_KEYRING} It is used for this run only.", "quiet")
        column.addWidget(self._no_keyring)
        column.addStretch(1)
        column.addWidget(self.connect_button)
        return card

    def set_tokens(self, tokens: Tokens) -> None:
        """Takes the colours of another theme."""
        self.setPalette(palette(tokens))
        self.setStyleSheet(form_style(tokens) + f"QWidget#first-start {{ background: {tokens.chart}; }}")
        self.field.set_tokens(tokens)
        self._logo.setPixmap(app_icon().pixmap(QSize(_LOGO_PX, _LOGO_PX), self.devicePixelRatioF()))

    def showEvent(self, event: QShowEvent) -> None:
        if not event.spontaneous():
            self._show_state()
            self.demo_button.setFocus()
        super().showEvent(event)

    def _choose_colours(self, is_safe: bool) -> None:
        self._services.preferences.update(colours=Colours.SAFE if is_safe else Colours.CLASSIC)

    def _connect_key(self) -> None:
        if self._is_connecting:
            return
        self._is_connecting = True
        try:
            self._services.keys.use(self.field.text(), remember=self.remember.isChecked())
        except BadInput as error:
            self._is_connecting = False
            self.remark.say(str(error), "error")
            self.field.setFocus()
            return
        self.field.forget()
        if self._is_connecting:  # the answer is on its way
            self.remark.say("Taking the key…")
        self._show_state()

    def _on_saved(self, worked: bool, sentence: str) -> None:
        if not self._is_connecting:
            return
        self._is_connecting = False
        self.remark.say(sentence, "good" if worked else "error")
        if not worked:  # this page is about to go, the sentence must not
            self._services.notices.post(sentence, "warning", key="key not saved")
        self._show_state()
        if self._services.keys.has_key:
            self.key_given.emit()

    def _show_state(self) -> None:
        keyring, is_free = self._services.keys.keyring_name, not self._is_connecting
        self.remember.setText(f"&Remember in {keyring or 'a keyring'}")
        self.remember.setEnabled(is_free and keyring is not None)
        if keyring is None:
            self.remember.setChecked(False)
        self.remember.setToolTip("" if keyring else NO_KEYRING)
        self._no_keyring.setVisible(keyring is None)
        self.field.setEnabled(is_free)
        self.connect_button.setEnabled(is_free)


def _card(title: str) -> tuple[QFrame, QVBoxLayout]:
    card = QFrame()
    card.setProperty("card", True)
    card.setMinimumWidth(_CARD_WIDTHS_PX[0])
    card.setMaximumWidth(_CARD_WIDTHS_PX[1])
    card.setAccessibleName(title)
    column = QVBoxLayout(card)
    column.setContentsMargins(24, 22, 24, 24)
    column.setSpacing(8)
    column.addWidget(label(title, "heading"))
    return card, column
