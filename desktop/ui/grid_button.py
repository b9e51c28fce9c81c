"""The button of the bar that chooses how the charts of the tab stand."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QMenu, QToolButton

from desktop.domain.layout import Grid
from desktop.ui.action_set import ActionSet
from desktop.ui.services_api import WorkspaceApi
from desktop.ui.theme import Tokens

GRID_ACTIONS: Final = {f"grid.{grid.name.lower()}": grid for grid in Grid}
_PX: Final = 18


class GridButton(QToolButton):
    """Its picture is the grid of now; its menu has the others and what there is to do with tabs."""

    def __init__(self, workspace: WorkspaceApi, actions: ActionSet, tokens: Tokens) -> None:
        super().__init__()
        self._workspace = workspace
        self._actions = actions
        self._tokens = tokens
        self.setProperty("flat", True)
        self.setIconSize(QSize(_PX, _PX))
        self.setToolTip("Charts side by side, and tabs")
        self.setAccessibleName("Layout of the charts")
        self.clicked.connect(self._open)
        workspace.changed.connect(self.refresh)
        workspace.active_changed.connect(self.refresh)
        self.set_tokens(tokens)

    def set_tokens(self, tokens: Tokens) -> None:
        """Other colours."""
        self._tokens = tokens
        for action_id, grid in GRID_ACTIONS.items():
            self._actions.action(action_id).setIcon(grid_icon(grid, tokens.text))
        self.refresh()

    def refresh(self) -> None:
        """The grid of the tab in front."""
        self.setIcon(grid_icon(self._workspace.tab.grid, self._tokens.text))

    def menu_of_grids(self) -> QMenu:
        """Deletes itself when it closes."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._actions.refresh()
        for action_id in GRID_ACTIONS:
            menu.addAction(self._actions.action(action_id))
        menu.addSeparator()
        for action_id in ("tab.new", "tab.rename", "tab.close"):
            menu.addAction(self._actions.action(action_id))
        return menu

    def _open(self) -> None:
        self.menu_of_grids().popup(self.mapToGlobal(self.rect().bottomLeft()))


def grid_icon(grid: Grid, colour: str) -> QIcon:
    """The outlines of the charts."""
    answer = QIcon()
    rows = max(row + height for row, _, height, _ in grid.places)
    columns = max(column + width for _, column, _, width in grid.places)
    for scale in (1, 2, 3):
        pixmap = QPixmap(_PX * scale, _PX * scale)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.scale(scale, scale)
        painter.setPen(QPen(QColor(colour), 1.0))
        size = _PX - 5
        for row, column, height, width in grid.places:
            left, top = round(column * size / columns), round(row * size / rows)
            right, bottom = round((column + width) * size / columns), round((row + height) * size / rows)
            painter.drawRect(QRectF(2.5 + left, 2.5 + top, right - left, bottom - top))
        painter.end()
        pixmap.setDevicePixelRatio(scale)
        answer.addPixmap(pixmap)
    return answer
