"""What hands do to a chart: wheel, drags, double clicks and keys, turned into moves of its viewport and crosshair.

Positions are logical pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QObject, QPointF, Qt, Signal

from desktop.ui.chart.geometry import DEFAULT_SPACING
from desktop.ui.chart.model import ChartModel, Dirty

_WHEEL_UNITS: Final = 1.2  # the zoom rule counts in hundredths; one notch of a common wheel is 120
_SCROLL_PX: Final = 80.0  # per 100 units of a sideways wheel
_PRICE_WHEEL: Final = 0.9  # of the price range, a notch
_LEAST_PINCH: Final = 0.2


@dataclass(slots=True)
class Cross:
    """Where the crosshair stands: a slot, and a row (None: moved by keyboard, it is at the close)."""

    slot: int
    y: float | None


@dataclass(slots=True)
class _Drag:
    """A drag in progress, and the view it began with."""

    area: str
    start: QPointF
    last: QPointF
    spacing: float
    prices: tuple[float, float]


class Navigation(QObject):
    """Moves the view of one model; `moved` says how much of the picture that put out of date."""

    moved = Signal(Dirty)
    autoscale_changed = Signal(bool)

    def __init__(self, model: ChartModel, parent: QObject) -> None:
        super().__init__(parent)
        self._model = model
        self._drag: _Drag | None = None
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

    def show_latest(self) -> None:
        """The newest bar at the right margin."""
        self._model.show_latest()
        self.moved.emit(Dirty.ALL)

    def reset(self) -> None:
        """Default spacing, newest bar, autoscale."""
        self._default_spacing()
        self._model.show_latest()
        self.set_autoscale(True)

    # --- crosshair -----------------------------------------------------------------------------------------

    def point(self, slot: int, y: float) -> None:
        """The mouse is over a slot of the plot."""
        self.cross = Cross(slot, y)
        self.moved.emit(Dirty.OVERLAY)

    def leave(self) -> None:
        """The mouse left the plot."""
        if self.cross is not None and self._drag is None:
            self.cross = None
            self.moved.emit(Dirty.OVERLAY)

    # --- mouse ---------------------------------------------------------------------------------------------

    def wheel(self, area: str, at: QPointF, notches: float, sideways: float, modifiers: Qt.KeyboardModifier) -> None:
        """A turn of the wheel, in notches of 120; positive is away from the hand, or to the right."""
        view = self._model.view
        is_shifted = bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
        if area == "price":
            self._stretch(_PRICE_WHEEL**notches)
        elif area == "plot" and (is_shifted or abs(sideways) > abs(notches)):
            view.pan(_SCROLL_PX * _WHEEL_UNITS * (sideways or notches))
        elif notches:
            view.zoom(notches * _WHEEL_UNITS, at.x() if area == "plot" else view.width)
        self.moved.emit(Dirty.ALL)

    def pinch(self, at: QPointF, factor: float) -> None:
        """Two fingers: zooms at their middle."""
        self._model.view.set_spacing(self._model.view.spacing * max(_LEAST_PINCH, factor), at.x())
        self.moved.emit(Dirty.ALL)

    def start_drag(self, area: str, start: QPointF, button: Qt.MouseButton) -> None:
        """A button was pressed and moved far enough. The middle one pans freely: autoscale goes off."""
        view = self._model.view
        if button == Qt.MouseButton.MiddleButton and area == "plot":
            self.set_autoscale(False)
        self._drag = _Drag(area, start, start, view.spacing, (view.bottom, view.top))

    def drag(self, to: QPointF) -> None:
        """The pressed mouse is here now."""
        drag, view = self._drag, self._model.view
        if drag is None:
            return
        moved = to - drag.last
        drag.last = to
        if drag.area == "plot":
            view.pan(moved.x())
            view.pan_price(moved.y())
        elif drag.area == "price":
            self._stretch(view.drag_factor(drag.start.y(), to.y()), drag.prices)
        else:
            begun, now = view.width - drag.start.x(), view.width - to.x()
            if begun > 0 and now > 0:
                view.set_spacing(drag.spacing * now / begun, view.width)
        self.moved.emit(Dirty.ALL)

    def end_drag(self) -> None:
        self._drag = None

    def double_click(self, area: str) -> None:
        """On the price axis: autoscale. On the time axis: default spacing at the newest bar."""
        if area == "price":
            self.set_autoscale(True)
        elif area == "time":
            self.show_latest_reset()

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
        self._default_spacing()
        self.show_latest()

    def hide_cross(self) -> bool:
        """Takes the crosshair away; False when there is none."""
        had, self.cross = self.cross is not None, None
        self.moved.emit(Dirty.OVERLAY)
        return had

    # --- inner ---------------------------------------------------------------------------------------------

    def _stretch(self, factor: float, of: tuple[float, float] | None = None) -> None:
        if self._model.scale.is_relative:
            return  # the range says how much prices moved
        was_on = self._model.view.is_autoscaled
        self._model.view.stretch_price(factor, of)
        if was_on and not self._model.view.is_autoscaled:
            self.autoscale_changed.emit(False)

    def _default_spacing(self) -> None:
        self._model.view.set_spacing(DEFAULT_SPACING, self._model.view.width)
