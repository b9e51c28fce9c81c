"""Buttons for the usual timeframes, and a box for any other that is typed."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QToolButton, QWidget

from desktop.domain.timeframe import Timeframe
from desktop.ui.theme import Tokens
from desktop.ui.typed_box import TypedBox

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


class IntervalBox(TypedBox):
    """Takes a typed timeframe: `15` and Enter is 15 minutes."""

    def __init__(self, tokens: Tokens, over: QWidget) -> None:
        super().__init__(
            tokens, over, name="Timeframe", hint="15, 4h, 1D, 2W …", read=typed_timeframe, words=_words_of_any
        )


def typed_timeframe(text: str) -> Timeframe:
    """The timeframe somebody means: a bare number is minutes. Raises BadInput."""
    return Timeframe.parse(f"{text}m" if text.isdigit() else text)


def _words_of_any(value: object) -> str:
    assert isinstance(value, Timeframe)
    return words_of(value)


def words_of(timeframe: Timeframe) -> str:
    """`15 minutes`, `1 day`."""
    return f"{timeframe.multiplier} {timeframe.span.value}" + ("s" if timeframe.multiplier > 1 else "")
