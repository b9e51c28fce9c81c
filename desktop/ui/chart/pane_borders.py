"""Dragging the borders between the panes of a chart. Logical pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QObject, QPointF

from desktop.domain.look import PANE_SHARE, StudyLook
from desktop.ui.chart.display import Display
from desktop.ui.chart.model import ChartModel, Dirty
from desktop.ui.chart.navigation import Navigation
from desktop.ui.chart.studies import LEAST_MAIN, LEAST_PANE
from desktop.ui.chart.study_board import StudyBoard
from desktop.ui.chart.view import Press

_ROUNDING: Final = 0.5  # heights are whole pixels, rounded down


@dataclass(frozen=True, slots=True)
class _Held:
    """The border above a pane, held by the mouse: the heights it began with, of prices and panes."""

    pane: int
    y: float
    heights: tuple[float, ...]
    before: tuple[StudyLook, ...]


class PaneBorders(QObject):
    """Gives the panes on both sides of a border the heights that a drag asks for; a double click the usual one."""

    def __init__(self, model: ChartModel, hands: Navigation, display: Display, board: StudyBoard) -> None:
        super().__init__(display)
        self._model, self._hands, self._display, self._board = model, hands, display, board
        self._held: _Held | None = None
        view = display.view
        view.drag_started.connect(self._on_drag_started)
        view.dragged.connect(self._on_dragged)
        view.drag_ended.connect(self._on_drag_ended)
        view.double_clicked.connect(self._on_double_clicked)
        display.updated.connect(self._find)

    def _find(self) -> None:
        """Where the borders are in the picture of now."""
        frame = self._display.renderer.frame
        panes = frame.panes if frame is not None else ()
        self._display.view.pane_tops = tuple(pane.top / frame.scale for pane in panes) if frame is not None else ()

    def _on_drag_started(self, press: Press) -> None:
        pane = self._display.view.border_at(press.at.y()) if press.area == "border" else None
        if pane is not None and pane < len(self._model.studies.panes):
            heights = self._model.studies.heights(self._display.view.plot_size.y())
            self._held = _Held(pane, press.at.y(), tuple(heights), self._board.looks)

    def _on_dragged(self, to: QPointF) -> None:
        held, panes = self._held, self._model.studies.panes
        if held is None or len(panes) != len(held.heights) - 1:
            return
        above, below = held.heights[held.pane], held.heights[held.pane + 1]
        least_above = LEAST_PANE if held.pane else LEAST_MAIN
        up = max(LEAST_PANE - below, min(held.y - to.y(), above - least_above))
        total = sum(held.heights)
        panes[held.pane].share = (below + up + _ROUNDING) / total
        if held.pane:
            panes[held.pane - 1].share = (above - up + _ROUNDING) / total
        self._hands.moved.emit(Dirty.ALL)

    def _on_drag_ended(self) -> None:
        if self._held is not None:
            self._board.settle("Resize pane", self._held.before)
        self._held = None

    def _on_double_clicked(self, press: Press) -> None:
        pane = self._display.view.border_at(press.at.y()) if press.area == "border" else None
        if pane is not None and pane < len(self._model.studies.panes):
            self._board.set_share(self._model.studies.panes[pane].id, PANE_SHARE)
