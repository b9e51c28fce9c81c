"""The row of tabs above the charts: choose, move, close, rename by a double click, and a button for a new one."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QTabBar, QToolButton, QWidget

from desktop.domain.layout import LONGEST_NAME
from desktop.services.workspace import OpenTab
from desktop.ui.icons import icon
from desktop.ui.services_api import WorkspaceApi
from desktop.ui.theme import Tokens


class TabRow(QWidget):
    """Shows the workspace's tabs; there is nothing to see while there is one alone."""

    left = Signal()  # the keyboard is wanted elsewhere

    def __init__(self, workspace: WorkspaceApi, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._tokens = tokens
        self._shown: list[OpenTab[Any]] = []
        self.bar = _Bar()
        self.bar.setDocumentMode(True)
        self.bar.setDrawBase(False)
        self.bar.setMovable(True)
        self.bar.setExpanding(False)
        self.bar.setElideMode(Qt.TextElideMode.ElideRight)
        self.bar.setUsesScrollButtons(True)
        self.bar.setAccessibleName("Tabs")
        self.bar.currentChanged.connect(self._on_chosen)
        self.bar.tabMoved.connect(self._on_moved)
        self.bar.tabBarDoubleClicked.connect(self.rename)
        self.bar.middle_clicked.connect(lambda index: self._workspace.close_tab(self._shown[index]))
        self.plus = QToolButton()
        self.plus.setProperty("flat", True)
        self.plus.setProperty("small", True)
        self.plus.setIconSize(QSize(14, 14))
        self.plus.setToolTip("New tab")
        self.plus.setAccessibleName("New tab")
        self.plus.clicked.connect(lambda: workspace.add_tab())
        self._edit = QLineEdit(self)
        self._edit.setMaxLength(LONGEST_NAME)
        self._edit.setAccessibleName("Name of the tab")
        self._edit.setPlaceholderText("As shown")
        self._edit.editingFinished.connect(self._on_named)
        self._edit.hide()
        self._renamed: OpenTab[Any] | None = None
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 2, 4, 0)
        row.setSpacing(2)
        row.addWidget(self.bar)
        row.addWidget(self.plus)
        row.addStretch(1)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        workspace.changed.connect(self.refresh)
        workspace.active_changed.connect(self.refresh)
        self.set_tokens(tokens)

    def set_tokens(self, tokens: Tokens) -> None:
        """Other colours."""
        self._tokens = tokens
        self.plus.setIcon(icon("plus", tokens.secondary))
        self.setStyleSheet(
            f"TabRow {{ background: {tokens.panel}; border-bottom: 1px solid {tokens.line}; }}"
            f"QTabBar {{ background: {tokens.panel}; }}"
            f"QTabBar::tab {{ color: {tokens.secondary}; background: transparent; padding: 4px 6px 4px 10px;"
            "  border: none; border-bottom: 2px solid transparent; margin-right: 2px; min-width: 56px; }"
            f"QTabBar::tab:selected {{ color: {tokens.text}; border-bottom-color: {tokens.accent}; }}"
            f"QTabBar::tab:hover:!selected {{ background: {tokens.hover}; }}"
        )
        for index in range(self.bar.count()):
            self._style_close(index)
        self.refresh()

    def refresh(self) -> None:
        """Tabs and titles as they are now."""
        tabs = list(self._workspace.tabs)
        self.bar.blockSignals(True)
        if tabs != self._shown:
            while self.bar.count():
                self.bar.removeTab(0)
            for index, tab in enumerate(tabs):
                self.bar.addTab(tab.title)
                self._add_close(index, tab)
            self._shown = tabs
        for index, tab in enumerate(tabs):
            title = tab.title.replace("&", "&&")
            if self.bar.tabText(index) != title:
                self.bar.setTabText(index, title)
        self.bar.setCurrentIndex(tabs.index(self._workspace.tab))
        self.bar.blockSignals(False)
        self.setVisible(len(tabs) > 1 or self._renamed is not None)

    def rename(self, index: int) -> None:
        """A field over a tab takes its name."""
        if not 0 <= index < len(self._shown):
            return
        self._renamed = self._shown[index]
        self.refresh()
        self.layout().activate()  # type: ignore[union-attr]
        place = self.bar.tabRect(index).translated(self.bar.pos())
        self._edit.setGeometry(place.adjusted(0, 0, max(0, 140 - place.width()), 0))
        self._edit.setText(self._renamed.name)
        self._edit.selectAll()
        self._edit.show()
        self._edit.raise_()
        self._edit.setFocus()

    def _on_named(self) -> None:
        tab, self._renamed = self._renamed, None
        if tab is None:
            return
        self._edit.hide()
        self._workspace.rename_tab(tab, self._edit.text())
        self.left.emit()

    def _on_chosen(self, index: int) -> None:
        if 0 <= index < len(self._shown):
            tab = self._shown[index]
            self._workspace.activate(tab.charts[tab.active])

    def _on_moved(self, from_index: int, to_index: int) -> None:
        tab = self._shown.pop(from_index)
        self._shown.insert(to_index, tab)
        self._workspace.move_tab(tab, to_index)

    def _add_close(self, index: int, tab: OpenTab[Any]) -> None:
        button = QToolButton()
        button.setProperty("flat", True)
        button.setProperty("small", True)
        button.setIconSize(QSize(10, 10))
        button.setToolTip("Close tab")
        button.setAccessibleName("Close tab")
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.clicked.connect(lambda: self._workspace.close_tab(tab))
        self.bar.setTabButton(index, QTabBar.ButtonPosition.RightSide, button)
        self._style_close(index)

    def _style_close(self, index: int) -> None:
        button = self.bar.tabButton(index, QTabBar.ButtonPosition.RightSide)
        if isinstance(button, QToolButton):
            button.setIcon(icon("close", self._tokens.secondary))


class _Bar(QTabBar):
    middle_clicked = Signal(int)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        index = self.tabAt(event.position().toPoint())
        if event.button() is Qt.MouseButton.MiddleButton and index >= 0:
            self.middle_clicked.emit(index)
