"""A small popup with all time zones, to type into."""

from __future__ import annotations

from typing import Any, Final

from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QObject, QPersistentModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QFrame, QLineEdit, QListView, QVBoxLayout, QWidget

from desktop.domain.market import Market
from desktop.domain.zones import EXCHANGE, LOCAL, zone_names
from desktop.ui import formatting
from desktop.ui.chart.time_options import choice_text, local_zone, zone_of
from desktop.ui.forms import form_style
from desktop.ui.theme import Tokens

_FIRST: Final = ("UTC", LOCAL, EXCHANGE)
_STEPPED: Final = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)
_WIDE, _TALL = 320, 360


class ZoneRows(QAbstractListModel):
    """Choices that hold what was typed, as `Europe/Berlin · UTC+1`; the offset is that of a given time."""

    def __init__(self, market: Market, now_ms: int, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._market, self._now_ms = market, now_ms
        self.choices: tuple[str, ...] = (*_FIRST, *zone_names())

    def keep(self, text: str) -> None:
        """Only choices with all the words typed; nothing typed: all."""
        words = text.casefold().replace("_", " ").split()
        self.beginResetModel()
        everything = (*_FIRST, *zone_names())
        self.choices = tuple(one for one in everything if all(word in self._known(one) for word in words))
        self.endResetModel()

    def text(self, choice: str) -> str:
        """A row: the name, what it stands for, the offset."""
        zone = zone_of(choice, self._market)
        name = choice_text(choice)
        if choice in (LOCAL, EXCHANGE):
            name = f"{name} ({str(zone).replace('_', ' ')})"
        offset = formatting.zone_name(self._now_ms, zone)
        return name if offset == name else f"{name}  ·  {offset}"

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.choices)

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        return self.text(self.choices[index.row()]) if role == Qt.ItemDataRole.DisplayRole else None

    def _known(self, choice: str) -> str:
        place = str(local_zone()) if choice == LOCAL else ""
        return f"{choice_text(choice)} {place.replace('_', ' ')}".casefold()


class ZonePicker(QFrame):
    """`chosen(choice)`: a zone's name, `local` or `exchange`. Closes by Esc, a click elsewhere, and a choice."""

    chosen = Signal(str)

    def __init__(self, tokens: Tokens, choice: str, market: Market, now_ms: int, parent: QWidget) -> None:
        """choice: the present one; now_ms: offsets are those of this time."""
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setObjectName("zones")
        self.setAccessibleName("Time zone")
        self.setStyleSheet(
            form_style(tokens)
            + f"""
    QFrame#zones {{ background: {tokens.panel}; border: 1px solid {tokens.line}; }}
    QListView {{ background: {tokens.panel}; color: {tokens.text}; border: 0; outline: 0; }}
    QListView::item {{ padding: 5px 6px; border-radius: 4px; }}
    QListView::item:hover {{ background: {tokens.hover}; }}
    QListView::item:selected {{ background: {tokens.accent}; color: {tokens.accent_text}; }}
    """
        )
        self.field = QLineEdit()
        self.field.setPlaceholderText("City or zone, such as Berlin")
        self.field.setAccessibleName("City or zone")
        self.field.installEventFilter(self)
        self._window = parent
        self._before = QApplication.focusWidget()
        self.rows = ZoneRows(market, now_ms, self)
        self.list = QListView()
        self.list.setAccessibleName("Time zones")
        self.list.setModel(self.rows)
        self.list.setUniformItemSizes(True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.list.clicked.connect(lambda index: self._choose(index.row()))
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addWidget(self.field)
        column.addWidget(self.list, 1)
        self.resize(_WIDE, _TALL)
        self.field.textChanged.connect(self._on_text)
        self._select(self.rows.choices.index(choice) if choice in self.rows.choices else 0)

    def pop_up(self, corner: QPoint) -> None:
        """Opens with its lower right corner there (global), within the window."""
        window = self._window
        place = window.mapFromGlobal(corner) - QPoint(self.width(), self.height())
        x = max(0, min(place.x(), window.width() - self.width()))
        y = max(0, min(place.y(), window.height() - self.height()))
        self.move(x, y)
        self.show()
        self.raise_()
        self.field.setFocus(Qt.FocusReason.PopupFocusReason)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Arrows in the field walk through the list, Enter chooses, Esc and a focus elsewhere close."""
        if event.type() == QEvent.Type.FocusOut and self.isVisible():
            self.close()
        elif isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in _STEPPED:
                self.list.event(event)
                return True
            if event.key() == Qt.Key.Key_Escape:
                self._leave()
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._choose(self.list.currentIndex().row())
                return True
        return super().eventFilter(watched, event)

    def _on_text(self, text: str) -> None:
        self.rows.keep(text)
        self._select(0)

    def _select(self, row: int) -> None:
        index = self.rows.index(row, 0)
        self.list.setCurrentIndex(index)
        self.list.scrollTo(index)

    def _leave(self) -> None:
        """Closes; the keyboard goes back to whom it was taken from."""
        before, self._before = self._before, None
        self.close()
        if before is not None and before.isVisible():
            before.setFocus(Qt.FocusReason.PopupFocusReason)

    def _choose(self, row: int) -> None:
        if 0 <= row < len(self.rows.choices):
            choice = self.rows.choices[row]
            self._leave()
            self.chosen.emit(choice)
