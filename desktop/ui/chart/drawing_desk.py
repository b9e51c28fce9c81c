"""The drawings of one chart as they look now: which is selected, which is in the making, and what is done to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QObject, Signal, SignalInstance

from desktop.domain.drawing_geometry import moved
from desktop.domain.drawing_json import dump, load
from desktop.domain.drawings import Anchor, Drawing, Kind, Style, tick_of
from desktop.domain.errors import BadInput
from desktop.domain.history import History
from desktop.ui.chart.chart_widget import ChartWidget
from desktop.ui.chart.drawing_map import FrameMap
from desktop.ui.chart.drawing_painting import add_drawing
from desktop.ui.chart.model import Dirty
from desktop.ui.chart.overlay import Layout
from desktop.ui.chart.painting import Frame

NEW_TEXT = "Text"


class DrawingsApi(Protocol):
    """The drawings of every ticker: `changed(ticker)`. What cannot be used raises BadInput."""

    @property
    def changed(self) -> SignalInstance: ...
    @property
    def history(self) -> History:
        """The steps that undo and redo walk, shared with other changes of a chart."""

    def of(self, ticker: str) -> tuple[Drawing, ...]: ...
    def add(self, ticker: str, drawing: Drawing) -> None: ...
    def replace(self, ticker: str, drawing: Drawing) -> None: ...
    def remove(self, ticker: str, drawing_id: str) -> None: ...
    def clear(self, ticker: str) -> None: ...
    def exported(self, ticker: str) -> str: ...
    def import_text(self, ticker: str, text: str) -> int: ...
    def import_file(self, ticker: str, path: Path) -> None: ...
    def undo(self, ticker: str) -> str | None: ...
    def redo(self, ticker: str) -> str | None: ...


class DrawingDesk(QObject):
    """What a chart shows of the drawings of its ticker, and the commands for the selected one.

    One drawing is active: the one in the making, or the selected one. It is painted over the picture and can move
    without a new picture; the others are a part of it.
    """

    active_changed = Signal()
    others_changed = Signal()  # the active one is another, or a drawing that is not
    kind_changed = Signal(object)  # the kind about to be drawn, or None
    edit_wanted = Signal(object)  # a drawing whose look or text a person wants to change

    def __init__(self, chart: ChartWidget, drawings: DrawingsApi) -> None:
        super().__init__(chart)
        self.chart = chart
        self.drawings = drawings
        self.style = Style()  # of the next drawing
        self.are_hidden = False
        self.kind: Kind | None = None  # of the next drawing; None: the hand selects
        self._preview: Drawing | None = None
        self._selected = ""
        say = chart.decorate(self._add_others, self._add_active)
        self.active_changed.connect(lambda: say(Dirty.OVERLAY))
        self.others_changed.connect(lambda: say(Dirty.ALL))
        drawings.changed.connect(self._on_changed)
        chart.model.source.reset.connect(self._on_series_replaced)

    # --- what is shown -------------------------------------------------------------------------------------

    @property
    def ticker(self) -> str:
        """Whose drawings are shown."""
        return self.chart.model.source.ticker

    @property
    def selected(self) -> Drawing | None:
        """The selected drawing as it is kept."""
        return next((held for held in self.shown if held.id == self._selected), None)

    @property
    def active(self) -> Drawing | None:
        """What is drawn, dragged or selected, as it looks now."""
        return self._preview or self.selected

    @property
    def shown(self) -> tuple[Drawing, ...]:
        """The visible drawings as they are kept, the topmost last."""
        if self.are_hidden:
            return ()
        return tuple(held for held in self.drawings.of(self.ticker) if not held.is_hidden)

    @property
    def others(self) -> tuple[Drawing, ...]:
        """Those that are not active."""
        active = self.active
        return tuple(held for held in self.shown if active is None or held.id != active.id)

    def _add_others(self, layout: Layout, frame: Frame) -> None:
        """The pieces of the picture."""
        for drawing in self.others:
            add_drawing(layout, frame, self.chart.model, drawing, is_selected=False)

    def _add_active(self, layout: Layout, frame: Frame) -> None:
        """The pieces over the picture."""
        active = self.active
        if active is not None:
            add_drawing(layout, frame, self.chart.model, active, is_selected=True)

    # --- state ---------------------------------------------------------------------------------------------

    def choose(self, kind: Kind | None) -> None:
        """The next press begins a drawing of this kind, or selects."""
        self.show(None, "")
        self.kind = kind
        if kind is not None and self.are_hidden:
            self.set_hidden(False)
        self.kind_changed.emit(kind)

    def select(self, drawing_id: str) -> None:
        """Another selection; "" for none."""
        self.show(None, drawing_id)

    def preview(self, drawing: Drawing | None) -> None:
        """How the active drawing looks while it is made or dragged; None: as it is kept."""
        self.show(drawing, self._selected)

    def show(self, preview: Drawing | None, selected: str) -> None:
        """Another active drawing."""
        before = self.active
        self._preview, self._selected = preview, selected
        after = self.active
        if (before and before.id) != (after and after.id):
            self.others_changed.emit()
        elif before != after:
            self.active_changed.emit()

    def set_hidden(self, are_hidden: bool) -> None:
        """Shows none of the drawings, or all again."""
        self.are_hidden = are_hidden
        self._preview, self._selected = None, ""
        self.others_changed.emit()

    def _on_changed(self, ticker: str) -> None:
        if ticker == self.ticker:
            self.others_changed.emit()

    def _on_series_replaced(self) -> None:
        """What was begun belongs to the series before; the tool stays in the hand."""
        self._preview = None
        if self.selected is None:
            self._selected = ""

    # --- commands ------------------------------------------------------------------------------------------

    def add(self, drawing: Drawing) -> None:
        """A drawing is made: it is selected, and the tool put away."""
        self.kind = None
        self._preview, self._selected = None, drawing.id
        self.drawings.add(self.ticker, drawing)
        self.kind_changed.emit(None)
        if drawing.kind is Kind.TEXT and drawing.text == NEW_TEXT:
            self.edit_wanted.emit(drawing)

    def add_at(self, kind: Kind, anchor: Anchor) -> None:
        """A drawing of one anchor, at once."""
        self.add(self.new(kind, anchor))

    def new(self, kind: Kind, anchor: Anchor) -> Drawing:
        """A drawing with all its anchors at one place."""
        text = NEW_TEXT if kind is Kind.TEXT else ""
        return Drawing(kind, (anchor,) * kind.anchor_count, self.style, text)

    def replace(self, drawing: Drawing) -> None:
        """Another state of a drawing; its style is that of the next one too."""
        self.style = drawing.style
        self._preview = None
        self.drawings.replace(self.ticker, drawing)

    def remove(self) -> bool:
        """Removes the selected drawing; False when there is none."""
        drawing = self.selected
        if drawing is not None:
            self._preview, self._selected = None, ""
            self.drawings.remove(self.ticker, drawing.id)
        return drawing is not None

    def reveal(self) -> None:
        """Shows what was hidden one by one."""
        for drawing in self.drawings.of(self.ticker):
            if drawing.is_hidden:
                self.drawings.replace(self.ticker, replace(drawing, is_hidden=False))

    def clear(self) -> None:
        """Removes all."""
        self.drawings.clear(self.ticker)

    def copied(self) -> str | None:
        """The selected drawing as a text for the clipboard."""
        return None if self.selected is None else dump((self.selected,), self.ticker)

    def paste(self, text: str) -> None:
        """Puts the drawings of a text a little beside where they were; the last one is selected. Raises BadInput."""
        frame = self.chart.frame
        for drawing in load(text):
            if frame is not None and self.chart.model.last is not None:
                on, aside = FrameMap(frame, self.chart.model), 3 * frame.grid.spacing
                self.add(moved(drawing.clone(), on, aside, frame.px(16)))

    def nudge(self, *, ticks: int = 0, slots: int = 0) -> bool:
        """Moves the selected drawing by ticks of the price and by bars; False when there is none."""
        drawing, frame, model = self.selected, self.chart.frame, self.chart.model
        if drawing is None or frame is None:
            return False
        if drawing.is_locked:
            return True
        if ticks:
            self._try(lambda: self.replace(drawing.nudged(ticks, tick_of(model.style.decimals))))
        if slots:
            self._try(lambda: self.replace(moved(drawing, FrameMap(frame, model), slots * frame.grid.spacing, 0.0)))
        return True

    def undo(self) -> bool:
        """Takes the newest change back."""
        return self._step(self.drawings.undo)

    def redo(self) -> bool:
        """Does again what was undone."""
        return self._step(self.drawings.redo)

    def _step(self, step: Callable[[str], str | None]) -> bool:
        self._preview = None
        return step(self.ticker) is not None

    def _try(self, change: Callable[[], None]) -> None:
        """Makes a change, unless it leads out of what a chart can show."""
        try:
            change()
        except BadInput:
            return
