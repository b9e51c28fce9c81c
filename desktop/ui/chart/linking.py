"""One chart's part in a group of linked charts: tells where its crosshair and its edges are, and takes those of others.

Times are Unix ms UTC, edges fractions of a bar exact.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QObject, Signal

from desktop.ui.chart.model import ChartModel, Dirty
from desktop.ui.chart.navigation import Cross, Navigation

Edges = tuple[float, float]


class ChartLink(QObject):
    """Moves that came from another chart are not told again."""

    crosshair_moved = Signal(object)  # time, or None: it was taken away
    range_moved = Signal(object)  # times at the left and right edge of the plot

    def __init__(self, model: ChartModel, hands: Navigation, parent: QObject) -> None:
        super().__init__(parent)
        self._model = model
        self._hands = hands
        self._is_led = False
        self._told_ms: int | None = None
        self._told_edges: Edges | None = None
        hands.moved.connect(self._on_moved)

    @property
    def crosshair_ms(self) -> int | None:
        """The time of the bar at the crosshair."""
        cross, model = self._hands.cross, self._model
        return None if cross is None or model.last is None else model.axis.time_at(model.bars.start_ms, cross.slot)

    @property
    def edges(self) -> Edges | None:
        """The times at the left and right edge of the plot; None without bars."""
        if self._model.last is None:
            return None
        return self._time_of(self._model.view.left), self._time_of(self._model.view.right)

    def show_crosshair(self, time_ms: int | None) -> None:
        """The crosshair at the bar open at a time of another chart; None takes it away."""
        model, hands = self._model, self._hands
        with self._led():
            if time_ms is None:
                hands.leave()
            elif model.last is not None:
                hands.cross = Cross(math.floor(self._slot_of(time_ms)), None)
                hands.moved.emit(Dirty.OVERLAY)
            self._told_ms = self.crosshair_ms

    def show_range(self, edges: Edges) -> None:
        """These times at the left and right edge, as far as the spacing goes; the right one counts."""
        view = self._model.view
        if self._model.last is None:
            return
        left, right = (self._slot_of(edge) for edge in edges)
        if right <= left:
            return
        with self._led():
            self._hands.stop()
            view.set_spacing(view.width / (right - left), view.width)
            view.pan((view.right - right) * view.spacing)
            self._hands.moved.emit(Dirty.ALL)
            self._told_edges = self.edges

    # --- inner ---------------------------------------------------------------------------------------------

    @contextmanager
    def _led(self) -> Iterator[None]:
        was, self._is_led = self._is_led, True
        try:
            yield
        finally:
            self._is_led = was

    def _on_moved(self, dirty: Dirty) -> None:
        if self._is_led:
            return
        if (time_ms := self.crosshair_ms) != self._told_ms:
            self._told_ms = time_ms
            self.crosshair_moved.emit(time_ms)
        if dirty is Dirty.ALL and (edges := self.edges) is not None and edges != self._told_edges:
            self._told_edges = edges
            self.range_moved.emit(edges)

    def _time_of(self, slot: float) -> float:
        starts, axis = self._model.bars.start_ms, self._model.axis
        whole = math.floor(slot)
        start_ms = axis.time_at(starts, whole)
        return start_ms + (slot - whole) * (axis.time_at(starts, whole + 1) - start_ms)

    def _slot_of(self, time_ms: float) -> float:
        """The slot (a fraction) open at a time."""
        starts, axis = self._model.bars.start_ms, self._model.axis
        whole = axis.slot_at_time(starts, math.floor(time_ms))
        if axis.time_at(starts, whole) > time_ms:
            whole -= 1
        start_ms = axis.time_at(starts, whole)
        length = max(1, axis.time_at(starts, whole + 1) - start_ms)
        return whole + min(1.0, (time_ms - start_ms) / length)
