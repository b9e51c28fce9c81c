"""Moves of one chart's viewport and crosshair, as hands and keys ask for them. Positions are logical pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from desktop.domain.look import ScaleKind
from desktop.ui.chart.geometry import DEFAULT_SPACING
from desktop.ui.chart.kinetic import Glide
from desktop.ui.chart.magnet import Magnet
from desktop.ui.chart.model import ChartModel, Dirty
from desktop.ui.chart.motion import Motion


@dataclass(slots=True)
class Cross:
    """Where the crosshair stands: a slot, and a row (None: moved by keyboard, it is at the close)."""

    slot: int
    y: float | None
    magnet: Magnet = Magnet.OFF  # pulls the row to a price of the bar


class Navigation(QObject):
    """Moves the view of one model; `moved` says how much of the picture that put out of date."""

    moved = Signal(Dirty)
    autoscale_changed = Signal(bool)

    def __init__(self, model: ChartModel, parent: QObject, now_ms: Callable[[], float]) -> None:
        """now_ms: a monotonic clock in milliseconds."""
        super().__init__(parent)
        self._model = model
        self._motion = Motion(model.view, now_ms)
        self.has_motion = False  # whether jumps are animated
        self.cross: Cross | None = None

    @property
    def focused_slot(self) -> int:
        """The slot a screen reader is told about: the crosshair's, else the last one in view."""
        if self.cross is not None:
            return self.cross.slot
        view = self._model.view
        return min(int(view.right), view.last_slot)

    def set_autoscale(self, is_on: bool) -> None:
        """Whether prices follow what is visible."""
        if self._model.view.is_autoscaled != is_on:
            self._model.view.is_autoscaled = is_on
            self.autoscale_changed.emit(is_on)
        self.moved.emit(Dirty.ALL)

    def set_scale(self, kind: ScaleKind, *, is_inverted: bool) -> None:
        """Another price scale; the same prices stay on the screen where it has them."""
        was_autoscaled = self._model.view.is_autoscaled
        self._model.set_scale(kind, is_inverted=is_inverted)
        if self._model.view.is_autoscaled != was_autoscaled:
            self.autoscale_changed.emit(self._model.view.is_autoscaled)
        self.moved.emit(Dirty.ALL)

    def show_latest(self) -> None:
        """The newest bar at the right margin."""
        self._go_to_latest(self._model.view.spacing)

    def reset(self) -> None:
        """Default spacing, newest bar, autoscale."""
        self._go_to_latest(DEFAULT_SPACING)
        self.set_autoscale(True)

    # --- crosshair -----------------------------------------------------------------------------------------

    def point(self, slot: int, y: float, magnet: Magnet = Magnet.OFF) -> None:
        """The mouse is over a slot of the plot."""
        self.cross = Cross(slot, y, magnet)
        self.moved.emit(Dirty.OVERLAY)

    def leave(self) -> None:
        """The mouse left the plot."""
        if self.cross is not None:
            self.cross = None
            self.moved.emit(Dirty.OVERLAY)

    # --- the view ------------------------------------------------------------------------------------------

    def pan(self, dx: float) -> None:
        """Moves the picture right."""
        self._model.view.pan(dx)
        self.moved.emit(Dirty.ALL)

    def zoom_by(self, factor: float, x: float) -> None:
        """So many times the spacing; the time under `x` stays under it."""
        self._model.view.set_spacing(self._model.view.spacing * factor, x)
        self.moved.emit(Dirty.ALL)

    def stretch(self, factor: float, of: tuple[float, float] | None = None) -> None:
        """Scales the price range `of` (the present one by default) about its middle; autoscale goes off."""
        was_on = self._model.view.is_autoscaled
        self._model.view.stretch_price(factor, of)
        if was_on and not self._model.view.is_autoscaled:
            self.autoscale_changed.emit(False)
        self.moved.emit(Dirty.ALL)

    # --- by itself -----------------------------------------------------------------------------------------

    def glide(self, glide: Glide) -> None:
        """Scrolls on by itself, slower and slower."""
        self._motion.glide(glide)
        self.moved.emit(Dirty.ALL)

    def stop(self) -> None:
        """What moves by itself stays where it is."""
        self._motion.stop()

    def advance(self) -> None:
        """To be called at the beginning of each frame."""
        if self._motion.advance():
            self.moved.emit(Dirty.ALL)

    def _go_to_latest(self, spacing: float) -> None:
        model, view = self._model, self._model.view
        if self.has_motion:
            model.new_bars = 0
            self._motion.jump(lambda: view.last_slot + 1 + view.margin, spacing)
        else:
            view.set_spacing(spacing, view.width)
            model.show_latest()
        self.moved.emit(Dirty.ALL)

    # --- keyboard ------------------------------------------------------------------------------------------

    def step(self, bars: int) -> None:
        """Moves the crosshair by bars, keeping it on the screen; without one, the picture."""
        model, view = self._model, self._model.view
        if self.cross is None:
            view.pan(-bars * view.spacing)
        else:
            slot = model.step_slot(self.cross.slot, bars)
            self.cross = Cross(slot, None)
            if slot < view.left:
                view.pan((view.left - slot) * view.spacing)
            elif slot + 1 > view.right:
                view.pan((view.right - slot - 1) * view.spacing)
        self.moved.emit(Dirty.ALL)

    def turn_page(self, screens: int) -> None:
        """Moves by whole screens; positive is forward in time."""
        self._model.view.pan(-screens * self._model.view.width)
        self.moved.emit(Dirty.ALL)

    def zoom(self, notches: float) -> None:
        """Zooms at the crosshair, else at the right edge."""
        view = self._model.view
        view.zoom(notches, view.width if self.cross is None else view.x_of(self.cross.slot + 0.5))
        self.moved.emit(Dirty.ALL)

    def show_first(self) -> None:
        """The first bar at the left edge."""
        self._model.view.show_first()
        self.moved.emit(Dirty.ALL)

    def show_latest_reset(self) -> None:
        """The newest bar at the right margin, at the default spacing."""
        self._go_to_latest(DEFAULT_SPACING)

    def show_time(self, time_ms: int) -> None:
        """The crosshair at the bar open at a time, or the last before it, in the middle of the plot."""
        model = self._model
        if model.last is None:
            return
        starts = model.bars.start_ms
        slot = model.axis.slot_of(starts, max(0, int(starts.searchsorted(time_ms, side="right")) - 1))
        model.view.show_middle(slot)
        self.cross = Cross(slot, None)
        self.moved.emit(Dirty.ALL)

    def hide_cross(self) -> bool:
        """Takes the crosshair away; False when there is none."""
        had, self.cross = self.cross is not None, None
        self.moved.emit(Dirty.OVERLAY)
        return had
