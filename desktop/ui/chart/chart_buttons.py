"""The buttons that stand on a chart: back to the newest bar, and “check again” where the plan refused something."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton, QWidget

from desktop.ui.chart.latest_button import LatestButton
from desktop.ui.chart.legend_painting import legend_lines
from desktop.ui.chart.model import ChartModel
from desktop.ui.chart.overlay import Overlay

_GAP: Final = 6  # logical pixels below the legend
_BELOW_MESSAGE: Final = 56


class ChartButtons:
    """Built on a chart widget, which owns them; `place` puts them where the picture of now wants them."""

    def __init__(self, model: ChartModel, parent: QWidget) -> None:
        self._model = model
        self.latest = LatestButton(model, parent)
        self.check_again = QToolButton(parent)
        self.check_again.setObjectName("check again")
        self.check_again.setText("Check again")
        self.check_again.setToolTip("Ask the vendor again for what the plan refused before")
        self.check_again.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.check_again.hide()

    def place(self, shown: Overlay | None) -> None:
        """Shows, moves or hides them."""
        self.latest.place()
        button = self.check_again
        if shown is None or not self._model.source.status.is_plan_limit:
            button.hide()
            return
        button.adjustSize()
        scale, view = shown.frame.scale, self._model.view
        if shown.message is not None:
            button.move(round(view.width - button.width()) // 2, round(view.height / 2) + _BELOW_MESSAGE)
        else:
            bottom = max((box.bottom() for box, _ in legend_lines(shown.frame, shown.legend)), default=0)
            button.move(round(shown.frame.px(6) / scale), round(bottom / scale) + _GAP)
        button.show()
        button.raise_()
