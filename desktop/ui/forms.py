"""What dialogs and forms are made of: headings, explanations, inline remarks, the field for a key."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QLineEdit, QPushButton, QSizePolicy, QWidget

from desktop.ui.icons import icon, resources
from desktop.ui.theme import Tokens, style_sheet

_ARROW_PX = 16


def form_style(tokens: Tokens) -> str:
    """The application's style sheet and what forms add to it."""
    tick = (resources() / "icons" / "check.svg").as_posix()
    return (
        style_sheet(tokens)
        + f"""
    QLabel {{ background: transparent; }}
    QLabel[kind="title"] {{ font-size: 28px; font-weight: 600; }}
    QLabel[kind="heading"] {{ font-size: 18px; font-weight: 600; }}
    QLabel[kind="quiet"] {{ color: {tokens.secondary}; }}
    QLabel[kind="good"] {{ color: {tokens.good}; }}
    QLabel[kind="error"] {{ color: {tokens.error}; }}
    QLabel[kind="state"] {{ background: {tokens.raised}; border: 1px solid {tokens.line}; border-radius: 6px;
        padding: 10px 12px; }}
    QFrame[card="true"] {{ background: {tokens.panel}; border: 1px solid {tokens.line}; border-radius: 8px; }}
    QScrollArea, QScrollArea > QWidget > QWidget {{ background: transparent; border: none; }}
    QComboBox::drop-down {{ border: none; background: transparent; width: 24px; }}
    QRadioButton, QCheckBox {{ spacing: 8px; padding: 3px; border: 1px solid transparent; border-radius: 4px; }}
    QRadioButton:focus, QCheckBox:focus {{ border-color: {tokens.accent}; }}
    QRadioButton::indicator, QCheckBox::indicator {{ width: 14px; height: 14px; border: 1px solid {tokens.secondary};
        background: {tokens.raised}; }}
    QRadioButton::indicator {{ border-radius: 8px; }}
    QCheckBox::indicator {{ border-radius: 4px; }}
    QRadioButton::indicator:checked {{ width: 6px; height: 6px; border: 5px solid {tokens.accent};
        background: {tokens.accent_text}; }}
    QCheckBox::indicator:checked {{ background: {tokens.accent}; border-color: {tokens.accent};
        image: url("{tick}"); }}
    QRadioButton::indicator:disabled, QCheckBox::indicator:disabled {{ border-color: {tokens.line};
        background: {tokens.panel}; }}
    QPushButton[big="true"] {{ padding: 9px 16px; font-weight: 600; }}
    QPushButton[big="true"]:focus {{ padding: 8px 15px; border: 2px solid {tokens.text}; }}
    QPushButton[primary="true"]:disabled {{ background: {tokens.raised}; color: {tokens.secondary};
        border-color: {tokens.line}; }}
    """
    )


def label(text: str, kind: str = "") -> QLabel:
    """Plain text that wraps; kind is "title", "heading", "quiet", "state" or nothing."""
    built = QLabel(text)
    built.setTextFormat(Qt.TextFormat.PlainText)
    built.setWordWrap(True)
    built.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
    if kind:
        built.setProperty("kind", kind)
    return built


def field_label(text: str, field: QWidget) -> QLabel:
    """A field's name: its mnemonic leads into the field, and screen readers say it."""
    built = QLabel(text)
    built.setBuddy(field)
    field.setAccessibleName(text.replace("&", ""))
    return built


def button(text: str, *, is_primary: bool = False, is_big: bool = False) -> QPushButton:
    """A push button that Enter in a field beside it does not press."""
    built = QPushButton(text)
    built.setAutoDefault(False)
    built.setProperty("primary", is_primary)
    built.setProperty("big", is_big)
    return built


def button_row(*widgets: QWidget, at_the_end: QWidget | None = None) -> QHBoxLayout:
    """Buttons, and remarks on them, from the left; one may stand at the other end."""
    row = QHBoxLayout()
    for widget in widgets:
        row.addWidget(widget)
    row.addStretch(1)
    if at_the_end is not None:
        row.addWidget(at_the_end)
    return row


class DropDown(QComboBox):
    """A drop-down list whose arrow has the theme's colour; style sheets cannot colour a picture."""

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        colour = self.palette().color(QPalette.ColorRole.PlaceholderText).name()
        place = QRect(self.width() - 8 - _ARROW_PX, (self.height() - _ARROW_PX) // 2, _ARROW_PX, _ARROW_PX)
        painter = QPainter(self)
        icon("menu-down", colour).paint(painter, place)
        painter.end()


class Remark(QLabel):
    """One sentence below a field or a button: what is wrong, or what was done. Takes no room while empty."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.hide()

    def say(self, text: str, kind: str = "quiet") -> None:
        """kind is "error", "good" or "quiet"; an empty text hides the remark."""
        self.setText(text)
        self.setProperty("kind", kind)
        self.style().unpolish(self)
        self.style().polish(self)
        self.setVisible(bool(text))


class KeyField(QLineEdit):
    """Where a key is typed or pasted: hidden unless asked for, kept out of input methods and undo once taken."""

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setEchoMode(QLineEdit.EchoMode.Password)
        self.setMaxLength(1_000)  # whatever is pasted is judged, not cut
        self.setPlaceholderText("Paste the key here")
        self.setInputMethodHints(
            Qt.InputMethodHint.ImhHiddenText
            | Qt.InputMethodHint.ImhSensitiveData
            | Qt.InputMethodHint.ImhNoPredictiveText
            | Qt.InputMethodHint.ImhNoAutoUppercase
        )
        self._toggle = self.addAction(icon("eye", tokens.secondary), QLineEdit.ActionPosition.TrailingPosition)
        self._toggle.setCheckable(True)
        self._toggle.toggled.connect(self._show_text)
        self._tokens = tokens
        self._show_text(False)

    def set_tokens(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._show_text(self._toggle.isChecked())

    def forget(self) -> None:
        """Empties the field, undo included, and hides what is typed next."""
        self.setText("")
        self._toggle.setChecked(False)

    def _show_text(self, is_shown: bool) -> None:
        self.setEchoMode(QLineEdit.EchoMode.Normal if is_shown else QLineEdit.EchoMode.Password)
        text = "Hide the key" if is_shown else "Show the key"
        self._toggle.setText(text)
        self._toggle.setToolTip(text)
        self._toggle.setIcon(icon("eye-off" if is_shown else "eye", self._tokens.secondary))
