"""The chart as a widget: candles, volume, axes, crosshair, legend, and everything a hand does to them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QEvent, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QAccessible, QFocusEvent, QHideEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from desktop.ui.chart.accessible import say
from desktop.ui.chart.chart_buttons import ChartButtons
from desktop.ui.chart.chart_hints import ChartHints
from desktop.ui.chart.chart_keys import ChartKeys
from desktop.ui.chart.chart_surface import ChartSurface
from desktop.ui.chart.gestures import Gestures
from desktop.ui.chart.hand_options import HandOptions
from desktop.ui.chart.model import Dirty
from desktop.ui.chart.pane_borders import PaneBorders
from desktop.ui.chart.pointer import Pointer
from desktop.ui.chart.regular_hours import RegularHours
from desktop.ui.chart.source import ChartSource, Clock
from desktop.ui.chart.time_control import TimeControl
from desktop.ui.theme import Tokens

_KEYBOARD_FOCUS: Final = (
    Qt.FocusReason.TabFocusReason,
    Qt.FocusReason.BacktabFocusReason,
    Qt.FocusReason.ShortcutFocusReason,
)


class ChartWidget(ChartSurface):
    """Shows a `ChartSource`. The widget owns no data and asks for older bars by itself."""

    text_typed = Signal(str)  # a letter or digit typed while the chart has the focus
    action_wanted = Signal(str)  # the key of an action was pressed that is not the chart's own
    autoscale_changed = Signal(bool)
    maximise_requested = Signal()
    price_menu_requested = Signal(float, QPoint)  # price, global position
    ticker_dropped = Signal(str)
    frame_painted = Signal()

    def __init__(
        self,
        source: ChartSource,
        clock: Clock,
        tokens: Tokens,
        *,
        options: HandOptions | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        parent: QWidget | None = None,
    ) -> None:
        """monotonic: seconds, of what moves by itself."""
        self._source = RegularHours(source)
        super().__init__(self._source, clock, tokens, lambda: monotonic() * 1000, parent)
        self._source.setParent(self)
        self.keys = ChartKeys(self._hands)
        self.pointer = Pointer(self._model, self._hands, self._display, self)
        self.gestures = Gestures(self._model, self._hands, self._display, self.pointer, lambda: monotonic() * 1000)
        self.gestures.set_options(options or HandOptions())
        self.borders = PaneBorders(self._model, self._hands, self._display, self.studies)
        self.keys.on_leave(self.gestures.end_measure)
        self.keys.add("measure.left", lambda: self.gestures.extend_measure(-1))
        self.keys.add("measure.right", lambda: self.gestures.extend_measure(1))
        self.times = TimeControl(self._source, self._model, self._display, self)
        self._may_need_older = True
        self._described_slot: int | None = None  # the bar the accessible description is of
        self._build()
        self._connect()
        self._announce_state()

    def _build(self) -> None:
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(240, 160)
        self.buttons = ChartButtons(self._model, self)
        self.buttons.latest.clicked.connect(self.show_latest)
        self.hints = ChartHints(self._renderer, self._view.viewport(), self)
        self._display.updated.connect(self.frame_painted)
        self._display.repainted.connect(self._on_repainted)
        self._second_timer = QTimer(self, interval=1000)
        self._second_timer.timeout.connect(lambda: self._display.add(Dirty.OVERLAY))

    def _connect(self) -> None:
        source, hands = self._source, self._hands
        source.reset.connect(self._on_reset)
        source.prepended.connect(self._on_prepended)
        source.changed.connect(self._on_changed)
        source.status_changed.connect(self._on_status)
        hands.moved.connect(self._on_moved)
        self.times.axis_changed.connect(self._on_axis_changed)
        hands.autoscale_changed.connect(self.autoscale_changed)
        self.pointer.maximise_requested.connect(self.maximise_requested)
        self.pointer.price_menu_requested.connect(self.price_menu_requested)
        self._view.ticker_dropped.connect(self.ticker_dropped)
        self._view.resized.connect(lambda: self._on_moved(Dirty.ALL))

    # --- the source ----------------------------------------------------------------------------------------

    def _on_reset(self) -> None:
        self._model.on_reset()
        self._renderer.framer.forget()
        self._on_axis_changed()
        self._announce_state()

    def _on_axis_changed(self) -> None:
        self._hands.cross = None
        self.gestures.on_series_replaced()
        self._on_moved(Dirty.ALL)

    def _on_prepended(self, count: int) -> None:
        self._model.on_prepended(count)
        self._on_moved(Dirty.ALL)

    def _on_changed(self, first_index: int) -> None:
        self._display.add(self._model.on_changed(first_index))

    def _on_status(self) -> None:
        if self._model.last is None:
            self._describe()  # the message in the middle is another one
        is_other = self._model.on_info() or self._renderer.has_other_bands
        self._display.add(Dirty.ALL if is_other else Dirty.OVERLAY)

    # --- painting ------------------------------------------------------------------------------------------

    def _on_moved(self, dirty: Dirty) -> None:
        """Another part of the series may be in view."""
        self._may_need_older |= dirty is Dirty.ALL
        self._display.add(dirty)

    def _on_repainted(self) -> None:
        if QAccessible.isActive() and self._hands.focused_slot != self._described_slot:
            self._describe()
        self.buttons.place(self._renderer.shown)
        self.hints.watch()
        # Asked once a move: a source that fails at once must not be asked again sixty times a second.
        if self._may_need_older and self._model.wants_older():
            self._source.want_older()
        self._may_need_older = False

    # --- input ---------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        text = event.text()
        is_plain = not event.modifiers() & ~(Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier)
        action_id = self.keys.action_of(event)
        if action_id is not None and self.keys.run(action_id):
            self._describe()
            say(self, self.accessibleDescription())
        elif action_id is not None and action_id not in self.keys.commands:
            self.action_wanted.emit(action_id)
        elif is_plain and len(text) == 1 and text.isalnum():
            self.text_typed.emit(text)
        else:
            super().keyPressEvent(event)

    # --- focus, visibility, accessibility ------------------------------------------------------------------

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._display.has_ring = event.reason() in _KEYBOARD_FOCUS
        self._describe()
        self._display.add(Dirty.OVERLAY)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._display.has_ring = False
        self._display.add(Dirty.OVERLAY)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._second_timer.start()
        self._display.add(Dirty.ALL)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._second_timer.stop()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._display.forget()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DevicePixelRatioChange:  # Qt does not make a changeEvent of it
            self._display.forget()
        return super().event(event)

    def _announce_state(self) -> None:
        name = f"Chart of {self._source.ticker}, {self._source.timeframe}" if self._source.ticker else "Chart"
        self.setAccessibleName(name)
        self._describe()

    def _describe(self) -> None:
        """The bar in focus for a screen reader: that of the crosshair, else the last one in view."""
        slot = self._described_slot = self._hands.focused_slot
        self.setAccessibleDescription(self._renderer.narrator.spoken(slot, self._renderer.framer.zone))
