"""The chart as a widget: candles, volume, axes, crosshair, legend, and everything a hand does to them."""

from __future__ import annotations

import datetime as dt
import math
import time
from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QEvent, QPointF, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QHideEvent, QImage, QKeyEvent, QPainter, QPixmap, QShowEvent
from PySide6.QtWidgets import QToolButton, QVBoxLayout, QWidget

from desktop.ui.chart.framing import Framer
from desktop.ui.chart.model import ChartModel, Dirty
from desktop.ui.chart.narration import Narrator
from desktop.ui.chart.navigation import Navigation
from desktop.ui.chart.overlay import Crosshair, Layout, Overlay, lay_out
from desktop.ui.chart.painting import Frame, paint, paint_last
from desktop.ui.chart.source import ChartSource, Clock
from desktop.ui.chart.view import ChartView
from desktop.ui.theme import Tokens

FRAME_MS: Final = 16
_SHRINK_MS: Final = 2_000  # the price axis grows at once and shrinks after this
_KEYBOARD_FOCUS: Final = (
    Qt.FocusReason.TabFocusReason,
    Qt.FocusReason.BacktabFocusReason,
    Qt.FocusReason.ShortcutFocusReason,
)


class ChartWidget(QWidget):
    """Shows a `ChartSource`. The widget owns no data and asks for older bars by itself."""

    text_typed = Signal(str)  # a letter, digit or comma typed while the chart has the focus
    autoscale_changed = Signal(bool)
    frame_painted = Signal()

    def __init__(
        self,
        source: ChartSource,
        clock: Clock,
        tokens: Tokens,
        *,
        zone: dt.tzinfo = dt.UTC,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._source = source
        self._clock = clock
        self._model = ChartModel(source)
        self._framer = Framer(self._model, tokens, zone)
        self._narrator = Narrator(self._model, clock)
        self._frame: Frame | None = None
        self._shown: Overlay | None = None
        self._layout = Layout()
        self._dirty = Dirty.ALL
        self._hands = Navigation(self._model, self)
        self._has_ring = False
        self._painted_at = 0.0
        self._view = ChartView(self._prepare, self._paint_overlay, self)
        self._build()
        self._connect()
        self._announce_state()

    # --- public --------------------------------------------------------------------------------------------

    @property
    def model(self) -> ChartModel:
        """The numbers behind the picture."""
        return self._model

    @property
    def frame(self) -> Frame | None:
        """The picture as last painted."""
        return self._frame

    @property
    def is_settled(self) -> bool:
        """Whether what is on the screen is up to date."""
        return self._dirty is Dirty.NOTHING and not self._frame_timer.isActive()

    @property
    def crosshair(self) -> Crosshair | None:
        """Where the crosshair was last painted, in device pixels."""
        return self._shown.crosshair if self._shown is not None else None

    @property
    def legend_text(self) -> str:
        """The legend as last painted, a line a line."""
        lines = self._shown.legend if self._shown is not None else ()
        return "\n".join("".join(run.text for run in line if run.role != "dot") for line in lines)

    @property
    def view(self) -> ChartView:
        """The pyqtgraph view."""
        return self._view

    def set_tokens(self, tokens: Tokens) -> None:
        """Another appearance."""
        self._framer.tokens = tokens
        self._framer.forget()
        self._invalidate(Dirty.ALL)

    def set_zone(self, zone: dt.tzinfo) -> None:
        """The zone whose clock the time axis shows."""
        self._framer.zone = zone
        self._framer.forget()
        self._invalidate(Dirty.ALL)

    def set_autoscale(self, is_on: bool) -> None:
        """Whether prices follow what is visible."""
        self._hands.set_autoscale(is_on)

    def show_latest(self) -> None:
        """The newest bar at the right margin."""
        self._hands.show_latest()

    def reset_view(self) -> None:
        """Default spacing, newest bar, autoscale."""
        self._hands.reset()

    def paint_now(self) -> None:
        """Paints what is out of date at once instead of with the next frame."""
        self._frame_timer.stop()
        self._on_frame()
        self._view.flush()

    def image(self) -> QImage:
        """The chart as it is, in device pixels."""
        return self.grab().toImage()

    # --- building ------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(240, 160)
        self.setAccessibleName("Chart")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._view)
        self._latest = QToolButton(self)
        self._latest.setObjectName("latest")
        self._latest.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._latest.setToolTip("Show the newest bar (End)")
        self._latest.clicked.connect(self.show_latest)
        self._latest.hide()
        self._frame_timer = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._frame_timer.timeout.connect(self._on_frame)
        self._second_timer = QTimer(self, interval=1000)
        self._second_timer.timeout.connect(self._on_second)
        self._shrink_timer = QTimer(self, singleShot=True, interval=_SHRINK_MS)
        self._shrink_timer.timeout.connect(self._on_shrink)

    def _connect(self) -> None:
        source, view, hands = self._source, self._view, self._hands
        source.reset.connect(self._on_reset)
        source.prepended.connect(self._on_prepended)
        source.changed.connect(self._on_changed)
        source.status_changed.connect(self._on_status)
        hands.moved.connect(self._invalidate)
        hands.autoscale_changed.connect(self.autoscale_changed)
        view.hovered.connect(self._on_hovered)
        view.left.connect(hands.leave)
        view.wheel_turned.connect(hands.wheel)
        view.pinched.connect(hands.pinch)
        view.drag_started.connect(hands.start_drag)
        view.dragged.connect(hands.drag)
        view.drag_ended.connect(hands.end_drag)
        view.double_clicked.connect(hands.double_click)
        view.resized.connect(self._on_resized)

    # --- the source ----------------------------------------------------------------------------------------

    def _on_reset(self) -> None:
        self._model.on_reset()
        self._framer.forget()
        self._hands.cross = None
        self._announce_state()
        self._invalidate(Dirty.ALL)

    def _on_prepended(self, count: int) -> None:
        self._model.on_prepended(count)
        self._invalidate(Dirty.ALL)

    def _on_changed(self, first_index: int) -> None:
        self._invalidate(self._model.on_changed(first_index))

    def _on_status(self) -> None:
        before = self._model.style
        self._model.read_style()
        is_other = before != self._model.style or bool(self._source.status.missing) or self._has_bands()
        self._invalidate(Dirty.ALL if is_other else Dirty.OVERLAY)

    def _has_bands(self) -> bool:
        return self._frame is not None and bool(self._frame.bands)

    # --- painting ------------------------------------------------------------------------------------------

    def _invalidate(self, dirty: Dirty) -> None:
        """Something is out of date: it is painted with the next frame, at most one in 16 ms."""
        self._dirty = max(self._dirty, dirty)
        if not self._frame_timer.isActive():
            passed_ms = (time.monotonic() - self._painted_at) * 1000
            self._frame_timer.start(max(0, math.ceil(FRAME_MS - passed_ms)))

    def _on_frame(self) -> None:
        if not self.isVisible():
            return
        self._view.repaint_device(self._update())
        self._place_button()
        if self._model.wants_older():
            self._source.want_older()

    def _prepare(self) -> None:
        """Before a paint event: nothing on the screen may be older than the data."""
        if self._dirty is not Dirty.NOTHING and self._update():
            self._view.viewport().update()

    def _update(self) -> list[QRect]:
        """Brings the picture and the overlay up to date; answers what changed, in device pixels."""
        dirty, self._dirty = self._dirty, Dirty.NOTHING
        changed: list[QRect] = []
        if dirty is Dirty.NOTHING:
            return changed
        self._painted_at = time.monotonic()
        if dirty is Dirty.LAST:
            changed.append(self._paint_tick())
        elif dirty is Dirty.ALL or self._frame is None:
            changed.append(self._paint_all())
        if self._frame is not None:
            changed += self._layout.rects
            self._shown = self._overlay(self._frame)
            self._layout = lay_out(self._shown)
            changed += self._layout.rects
        self.frame_painted.emit()
        return changed

    def _paint_all(self) -> QRect:
        width, height = max(1, self._view.width()), max(1, self._view.height())
        frame = self._framer.build(width, height, self._view.devicePixelRatioF())
        picture = self._view.picture
        if picture.width() != frame.width or picture.height() != frame.height:
            picture = self._view.picture = QPixmap(frame.width, frame.height)
        painter = QPainter(picture)
        paint(painter, frame)
        painter.end()
        self._frame = frame
        self._view.plot_size = QPointF(self._model.view.width, self._model.view.height)
        if self._framer.needed_width < self._framer.axis_width and not self._shrink_timer.isActive():
            self._shrink_timer.start()
        return QRect(0, 0, frame.width, frame.height)

    def _paint_tick(self) -> QRect:
        """The last column alone; everything when the tick moved a scale."""
        frame = self._frame and self._framer.refresh(self._frame)
        if frame is None:
            return self._paint_all()
        self._frame = frame
        painter = QPainter(self._view.picture)
        strip = paint_last(painter, frame, self._model.view.last_slot)
        painter.end()
        return strip

    def _paint_overlay(self, painter: QPainter, exposed: Sequence[QRect]) -> None:
        self._layout.paint(painter, exposed)

    def _overlay(self, frame: Frame) -> Overlay:
        cross = self._crosshair(frame)
        pointed = self._hands.cross
        index = self._model.index_at(pointed.slot) if pointed is not None else None
        return Overlay(
            frame,
            legend=self._narrator.legend(index),
            last=self._narrator.last_price(),
            crosshair=cross,
            message=self._narrator.message(),
            corner="loading older bars…" if self._source.status.is_loading_older else "",
            has_focus_ring=self._has_ring,
        )

    def _crosshair(self, frame: Frame) -> Crosshair | None:
        cross, model = self._hands.cross, self._model
        if cross is None or model.last is None:
            return None
        x = frame.grid.centre_of(cross.slot)
        if not 0 <= x < frame.plot_width:
            return None
        y = None if cross.y is None else round(cross.y * frame.scale)
        if cross.y is None and (index := model.index_at(cross.slot)) is not None:
            y = frame.prices.row(float(model.bars.close[index]))
        if y is not None and not 0 <= y < frame.plot_height:
            y = None
        price = self._framer.pointer_style.text(frame.prices.price(y)) if y is not None else ""
        return Crosshair(x, y, price, self._narrator.time_text(cross.slot, self._framer.zone))

    def _place_button(self) -> None:
        model, view = self._model, self._model.view
        if model.last is None or view.is_last_in_view or view.last_slot < view.left:
            self._latest.hide()
            if view.is_last_in_view:
                model.new_bars = 0
            return
        count = model.new_bars
        text = f"→ latest  +{count:,}" if count else "→ latest"
        if text != self._latest.text():
            self._latest.setText(text)
            self._latest.setAccessibleName(f"Show the newest bar, {count} new" if count else "Show the newest bar")
        self._latest.adjustSize()
        x, y = view.width - self._latest.width() - 12, view.height - self._latest.height() - 12
        self._latest.move(round(x), round(y))
        self._latest.show()
        self._latest.raise_()

    def _on_second(self) -> None:
        self._invalidate(Dirty.OVERLAY)

    def _on_shrink(self) -> None:
        if self._framer.needed_width < self._framer.axis_width:
            self._framer.axis_width = self._framer.needed_width
            self._invalidate(Dirty.ALL)

    def _on_resized(self) -> None:
        self._invalidate(Dirty.ALL)

    # --- input ---------------------------------------------------------------------------------------------

    def _on_hovered(self, position: QPointF) -> None:
        if self._frame is None or self._view.area_at(position) != "plot" or self._model.last is None:
            self._hands.leave()
            return
        self._hands.point(self._frame.grid.slot_at(position.x() * self._frame.scale), position.y())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        text = event.text()
        is_plain = not event.modifiers() & ~(Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier)
        if self._hands.key(event):
            self._describe()
        elif is_plain and len(text) == 1 and (text.isalnum() or text == ","):
            self.text_typed.emit(text)
        else:
            super().keyPressEvent(event)

    # --- focus, visibility, accessibility ------------------------------------------------------------------

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._has_ring = event.reason() in _KEYBOARD_FOCUS
        self._describe()
        self._invalidate(Dirty.OVERLAY)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._has_ring = False
        self._invalidate(Dirty.OVERLAY)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._second_timer.start()
        self._invalidate(Dirty.ALL)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._second_timer.stop()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.DevicePixelRatioChange):
            self._framer.forget()
            self._invalidate(Dirty.ALL)

    def _announce_state(self) -> None:
        name = f"Chart of {self._source.ticker}, {self._source.timeframe}" if self._source.ticker else "Chart"
        self.setAccessibleName(name)
        self._describe()

    def _describe(self) -> None:
        """The bar in focus for a screen reader: that of the crosshair, else the last one in view."""
        self.setAccessibleDescription(self._narrator.spoken(self._hands.focused_slot, self._framer.zone))
