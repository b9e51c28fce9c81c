"""The line at the bottom: connection, freshness, calls used, lag, and which world this is."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QStatusBar, QWidget

from desktop.domain.freshness import Freshness
from desktop.ui.elided_label import ElidedLabel
from desktop.ui.freshness_text import freshness_details, freshness_text
from desktop.ui.services_api import ChartDataApi, WindowServices
from desktop.ui.theme import Tokens
from desktop.ui.usage_meter import UsageMeter

_LOOK_MS = 500
_WORLDS: Final = {
    "DEMO": "Synthetic prices of the built-in demo market",
    "REPLAY": "A recording, played again",
    "CUSTOM": "Another server than the vendor's",
}


class Dot(QWidget):
    """A state by shape and colour: full, ring, half or crossed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colour = QColor(Qt.GlobalColor.gray)
        self._shape = "ring"
        self.setFixedSize(QSize(12, 12))

    def show_state(self, colour: str, shape: str) -> None:
        """shape: `full`, `ring`, `half` or `crossed`."""
        if (QColor(colour), shape) != (self._colour, self._shape):
            self._colour, self._shape = QColor(colour), shape
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(2, 2, 8, 8)
        painter.setPen(QPen(self._colour, 1.5))
        if self._shape == "full":
            painter.setBrush(self._colour)
        painter.drawEllipse(box)
        if self._shape == "half":
            painter.setBrush(self._colour)
            painter.drawPie(box, 90 * 16, 180 * 16)
        elif self._shape == "crossed":
            painter.drawLine(box.bottomLeft(), box.topRight())
        painter.end()


class StatusBar(QStatusBar):
    """Follows the connection and the chart; looks at the counts twice a second."""

    def __init__(
        self, services: WindowServices, tokens: Tokens, world_label: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._services = services
        self._tokens = tokens
        self._dot, self._fresh_dot = Dot(), Dot()
        self._connection = _label("Connection")
        self._action = QPushButton()
        self._action.setProperty("small", True)
        self._action.setVisible(False)
        self._action.clicked.connect(self._on_action)
        self._freshness = _label("Freshness of the chart")
        self._lag = _label("Lag")
        self.meter = UsageMeter()
        self._world = QLabel(world_label)
        self._world.setAccessibleName("Source of the data")
        self._world.setTextFormat(Qt.TextFormat.PlainText)
        self._world.setToolTip(_WORLDS.get(world_label, ""))
        self._world.setVisible(bool(world_label))
        self.setSizeGripEnabled(False)
        self.addWidget(_row(self._dot, self._connection, self._action), 1)
        self.addPermanentWidget(_row(self._lag, self._fresh_dot, self._freshness))
        self.addPermanentWidget(_row(self.meter, self._world))
        services.connection.changed.connect(self.refresh)
        self._followed: ChartDataApi | None = None
        services.workspace.active_changed.connect(self._follow)
        self._follow()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.refresh)
        self._timer.start(_LOOK_MS)
        self.set_tokens(tokens)

    def _follow(self) -> None:
        """Listens to the chart in front, another one than before."""
        if self._followed is not None:
            self._followed.reset.disconnect(self.refresh)
            self._followed.status_changed.disconnect(self.refresh)
            self.refresh()
        chart = self._followed = self._services.chart
        chart.reset.connect(self.refresh)
        chart.status_changed.connect(self.refresh)

    def set_tokens(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._world.setStyleSheet(
            f"background: {tokens.warning}; color: {tokens.warning_text}; border-radius: 4px; padding: 1px 7px;"
            "font-weight: bold;"
        )
        self.refresh()

    def refresh(self) -> None:
        """Shows what is now."""
        self._show_connection()
        self._show_freshness()
        connection = self._services.connection
        self.meter.show_usage(connection.usage, connection.usage_warning, self._tokens)
        self._lag.setText(self._services.connection.lag_sentence or "")
        self._lag.setVisible(bool(self._lag.text()))
        _tint(self._lag, self._tokens.warning)

    def _show_connection(self) -> None:
        tokens, summary = self._tokens, self._services.connection.summary
        colour, shape = {
            "good": (tokens.good, "full"),
            "busy": (tokens.secondary, "half"),
            "warning": (tokens.warning, "half"),
            "error": (tokens.error, "crossed"),
        }.get(summary.level, (tokens.secondary, "ring"))
        self._dot.show_state(colour, shape)
        is_wrong = summary.level in ("warning", "error", "off")
        text = summary.text
        if summary.sentence and is_wrong:
            says_it_too = summary.text.casefold() in summary.sentence.casefold()
            text = summary.sentence if says_it_too else f"{summary.text}: {summary.sentence}"
        self._connection.setText(text)
        self._connection.setToolTip(summary.sentence or "")
        _tint(self._connection, tokens.text)
        self._action.setText(summary.action or "")
        self._action.setVisible(summary.action is not None)

    def _show_freshness(self) -> None:
        tokens, chart = self._tokens, self._services.chart
        status = chart.status
        colour, shape = {
            Freshness.LIVE: (tokens.good, "full"),
            Freshness.DELAYED: (tokens.warning, "half"),
            Freshness.STALE: (tokens.warning, "crossed"),
        }.get(status.freshness, (tokens.secondary, "ring"))
        self._fresh_dot.show_state(colour, shape)
        said = ""
        if chart.ticker and len(chart.series):
            passed_ms = status.age_ms(self._services.clock.now_ms())
            said = f"{chart.ticker} {freshness_text(status.freshness, passed_ms)}"
        self._freshness.setText(said)
        self._freshness.setToolTip(freshness_details(status.freshness, status.source, status.seen) if said else "")
        _tint(self._freshness, tokens.text)
        self._fresh_dot.setVisible(bool(said))

    def _on_action(self) -> None:
        action_id = self._services.connection.summary.action_id
        if action_id is not None:
            self._services.connection.run_action(action_id)


def _label(name: str) -> ElidedLabel:
    label = ElidedLabel()
    label.setAccessibleName(name)
    return label


def _tint(label: QLabel, colour: str) -> None:
    """Gives a label its colour; a style sheet is costly, so only when it is another one."""
    sheet = f"color: {colour};"
    if label.styleSheet() != sheet:
        label.setStyleSheet(sheet)


def _row(*widgets: QWidget) -> QWidget:
    holder = QWidget()
    layout = QHBoxLayout(holder)
    layout.setContentsMargins(8, 2, 8, 2)
    layout.setSpacing(6)
    for widget in widgets:
        layout.addWidget(widget)
    layout.addStretch(0)
    return holder
