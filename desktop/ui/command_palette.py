"""The command palette: a field over the window that finds actions, tickers and timeframes by a few letters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFocusEvent, QFontMetrics, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QLineEdit,
    QListView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from desktop.domain.errors import BadInput
from desktop.domain.market import TickerInfo
from desktop.domain.timeframe import Timeframe
from desktop.ui import fuzzy
from desktop.ui.action_set import ActionSet, keys_text
from desktop.ui.services_api import SearchApi
from desktop.ui.theme import Tokens, blend, text_font
from desktop.ui.ticker_row import ticker_code
from desktop.ui.timeframe_bar import typed_timeframe, words_of

_WIDTH_PX: Final = 560
_ROW_PX: Final = 30
_VISIBLE_ROWS: Final = 12
_TICKERS: Final = 8
_ENTRY_ROLE: Final = int(Qt.ItemDataRole.UserRole)
_POPUP: Final = Qt.FocusReason.PopupFocusReason
_AnyIndex = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class Entry:
    """One row: what it is called, a few more words, its keys, and what Enter does."""

    name: str
    detail: str
    keys: str
    run: Callable[[], object]


class PaletteRows(QAbstractListModel):
    """The rows that were found."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.entries: list[Entry] = []

    def put(self, entries: list[Entry]) -> None:
        self.beginResetModel()
        self.entries = entries
        self.endResetModel()

    def rowCount(self, parent: _AnyIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.entries)

    def data(self, index: _AnyIndex, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        entry = self.entries[index.row()]
        if role == _ENTRY_ROLE:
            return entry
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return ", ".join(part for part in (entry.name, entry.detail, entry.keys) if part)
        return None


class _RowPainter(QStyledItemDelegate):
    """Name, quiet words behind it, keys at the right end."""

    def __init__(self, tokens: Tokens, parent: QListView) -> None:
        super().__init__(parent)
        self.tokens = tokens
        self._list = parent

    def sizeHint(self, option: QStyleOptionViewItem, index: _AnyIndex) -> QSize:
        return QSize(0, _ROW_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _AnyIndex) -> None:
        entry, tokens = index.data(_ENTRY_ROLE), self.tokens
        rect: QRect = option.rect
        is_chosen = index.row() == self._list.currentIndex().row()
        painter.save()
        if is_chosen:
            painter.fillRect(rect, QColor(blend(tokens.accent, tokens.raised, 0.22)))
            painter.fillRect(rect.x(), rect.y(), 3, rect.height(), QColor(tokens.accent))
        rect = rect.adjusted(14, 0, -14, 0)
        font = text_font(13)
        painter.setFont(font)
        metrics = QFontMetrics(font)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setPen(QColor(tokens.secondary))
        painter.drawText(rect, middle | Qt.AlignmentFlag.AlignRight, entry.keys)
        rect.setRight(rect.right() - metrics.horizontalAdvance(entry.keys) - 16)
        painter.setPen(QColor(tokens.text))
        painter.drawText(rect, middle, metrics.elidedText(entry.name, Qt.TextElideMode.ElideRight, rect.width()))
        rect.setLeft(rect.left() + metrics.horizontalAdvance(entry.name) + 14)
        if rect.width() > 40:
            painter.setPen(QColor(tokens.secondary))
            painter.drawText(rect, middle, metrics.elidedText(entry.detail, Qt.TextElideMode.ElideRight, rect.width()))
        painter.restore()


class CommandPalette(QFrame):
    """Enter does the highlighted row, Esc closes, the arrows choose. The keyboard goes back to where it was."""

    def __init__(
        self,
        actions: ActionSet,
        search: SearchApi,
        tokens: Tokens,
        window: QWidget,
        *,
        open_ticker: Callable[[str], None],
        open_timeframe: Callable[[Timeframe], None],
    ) -> None:
        super().__init__(window)
        self._window = window
        self._actions, self._search = actions, search
        self._open_ticker, self._open_timeframe = open_ticker, open_timeframe
        self._found: list[TickerInfo] = []
        self._before: QWidget | None = None  # had the keyboard
        self.field = QLineEdit()
        self.field.setPlaceholderText("Action, symbol or timeframe")
        self.field.setAccessibleName("Command palette")
        self.field.setAccessibleDescription("Enter does the highlighted row, the arrows choose, Escape closes")
        self.rows = PaletteRows(self)
        self.list = QListView()
        self.list.setModel(self.rows)
        self.list.setUniformItemSizes(True)
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setAccessibleName("Found")
        self._painter = _RowPainter(tokens, self.list)
        self.list.setItemDelegate(self._painter)
        self.list.clicked.connect(lambda index: self._do(index.row()))
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(6)
        column.addWidget(self.field)
        column.addWidget(self.list)
        self.setFocusProxy(self.field)
        self.field.installEventFilter(self)
        self.field.textChanged.connect(self._ask)
        search.results.connect(self._on_results)
        self.set_tokens(tokens)
        self.hide()

    def set_tokens(self, tokens: Tokens) -> None:
        """Other colours."""
        self._painter.tokens = tokens
        self.setStyleSheet(
            f"CommandPalette {{ background: {tokens.raised}; border: 1px solid {tokens.secondary};"
            f" border-radius: 8px; }} QListView {{ background: {tokens.raised}; }}"
        )
        self.list.viewport().update()

    def open(self) -> None:
        """Shows it, empty, near the top of the window."""
        if not self.isVisible():
            self._before = QApplication.focusWidget()
        self.field.clear()
        self._ask("")
        self.show()
        self.raise_()
        self.field.setFocus(Qt.FocusReason.PopupFocusReason)

    def close_up(self) -> None:
        """Hides it; the keyboard goes back."""
        before, self._before = self._before, None
        self.hide()
        if before is not None:
            before.setFocus(Qt.FocusReason.PopupFocusReason)

    # --- what is found ---------------------------------------------------------------------------------------

    def _ask(self, text: str) -> None:
        self._found = []
        self._show()
        self._search.set_query(text if text.strip() else "")

    def _on_results(self, query: str, rows: list[TickerInfo]) -> None:
        if self.isVisible() and query == self.field.text() and query.strip():
            self._found = rows[:_TICKERS]
            self._show()

    def _show(self) -> None:
        text = self.field.text().strip()
        scored = [(self._score(text, spec.name, spec.tip), spec) for spec in self._actions.offered]
        ranked = sorted((one for one in scored if one[0]), key=lambda one: -one[0])
        entries = [
            (mark, Entry(spec.name, spec.tip, keys_text(spec), partial(self._actions.run, spec.id)))
            for mark, spec in ranked
            if spec.id != "palette.open"
        ]
        good = [entry for mark, entry in entries if mark >= fuzzy.GOOD]
        rest = [entry for mark, entry in entries if mark < fuzzy.GOOD]
        self.rows.put([*self._timeframes(text), *good, *map(self._of_ticker, self._found), *rest])
        self._choose(0)
        self._place()

    @staticmethod
    def _score(text: str, name: str, tip: str) -> int:
        """A match in the name goes before one in the words about it."""
        in_tip = fuzzy.score(text, tip)
        return max(2 * fuzzy.score(text, name), in_tip if in_tip >= fuzzy.GOOD else 0)

    def _timeframes(self, text: str) -> list[Entry]:
        try:
            timeframe = typed_timeframe(text)
        except BadInput:
            return []
        if not text[0].isdigit():
            return []  # a letter means more than `1h`
        return [Entry(words_of(timeframe), "Timeframe", "", lambda: self._open_timeframe(timeframe))]

    def _of_ticker(self, info: TickerInfo) -> Entry:
        return Entry(ticker_code(info.ticker, info), info.name, "", lambda: self._open_ticker(info.ticker))

    def _place(self) -> None:
        window = self._window
        rows = min(_VISIBLE_ROWS, len(self.rows.entries))
        self.list.setFixedHeight(rows * _ROW_PX)
        self.list.setVisible(rows > 0)
        width = min(_WIDTH_PX, window.width() - 32)
        self.setFixedWidth(width)
        self.adjustSize()
        self.move((window.width() - width) // 2, min(96, window.height() // 8))

    # --- keys ------------------------------------------------------------------------------------------------

    def _choose(self, row: int) -> None:
        if self.rows.entries:
            index = self.rows.index(row % len(self.rows.entries), 0)
            self.list.setCurrentIndex(index)
            self.list.scrollTo(index)
            self.list.viewport().update()

    def _do(self, row: int) -> None:
        if not 0 <= row < len(self.rows.entries):
            return
        entry = self.rows.entries[row]
        self.close_up()
        entry.run()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.field:
            if isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
                return self._on_key(event)
            if isinstance(event, QFocusEvent) and event.lostFocus() and event.reason() is not _POPUP:
                self._before = None  # the keyboard went elsewhere by itself
                self.hide()
        return super().eventFilter(watched, event)

    def _on_key(self, event: QKeyEvent) -> bool:
        row = self.list.currentIndex().row()
        match event.key():
            case Qt.Key.Key_Escape:
                self.close_up()
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self._do(row)
            case Qt.Key.Key_Down:
                self._choose(row + 1)
            case Qt.Key.Key_Up:
                self._choose(row - 1)
            case Qt.Key.Key_PageDown:
                self._choose(min(row + _VISIBLE_ROWS, len(self.rows.entries) - 1))
            case Qt.Key.Key_PageUp:
                self._choose(max(row - _VISIBLE_ROWS, 0))
            case _:
                return False
        return True
