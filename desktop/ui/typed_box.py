"""A small box over the chart that takes one typed value: says what it understands, and shakes its head at the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QPoint, QPropertyAnimation, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLabel, QLineEdit, QVBoxLayout, QWidget

from desktop.domain.errors import BadInput
from desktop.ui.theme import Tokens

_SHAKE_MS: Final = 240
_SHAKE: Final = ((0.0, 0), (0.2, -8), (0.4, 8), (0.6, -5), (0.8, 5), (1.0, 0))  # share of the time, logical pixels


class TypedBox(QWidget):
    """Enter chooses, Esc leaves. Given a reader of the text, and how a value it read is said in words."""

    chosen = Signal(object)

    def __init__(
        self,
        tokens: Tokens,
        over: QWidget,
        *,
        name: str,
        hint: str,
        read: Callable[[str], object],
        words: Callable[[object], str],
    ) -> None:
        """read: raises BadInput; hint: said while nothing is typed."""
        super().__init__(over)
        self._over = over
        self._tokens = tokens
        self._empty_hint, self._read, self._words = hint, read, words
        self.is_still = False  # no shaking: reduced motion
        self._edit = QLineEdit()
        self._edit.setMaxLength(40)
        self._edit.setAccessibleName(name)
        self._edit.textChanged.connect(self._on_text)
        self._edit.returnPressed.connect(self._on_return)
        self._edit.editingFinished.connect(self._on_left)
        self._hint = QLabel()
        self._hint.setTextFormat(Qt.TextFormat.PlainText)
        self._hint.setWordWrap(True)
        self._shake = QPropertyAnimation(self, b"pos", self)
        self._shake.setDuration(_SHAKE_MS)
        layout = self._column = QVBoxLayout(self)
        layout.setContentsMargins(12, 12, 12, 12)
        layout.addWidget(self._edit)
        layout.addWidget(self._hint)
        self.setFixedWidth(280)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.set_tokens(tokens)
        self.hide()

    @property
    def is_shaking(self) -> bool:
        return self._shake.state() is QPropertyAnimation.State.Running

    def set_tokens(self, tokens: Tokens) -> None:
        """Other colours."""
        self._tokens = tokens
        self.setStyleSheet(
            f"TypedBox {{ background: {tokens.panel}; border: 1px solid {tokens.secondary}; border-radius: 6px; }}"
        )
        self._on_text()

    def open_with(self, text: str, over: QWidget | None = None) -> None:
        """Shows the box in the middle of the chart (another one from now on), with what was typed so far."""
        if over is not None and over is not self._over:
            self._over = over
            self.setParent(over)
        self._edit.setText(text)
        self._on_text()
        self._place()
        self.show()
        self.raise_()
        self._edit.setFocus(Qt.FocusReason.OtherFocusReason)  # another reason would select what was typed
        self._edit.end(False)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys the field has no use for end here: the chart below must not move."""
        if event.key() == Qt.Key.Key_Escape:
            self._leave()
        event.accept()

    def _on_text(self) -> None:
        text = self._edit.text().strip()
        if not text:
            self._say(self._empty_hint)
            return
        try:
            self._say(self._words(self._read(text)))
        except BadInput as error:
            self._say(str(error), is_wrong=True)

    def _on_return(self) -> None:
        try:
            value = self._read(self._edit.text().strip())
        except BadInput as error:
            self._say(str(error), is_wrong=True)
            self._edit.selectAll()
            self._start_shaking()
            return
        self._leave()
        self.chosen.emit(value)

    def _say(self, text: str, *, is_wrong: bool = False) -> None:
        self._hint.setText(text)
        self._hint.setStyleSheet(f"color: {self._tokens.error if is_wrong else self._tokens.secondary};")
        self._place()

    def _start_shaking(self) -> None:
        if self.is_still:
            return
        place = self._place()
        for share, dx in _SHAKE:
            self._shake.setKeyValueAt(share, place + QPoint(dx, 0))
        self._shake.start()

    def _place(self) -> QPoint:
        self._shake.stop()
        self.resize(self.width(), self._column.heightForWidth(self.width()))
        over = self._over.rect()
        place = QPoint(over.center().x() - self.width() // 2, over.top() + over.height() // 4)
        self.move(place)
        return place

    def _on_left(self) -> None:
        if not self._edit.hasFocus():
            self.hide()

    def _leave(self) -> None:
        self.hide()
        self._over.setFocus(Qt.FocusReason.OtherFocusReason)
