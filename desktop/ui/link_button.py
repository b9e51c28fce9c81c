"""The dot on a chart that shows the colour of its link, and changes it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QAction, QColor, QIcon, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from desktop.domain.layout import Link
from desktop.ui.services_api import ChartDataApi, WorkspaceApi
from desktop.ui.theme import Tokens

_SIZE_PX: Final = 20
_SHARED: Final = (
    ("interval", "Same interval"),
    ("crosshair", "Shared crosshair"),
    ("range", "Same time range"),
)


class LinkButton(QToolButton):
    """Belongs to one chart; its menu has the six groups and what the charts of a group share."""

    def __init__(self, workspace: WorkspaceApi, data: ChartDataApi, tokens: Tokens, parent: QWidget) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._data = data
        self._tokens = tokens
        self.setObjectName("link")
        self.setProperty("flat", True)
        self.setProperty("small", True)
        self.setFixedSize(_SIZE_PX, _SIZE_PX)
        self.setIconSize(QSize(14, 14))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self.clicked.connect(self._open)
        self.refresh()

    def set_tokens(self, tokens: Tokens) -> None:
        """Other colours."""
        self._tokens = tokens
        self.refresh()

    def refresh(self) -> None:
        """Shows the link of now."""
        link = self._workspace.link_of(self._data)
        self.setIcon(dot_icon(link, self._tokens))
        group = "not linked" if link is None else f"linked, {link.value}"
        self.setToolTip(f"{self._data.ticker}: {group}" if self._data.ticker else group.capitalize())
        self.setAccessibleName(f"Link of {self._data.ticker}: {group}")

    def menu_of_links(self) -> QMenu:
        """None and six colours; below them what this chart's group shares. Deletes itself when it closes."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        link = self._workspace.link_of(self._data)
        for other in (None, *Link):
            action = menu.addAction("Not linked" if other is None else other.value.capitalize())
            action.setIcon(dot_icon(other, self._tokens))
            action.setCheckable(True)
            action.setChecked(other is link)
            action.triggered.connect(partial(self._choose, other))
        menu.addSection("Charts of this colour")
        for name, text in _SHARED:
            self._add_option(menu, link, name, text)
        return menu

    def _add_option(self, menu: QMenu, link: Link | None, name: str, text: str) -> QAction:
        action = menu.addAction(text)
        action.setCheckable(True)
        action.setEnabled(link is not None)
        if link is not None:
            options = self._workspace.options(link)
            action.setChecked(getattr(options, name))
            action.triggered.connect(
                lambda is_on: self._workspace.set_options(link, replace(options, **{name: bool(is_on)}))
            )
        return action

    def _choose(self, link: Link | None, _checked: bool = False) -> None:
        self._workspace.set_link(self._data, link)

    def _open(self) -> None:
        self.menu_of_links().popup(self.mapToGlobal(self.rect().bottomLeft()))


def dot_icon(link: Link | None, tokens: Tokens) -> QIcon:
    """A filled dot in the group's colour; a ring for none."""
    answer = QIcon()
    for scale in (1, 2, 3):
        pixmap = QPixmap(14 * scale, 14 * scale)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.scale(scale, scale)
        if link is None:
            painter.setPen(QPen(QColor(tokens.secondary), 1.25))
            painter.drawEllipse(QRectF(3.5, 3.5, 7, 7))
        else:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.links[list(Link).index(link)]))
            painter.drawEllipse(QRectF(2, 2, 10, 10))
        painter.end()
        pixmap.setDevicePixelRatio(scale)
        answer.addPixmap(pixmap)
    return answer
