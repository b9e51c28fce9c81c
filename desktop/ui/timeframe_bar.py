"""Buttons for the usual timeframes, and a box for any other that is typed."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QLineEdit, QToolButton, QVBoxLayout, QWidget

from desktop.domain.errors import BadInput
from desktop.domain.timeframe import Timeframe
from desktop.ui.theme import Tokens

USUAL = ("1m", "5m", "15m", "1h", "4h", "1D", "1W")


class TimeframeBar(QWidget):
    """One checked button, or none when the timeframe is an unusual one."""

    chosen = Signal(object)  # Timeframe

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._buttons: dict[str, QToolButton] = {}
        self._group = QButtonGroup(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        for text in USUAL:
            button = QToolButton()
            button.setText(text)
            button.setCheckable(True)
            button.setProperty("flat", True)
            button.setToolTip(words_of(Timeframe.parse(text)))
            button.setAccessibleName(f"Timeframe {words_of(Timeframe.parse(text))}")
            button.clicked.connect(lambda _checked=False, text=text: self.chosen.emit(Timeframe.parse(text)))
            self._group.addButton(button)
            self._buttons[text] = button
            layout.addWidget(button)

    def show_timeframe(self, timeframe: Timeframe) -> None:
        """Marks the timeframe in use."""
        button = self._buttons.get(str(timeframe))
        if button is not None:
            button.setChecked(True)
        elif (checked := self._group.checkedButton()) is not None:
            self._group.setExclusive(False)
            checked.setChecked(False)
            self._group.setExclusive(True)


class IntervalBox(QWidget):
    """A small box over the chart that takes a typed timeframe: `15` and Enter is 15 minutes."""

    chosen = Signal(object)  # Timeframe

    def __init__(self, tokens: Tokens, over: QWidget) -> None:
        super().__init__(over)
        self._over = over
        self._tokens = tokens
        self._edit = QLineEdit()
        self._edit.setMaxLength(8)
        self._edit.setAccessibleName("Timeframe")
        self._edit.textChanged.connect(self._on_text)
        self._edit.returnPressed.connect(self._on_return)
        self._edit.editingFinished.connect(self._on_left)
        self._hint = QLabel()
        self._hint.setTextFormat(Qt.TextFormat.PlainText)
        self._hint.setWordWrap(True)
        layout = self._column = QVBoxLayout(self)
        layout.setContentsMargins(12, 12, 12, 12)
        layout.addWidget(self._edit)
        layout.addWidget(self._hint)
        self.setFixedWidth(280)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.set_tokens(tokens)
        self.hide()

    def set_tokens(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self.setStyleSheet(
            f"IntervalBox {{ background: {tokens.panel}; border: 1px solid {tokens.secondary}; border-radius: 6px; }}"
        )
        self._on_text()

    def open_with(self, text: str) -> None:
        """Shows the box in the middle of the chart, with what was typed so far."""
        self._edit.setText(text.strip(","))
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

    def _timeframe(self) -> Timeframe:
        text = self._edit.text().strip()
        return Timeframe.parse(f"{text}m" if text.isdigit() else text)

    def _on_text(self) -> None:
        if not self._edit.text().strip():
            self._say("15, 4h, 1D, 2W …")
            return
        try:
            self._say(words_of(self._timeframe()))
        except BadInput as error:
            self._say(str(error), is_wrong=True)

    def _on_return(self) -> None:
        try:
            timeframe = self._timeframe()
        except BadInput as error:
            self._say(str(error), is_wrong=True)
            self._edit.selectAll()
            return
        self._leave()
        self.chosen.emit(timeframe)

    def _say(self, text: str, *, is_wrong: bool = False) -> None:
        self._hint.setText(text)
        self._hint.setStyleSheet(f"color: {self._tokens.error if is_wrong else self._tokens.secondary};")
        self._place()

    def _place(self) -> None:
        self.resize(self.width(), self._column.heightForWidth(self.width()))
        over = self._over.rect()
        self.move(over.center().x() - self.width() // 2, over.top() + over.height() // 4)

    def _on_left(self) -> None:
        if not self._edit.hasFocus():
            self.hide()

    def _leave(self) -> None:
        self.hide()
        self._over.setFocus(Qt.FocusReason.OtherFocusReason)


def words_of(timeframe: Timeframe) -> str:
    """`15 minutes`, `1 day`."""
    return f"{timeframe.multiplier} {timeframe.span.value}" + ("s" if timeframe.multiplier > 1 else "")
