"""The surface of a chart: a pyqtgraph view whose two lean items blit the picture and paint what lies over it.

It knows pixels and input events, nothing of prices: what was pressed where is told by signals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, cast

import pyqtgraph as pg
from PySide6.QtCore import QCoreApplication, QEvent, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragMoveEvent,
    QDropEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QRegion,
    QResizeEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from desktop.ui.ticker_mime import dragged_ticker

Area = Literal["plot", "price", "time", "corner", "pane", "pane price", "border"]
_CURSORS: Final = {
    "plot": Qt.CursorShape.CrossCursor,
    "price": Qt.CursorShape.SizeVerCursor,
    "time": Qt.CursorShape.SizeHorCursor,
    "corner": Qt.CursorShape.PointingHandCursor,
    "pane": Qt.CursorShape.CrossCursor,
    "pane price": Qt.CursorShape.ArrowCursor,
    "border": Qt.CursorShape.SplitVCursor,
}
DRAG_THRESHOLD: Final = 3  # logical pixels
_BORDER_REACH: Final = 3  # above and below the border of two panes
_NOTCH: Final = 120  # Qt's angle for one step of a wheel
_TOUCH_NOTCH: Final = 100  # pixels of a touchpad that count as one


@dataclass(frozen=True, slots=True)
class Press:
    """A mouse button went down, and where."""

    area: Area
    at: QPointF
    button: Qt.MouseButton
    modifiers: Qt.KeyboardModifier

    def has(self, modifier: Qt.KeyboardModifier) -> bool:
        """Whether one key was held, and no other."""
        return self.modifiers & ~Qt.KeyboardModifier.KeypadModifier == modifier


@dataclass(frozen=True, slots=True)
class Wheel:
    """A turn of a wheel or a move on a touchpad; `y` away from the hand, `x` to the right, `notch` of them a step."""

    area: Area
    at: QPointF
    x: float
    y: float
    notch: int
    modifiers: Qt.KeyboardModifier


class _Layer(QGraphicsItem):
    """An item as large as the view that paints in device pixels."""

    def __init__(self, view: ChartView, draw: Callable[[QPainter], None], z: float) -> None:
        super().__init__()
        self._view = view
        self._draw = draw
        self.setZValue(z)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    def boundingRect(self) -> QRectF:
        return QRectF(0, 0, self._view.width(), self._view.height())

    def stretch(self) -> None:
        """The view has another size."""
        self.prepareGeometryChange()

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        painter.save()
        scale = self._view.devicePixelRatioF()
        painter.setWorldTransform(QTransform.fromScale(1 / scale, 1 / scale))
        self._draw(painter)
        painter.restore()


class ChartView(pg.GraphicsView):  # type: ignore[misc]
    """Paints a cached picture and an overlay; reports input. Positions in logical pixels of the view."""

    hovered = Signal(QPointF)
    left = Signal()
    wheel_turned = Signal(Wheel)
    pinched = Signal(QPointF, float)  # centre, factor
    pressed = Signal(Press)
    clicked = Signal(Press)  # let go without a drag
    drag_started = Signal(Press)
    dragged = Signal(QPointF)
    drag_ended = Signal()
    double_clicked = Signal(Press)
    ticker_dropped = Signal(str)
    resized = Signal()

    picture_scale: float | None = None  # device pixels a logical one for a picture; None: as the screen has them

    _layers: tuple[_Layer, ...] = ()  # pyqtgraph sends a resize event while it is being built

    def __init__(
        self,
        prepare: Callable[[], None],
        picture: Callable[[QPainter, Sequence[QRect]], None],
        overlay: Callable[[QPainter, Sequence[QRect]], None],
        parent: QWidget | None = None,
    ) -> None:
        """All in device pixels.

        prepare: called before each paint to bring the others up to date; picture: paints what lies below;
        overlay: paints over it what of it is exposed.
        """
        super().__init__(parent=parent, background=None)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setCacheMode(self.CacheModeFlag.CacheNone)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.viewport().setMouseTracking(True)
        self.setAcceptDrops(True)
        self._picture = picture
        self.plot_size = QPointF(0, 0)  # logical size of the plot and its panes, which begin at (0, 0)
        self.pane_tops: Sequence[float] = ()  # logical rows where the panes below the prices begin
        self._prepare = prepare
        self._exposed: list[QRect] = []  # by the paint event in hand, device pixels
        self._pressed: Press | None = None
        self._is_dragging = False
        self.has_ctrl = False  # held while the mouse moved last
        base = _Layer(self, self._draw_picture, 0)
        over = _Layer(self, lambda painter: overlay(painter, self._exposed), 1000)
        self._layers = (base, over)
        for layer in self._layers:
            self.scene().addItem(layer)

    @property
    def is_dragging(self) -> bool:
        return self._is_dragging

    def devicePixelRatioF(self) -> float:
        return float(super().devicePixelRatioF() if self.picture_scale is None else self.picture_scale)

    def area_at(self, position: QPointF) -> Area:
        """Which part of the chart lies there."""
        is_left = position.x() < self.plot_size.x()
        if position.y() >= self.plot_size.y():
            return "time" if is_left else "corner"
        if is_left and self.border_at(position.y()) is not None:
            return "border"
        if self.pane_tops and position.y() >= self.pane_tops[0]:
            return "pane" if is_left else "pane price"
        return "plot" if is_left else "price"

    def border_at(self, y: float) -> int | None:
        """The pane whose upper border is there, counted from the top; None where there is none."""
        return next((index for index, top in enumerate(self.pane_tops) if abs(y - top) <= _BORDER_REACH), None)

    def repaint_device(self, rects: Iterable[QRect]) -> None:
        """Asks for a repaint of rectangles given in device pixels."""
        scale = self.devicePixelRatioF()
        region = QRegion()
        for rect in rects:
            region += _logical(rect, scale)
        self.viewport().update(region)

    def flush(self) -> None:
        """Sends the paint event that was asked for, if any."""
        QCoreApplication.sendPostedEvents(self.window(), QEvent.Type.UpdateRequest.value)

    # --- painting ------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        self._prepare()
        scale = self.devicePixelRatioF()
        parts = cast("Iterable[QRect]", event.region())  # the type stub does not know that regions can be walked
        self._exposed = [_device(part, scale) for part in parts]
        super().paintEvent(event)

    def _draw_picture(self, painter: QPainter) -> None:
        self._picture(painter, self._exposed)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        for layer in self._layers:
            layer.stretch()
        self.resized.emit()

    # --- input ---------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._pressed is None and event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            self._pressed = self._press(event)
            self.pressed.emit(self._pressed)
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        position = event.position()
        press = self._pressed
        if press is not None:
            is_far = (position - press.at).manhattanLength() >= DRAG_THRESHOLD
            if not self._is_dragging and is_far and press.area != "corner":
                self._is_dragging = True
                self.drag_started.emit(press)
            if self._is_dragging:
                self.dragged.emit(position)
        else:
            self.viewport().setCursor(_CURSORS[self.area_at(position)])
        self.has_ctrl = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        self.hovered.emit(position)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        press = self._pressed
        if press is not None and event.button() == press.button:
            self._pressed = None
            if self._is_dragging:
                self._is_dragging = False
                self.drag_ended.emit()
            else:
                self.clicked.emit(press)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.double_clicked.emit(self._press(event))

    def _press(self, event: QMouseEvent) -> Press:
        return Press(self.area_at(event.position()), event.position(), event.button(), event.modifiers())

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.left.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        # Only touchpads tell phases; what a wheel says in pixels is not to be relied on.
        is_touch = event.phase() != Qt.ScrollPhase.NoScrollPhase and not event.pixelDelta().isNull()
        delta, notch = (event.pixelDelta(), _TOUCH_NOTCH) if is_touch else (event.angleDelta(), _NOTCH)
        at = event.position()
        self.wheel_turned.emit(Wheel(self.area_at(at), at, delta.x(), delta.y(), notch, event.modifiers()))
        event.accept()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        self._consider(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        self._consider(event)

    def dropEvent(self, event: QDropEvent) -> None:
        ticker = dragged_ticker(event.mimeData())
        self._consider(event)
        if ticker is not None:
            self.ticker_dropped.emit(ticker)

    def _consider(self, event: QDropEvent) -> None:
        """Takes tickers, and leaves them where they come from."""
        if dragged_ticker(event.mimeData()) is None:
            event.ignore()
            return
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QNativeGestureEvent) and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
            self.pinched.emit(event.position(), 1.0 + event.value())
            return True
        handled: bool = super().viewportEvent(event)
        return handled


def _device(rect: QRect, scale: float) -> QRect:
    return QRectF(rect.x() * scale, rect.y() * scale, rect.width() * scale, rect.height() * scale).toAlignedRect()


def _logical(rect: QRect, scale: float) -> QRect:
    return QRectF(rect.x() / scale, rect.y() / scale, rect.width() / scale, rect.height() / scale).toAlignedRect()
