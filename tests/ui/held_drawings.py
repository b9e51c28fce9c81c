"""Drawings that are kept in memory, with a real history; and a chart to draw on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QPoint, Qt, Signal
from pytestqt.qtbot import QtBot

from desktop.domain.drawing_json import dump, load
from desktop.domain.drawings import Anchor, Drawing, Kind
from desktop.domain.history import History, Step
from desktop.ui import theme
from desktop.ui.chart.chart_widget import ChartWidget
from desktop.ui.chart.drawing_desk import DrawingDesk
from desktop.ui.chart.drawing_map import FrameMap
from desktop.ui.chart.drawing_tool import DrawingTool
from desktop.ui.theme import Tokens
from tests.ui.chart_source import FixedClock, SeriesSource, walk


class HeldDrawings(QObject):
    """The drawings of every ticker."""

    changed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[str, tuple[Drawing, ...]] = {}
        self.history = History()

    def of(self, ticker: str) -> tuple[Drawing, ...]:
        return self.held.get(ticker, ())

    def add(self, ticker: str, drawing: Drawing) -> None:
        self._change(ticker, (*self.of(ticker), drawing))

    def replace(self, ticker: str, drawing: Drawing) -> None:
        self._change(ticker, tuple(drawing if held.id == drawing.id else held for held in self.of(ticker)))

    def remove(self, ticker: str, drawing_id: str) -> None:
        self._change(ticker, tuple(held for held in self.of(ticker) if held.id != drawing_id))

    def clear(self, ticker: str) -> None:
        self._change(ticker, ())

    def exported(self, ticker: str) -> str:
        return dump(self.of(ticker), ticker)

    def import_text(self, ticker: str, text: str) -> int:
        found = load(text)
        self._change(ticker, (*self.of(ticker), *(drawing.clone() for drawing in found)))
        return len(found)

    def import_file(self, ticker: str, path: Path) -> None:
        self.import_text(ticker, path.read_text("utf-8"))

    def undo(self, ticker: str) -> str | None:
        step = self.history.undo(ticker)
        return None if step is None else step.text

    def redo(self, ticker: str) -> str | None:
        step = self.history.redo(ticker)
        return None if step is None else step.text

    def _change(self, ticker: str, after: tuple[Drawing, ...]) -> None:
        before = self.of(ticker)
        if after != before:
            self._set(ticker, after)
            undo, redo = partial(self._set, ticker, before), partial(self._set, ticker, after)
            self.history.add(Step("draw", undo, redo, ticker))

    def _set(self, ticker: str, drawings: tuple[Drawing, ...]) -> None:
        self.held[ticker] = drawings
        self.changed.emit(ticker)


@dataclass
class Board:
    """A chart with a drawing hand, as a test touches it."""

    qtbot: QtBot
    source: SeriesSource
    chart: ChartWidget
    held: HeldDrawings
    desk: DrawingDesk
    tool: DrawingTool

    @property
    def drawings(self) -> tuple[Drawing, ...]:
        return self.held.of(self.source.ticker)

    @property
    def only(self) -> Drawing:
        (drawing,) = self.drawings
        return drawing

    def settle(self) -> None:
        self.qtbot.waitUntil(lambda: self.chart.is_settled)

    def place(self, x: int, y: int) -> Anchor:
        """What a press there is meant to hold."""
        frame = self.chart.frame
        assert frame is not None
        on = FrameMap(frame, self.chart.model)
        return Anchor(on.time_at(frame.grid.slot_at(x * frame.scale)), on.price_of(y * frame.scale))

    def point_of(self, anchor: Anchor) -> QPoint:
        """Where an anchor is on the screen, logical pixels."""
        frame = self.chart.frame
        assert frame is not None
        on = FrameMap(frame, self.chart.model)
        return QPoint(round(on.x_of(anchor.time_ms) / frame.scale), round(on.y_of(anchor.price) / frame.scale))

    def put(self, kind: Kind, *places: tuple[int, int], **more: object) -> Drawing:
        """A drawing that is there already, its anchors at these places of the screen."""
        drawing = Drawing(kind, tuple(self.place(*each) for each in places), **more)  # type: ignore[arg-type]
        self.held.add(self.source.ticker, drawing)
        self.settle()
        return drawing

    def click(self, x: int, y: int, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        viewport = self.chart.view.viewport()
        self.qtbot.mouseMove(viewport, QPoint(x, y))
        self.qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, modifiers, QPoint(x, y))
        self.settle()

    def drag(
        self,
        start: tuple[int, int],
        end: tuple[int, int],
        modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
        *,
        release: bool = True,
    ) -> None:
        viewport, left = self.chart.view.viewport(), Qt.MouseButton.LeftButton
        self.qtbot.mousePress(viewport, left, modifiers, QPoint(*start))
        for share in (0.3, 0.7, 1.0):
            at = QPoint(*start) + (QPoint(*end) - QPoint(*start)) * share
            self.qtbot.mouseMove(viewport, at)
        if release:
            self.qtbot.mouseRelease(viewport, left, modifiers, QPoint(*end))
        self.settle()


def board(
    qtbot: QtBot, *, source: SeriesSource | None = None, tokens: Tokens = theme.DARK, size: tuple[int, int] = (900, 560)
) -> Board:
    """A shown chart with a drawing hand on it."""
    source = source or SeriesSource(walk(2000), name="Bitcoin – US Dollar")
    chart = ChartWidget(source, FixedClock(), tokens)
    qtbot.addWidget(chart)
    chart.resize(*size)
    with qtbot.waitExposed(chart):
        chart.show()
    held = HeldDrawings()
    desk = DrawingDesk(chart, held)
    made = Board(qtbot, source, chart, held, desk, DrawingTool(desk))
    held.setParent(chart)
    made.settle()
    return made
