"""The table widget of the ticker panel: keys, dragging rows, fitting columns to the width."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QDragMoveEvent, QDropEvent, QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QMenu, QTableView, QWidget

from desktop.ui.theme import Tokens, number_font, text_font
from desktop.ui.ticker_model import FONT_PX, TICKER_ROLE, TickerModel
from desktop.ui.ticker_paint import CELL_MARGIN_PX, DOT_SPACE_PX, TickerDelegate
from desktop.ui.ticker_row import TITLES, Column

ROW_PX: Final = 24
_HEADER_PX: Final = 28
_HEADER_FONT_PX: Final = 12
_ROUNDING_PX: Final = 2  # between a width in whole pixels and what eliding measures
_LEAST_TEXT: Final = "0.00000"  # no number column is narrower than this
_GIVES_WAY: Final = ((Column.BID, Column.ASK), (Column.VOLUME,), (Column.CHANGE,), (Column.AGE,))  # first to go first
EMPTY_TEXT: Final = "The watchlist is empty.\nAdd a symbol below, or press Shift+Enter in the search."


class TickerTable(QTableView):
    """Shows as many columns as fit; a person's own choice of columns and widths goes before that."""

    opened = Signal(str)
    remove_wanted = Signal(str)
    move_wanted = Signal(str, int)  # ticker, index in the list without it

    def __init__(self, model: TickerModel, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._delegate = TickerDelegate(tokens, self)
        self._chosen: frozenset[Column] | None = None  # None: whatever fits
        self._own_widths: dict[Column, int] = {}
        self._is_fitting = False
        self.setModel(model)
        self.setItemDelegate(self._delegate)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setDragDropOverwriteMode(False)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.setAccessibleName("Watchlist")
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setMinimumSectionSize(ROW_PX)
        self.verticalHeader().setDefaultSectionSize(ROW_PX)
        self._set_up_header()
        self.activated.connect(lambda index: self.opened.emit(index.data(TICKER_ROLE)))

    def _set_up_header(self) -> None:
        header = self.horizontalHeader()
        header.setFont(text_font(_HEADER_FONT_PX))
        header.setFixedHeight(_HEADER_PX)
        header.setMinimumSectionSize(36)
        header.setHighlightSections(False)
        header.setSortIndicatorClearable(True)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        header.setAccessibleName("Columns")
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(self._pop_up_columns)
        header.sectionResized.connect(self._on_section_resized)
        self.setSortingEnabled(True)
        header.setSortIndicatorShown(False)  # the titles carry the arrow: the style's one covers them
        header.sortIndicatorChanged.connect(self.fit)

    def set_tokens(self, tokens: Tokens) -> None:
        self._delegate.set_tokens(tokens)
        self.viewport().update()

    def current_ticker(self) -> str | None:
        index = self.currentIndex()
        return index.data(TICKER_ROLE) if index.isValid() else None

    # --- columns -------------------------------------------------------------------------------------------

    @property
    def shown(self) -> tuple[Column, ...]:
        """The columns that are not hidden."""
        return tuple(column for column in Column if not self.isColumnHidden(column))

    def choose_columns(self, columns: frozenset[Column] | None) -> None:
        """Shows exactly these (the symbol always); None: whatever fits."""
        self._chosen = None if columns is None else columns | {Column.SYMBOL}
        if columns is None:
            self._own_widths.clear()
        self.fit()

    def fit(self) -> None:
        """Hides what does not fit, unless columns were chosen, and shares out the room that is left."""
        room = self.viewport().width()
        needed = {column: self._own_widths.get(column, self._needed_px(column)) for column in Column}
        shown = set(Column) if self._chosen is None else set(self._chosen)
        if self._chosen is None:
            for group in _GIVES_WAY:
                if sum(needed[column] for column in shown) <= room:
                    break
                shown.difference_update(group)
        spare = max(0, room - sum(needed[column] for column in shown))
        stretching = [column for column in Column if column in shown and column not in self._own_widths]
        self._is_fitting = True
        for column in Column:
            self.setColumnHidden(column, column not in shown)
            if column in stretching:
                share = spare // len(stretching) + (spare % len(stretching) if column == stretching[0] else 0)
                self.setColumnWidth(column, needed[column] + share)
        self._is_fitting = False

    def _needed_px(self, column: Column) -> int:
        text = self._model.widest(column)
        header_metrics = QFontMetrics(self.horizontalHeader().font())
        title_px = header_metrics.horizontalAdvance(self._model.title(column)) + 2 * CELL_MARGIN_PX
        if column is Column.SYMBOL:
            text_px = QFontMetrics(text_font(FONT_PX)).horizontalAdvance(text or "BTC/USD")
        else:
            metrics = QFontMetrics(number_font(FONT_PX))
            least = "0.0 s" if column is Column.AGE else _LEAST_TEXT
            text_px = max(metrics.horizontalAdvance(text), metrics.horizontalAdvance(least))
        dot_px = DOT_SPACE_PX if column is Column.AGE else 0
        return max(title_px, text_px + dot_px + 2 * CELL_MARGIN_PX) + _ROUNDING_PX

    def _on_section_resized(self, section: int, _old: int, new: int) -> None:
        if not self._is_fitting and new > 0:
            self._own_widths[Column(section)] = new

    def columns_menu(self) -> QMenu:
        """Which columns are shown; deletes itself when it closes."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        automatic = menu.addAction("As many as fit")
        automatic.setCheckable(True)
        automatic.setChecked(self._chosen is None)
        automatic.triggered.connect(lambda: self.choose_columns(None))
        menu.addSeparator()
        for column in Column:
            action = menu.addAction(TITLES[column])
            action.setCheckable(True)
            action.setChecked(not self.isColumnHidden(column))
            action.setEnabled(column is not Column.SYMBOL)
            action.triggered.connect(lambda _checked, column=column: self._toggle(column))
        return menu

    def _toggle(self, column: Column) -> None:
        self.choose_columns(frozenset(self.shown) ^ {column})

    def _pop_up_columns(self, at: QPoint) -> None:
        self.columns_menu().popup(self.horizontalHeader().mapToGlobal(at))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()

    # --- keys, dragging, the empty list ----------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        ticker = self.current_ticker()
        is_alt = event.modifiers() == Qt.KeyboardModifier.AltModifier
        match event.key():
            case Qt.Key.Key_Return | Qt.Key.Key_Enter if ticker is not None:
                self.opened.emit(ticker)
            case Qt.Key.Key_Delete | Qt.Key.Key_Backspace if ticker is not None:
                self.remove_wanted.emit(ticker)
            case Qt.Key.Key_Up | Qt.Key.Key_Down if is_alt and ticker is not None and self._model.sorted_by is None:
                step = -1 if event.key() == Qt.Key.Key_Up else 1
                target = self.currentIndex().row() + step
                if 0 <= target < self._model.rowCount():
                    self.move_wanted.emit(ticker, target)
            case _:
                super().keyPressEvent(event)
                return
        event.accept()

    def keyboardSearch(self, search: str) -> None:
        """Typing jumps to a symbol, whichever column was clicked."""
        index = self.currentIndex()
        if index.isValid() and index.column() != Column.SYMBOL:
            self.setCurrentIndex(index.siblingAtColumn(Column.SYMBOL))
        super().keyboardSearch(search)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        """While the rows are sorted they can be dragged to a chart, not among themselves."""
        if self._model.sorted_by is None:
            super().dragMoveEvent(event)
        else:
            event.ignore()

    def dropEvent(self, event: QDropEvent) -> None:
        event.setDropAction(Qt.DropAction.IgnoreAction)  # the watchlist moves it; the view must not remove rows
        event.accept()
        if event.source() is self:
            self.take_drop(event.position().toPoint())
        self.setState(QAbstractItemView.State.NoState)
        self.viewport().update()

    def take_drop(self, at: QPoint) -> None:
        """The current row was let go at a place of the viewport."""
        ticker = self.current_ticker()
        if ticker is not None and self._model.sorted_by is None:
            self.move_wanted.emit(ticker, self._drop_index(at, self.currentIndex().row()))

    def _drop_index(self, at: QPoint, origin: int) -> int:
        """Where a dragged row lands in the list without it."""
        row = self.rowAt(at.y())
        if row < 0:
            gap = self._model.rowCount()
        else:
            gap = row + (at.y() >= self.rowViewportPosition(row) + self.rowHeight(row) / 2)
        return gap - 1 if gap > origin else gap

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._model.rowCount() == 0:
            painter = QPainter(self.viewport())
            painter.setFont(text_font(FONT_PX))
            painter.setPen(self.palette().color(self.palette().ColorRole.PlaceholderText))
            box = self.viewport().rect().adjusted(16, 16, -16, -16)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, EMPTY_TEXT)
            painter.end()
