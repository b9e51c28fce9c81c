"""The table of actions brought to life: Qt's actions with their keys, and who does what each stands for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from desktop.ui.actions import ACTIONS, MENUS, ActionSpec, Menu, spec_of

_NATIVE: Final = QKeySequence.SequenceFormat.NativeText


@dataclass(slots=True)
class _Bound:
    """What an action does, and its state where it has one."""

    do: Callable[[], object]
    is_on: Callable[[], bool] | None
    is_possible: Callable[[], bool] | None


class ActionSet(QObject):
    """One QAction for each row of the table; the window has the set.

    Keys of the window start their action wherever the keyboard is. Those of a chart or a list are only shown by the
    actions: the focused chart and the list take them themselves, so that they mean nothing elsewhere.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.menus: dict[Menu, QMenu] = {}
        self._bound: dict[str, _Bound] = {}
        self._off: frozenset[str] = frozenset()
        self._actions = {spec.id: self._build(spec, window) for spec in ACTIONS}

    def _build(self, spec: ActionSpec, window: QWidget) -> QAction:
        action = QAction(spec.text, self)  # goes with the set
        action.setObjectName(spec.id)
        action.setStatusTip(spec.tip)
        action.setToolTip(spec.tip or spec.name)
        action.setShortcuts([QKeySequence(key) for key in spec.keys])
        is_of_window = spec.context == "window"
        action.setShortcutContext(
            Qt.ShortcutContext.WindowShortcut if is_of_window else Qt.ShortcutContext.WidgetShortcut
        )
        action.setIconVisibleInMenu(False)  # it would take the tick's place
        action.setVisible(False)  # until somebody does it
        action.triggered.connect(lambda _checked=False: self._on_triggered(spec.id))
        if is_of_window:
            window.addAction(action)
        return action

    # --- who does what -------------------------------------------------------------------------------------

    def bind(
        self,
        action_id: str,
        do: Callable[[], object],
        *,
        is_on: Callable[[], bool] | None = None,
        is_possible: Callable[[], bool] | None = None,
    ) -> QAction:
        """Says what an action does. With `is_on` it carries a tick; where it is not possible it is greyed out."""
        self._bound[action_id] = _Bound(do, is_on, is_possible)
        action = self._actions[action_id]
        action.setCheckable(is_on is not None)
        action.setVisible(True)
        menu = self.menus.get(spec_of(action_id).menu)
        if menu is not None:
            menu.menuAction().setVisible(True)
        self._refresh(action_id)
        return action

    def group(self, *action_ids: str) -> None:
        """Of these one is on."""
        group = QActionGroup(self)
        for action_id in action_ids:
            group.addAction(self._actions[action_id])

    def action(self, action_id: str) -> QAction:
        """Qt's action; KeyError for an id that is not in the table."""
        return self._actions[action_id]

    @property
    def bound(self) -> frozenset[str]:
        """The ids that somebody does."""
        return frozenset(self._bound)

    @property
    def offered(self) -> tuple[ActionSpec, ...]:
        """What can be done now, in the table's order."""
        self.refresh()
        return tuple(spec for spec in ACTIONS if spec.id in self._bound and self._actions[spec.id].isEnabled())

    def run(self, action_id: str) -> None:
        """Does it, if it can be done now."""
        self._refresh(action_id)
        self._actions[action_id].trigger()

    def switch_off(self, action_ids: Sequence[str]) -> None:
        """These cannot be done, whatever their own condition says."""
        self._off = frozenset(action_ids)
        self.refresh()

    def refresh(self) -> None:
        """Ticks and greys, as things are now."""
        for action_id in self._bound:
            self._refresh(action_id)

    # --- menus ---------------------------------------------------------------------------------------------

    def fill(self, bar: QMenuBar) -> None:
        """Builds the menus of the bar; a menu appears with the first action that is bound."""
        for name, text in MENUS:
            menu = self.menus[name] = bar.addMenu(text)
            for spec in ACTIONS:
                if spec.menu == name:
                    if spec.opens_group:
                        menu.addSeparator()
                    menu.addAction(self._actions[spec.id])
            menu.aboutToShow.connect(self.refresh)
            menu.menuAction().setVisible(any(action.isVisible() for action in menu.actions()))

    # --- inner ---------------------------------------------------------------------------------------------

    def _refresh(self, action_id: str) -> None:
        bound, action = self._bound.get(action_id), self._actions[action_id]
        if bound is None:
            return
        if bound.is_on is not None:
            action.setChecked(bound.is_on())
        action.setEnabled(action_id not in self._off and (bound.is_possible is None or bound.is_possible()))

    def _on_triggered(self, action_id: str) -> None:
        if (bound := self._bound.get(action_id)) is not None:
            bound.do()
            self._refresh(action_id)  # Qt has turned the tick over by itself


def keys_text(spec: ActionSpec) -> str:
    """The first key as this system writes it; empty when there is none."""
    return QKeySequence(spec.keys[0]).toString(_NATIVE).replace("Return", "Enter") if spec.keys else ""
