"""A docked panel with a head of its own: its name and a button that closes it."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QLabel, QToolButton, QWidget

from desktop.ui.icons import icon
from desktop.ui.theme import Tokens


class PanelDock(QDockWidget):
    """Can be moved to another side and closed, not torn off. `objectName` is the name, for the saved layout."""

    def __init__(self, name: str, panel: QWidget, tokens: Tokens) -> None:
        super().__init__(name)
        self.setObjectName(name.casefold())
        self.setFeatures(
            QDockWidget.DockWidgetFeature.DockWidgetMovable | QDockWidget.DockWidgetFeature.DockWidgetClosable
        )
        self.setWidget(panel)
        self._head = _Head(name, tokens)
        self._head.close_button.clicked.connect(self.close)
        self.setTitleBarWidget(self._head)

    def set_tokens(self, tokens: Tokens) -> None:
        self._head.set_tokens(tokens)


class _Head(QWidget):
    """Takes the place of the style's title bar, whose close button no theme reaches; dragging it moves the dock."""

    def __init__(self, name: str, tokens: Tokens) -> None:
        super().__init__()
        title = QLabel(name)
        title.setTextFormat(Qt.TextFormat.PlainText)
        font = title.font()
        font.setBold(True)
        title.setFont(font)
        self.close_button = QToolButton()
        self.close_button.setProperty("flat", True)
        self.close_button.setProperty("small", True)
        self.close_button.setIconSize(QSize(14, 14))
        self.close_button.setToolTip(f"Close {name}")
        self.close_button.setAccessibleName(f"Close {name}")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 4, 6, 4)
        layout.addWidget(title)
        layout.addStretch(1)
        layout.addWidget(self.close_button)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.set_tokens(tokens)

    def set_tokens(self, tokens: Tokens) -> None:
        self.close_button.setIcon(icon("close", tokens.secondary))
        self.setStyleSheet(f"_Head {{ background: {tokens.panel}; }}")
