"""What the window does with drawings: the tools, their bar, undo and redo, the clipboard, files."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, QPoint
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from desktop.domain.drawings import Anchor, Drawing, Kind
from desktop.domain.errors import BadInput
from desktop.ui.action_set import ActionSet
from desktop.ui.chart.chart_widget import ChartWidget
from desktop.ui.chart.drawing_desk import DrawingDesk
from desktop.ui.chart.drawing_map import FrameMap
from desktop.ui.chart.drawing_painting import shape_in
from desktop.ui.chart.drawing_tool import DrawingTool
from desktop.ui.chart.magnet import Magnet
from desktop.ui.chart_menus import ChartMenus, Spot
from desktop.ui.drawing_bar import DrawingBar
from desktop.ui.drawing_style_box import DrawingStyleBox
from desktop.ui.services_api import WindowServices
from desktop.ui.theme import Tokens

_FILTER: Final = "Drawings (*.json)"
_AT_ONCE: Final = (Kind.HORIZONTAL, Kind.VERTICAL)


class DrawingActions(QObject):
    """Binds the actions of drawing, and gives each chart that is attached a hand that draws."""

    def __init__(
        self,
        services: WindowServices,
        actions: ActionSet,
        menus: ChartMenus,
        chart: Callable[[], ChartWidget],
        tokens: Tokens,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._services, self._actions, self._chart = services, actions, chart
        self._tokens, self._window = tokens, window
        self._hands: dict[ChartWidget, tuple[DrawingDesk, DrawingTool]] = {}
        self._is_choosing = False
        self.style_box: DrawingStyleBox | None = None
        self._bind()
        menus.register("draw.horizontal_here", self._horizontal_here)
        menus.register("measure.start", lambda _menu, _spot: actions.action("draw.measure"))
        self.bar = DrawingBar(actions, tokens)
        services.drawings.changed.connect(actions.refresh)

    def attach(self, chart: ChartWidget) -> None:
        """A hand for this chart."""
        desk = DrawingDesk(chart, self._services.drawings)
        tool = DrawingTool(desk)
        self._hands[chart] = desk, tool
        chart.destroyed.connect(lambda: self._hands.pop(chart, None))
        desk.kind_changed.connect(self._on_kind)
        desk.edit_wanted.connect(partial(self._edit, desk))
        chart.model.source.reset.connect(self._actions.refresh)
        keys = chart.keys
        keys.has_selection = lambda: desk.active is not None or desk.kind is not None
        keys.on_leave(tool.leave)
        for action_id, do in self._commands(chart, desk, tool).items():
            keys.add(action_id, do)

    def shown(self, chart: ChartWidget) -> tuple[Drawing, ...]:
        """The drawings that are seen on an attached chart."""
        return self._hands[chart][0].shown

    def set_tokens(self, tokens: Tokens) -> None:
        """Takes the colours of another theme."""
        self._tokens = tokens
        self.bar.set_tokens(tokens)

    def _commands(self, chart: ChartWidget, desk: DrawingDesk, tool: DrawingTool) -> dict[str, Callable[[], object]]:
        """What the keys of a chart do with its drawing; while one is in the making the crosshair moves instead."""

        def step(slots: int, otherwise: str) -> object:
            return desk.nudge(slots=slots) or chart.keys.run(otherwise)

        return {
            "drawing.remove": desk.remove,
            "drawing.copy": partial(self._copy, desk),
            "drawing.edit": lambda: tool.fix() or self._edit_selected(desk),
            "drawing.up": lambda: desk.nudge(ticks=1),
            "drawing.down": lambda: desk.nudge(ticks=-1),
            "drawing.left": lambda: step(-1, "time.bar_left"),
            "drawing.right": lambda: step(1, "time.bar_right"),
            "drawing.paste": partial(self._paste, desk),
        }

    def _bind(self) -> None:
        bind = self._actions.bind
        bind("draw.select", partial(self._choose, None), is_on=lambda: self._kind is None)
        for kind in Kind:
            bind(f"draw.{kind.value}", partial(self._start, kind), is_on=partial(lambda kind: self._kind is kind, kind))
        bind("draw.magnet", self._toggle_magnet, is_on=lambda: self._chart().pointer.magnet is not Magnet.OFF)
        bind("drawings.hide", self._toggle_hidden, is_on=lambda: self._are_hidden)
        bind("drawings.reveal", lambda: self._desk.reveal(), is_possible=self._has_hidden)
        bind("drawings.remove_all", lambda: self._desk.clear(), is_possible=self._has_drawings)
        bind("drawings.export", self._ask_export, is_possible=self._has_drawings)
        bind("drawings.import", self._ask_import, is_possible=lambda: bool(self._chart().model.source.ticker))
        bind("edit.undo", lambda: self._desk.undo())
        bind("edit.redo", lambda: self._desk.redo())
        for action_id in ("paste", "remove", "copy", "edit", "up", "down", "left", "right"):
            run = partial(lambda name: self._chart().keys.run(f"drawing.{name}"), action_id)
            is_possible = None if action_id == "paste" else self._has_selection
            bind(f"drawing.{action_id}", run, is_possible=is_possible)

    # --- state -----------------------------------------------------------------------------------------------

    @property
    def _desk(self) -> DrawingDesk:
        return self._hands[self._chart()][0]

    @property
    def _kind(self) -> Kind | None:
        hand = self._hands.get(self._chart())
        return hand[0].kind if hand is not None else None

    @property
    def _are_hidden(self) -> bool:
        hand = self._hands.get(self._chart())
        return hand is not None and hand[0].are_hidden

    def _has_drawings(self) -> bool:
        return bool(self._services.drawings.of(self._chart().model.source.ticker))

    def _has_hidden(self) -> bool:
        return any(drawing.is_hidden for drawing in self._services.drawings.of(self._chart().model.source.ticker))

    def _has_selection(self) -> bool:
        hand = self._hands.get(self._chart())
        return hand is not None and hand[0].selected is not None

    def _start(self, kind: Kind) -> None:
        """Takes the tool into the hand, or puts it away; lines of one place are drawn at the crosshair at once."""
        desk, tool = self._hands[self._chart()]
        anchor = tool.anchor_at_cross() if kind in _AT_ONCE and desk.kind is None else None
        if anchor is not None and self._chart().hasFocus():
            desk.add_at(kind, anchor)
        else:
            self._choose(None if self._kind is kind else kind)

    def _choose(self, kind: Kind | None) -> None:
        """The same tool for every chart."""
        self._is_choosing = True
        for desk, _tool in self._hands.values():
            desk.choose(kind)
        self._is_choosing = False
        self._actions.refresh()
        if kind is not None:
            self._chart().setFocus()

    def _on_kind(self, kind: Kind | None) -> None:
        """One chart is done with its tool: all are."""
        if not self._is_choosing and kind is None:
            for desk, _tool in self._hands.values():
                if desk.kind is not None:
                    desk.choose(None)
        self._actions.refresh()

    def _toggle_magnet(self) -> None:
        magnet = Magnet.OFF if self._chart().pointer.magnet is not Magnet.OFF else Magnet.OHLC
        for chart in self._hands:
            chart.pointer.magnet = magnet

    def _toggle_hidden(self) -> None:
        are_hidden = not self._are_hidden
        for desk, _tool in self._hands.values():
            desk.set_hidden(are_hidden)

    # --- one drawing -----------------------------------------------------------------------------------------

    def _edit_selected(self, desk: DrawingDesk) -> bool:
        if desk.selected is not None:
            self._edit(desk, desk.selected)
        return desk.selected is not None

    def _edit(self, desk: DrawingDesk, drawing: Drawing) -> None:
        frame, viewport = desk.chart.frame, desk.chart.view.viewport()
        if frame is None:
            return
        if self.style_box is not None:
            self.style_box.close()
        box = self.style_box = DrawingStyleBox(drawing, self._tokens, desk.chart)
        box.destroyed.connect(partial(self._forget, box))
        box.left.connect(desk.chart.setFocus)
        box.changed.connect(desk.replace)
        box.removal_wanted.connect(desk.remove)
        handle = shape_in(frame, desk.chart.model, drawing).handles[-1]
        x = max(0.0, min(handle.x, float(frame.plot_width))) / frame.scale
        y = max(0.0, min(handle.y, float(frame.plot_height))) / frame.scale
        box.open_at(viewport.mapTo(desk.chart, QPoint(round(x) + 16, round(y) + 16)))

    def _forget(self, box: DrawingStyleBox) -> None:
        if self.style_box is box:
            self.style_box = None

    def _horizontal_here(self, menu: QMenu, spot: Spot) -> QAction | None:
        frame, hand = spot.chart.frame, self._hands.get(spot.chart)
        if spot.price is None or frame is None or hand is None:
            return None
        on = FrameMap(frame, spot.chart.model)
        anchor = Anchor(on.time_at(frame.grid.slot_at(spot.at.x() * frame.scale)), on.settled(spot.price))
        action = menu.addAction("Draw horizontal line here")
        action.triggered.connect(lambda: hand[0].add_at(Kind.HORIZONTAL, anchor))
        return action

    # --- clipboard and files -----------------------------------------------------------------------------------

    def _copy(self, desk: DrawingDesk) -> bool:
        text = desk.copied()
        if text is not None:
            QGuiApplication.clipboard().setText(text)
            self._services.notices.post("The drawing was copied.", key="copied")
        return text is not None

    def _paste(self, desk: DrawingDesk) -> None:
        try:
            desk.paste(QGuiApplication.clipboard().text())
        except BadInput:
            self._services.notices.post("There are no drawings in the clipboard.", key="copied")

    def _ask_export(self) -> None:
        ticker = self._chart().model.source.ticker
        dialog = QFileDialog(self._window, "Export drawings", f"{ticker.replace(':', '_')}-drawings.json", _FILTER)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("json")
        dialog.fileSelected.connect(lambda name: self.export_to(ticker, Path(name)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def export_to(self, ticker: str, path: Path) -> None:
        """Writes all drawings of a ticker to a file."""
        text = self._services.drawings.exported(ticker)
        self._services.exports.save_bytes(text.encode, path)

    def _ask_import(self) -> None:
        ticker = self._chart().model.source.ticker
        dialog = QFileDialog(self._window, "Import drawings", "", _FILTER)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda name: self._services.drawings.import_file(ticker, Path(name)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
