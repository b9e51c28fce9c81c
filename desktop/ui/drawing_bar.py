"""The narrow bar of drawing tools left of the charts."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QToolBar, QToolButton

from desktop.ui.action_set import ActionSet
from desktop.ui.icons import icon
from desktop.ui.theme import Tokens

# Actions and their icons; None: a gap.
_BUTTONS: Final = (
    ("draw.select", "draw-select"),
    ("draw.trend", "draw-trend"),
    ("draw.ray", "draw-ray"),
    ("draw.extended", "draw-extended"),
    ("draw.horizontal", "draw-horizontal"),
    ("draw.vertical", "draw-vertical"),
    ("draw.channel", "draw-channel"),
    ("draw.rectangle", "draw-rectangle"),
    ("draw.fibonacci", "draw-fibonacci"),
    ("draw.arrow", "draw-arrow"),
    ("draw.text", "draw-text"),
    ("draw.measure", "draw-measure"),
    None,
    ("draw.magnet", "magnet"),
    ("drawings.hide", "eye-off"),
    None,
    ("edit.undo", "undo"),
    ("edit.redo", "redo"),
    ("drawings.remove_all", "remove"),
)


class DrawingBar(QToolBar):
    """A button for each action; they show which one is on."""

    def __init__(self, actions: ActionSet, tokens: Tokens) -> None:
        super().__init__("Drawing tools")
        self.setObjectName("drawing bar")
        self.setOrientation(Qt.Orientation.Vertical)
        self.setMovable(False)
        self.setIconSize(QSize(18, 18))
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self._actions = actions
        for row in _BUTTONS:
            if row is None:
                self.addSeparator()
                continue
            button = QToolButton()
            button.setDefaultAction(actions.action(row[0]))
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
            button.setProperty("flat", True)
            button.setProperty("small", True)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keyboard with the chart
            self.addWidget(button)
        self.set_tokens(tokens)

    def set_tokens(self, tokens: Tokens) -> None:
        """Other colours."""
        self.setStyleSheet(
            f"QToolBar {{ border: none; border-right: 1px solid {tokens.line}; padding: 6px 3px; spacing: 1px; }}"
            f"QToolBar::separator {{ height: 1px; background: {tokens.line}; margin: 5px 6px; }}"
            "QToolButton { padding: 5px; } QToolButton:focus { padding: 4px; }"
        )
        for row in _BUTTONS:
            if row is not None:
                self._actions.action(row[0]).setIcon(icon(row[1], tokens.text))
