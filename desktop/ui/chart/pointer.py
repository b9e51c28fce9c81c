"""What a chart's pointer points at: crosshair, magnet, clicks. Positions are logical pixels."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from desktop.ui.chart.display import Display
from desktop.ui.chart.magnet import Magnet, caught
from desktop.ui.chart.measure import Place
from desktop.ui.chart.model import ChartModel
from desktop.ui.chart.navigation import Navigation
from desktop.ui.chart.overlay import plus_box
from desktop.ui.chart.painting import Frame
from desktop.ui.chart.view import Press

_KEYS = Qt.KeyboardModifier


class Pointer(QObject):
    """Moves the crosshair of one chart with the mouse. What a click asks of others is told by signals."""

    maximise_requested = Signal()
    collapse_requested = Signal()
    alert_requested = Signal(float)  # price
    price_menu_requested = Signal(float, QPoint)  # price, global position

    def __init__(self, model: ChartModel, hands: Navigation, display: Display, chart: QWidget) -> None:
        """chart: has the keyboard."""
        super().__init__(chart)
        self.magnet = Magnet.OFF
        self._model, self._hands, self._display = model, hands, display
        self._at: QPointF | None = None  # over the plot
        display.view.hovered.connect(self._on_hovered)
        display.view.clicked.connect(self._on_clicked)
        display.view.double_clicked.connect(self._on_double_clicked)
        chart.installEventFilter(self)

    def place(self, frame: Frame, position: QPointF) -> Place:
        """The bar and the price there; the price that the magnet holds, if it does."""
        slot, row = frame.grid.slot_at(position.x() * frame.scale), position.y() * frame.scale
        row = max(0.0, min(row, frame.plot_height - 1.0))
        magnet = self._hands.cross.magnet if self._hands.cross is not None else self.magnet
        price = caught(magnet, self._model, slot, frame.prices, row)
        return Place(slot, frame.prices.price(row) if price is None else price)

    def leave(self) -> None:
        """The mouse is not over the plot."""
        self._at = None
        self._hands.leave()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A key ends what moves by itself; Ctrl turns the magnet over while it is held."""
        if isinstance(event, QKeyEvent) and event.type() in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            is_press = event.type() == QEvent.Type.KeyPress
            if event.key() == Qt.Key.Key_Control:
                self._point(is_press)
            elif is_press:
                self._hands.stop()
        return super().eventFilter(watched, event)

    def _on_hovered(self, position: QPointF) -> None:
        view = self._display.view
        if self._model.last is None or view.area_at(position) not in ("plot", "pane", "border"):
            self.leave()
            return
        self._at = position
        self._point(view.has_ctrl)

    def _point(self, has_ctrl: bool) -> None:
        frame = self._display.renderer.frame
        if frame is None or self._at is None:
            return
        magnet = self.magnet.toggled if has_ctrl else self.magnet
        self._hands.point(frame.grid.slot_at(self._at.x() * frame.scale), self._at.y(), magnet)

    def _on_clicked(self, press: Press) -> None:
        frame = self._display.renderer.frame
        is_left = press.button == Qt.MouseButton.LeftButton
        if frame is None or self._model.last is None or not is_left or press.area != "plot":
            return
        if press.has(_KEYS.AltModifier):
            self.alert_requested.emit(self.place(frame, press.at).price)
        elif self._is_on_plus(frame, press.at):
            at = self._display.view.viewport().mapToGlobal(press.at.toPoint())
            self.price_menu_requested.emit(self.place(frame, press.at).price, at)

    def _is_on_plus(self, frame: Frame, position: QPointF) -> bool:
        shown = self._display.renderer.shown
        cross = shown.crosshair if shown is not None else None
        box = plus_box(frame, cross) if cross is not None else None
        return box is not None and box.contains((position * frame.scale).toPoint())

    def _on_double_clicked(self, press: Press) -> None:
        frame = self._display.renderer.frame
        match press.area:
            case "price":
                self._hands.set_autoscale(True)
            case "time":
                self._hands.show_latest_reset()
            case "plot" if frame is None or self._is_on_plus(frame, press.at):
                return
            case "plot" if press.has(_KEYS.ControlModifier):
                self.collapse_requested.emit()
            case "plot" | "pane":
                self.maximise_requested.emit()
