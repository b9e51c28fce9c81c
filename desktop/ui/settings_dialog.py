"""The settings: a list of pages on the left, the page on the right. It stays open beside the window."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from desktop.ui.forms import button, button_row, form_style
from desktop.ui.icons import icon
from desktop.ui.services_api import WindowServices
from desktop.ui.settings_connection_page import ConnectionPage
from desktop.ui.settings_key_page import KeyPage
from desktop.ui.settings_pages import AppearancePage, DataPage, PlanPage
from desktop.ui.settings_time_page import TimePage
from desktop.ui.theme import Tokens, blend, palette

PAGES: Final = {  # name -> icon
    "API key": "key",
    "Plan": "plan",
    "Connection": "connection",
    "Appearance": "appearance",
    "Time": "clock",
    "Data": "list",
}


class SettingsDialog(QDialog):
    """Pages API key, Plan, Connection, Appearance, Time and Data.

    `world_change_requested`: the source is to be opened anew with the settings as they are now. `demo_requested`:
    the demo market is to be opened. The dialog closes before either.
    """

    world_change_requested = Signal()
    demo_requested = Signal()

    def __init__(
        self, services: WindowServices, tokens: Tokens, parent: QWidget | None = None, *, data_folder: str = ""
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Settings")
        self.resize(760, 520)
        self.setMinimumSize(560, 400)
        self.key_page = KeyPage(services.keys, tokens)
        self.plan_page = PlanPage(services.preferences)
        self.connection_page = ConnectionPage(services.preferences, services.limits)
        self.appearance_page = AppearancePage(services.preferences)
        self.time_page = TimePage(services.preferences)
        self.data_page = DataPage(data_folder)
        self._list = QListWidget()
        self._stack = QStackedWidget()
        self._close = button("Close")
        self._build()
        self._list.currentRowChanged.connect(self._stack.setCurrentIndex)
        self._close.clicked.connect(self.close)
        for page in (self.plan_page, self.connection_page):
            page.applied.connect(self._change_world)
        self.data_page.demo_requested.connect(self._open_demo)
        self._list.setCurrentRow(0)
        self.set_tokens(tokens)

    def _build(self) -> None:
        self._list.setObjectName("pages")
        self._list.setAccessibleName("Pages of the settings")
        self._list.setFixedWidth(184)
        self._list.setIconSize(QSize(20, 20))
        self._list.setFrameShape(QFrame.Shape.NoFrame)
        pages = (
            self.key_page,
            self.plan_page,
            self.connection_page,
            self.appearance_page,
            self.time_page,
            self.data_page,
        )
        for name, page in zip(PAGES, pages, strict=True):
            self._list.addItem(QListWidgetItem(name))
            page.setAccessibleName(name)
            page.setContentsMargins(14, 10, 14, 6)
            room = QScrollArea()
            room.setWidgetResizable(True)
            room.setFrameShape(QFrame.Shape.NoFrame)
            room.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
            room.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            room.setWidget(page)
            self._stack.addWidget(room)
        foot = button_row(at_the_end=self._close)
        foot.setContentsMargins(24, 8, 24, 16)
        right = QVBoxLayout()
        right.setSpacing(0)
        right.addWidget(self._stack, 1)
        right.addLayout(foot)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._list)
        layout.addLayout(right, 1)

    def show_page(self, name: str) -> None:
        """Turns to a page of PAGES by name; an unknown name leaves the page as it is."""
        if name in PAGES:
            self._list.setCurrentRow(list(PAGES).index(name))

    def open(self) -> None:
        """Shows the dialog without blocking the window, or brings it to the front."""
        self.setModal(False)
        self.show()
        self.raise_()
        self.activateWindow()

    def set_tokens(self, tokens: Tokens) -> None:
        """Takes the colours of another theme."""
        selected = blend(tokens.accent, tokens.panel, 0.22)
        self.setPalette(palette(tokens))
        self.setStyleSheet(
            form_style(tokens)
            + f"""
    QDialog {{ background: {tokens.panel}; }}
    QListWidget#pages {{ background: {tokens.chart}; border-right: 1px solid {tokens.line}; padding: 12px 8px;
        outline: 0; }}
    QListWidget#pages::item {{ padding: 7px 9px; margin: 1px 0; border: 1px solid transparent;
        border-radius: 6px; color: {tokens.text}; }}
    QListWidget#pages::item:hover {{ background: {tokens.hover}; }}
    QListWidget#pages::item:selected {{ background: {selected}; color: {tokens.text}; }}
    QListWidget#pages::item:focus {{ border-color: {tokens.accent}; }}
    """
        )
        self.key_page.set_tokens(tokens)
        for row, name in enumerate(PAGES.values()):
            self._list.item(row).setIcon(icon(name, tokens.secondary))

    def showEvent(self, event: QShowEvent) -> None:
        if not event.spontaneous():
            self.key_page.renew()
            for page in (self.plan_page, self.connection_page, self.appearance_page, self.time_page):
                page.renew()
            self._list.setFocus()
        super().showEvent(event)

    def _change_world(self) -> None:
        self.close()
        self.world_change_requested.emit()

    def _open_demo(self) -> None:
        self.close()
        self.demo_requested.emit()
