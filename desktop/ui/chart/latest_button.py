"""The button that leads back to the newest bar, and says how many are new."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton, QWidget

from desktop.ui.chart.model import ChartModel

_ROOM: Final = 12  # logical pixels to the plot's edges


class LatestButton(QToolButton):
    """Stands in the plot's lower right corner while the last bar is right of the screen."""

    def __init__(self, model: ChartModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._model = model
        self.setObjectName("latest")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setToolTip("Show the newest bar (End)")
        self.hide()

    def place(self) -> None:
        """Shows, moves or hides it as the view stands now."""
        model, view = self._model, self._model.view
        if view.is_last_in_view:
            model.new_bars = 0
        if model.last is None or view.is_last_in_view or view.last_slot < view.left:
            self.hide()
            return
        count = model.new_bars
        text = f"→ latest  +{count:,}" if count else "→ latest"
        if text != self.text():
            self.setText(text)
            self.setAccessibleName(f"Show the newest bar, {count} new" if count else "Show the newest bar")
        self.adjustSize()
        self.move(round(view.width) - self.width() - _ROOM, round(view.height) - self.height() - _ROOM)
        self.show()
        self.raise_()
