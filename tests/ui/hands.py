"""A chart on the screen and a hand over it: real events of mouse, wheel and fingers, and a clock that is set."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QInputDevice, QMouseEvent, QNativeGestureEvent, QPointingDevice, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.ui import theme
from desktop.ui.chart.chart_widget import ChartWidget
from desktop.ui.chart.hand_options import HandOptions
from desktop.ui.chart.painting import Frame
from desktop.ui.chart.viewport import Viewport
from tests.ui.chart_source import FixedClock, SeriesSource, walk

PLOT = QPoint(300, 200)
PRICE_AXIS = QPoint(880, 200)
TIME_AXIS = QPoint(300, 555)
NONE = Qt.KeyboardModifier.NoModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
CTRL = Qt.KeyboardModifier.ControlModifier
ALT = Qt.KeyboardModifier.AltModifier
LEFT = Qt.MouseButton.LeftButton
MIDDLE = Qt.MouseButton.MiddleButton
RIGHT = Qt.MouseButton.RightButton


class Desk:
    """One chart, shown; `now_ms` is the clock of what moves by itself."""

    def __init__(self, qtbot: QtBot, source: SeriesSource | None = None, options: HandOptions | None = None) -> None:
        self.qtbot = qtbot
        self.now_ms = 1_000_000.0
        self._keys = NONE
        self.source = source or SeriesSource(walk(2000), name="Bitcoin – US Dollar")
        self.chart = ChartWidget(
            self.source, FixedClock(), theme.DARK, options=options, monotonic=lambda: self.now_ms / 1000
        )
        qtbot.addWidget(self.chart)
        self.chart.resize(900, 560)
        with qtbot.waitExposed(self.chart):
            self.chart.show()
        self.settle()

    @property
    def view(self) -> Viewport:
        return self.chart.model.view

    @property
    def frame(self) -> Frame:
        frame = self.chart.frame
        assert frame is not None
        return frame

    def settle(self) -> None:
        """Until nothing is left to paint."""
        self.qtbot.waitUntil(lambda: self.chart.is_settled)

    def x_of(self, slot: float) -> float:
        """Where a slot (a fraction) is on the screen as painted, logical pixels."""
        whole = int(slot // 1)
        return (self.frame.grid.left_of(whole) + (slot - whole) * self.frame.grid.spacing) / self.frame.scale

    def wheel(
        self,
        at: QPoint = PLOT,
        angle: int = 0,
        sideways: int = 0,
        modifiers: Qt.KeyboardModifier = NONE,
        pixels: QPoint | None = None,
    ) -> None:
        """A turn of a wheel; with `pixels`, a move on a touchpad."""
        surface = self.chart.view.viewport()
        phase = Qt.ScrollPhase.NoScrollPhase if pixels is None else Qt.ScrollPhase.ScrollUpdate
        event = QWheelEvent(
            QPointF(at),
            QPointF(surface.mapToGlobal(at)),
            pixels or QPoint(),
            QPoint(sideways, angle),
            Qt.MouseButton.NoButton,
            modifiers,
            phase,
            False,
        )
        QApplication.sendEvent(surface, event)

    def pinch(self, at: QPoint, value: float) -> None:
        surface, kind = self.chart.view.viewport(), QInputDevice.DeviceType.TouchPad
        pad = QPointingDevice(
            "pad", 7, kind, QPointingDevice.PointerType.Finger, QInputDevice.Capability.Position, 2, 0
        )
        place, globally = QPointF(at), QPointF(surface.mapToGlobal(at))
        zoom = Qt.NativeGestureType.ZoomNativeGesture
        event = QNativeGestureEvent(zoom, pad, 2, place, place, globally, value, QPointF())
        QApplication.sendEvent(surface, event)

    def press(self, at: QPoint, button: Qt.MouseButton = LEFT, modifiers: Qt.KeyboardModifier = NONE) -> None:
        self._keys = modifiers
        self.qtbot.mousePress(self.chart.view.viewport(), button, modifiers, at)

    def move(self, *places: QPoint) -> None:
        """With whichever button is down; sent, because moving the pointer to where it is would be no event."""
        surface = self.chart.view.viewport()
        for at in places:
            globally = QPointF(surface.mapToGlobal(at))
            none, held = Qt.MouseButton.NoButton, QApplication.mouseButtons()
            QApplication.sendEvent(
                surface, QMouseEvent(QEvent.Type.MouseMove, QPointF(at), globally, none, held, self._keys)
            )

    def release(self, at: QPoint, button: Qt.MouseButton = LEFT, modifiers: Qt.KeyboardModifier = NONE) -> None:
        self.qtbot.mouseRelease(self.chart.view.viewport(), button, modifiers, at)
        self._keys = NONE

    def drag(
        self, start: QPoint, end: QPoint, button: Qt.MouseButton = LEFT, modifiers: Qt.KeyboardModifier = NONE
    ) -> None:
        self.press(start, button, modifiers)
        self.move(start + (end - start) / 2, end)
        self.release(end, button, modifiers)

    def click(self, at: QPoint, modifiers: Qt.KeyboardModifier = NONE) -> None:
        self.qtbot.mouseClick(self.chart.view.viewport(), LEFT, modifiers, at)

    def double_click(self, at: QPoint, modifiers: Qt.KeyboardModifier = NONE) -> None:
        self.qtbot.mouseDClick(self.chart.view.viewport(), LEFT, modifiers, at)

    def throw(self, start: QPoint, px_per_ms: float, moves: int = 5) -> None:
        """A drag at an even speed, let go while it moves."""
        self.press(start)
        at = start
        for _ in range(moves):
            self.now_ms += 16
            at = at + QPoint(round(px_per_ms * 16), 0)
            self.move(at)
        self.release(at)

    def frame_passes(self, count: int = 1) -> None:
        """So many frames of 16 ms."""
        for _ in range(count):
            self.now_ms += 16
            self.chart.paint_now()
