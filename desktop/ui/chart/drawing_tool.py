"""Drawing with the mouse: placing by clicks or a drag, taking by an anchor or as a whole, cloning with Ctrl."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from PySide6.QtCore import QEvent, QObject, QPointF, Qt
from PySide6.QtGui import QMouseEvent

from desktop.domain.drawing_geometry import Point, moved
from desktop.domain.drawings import Anchor, Drawing, Kind
from desktop.domain.errors import BadInput
from desktop.ui.chart.drawing_desk import DrawingDesk
from desktop.ui.chart.drawing_map import FrameMap
from desktop.ui.chart.drawing_painting import HIT_PX, shape_in
from desktop.ui.chart.painting import Frame
from desktop.ui.chart.view import DRAG_THRESHOLD, Press

_LEFT: Final = Qt.MouseButton.LeftButton
_KEYS = Qt.KeyboardModifier


@dataclass(slots=True)
class _Drag:
    """A drawing held by one anchor, or as a whole. at: where it was taken, logical pixels."""

    drawing: Drawing
    grip: int | None
    at: QPointF
    is_clone: bool
    is_far: bool = False


@dataclass(slots=True)
class _Draft:
    """A drawing in the making: so many of its anchors stand, the next one follows the mouse."""

    drawing: Drawing
    placed: int = 1
    pressed_at: QPointF | None = None  # while the button is down
    is_fresh: bool = True  # until the button is let go for the first time

    @property
    def is_whole(self) -> bool:
        return self.placed >= self.drawing.kind.anchor_count

    def follow(self, anchor: Anchor) -> None:
        """The anchors that do not stand yet go there; the only one until the button is let go."""
        count = self.drawing.kind.anchor_count
        kept = self.drawing.anchors[: self.placed] if count > 1 else ()
        self.drawing = replace(self.drawing, anchors=kept + (anchor,) * (count - len(kept)))


class DrawingTool(QObject):
    """Sees the mouse before the chart does, and leaves it what it does not use. Positions are logical pixels."""

    def __init__(self, desk: DrawingDesk) -> None:
        super().__init__(desk)
        self._desk, self._chart = desk, desk.chart
        self._draft: _Draft | None = None
        self._drag: _Drag | None = None
        view = self._chart.view
        view.viewport().installEventFilter(self)
        view.clicked.connect(lambda _press: desk.select(""))  # beside every drawing
        desk.kind_changed.connect(self._drop)
        self._chart.model.source.reset.connect(self._drop)

    def leave(self) -> bool:
        """Drops what was begun, else puts the tool away, else selects nothing; False when there was nothing."""
        if self._draft is not None or self._drag is not None:
            self._drop()
            self._desk.preview(None)
        elif self._desk.kind is not None:
            self._desk.choose(None)
        elif self._desk.selected is not None:
            if not self._chart.gestures.end_measure():  # a measurement goes before a selection
                self._desk.select("")
        else:
            return False
        return True

    def fix(self) -> bool:
        """Puts the next anchor where the crosshair is; False when nothing is drawn, or it is nowhere."""
        anchor = self.anchor_at_cross()
        if self._desk.kind is None or anchor is None:
            return False
        if self._draft is None:
            self._draft = _Draft(self._desk.new(self._desk.kind, anchor), is_fresh=False)
        else:
            self._draft.follow(anchor)
            self._draft.placed += 1
        self._show_draft()
        return True

    def anchor_at_cross(self) -> Anchor | None:
        """Where the crosshair stands; of one moved by keyboard, the bar's close."""
        frame, cross, model = self._chart.frame, self._chart.crosshair, self._chart.model
        if frame is None or cross is None or cross.y is None or cross.y >= frame.plot_height:
            return None
        slot, on = frame.grid.slot_at(cross.x), FrameMap(frame, model)
        return Anchor(on.time_at(slot), on.price_of(cross.y))

    def _drop(self) -> None:
        self._draft = self._drag = None

    # --- events --------------------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """True keeps an event from the chart."""
        frame = self._chart.frame
        if not isinstance(event, QMouseEvent) or frame is None or self._chart.model.last is None:
            return False
        if event.type() == QEvent.Type.MouseMove:
            return self._on_move(event, frame)
        if event.button() != _LEFT:
            return False
        match event.type():
            case QEvent.Type.MouseButtonPress:
                is_used = self._on_press(event, frame)
                if is_used:  # it ends a measurement and a glide as any press does
                    self._chart.view.pressed.emit(Press("plot", event.position(), _LEFT, event.modifiers()))
                return is_used
            case QEvent.Type.MouseButtonDblClick:
                return self._on_double_click(event, frame)
            case QEvent.Type.MouseButtonRelease:
                return self._on_release(event, frame)
        return False

    def _on_press(self, event: QMouseEvent, frame: Frame) -> bool:
        at = event.position()
        if not _is_in_pane(frame, at):
            return False
        if self._desk.kind is not None:
            self._begin(self._desk.kind, frame, at)
            return True
        hit = None if event.modifiers() & (_KEYS.ShiftModifier | _KEYS.AltModifier) else self._hit(frame, at)
        if hit is None:
            return False
        drawing, grip = hit
        is_clone = bool(event.modifiers() & _KEYS.ControlModifier)
        self._drag = _Drag(drawing.clone() if is_clone else drawing, None if is_clone else grip, at, is_clone)
        self._desk.select(drawing.id)
        return True

    def _on_double_click(self, event: QMouseEvent, frame: Frame) -> bool:
        if self._desk.kind is not None:  # the second press of two quick ones
            return self._on_press(event, frame)
        at = event.position()
        hit = self._hit(frame, at) if _is_in_pane(frame, at) else None
        if hit is None:
            return False
        self._desk.select(hit[0].id)
        self._desk.edit_wanted.emit(hit[0])
        return True

    def _on_move(self, event: QMouseEvent, frame: Frame) -> bool:
        at, view = event.position(), self._chart.view
        if self._draft is not None:
            self._draft.follow(self._anchor_at(frame, at))
            self._desk.preview(self._draft.drawing)
        elif self._drag is not None:
            self._drag_to(self._drag, frame, at)
        elif event.buttons() == Qt.MouseButton.NoButton and self._desk.kind is None and _is_in_pane(frame, at):
            hit = self._hit(frame, at)
            if hit is not None:
                view.viewport().setCursor(Qt.CursorShape.PointingHandCursor)
                view.hovered.emit(at)
                return True
        return False

    def _on_release(self, event: QMouseEvent, frame: Frame) -> bool:
        at, draft, drag = event.position(), self._draft, self._drag
        if drag is not None:
            self._drag_to(drag, frame, at)
            self._drag = None
            self._keep(drag)
            return True
        if draft is None or draft.pressed_at is None:
            return False
        draft.follow(self._anchor_at(frame, at))
        is_far = (at - draft.pressed_at).manhattanLength() >= DRAG_THRESHOLD
        if not draft.is_fresh or (is_far and draft.drawing.kind.anchor_count > 1):
            draft.placed += 1
        draft.pressed_at, draft.is_fresh = None, False
        self._show_draft()
        return True

    def _hit(self, frame: Frame, at: QPointF) -> tuple[Drawing, int | None] | None:
        """The topmost drawing there, the selected one before all others, and the anchor that would be taken."""
        point, reach = Point(at.x() * frame.scale, at.y() * frame.scale), HIT_PX * frame.scale
        selected = self._desk.selected
        for drawing in (*([selected] if selected is not None else []), *reversed(self._desk.shown)):
            shape = shape_in(frame, self._chart.model, drawing)
            grip = shape.grip_at(point, reach)
            if grip is None and not shape.is_hit(point, reach):
                continue
            if drawing.kind in (Kind.HORIZONTAL, Kind.VERTICAL):
                return drawing, 0
            return drawing, None if drawing.kind is Kind.TEXT else grip
        return None

    def _anchor_at(self, frame: Frame, at: QPointF) -> Anchor:
        """The start of the bar there, and the price as the magnet has it."""
        on, place = FrameMap(frame, self._chart.model), self._chart.pointer.place(frame, at)
        return Anchor(on.time_at(place.slot), on.settled(place.price))

    # --- placing and dragging ------------------------------------------------------------------------------

    def _begin(self, kind: Kind, frame: Frame, at: QPointF) -> None:
        """A press with a tool in the hand: the first anchor, or the next one."""
        anchor = self._anchor_at(frame, at)
        if self._draft is None:
            self._draft = _Draft(self._desk.new(kind, anchor), pressed_at=at)
        else:
            self._draft.pressed_at = at
            self._draft.follow(anchor)
        self._desk.preview(self._draft.drawing)

    def _show_draft(self) -> None:
        """The draft as it is now; a whole one is done."""
        draft = self._draft
        if draft is None:
            return
        if draft.is_whole:
            self._draft = None
            self._desk.add(draft.drawing)
        else:
            self._desk.preview(draft.drawing)

    def _drag_to(self, drag: _Drag, frame: Frame, at: QPointF) -> None:
        drag.is_far = drag.is_far or (at - drag.at).manhattanLength() >= DRAG_THRESHOLD
        if not drag.is_far or drag.drawing.is_locked:
            return
        try:
            if drag.grip is not None:
                now = drag.drawing.with_anchor(drag.grip, self._anchor_at(frame, at))
            else:
                slots = frame.grid.slot_at(at.x() * frame.scale) - frame.grid.slot_at(drag.at.x() * frame.scale)
                down = (at.y() - drag.at.y()) * frame.scale
                on = FrameMap(frame, self._chart.model)
                now = moved(drag.drawing, on, slots * frame.grid.spacing, down)
        except BadInput:
            return  # as far as it goes
        self._desk.preview(now)

    def _keep(self, drag: _Drag) -> None:
        """What was dragged stays where it is now."""
        now = self._desk.active
        if not drag.is_far or now is None or now.id != drag.drawing.id:
            return
        if drag.is_clone:
            self._desk.add(now)
        else:
            self._desk.replace(now)


def _is_in_pane(frame: Frame, at: QPointF) -> bool:
    return 0 <= at.x() * frame.scale < frame.plot_width and 0 <= at.y() * frame.scale < frame.plot_height
