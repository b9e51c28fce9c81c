"""What a chart tells when the pointer rests on it, and which times it says a person is looking at."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QObject, QPoint, QTimer
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QToolTip, QWidget

from desktop.ui.chart.empty_times import WORDS, emptiness_at
from desktop.ui.chart.legend_painting import legend_lines
from desktop.ui.chart.renderer import Renderer

_STILL_MS: Final = 500  # a view that stands still for so long is looked at


class ChartHints(QObject):
    """Listens to the surface of a chart for help events; the renderer knows what is where."""

    def __init__(self, renderer: Renderer, surface: QWidget, parent: QObject) -> None:
        super().__init__(parent)
        self._renderer = renderer
        self._surface = surface
        self._looked_at: tuple[int, int] | None = None
        self._still = QTimer(self, singleShot=True, interval=_STILL_MS)
        self._still.timeout.connect(self._look)
        surface.installEventFilter(self)

    def text_at(self, position: QPoint) -> str:
        """What is told of a place, in logical pixels; empty where there is nothing to say."""
        shown, model = self._renderer.shown, self._renderer.model
        if shown is None:
            return ""
        at = QPoint(round(position.x() * shown.frame.scale), round(position.y() * shown.frame.scale))
        if any(box.contains(at) for box, _ in legend_lines(shown.frame, shown.legend)):
            return self._renderer.narrator.details(self._renderer.framer.zone)
        if not shown.frame.plot.contains(at):
            return ""
        emptiness = emptiness_at(model, shown.frame.grid.slot_at(at.x()))
        return "" if emptiness is None else f"{WORDS[emptiness]}."

    def watch(self) -> None:
        """To be called after each picture: what stays on the screen is reported to the source."""
        visible = self._renderer.model.visible_range
        if visible != self._looked_at:
            self._looked_at = visible
            self._still.start()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._surface and isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            text = self.text_at(event.pos())
            if text:
                QToolTip.showText(event.globalPos(), text, self._surface)
            else:
                QToolTip.hideText()
            return True
        return super().eventFilter(watched, event)

    def _look(self) -> None:
        if self._looked_at is not None:
            self._renderer.model.source.look_at(*self._looked_at)
