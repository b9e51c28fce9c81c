"""The bar above the charts: search, timeframes, the grid, and buttons for panels and settings."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QSizePolicy, QToolBar, QToolButton, QWidget

from desktop.ui.action_set import ActionSet
from desktop.ui.grid_button import GridButton
from desktop.ui.icons import icon
from desktop.ui.search_box import SearchBox
from desktop.ui.services_api import WindowServices
from desktop.ui.theme import Tokens
from desktop.ui.timeframe_bar import TimeframeBar

_BUTTONS: Final = (("panel.watchlist", "list"), ("settings.open", "settings"))  # action, icon


class ChartBar(QToolBar):
    """A tool bar that stays where it is."""

    def __init__(self, services: WindowServices, actions: ActionSet, tokens: Tokens) -> None:
        super().__init__("Chart")
        self._actions = actions
        self.setObjectName("chart bar")
        self.setMovable(False)
        self.setIconSize(QSize(18, 18))
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.search_box = SearchBox(services, tokens)
        self.search_box.setFixedWidth(260)
        self.timeframes = TimeframeBar()
        self._grid_button = GridButton(services.workspace, actions, tokens)
        gap = QWidget()
        gap.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        for widget in (self.search_box, self.timeframes, self._grid_button, gap):
            self.addWidget(widget)
        for action_id, _ in _BUTTONS:
            button = QToolButton()
            button.setDefaultAction(actions.action(action_id))
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
            button.setProperty("flat", True)
            self.addWidget(button)
        self.set_tokens(tokens)

    def set_tokens(self, tokens: Tokens) -> None:
        """Other colours."""
        self.search_box.set_tokens(tokens)
        self._grid_button.set_tokens(tokens)
        for action_id, name in _BUTTONS:
            self._actions.action(action_id).setIcon(icon(name, tokens.text))
