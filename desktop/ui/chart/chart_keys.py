"""What keys and commands mean to one chart: from a key event to an action's id, and from an id to what is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from PySide6.QtCore import QKeyCombination, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence

from desktop.ui.actions import ACTIONS, Context
from desktop.ui.chart.navigation import Navigation

_SHIFT: Final = Qt.KeyboardModifier.ShiftModifier
_KEYPAD: Final = Qt.KeyboardModifier.KeypadModifier
_PRICE_STEP: Final = 0.9  # of the price range


def keys_of(event: QKeyEvent) -> str:
    """What was pressed as the table writes it: no word of the keypad, nor of the Shift that makes a `+`."""
    modifiers = event.modifiers() & ~_KEYPAD
    if event.text() and event.text().isprintable() and not event.text().isalnum() and not event.text().isspace():
        modifiers &= ~_SHIFT
    return QKeySequence(QKeyCombination(modifiers, Qt.Key(event.key()))).toString()


class ChartKeys:
    """The commands of one chart. Others add theirs, and have their say when Escape is pressed."""

    def __init__(self, hands: Navigation) -> None:
        self._hands = hands
        self._ids: Mapping[tuple[Context, str], str] = {
            (spec.context, QKeySequence(key).toString()): spec.id for spec in ACTIONS for key in spec.keys
        }
        self._leavers: list[Callable[[], bool]] = [hands.hide_cross]
        self.has_selection: Callable[[], bool] = lambda: False  # a drawing's: its keys go before the chart's
        self._commands: dict[str, Callable[[], object]] = {
            "time.bar_left": lambda: hands.step(-1),
            "time.bar_right": lambda: hands.step(1),
            "time.bars_left": lambda: hands.step(-10),
            "time.bars_right": lambda: hands.step(10),
            "time.first": hands.show_first,
            "time.latest": hands.show_latest,
            "time.latest_reset": hands.show_latest_reset,
            "time.screen_back": lambda: hands.turn_page(-1),
            "time.screen_forward": lambda: hands.turn_page(1),
            "time.zoom_in": lambda: hands.zoom(1),
            "time.zoom_out": lambda: hands.zoom(-1),
            "price.zoom_in": lambda: hands.stretch(_PRICE_STEP),
            "price.zoom_out": lambda: hands.stretch(1 / _PRICE_STEP),
            "view.reset": hands.reset,
            "chart.leave": self._leave,
        }

    @property
    def commands(self) -> frozenset[str]:
        """The ids this chart does itself."""
        return frozenset(self._commands)

    @property
    def focused_slot(self) -> int:
        """The slot of the crosshair, else the last one in view."""
        return self._hands.focused_slot

    def show_time(self, time_ms: int) -> None:
        """The bar of a time in the middle of the chart, under the crosshair."""
        self._hands.show_time(time_ms)

    def add(self, action_id: str, do: Callable[[], object]) -> None:
        """Another command; one that answers False has not used its key."""
        self._commands[action_id] = do

    def on_leave(self, leave: Callable[[], bool]) -> None:
        """Has `leave` asked by Escape before those added earlier; True when there was something to leave."""
        self._leavers.insert(0, leave)

    def action_of(self, event: QKeyEvent) -> str | None:
        """The action whose key this is, on a chart that has the focus."""
        keys = keys_of(event)
        if self.has_selection() and (found := self._ids.get(("drawing", keys))) is not None:
            return found
        if (found := self._ids.get(("chart", keys))) is not None:
            return found
        found = self._ids.get(("window", keys))
        return found if found in self._commands else None

    def run(self, action_id: str) -> bool:
        """Does it, when it is this chart's; False when it is not, or there was nothing to do."""
        do = self._commands.get(action_id)
        return do is not None and do() is not False

    def _leave(self) -> bool:
        return any(leave() for leave in self._leavers)
