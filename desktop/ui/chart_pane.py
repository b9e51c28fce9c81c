"""A chart in its frame: the frame tells which chart is the active one, a dot which charts it is linked with."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.domain.settings import Settings
from desktop.ui.chart.chart_widget import ChartWidget
from desktop.ui.chart.hand_options import HandOptions
from desktop.ui.link_button import LinkButton
from desktop.ui.services_api import ChartDataApi, WindowServices
from desktop.ui.theme import Tokens

_RIGHT_PX: Final = 4  # from the dot to the price axis
_TOP_PX: Final = 4
_LEAST_ALONE: Final = QSize(240, 160)
_LEAST_FRAMED: Final = QSize(140, 110)  # nine have room in a small window


class ChartPane(QWidget):
    """One chart of a grid."""

    touched = Signal()  # a hand or the keyboard came here

    def __init__(self, services: WindowServices, data: ChartDataApi, tokens: Tokens, parent: QWidget) -> None:
        super().__init__(parent)
        self.data = data
        self._tokens = tokens
        self._is_framed = self._is_active = False
        self.chart = ChartWidget(data, services.clock, tokens, parent=self)
        self.chart.studies.history = services.drawings.history
        if services.background is not None:
            self.chart.compute_beside(services.background.run)
        self.dot = LinkButton(services.workspace, data, tokens, self.chart)
        self.dot.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.chart)
        self.chart.frame_painted.connect(self._place_dot)
        self.chart.installEventFilter(self)
        services.preferences.changed.connect(self._follow_settings)
        self._follow_settings(services.preferences.settings)

    def show_state(self, *, is_framed: bool, is_active: bool, has_dot: bool) -> None:
        """Whether there is a frame, in the accent's colour or a line's, and a dot."""
        self._is_framed, self._is_active = is_framed, is_active
        edge = 1 if is_framed else 0
        layout = self.layout()
        assert layout is not None
        layout.setContentsMargins(edge, edge, edge, edge)
        self.chart.setMinimumSize(_LEAST_FRAMED if is_framed else _LEAST_ALONE)
        self.dot.setVisible(has_dot)
        self.dot.refresh()
        self._place_dot()
        self.update()

    def set_tokens(self, tokens: Tokens) -> None:
        """Other colours."""
        self._tokens = tokens
        self.chart.set_tokens(tokens)
        self.dot.set_tokens(tokens)
        self.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusIn:  # a press gives the focus too
            self.touched.emit()
        return super().eventFilter(watched, event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._is_framed:
            painter = QPainter(self)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(self._tokens.accent if self._is_active else self._tokens.line))
            painter.drawRect(self.rect())

    def _follow_settings(self, settings: Settings) -> None:
        self.chart.gestures.set_options(HandOptions(has_motion=not settings.reduced_motion))

    def _place_dot(self) -> None:
        at = round(self.chart.model.view.width) - self.dot.width() - _RIGHT_PX, _TOP_PX
        if not self.dot.isHidden() and (self.dot.x(), self.dot.y()) != at:
            self.dot.move(*at)
            self.dot.raise_()
