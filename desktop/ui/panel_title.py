"""The head of a docked panel: its name and a button that closes it."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QLabel, QToolButton, QWidget

from desktop.ui.icons import icon
from desktop.ui.theme import Tokens


class PanelTitle(QWidget):
    """Takes the place of the system's title bar, whose close button no theme reaches; dragging it moves the dock."""

    def __init__(self, dock: QDockWidget, tokens: Tokens) -> None:
        super().__init__(dock)
        self._name = QLabel(dock.windowTitle())
        self._name.setTextFormat(Qt.TextFormat.PlainText)
        font = self._name.font()
        font.setBold(True)
        self._name.setFont(font)
        self._close = QToolButton()
        self._close.setProperty("flat", True)
        self._close.setProperty("small", True)
        self._close.setIconSize(QSize(14, 14))
        self._close.setToolTip(f"Close {dock.windowTitle()}")
        self._close.setAccessibleName(f"Close {dock.windowTitle()}")
        self._close.clicked.connect(dock.close)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 4, 6, 4)
        layout.addWidget(self._name)
        layout.addStretch(1)
        layout.addWidget(self._close)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.set_tokens(tokens)

    def set_tokens(self, tokens: Tokens) -> None:
        self._close.setIcon(icon("close", tokens.secondary))
        self.setStyleSheet(f"PanelTitle {{ background: {tokens.panel}; }}")
