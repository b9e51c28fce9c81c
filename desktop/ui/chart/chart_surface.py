"""A chart's picture as a widget: what it shows, and how it is drawn. What hands and data do comes on top."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtWidgets import QVBoxLayout, QWidget
from shiboken6 import isValid

from desktop.domain.look import ChartKind, Look, ScaleKind
from desktop.ui.chart.display import Display
from desktop.ui.chart.linking import ChartLink
from desktop.ui.chart.model import ChartModel, Dirty
from desktop.ui.chart.navigation import Navigation
from desktop.ui.chart.overlay import Crosshair, Layout, Overlay
from desktop.ui.chart.painting import Frame
from desktop.ui.chart.scales import Scale
from desktop.ui.chart.source import ChartSource, Clock
from desktop.ui.chart.study_board import StudyBoard
from desktop.ui.chart.study_values import Run
from desktop.ui.chart.texts import Texts
from desktop.ui.chart.view import ChartView
from desktop.ui.theme import Tokens


class ChartSurface(QWidget):
    """The picture of a source's series, the viewport it shows, and the ways to draw it."""

    look_changed = Signal()

    def __init__(
        self,
        source: ChartSource,
        clock: Clock,
        tokens: Tokens,
        now_ms: Callable[[], float],
        parent: QWidget | None,
    ) -> None:
        """now_ms: a clock that only goes forward, for what moves by itself."""
        super().__init__(parent)
        self._model = ChartModel(source)
        self._hands = Navigation(self._model, self, now_ms)
        self._display = Display(self._model, clock, tokens, lambda: self._hands.cross)
        self._renderer, self._view = self._display.renderer, self._display.view
        self.studies = StudyBoard(self._model.studies, self)
        self.studies.changed.connect(lambda: self._display.add(Dirty.ALL))
        self.studies.changed.connect(self.look_changed)
        self._model.studies.on_ready = self._on_values
        self.link = ChartLink(self._model, self._hands, self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self._display.put_into(self)

    @property
    def model(self) -> ChartModel:
        """The numbers behind the picture."""
        return self._model

    @property
    def frame(self) -> Frame | None:
        """The picture as last painted."""
        return self._renderer.frame

    @property
    def picture(self) -> QPixmap:
        """The cached picture below the overlay, in device pixels."""
        return self._renderer.picture

    @property
    def is_settled(self) -> bool:
        """Whether what is on the screen is up to date."""
        return self._display.pacer.is_idle

    @property
    def crosshair(self) -> Crosshair | None:
        """Where the crosshair was last painted, in device pixels."""
        shown = self._renderer.shown
        return shown.crosshair if shown is not None else None

    @property
    def overlay(self) -> Overlay | None:
        """What lay over the picture when it was last painted."""
        return self._renderer.shown

    @property
    def legend_text(self) -> str:
        """The legend as last painted, a line a line."""
        shown = self._renderer.shown
        lines = (*shown.legend, *(line.runs for line in shown.studies)) if shown is not None else ()
        return "\n".join("".join(run.text for run in line if run.role != "dot") for line in lines)

    @property
    def view(self) -> ChartView:
        """The pyqtgraph view."""
        return self._view

    def set_tokens(self, tokens: Tokens) -> None:
        """Another appearance."""
        self._renderer.framer.tokens = tokens
        self._display.forget()

    @property
    def zone(self) -> dt.tzinfo:
        """The zone whose clock the time axis shows."""
        return self._renderer.framer.zone

    def set_autoscale(self, is_on: bool) -> None:
        """Whether prices follow what is visible."""
        self._hands.set_autoscale(is_on)

    @property
    def kind(self) -> ChartKind:
        """How the series is drawn."""
        return self._model.drawn.kind

    def set_kind(self, kind: ChartKind) -> None:
        """Draws the series another way."""
        self._model.set_kind(kind)
        self._display.add(Dirty.ALL)
        self.look_changed.emit()

    @property
    def scale(self) -> Scale:
        """The price scale's kind, and whether it is inverted."""
        return self._model.scale

    def set_scale(self, kind: ScaleKind, *, is_inverted: bool = False) -> None:
        """Another price scale; the same prices stay on the screen."""
        self._hands.set_scale(kind, is_inverted=is_inverted)
        self.look_changed.emit()

    @property
    def look(self) -> Look:
        """How the chart is drawn, as it is saved."""
        return Look(self.kind, self.scale.kind, self.scale.is_inverted, self.studies.looks)

    def set_look(self, look: Look) -> None:
        """Draws the chart as it was saved."""
        if look.kind is not self.kind:
            self.set_kind(look.kind)
        if (look.scale, look.is_inverted) != (self.scale.kind, self.scale.is_inverted):
            self.set_scale(look.scale, is_inverted=look.is_inverted)
        self.studies.restore(look.studies)

    def show_latest(self) -> None:
        """The newest bar at the right margin."""
        self._hands.show_latest()

    def decorate(
        self, picture: Callable[[Layout, Frame], None], overlay: Callable[[Layout, Frame], None]
    ) -> Callable[[Dirty], None]:
        """Pieces over the bars, in the picture and above it; answers what to call when they are others."""
        self._renderer.decorations.append(picture)
        self._renderer.extras.append(overlay)
        return self._display.add

    def paint_again(self, painter: QPainter, texts: Texts) -> None:
        """What was painted last, once more on another surface, in device pixels."""
        self._renderer.paint_again(painter, texts)

    def compute_beside(self, run: Run) -> None:
        """Studies of long series are computed by `run`, beside the GUI."""
        self._model.studies.run = run

    def _on_values(self) -> None:
        if isValid(self):  # a closed chart's last computation may still come in
            self._display.add(Dirty.ALL)

    def paint_now(self) -> None:
        """Paints what is out of date at once instead of with the next frame."""
        self._display.paint_now()
