"""The three buttons beside a study's line in the legend: hide or show, settings, remove."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QPointF, QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from desktop.ui.chart.overlay import Overlay, study_boxes
from desktop.ui.icons import icon
from desktop.ui.theme import Tokens

_ICON_PX: Final = 14
_GAP: Final = 2


class StudyBar(QWidget):
    """Appears at the line under the pointer; its signals name the study by id."""

    hide_wanted = Signal(int)
    settings_wanted = Signal(int)
    removal_wanted = Signal(int)

    def __init__(self, tokens: Tokens, parent: QWidget) -> None:
        super().__init__(parent)
        self.study_id: int | None = None
        self.setAutoFillBackground(True)
        row = QHBoxLayout(self)
        row.setContentsMargins(_GAP, 0, _GAP, 0)
        row.setSpacing(_GAP)
        self._eye, self._gear, self._cross = (QToolButton(self) for _ in range(3))
        parts = (
            (self._eye, "hide study", "Hide or show this study", self.hide_wanted),
            (self._gear, "study settings", "Settings of this study", self.settings_wanted),
            (self._cross, "remove study", "Remove this study", self.removal_wanted),
        )
        for button, name, tip, signal in parts:
            button.setObjectName(name)
            button.setToolTip(tip)
            button.setAccessibleName(tip)
            button.setIconSize(QSize(_ICON_PX, _ICON_PX))
            button.setProperty("flat", True)
            button.setProperty("small", True)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.clicked.connect(lambda _checked=False, signal=signal: self._say(signal))
            row.addWidget(button)
        self.set_tokens(tokens)
        self.hide()

    def set_tokens(self, tokens: Tokens) -> None:
        """Another appearance."""
        for button, name in ((self._eye, "eye"), (self._gear, "settings"), (self._cross, "close")):
            button.setIcon(icon(name, tokens.text))

    def point(self, overlay: Overlay | None, at: QPointF) -> None:
        """The pointer is here now, in logical pixels of the chart."""
        if self.isVisible() and self.geometry().adjusted(-_GAP, -_GAP, _GAP, _GAP).contains(at.toPoint()):
            return
        if overlay is not None:
            scale = overlay.frame.scale
            for id_, box, _draw in study_boxes(overlay):
                if box.contains((at * scale).toPoint()):
                    self.study_id = id_
                    self.adjustSize()
                    middle = (box.top() + box.height() / 2) / scale
                    self.move(round(box.right() / scale) + _GAP, round(middle - self.height() / 2))
                    self.show()
                    self.raise_()
                    return
        self.leave()

    def leave(self) -> None:
        """The pointer is elsewhere."""
        self.study_id = None
        self.hide()

    def _say(self, signal: Signal) -> None:
        if self.study_id is not None:
            signal.emit(self.study_id)  # type: ignore[attr-defined]  # a bound signal
        self.leave()
