"""Theme and colours in the View menu."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu

from desktop.domain.settings import Colours, Settings, Theme
from desktop.ui.services_api import PreferencesApi

_THEMES: Final = ((Theme.SYSTEM, "As the s&ystem"), (Theme.DARK, "&Dark"), (Theme.LIGHT, "&Light"))
_COLOURS: Final = (
    (Colours.CLASSIC, "&Classic colours"),
    (Colours.SAFE, "C&olour-safe"),
    (Colours.HIGH_CONTRAST, "&High contrast"),
    (Colours.EAST_ASIA, "&Red up (East Asia)"),
)


class AppearanceMenu(QObject):
    """Checkable actions that set, and follow, the settings' theme and colours."""

    def __init__(self, preferences: PreferencesApi, parent: QObject) -> None:
        super().__init__(parent)
        self._preferences = preferences
        self._themes = self._group("theme", _THEMES)
        self._colours = self._group("colours", _COLOURS)
        preferences.changed.connect(self._follow)
        self._follow(preferences.settings)

    def put_into(self, menu: QMenu) -> None:
        menu.addActions(self._themes.actions())
        menu.addSeparator()
        menu.addActions(self._colours.actions())

    def _group(self, field: str, rows: Sequence[tuple[Any, str]]) -> QActionGroup:
        group = QActionGroup(self)
        for value, text in rows:
            action = QAction(text, group, checkable=True)
            action.setData(value)
            action.triggered.connect(partial(self._set, field, value))
        return group

    def _set(self, field: str, value: Any, _checked: bool = False) -> None:
        self._preferences.update(**{field: value})

    def _follow(self, settings: Settings) -> None:
        for action in self._themes.actions():
            action.setChecked(action.data() == settings.theme)
        for action in self._colours.actions():
            action.setChecked(action.data() == settings.colours)
