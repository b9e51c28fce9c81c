"""Keeps what is on the screen up to date: at most one repaint a display frame, of what has changed alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject, QPointF, QRect, QTimer, Signal
from PySide6.QtWidgets import QWidget

from desktop.ui.chart.model import ChartModel, Dirty
from desktop.ui.chart.navigation import Cross
from desktop.ui.chart.pacing import Pacer
from desktop.ui.chart.renderer import Renderer
from desktop.ui.chart.source import Clock
from desktop.ui.chart.view import ChartView
from desktop.ui.theme import Tokens

_SHRINK_MS: Final = 2_000  # the price axis grows at once and shrinks after this


class Display(QObject):
    """The view of one model, its pictures and when they are painted."""

    frame_due = Signal()  # before a frame: what moves by itself moves now
    updated = Signal()  # picture and overlay are new, to be painted
    repainted = Signal()  # a frame's changes were handed to the view

    def __init__(self, model: ChartModel, clock: Clock, tokens: Tokens, cross: Callable[[], Cross | None]) -> None:
        """cross: where the crosshair stands."""
        super().__init__()
        self._model = model
        self._cross = cross
        self.has_ring = False  # of the keyboard's focus
        self.renderer = Renderer(model, clock, tokens)
        self.pacer = Pacer(self)
        self.pacer.due.connect(self._on_frame)
        self.view = ChartView(self._prepare, self.renderer.paint_picture, self.renderer.paint_overlay)
        self._shrink_timer = QTimer(self, singleShot=True, interval=_SHRINK_MS)
        self._shrink_timer.timeout.connect(self._on_shrink)

    def put_into(self, widget: QWidget) -> None:
        """Becomes a part of a widget."""
        self.setParent(widget)
        layout = widget.layout()
        assert layout is not None
        layout.addWidget(self.view)

    def add(self, dirty: Dirty) -> None:
        """So much is out of date."""
        self.pacer.add(dirty)

    def forget(self) -> None:
        """Fonts, colours or zone are others."""
        self.renderer.framer.forget()
        self.pacer.add(Dirty.ALL)

    def paint_now(self) -> None:
        """Paints what is out of date at once instead of with the next frame."""
        self.pacer.hurry()
        self.view.flush()

    def _on_frame(self) -> None:
        if self.view.isVisible():
            self.frame_due.emit()
            self.view.repaint_device(self._update())
            self.repainted.emit()

    def _prepare(self) -> None:
        """Before a paint event: nothing on the screen may be older than the data."""
        if self.pacer.dirty is not Dirty.NOTHING:
            self.view.repaint_device(self._update())

    def _update(self) -> list[QRect]:
        """Brings picture and overlay up to date; answers what changed, in device pixels."""
        dirty = self.pacer.take()
        if dirty is Dirty.NOTHING:
            return []
        view, framer = self.view, self.renderer.framer
        size = max(1, view.width()), max(1, view.height())
        changed = self.renderer.update(dirty, size, view.devicePixelRatioF(), self._cross(), self.has_ring)
        frame = self.renderer.frame
        below = frame.full_height / frame.scale if frame is not None else self._model.view.height
        view.plot_size = QPointF(self._model.view.width, below)
        if framer.needed_width < framer.axis_width and not self._shrink_timer.isActive():
            self._shrink_timer.start()
        self.updated.emit()
        return changed

    def _on_shrink(self) -> None:
        framer = self.renderer.framer
        if framer.needed_width < framer.axis_width:
            framer.axis_width = framer.needed_width
            self.pacer.add(Dirty.ALL)
