"""What the mouse, its wheel and a touchpad do to a chart. Positions are logical pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from PySide6.QtCore import QObject, QPointF, Qt

from desktop.ui.chart.display import Display
from desktop.ui.chart.hand_options import HandOptions, wants_motion
from desktop.ui.chart.kinetic import Throw
from desktop.ui.chart.measure import Measurement, Place, add_measurement, add_zoom_box, measured
from desktop.ui.chart.model import ChartModel, Dirty
from desktop.ui.chart.navigation import Cross, Navigation
from desktop.ui.chart.overlay import Layout
from desktop.ui.chart.painting import Frame
from desktop.ui.chart.pointer import Pointer
from desktop.ui.chart.view import Press, Wheel

_SCROLL: Final = 0.8  # pixels for each unit of a sideways wheel
_ZOOM_IN: Final = 1.1  # of the spacing, a notch
_ZOOM_OUT: Final = 0.9
_PRICE_WHEEL: Final = 0.9  # of the price range, a notch
_LEAST_PINCH: Final = 0.2
_LEAST_BOX: Final = 4.0  # smaller boxes are slips of the hand
_KEYS = Qt.KeyboardModifier


Kind = Literal["pan", "scroll", "price", "time", "measure", "box"]  # a pan moves prices too


@dataclass(slots=True)
class _Drag:
    """A drag in progress, and the view it began with."""

    kind: Kind
    start: QPointF
    last: QPointF
    spacing: float
    prices: tuple[float, float]
    throw: Throw | None = None  # of a pan that may glide on


class Gestures(QObject):
    """Moves one chart's view, measures, zooms to a box."""

    def __init__(
        self, model: ChartModel, hands: Navigation, display: Display, pointer: Pointer, now_ms: Callable[[], float]
    ) -> None:
        """now_ms: a monotonic clock in milliseconds."""
        super().__init__(display)
        self._options = HandOptions()
        self._model, self._hands, self._display, self._pointer = model, hands, display, pointer
        self._now_ms = now_ms
        self._drag: _Drag | None = None
        self._measure: tuple[Place, Place] | None = None
        self._ticker = model.source.ticker
        view = display.view
        view.left.connect(self._on_left)
        view.wheel_turned.connect(self._on_wheel)
        view.pinched.connect(self._on_pinched)
        view.pressed.connect(self._on_pressed)
        view.drag_started.connect(self._on_drag_started)
        view.dragged.connect(self._on_dragged)
        view.drag_ended.connect(self._on_drag_ended)
        display.frame_due.connect(hands.advance)
        display.renderer.extras.append(self._add_shapes)

    @property
    def measurement(self) -> Measurement | None:
        """What is measured on the screen, in numbers of now."""
        return None if self._measure is None else measured(self._model, *self._measure)

    def end_measure(self) -> bool:
        """Takes the measurement away, and a box about to be zoomed to; False when there is neither."""
        is_drawing = self._drag is not None and self._drag.kind in ("measure", "box")
        if self._measure is None and not is_drawing:
            return False
        self._measure = None
        if is_drawing:
            self._drag = None
        self._hands.moved.emit(Dirty.OVERLAY)
        return True

    def extend_measure(self, bars: int) -> bool:
        """Measures so many bars further, to a close; begins at the crosshair. False when there is nowhere to begin."""
        measure, shown, cross = self._measure, self._display.renderer.shown, self._hands.cross
        if measure is None:
            price = shown.crosshair.value if shown is not None and shown.crosshair is not None else None
            if cross is None or price is None:
                return False
            measure = (Place(cross.slot, price),) * 2
        start, end = measure
        slot = self._model.step_slot(end.slot, bars)
        index = self._model.index_at(slot)
        if index is None:
            return False
        self._measure = start, Place(slot, float(self._model.bars.close[index]))
        self._hands.cross = Cross(end.slot, None)
        self._hands.step(bars)
        return True

    def on_series_replaced(self) -> None:
        """Another series: what was measured or about to be stretched belongs to the one before.

        A price range set by hand stays over a change of timeframe; another ticker has other prices.
        """
        if self._model.source.ticker != self._ticker:
            self._ticker = self._model.source.ticker
            self._hands.set_autoscale(True)
        self._measure = None
        self._hands.stop()
        if self._drag is not None and self._drag.kind != "pan":
            self._drag = None

    def set_options(self, options: HandOptions) -> None:
        """Other habits."""
        self._options = options
        self._pointer.magnet = options.magnet
        self._hands.has_motion = options.has_motion and wants_motion()

    def _on_pressed(self, _press: Press) -> None:
        self._hands.stop()
        self.end_measure()

    def _on_left(self) -> None:
        if self._drag is None:
            self._pointer.leave()

    # --- wheel and fingers ---------------------------------------------------------------------------------

    def _on_wheel(self, wheel: Wheel) -> None:
        self._hands.stop()
        notches = max(-1.0, min(1.0, wheel.y / wheel.notch))
        match wheel.area:
            case "price":
                self._hands.stretch(_PRICE_WHEEL ** (wheel.y / wheel.notch))
            case "time":
                self._zoom(notches, self._model.view.width)
            case "plot" | "pane":
                self._on_plot_wheel(wheel, notches)

    def _on_plot_wheel(self, wheel: Wheel, notches: float) -> None:
        is_sideways = bool(wheel.modifiers & _KEYS.ShiftModifier) or abs(wheel.x) > abs(wheel.y)
        if wheel.modifiers & _KEYS.ControlModifier:
            self._zoom(notches, wheel.at.x())
        elif is_sideways or self._options.wheel_scrolls:
            self._hands.pan(_SCROLL * (wheel.x if abs(wheel.x) > abs(wheel.y) else wheel.y))
        else:
            self._zoom(notches, self._anchor(wheel.at.x()))

    def _anchor(self, x: float) -> float:
        view = self._model.view
        return view.x_of(view.last_slot + 0.5) if self._options.anchors_last and view.is_last_in_view else x

    def _zoom(self, notches: float, x: float) -> None:
        """A notch is a tenth of the spacing; parts of one multiply, so that they add up to exactly that."""
        if notches:
            self._hands.zoom_by(_ZOOM_IN**notches if notches > 0 else _ZOOM_OUT**-notches, x)

    def _on_pinched(self, at: QPointF, factor: float) -> None:
        self._hands.stop()
        self._hands.zoom_by(max(_LEAST_PINCH, factor), at.x())

    # --- drags ---------------------------------------------------------------------------------------------

    def _on_drag_started(self, press: Press) -> None:
        view = self._model.view
        kind = self._kind(press)
        if kind is None:
            return
        self._drag = _Drag(kind, press.at, press.at, view.spacing, (view.bottom, view.top))
        if press.button == Qt.MouseButton.MiddleButton:
            if kind == "pan":
                self._hands.set_autoscale(False)
        elif kind in ("pan", "scroll") and self._hands.has_motion:
            self._drag.throw = Throw()
            self._drag.throw.add(press.at.x(), self._now_ms())

    def _kind(self, press: Press) -> Kind | None:
        """What a drag from there does; None: nothing."""
        if press.area == "pane":
            return "scroll"
        if press.button == Qt.MouseButton.MiddleButton:
            return "pan" if press.area == "plot" else None
        match press.area:
            case "plot" if press.has(_KEYS.ShiftModifier) and self._model.last is not None:
                return "measure"
            case "plot" if press.has(_KEYS.ControlModifier) and self._options.has_box_zoom:
                return "box"
            case "plot":
                return "pan"
            case "price":
                return None if self._model.scale.is_relative else "price"
            case "time":
                return "time"
        return None

    def _on_dragged(self, to: QPointF) -> None:
        drag, view = self._drag, self._model.view
        if drag is None:
            return
        moved, drag.last = to - drag.last, to
        match drag.kind:
            case "pan" | "scroll":
                if drag.kind == "pan":
                    view.pan_price(moved.y())
                self._hands.pan(moved.x())
                if drag.throw is not None:
                    drag.throw.add(to.x(), self._now_ms())
            case "price":
                self._hands.stretch(view.drag_factor(drag.start.y(), to.y()), drag.prices)
            case "time":
                begun, now = view.width - drag.start.x(), view.width - to.x()
                if begun > 0 and now > 0:
                    self._hands.zoom_by(drag.spacing * now / begun / view.spacing, view.width)
            case "measure":
                self._extend_measure(drag.start, to)
            case "box":
                self._hands.moved.emit(Dirty.OVERLAY)

    def _on_drag_ended(self) -> None:
        drag, self._drag = self._drag, None
        if drag is None:
            return
        if drag.kind == "box":
            self._zoom_to_box(drag.start, drag.last)
        elif drag.throw is not None and (glide := drag.throw.release(self._now_ms())) is not None:
            self._hands.glide(glide)

    def _extend_measure(self, start: QPointF, to: QPointF) -> None:
        frame = self._display.renderer.frame
        if frame is not None:
            begun = self._measure[0] if self._measure is not None else self._pointer.place(frame, start)
            self._measure = begun, self._pointer.place(frame, to)
            self._hands.moved.emit(Dirty.OVERLAY)

    def _zoom_to_box(self, start: QPointF, end: QPointF) -> None:
        frame, view = self._display.renderer.frame, self._model.view
        across, down = abs(end.x() - start.x()), abs(end.y() - start.y())
        if frame is None or across < _LEAST_BOX or down < _LEAST_BOX:
            self._hands.moved.emit(Dirty.OVERLAY)
            return
        right = view.slot_at(max(start.x(), end.x()))
        rows = [max(0.0, min(point.y(), view.height)) * frame.scale for point in (start, end)]
        bottom, top = sorted(self._model.scale.units(frame.prices.price(row)) for row in rows)
        self._hands.set_autoscale(False)
        view.bottom, view.top = bottom, top
        self._hands.zoom_by(view.width / across, view.width)
        view.right = right
        self._hands.pan(0.0)

    # --- over the picture ----------------------------------------------------------------------------------

    def _add_shapes(self, layout: Layout, frame: Frame) -> None:
        if (found := self.measurement) is not None:
            add_measurement(layout, frame, found, self._model.style)
        drag = self._drag
        if drag is not None and drag.kind == "box":
            start, end = ((point * frame.scale).toPoint() for point in (drag.start, drag.last))
            add_zoom_box(layout, frame, (start.x(), start.y()), (end.x(), end.y()))
