"""The watched tickers as a table: texts made once per change, rows in the person's own order or sorted."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QMimeData, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor, QFont

from desktop.ui.chart.source import Clock
from desktop.ui.services_api import LiveApi, SearchApi
from desktop.ui.theme import Tokens, number_font, text_font
from desktop.ui.ticker_mime import TICKER_MIME, ticker_mime
from desktop.ui.ticker_row import ALIGNED, HINTS, TITLES, Column, Row, ticker_code

FONT_PX: Final = 13
TICKER_ROLE: Final = int(Qt.ItemDataRole.UserRole) + 1  # str
FRESHNESS_ROLE: Final = int(Qt.ItemDataRole.UserRole) + 2  # Freshness
FLASH_ROLE: Final = int(Qt.ItemDataRole.UserRole) + 3  # 1 up, -1 down, 0 no flash
_ROOT: Final = QModelIndex()
_Index = QModelIndex | QPersistentModelIndex


class TickerModel(QAbstractTableModel):
    """Rows in watchlist order until sorted by a column; `refresh` tells views of changed rows alone."""

    def __init__(
        self,
        live: LiveApi,
        search: SearchApi,
        clock: Clock,
        tokens: Tokens,
        parent: QObject | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(parent)
        self._live = live
        self._search = search
        self._clock = clock
        self._monotonic = monotonic
        self._own_order: tuple[str, ...] = ()
        self._rows: list[Row] = []
        self._places: dict[str, int] = {}
        self._sorted_by: Column | None = None
        self._is_descending = False
        self._text_font, self._number_font = text_font(FONT_PX), number_font(FONT_PX)
        self._up, self._down, self._dim = QColor(), QColor(), QColor()
        self.set_tokens(tokens)

    # --- what it shows -------------------------------------------------------------------------------------

    @property
    def tickers(self) -> tuple[str, ...]:
        """As shown, first row first."""
        return tuple(row.ticker for row in self._rows)

    @property
    def sorted_by(self) -> Column | None:
        """None: the person's own order."""
        return self._sorted_by

    def row_of(self, ticker: str) -> int | None:
        """Its row as shown; None when it is not in the table."""
        return self._places.get(ticker)

    def widest(self, column: Column) -> str:
        """The longest text of a column; empty without rows."""
        return max((row.texts[column] for row in self._rows), key=len, default="")

    def title(self, column: Column) -> str:
        """The header's text; an arrow on the side of the room that is left says what the rows are sorted by."""
        if column is not self._sorted_by:
            return TITLES[column]
        mark = "↓" if self._is_descending else "↑"
        return f"{TITLES[column]} {mark}" if column is Column.SYMBOL else f"{mark} {TITLES[column]}"

    def set_tokens(self, tokens: Tokens) -> None:
        """Other colours."""
        self._up, self._down, self._dim = QColor(tokens.up_ink), QColor(tokens.down_ink), QColor(tokens.secondary)
        if self._rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._rows) - 1, len(Column) - 1))

    def set_tickers(self, tickers: Sequence[str]) -> None:
        """Follows the watchlist: rows that stay keep their selection."""
        self._own_order = tuple(tickers)
        wanted = set(tickers)
        for place in range(len(self._rows) - 1, -1, -1):
            if self._rows[place].ticker not in wanted:
                self.beginRemoveRows(_ROOT, place, place)
                del self._rows[place]
                self._find_places()
                self.endRemoveRows()
        new = [ticker for ticker in tickers if ticker not in self._places]
        if new:
            self.beginInsertRows(_ROOT, len(self._rows), len(self._rows) + len(new) - 1)
            self._rows.extend(self._new_row(ticker) for ticker in new)
            self._find_places()
            self.endInsertRows()
        self.arrange()

    def name_again(self) -> None:
        """Takes over names and codes from a catalogue that was loaded meanwhile."""
        changed = set()
        for row in self._rows:
            info = self._search.info(row.ticker)
            if info is not None and (row.name, row.code) != (info.name, ticker_code(row.ticker, info)):
                row.name, row.code = info.name, ticker_code(row.ticker, info)
                row.style, row.is_style_settled = None, False
                changed.add(row.ticker)
        self.refresh(changed)

    def refresh(self, changed: set[str]) -> None:
        """Reads the board again for these tickers, ends flashes; emits dataChanged for rows that look different."""
        now_s = self._monotonic()
        for place, row in enumerate(self._rows):
            is_different = row.ticker in changed and self._read(row, now_s)
            if row.flash and now_s >= row.flash_ends_s:
                row.flash = 0
                is_different = True
            if is_different:
                self.dataChanged.emit(self.index(place, 0), self.index(place, len(Column) - 1))

    def arrange(self) -> None:
        """Brings the rows into the wanted order again."""
        target = self._target()
        if target == [row.ticker for row in self._rows]:
            return
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        held = [(self._rows[index.row()].ticker, index.column()) for index in before]
        by_ticker = {row.ticker: row for row in self._rows}
        self._rows = [by_ticker[ticker] for ticker in target]
        self._find_places()
        after = [self.createIndex(self._places[ticker], column) for ticker, column in held]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    # --- QAbstractTableModel -------------------------------------------------------------------------------

    def rowCount(self, parent: _Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(Column)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row, column = self._rows[index.row()], Column(index.column())
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return row.texts[column]
            case Qt.ItemDataRole.TextAlignmentRole:
                return ALIGNED[column] | Qt.AlignmentFlag.AlignVCenter
            case Qt.ItemDataRole.ForegroundRole:
                return self._colour(row, column)
            case Qt.ItemDataRole.FontRole:
                return self._font(column)
            case Qt.ItemDataRole.ToolTipRole:
                return row.tooltip(column)
            case Qt.ItemDataRole.AccessibleTextRole:
                return row.spoken(column)
        if role == TICKER_ROLE:
            return row.ticker
        if role == FRESHNESS_ROLE:
            return row.freshness
        if role == FLASH_ROLE:
            return row.flash
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(Column):
            return None
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self.title(Column(section))
            case Qt.ItemDataRole.TextAlignmentRole:
                return ALIGNED[section] | Qt.AlignmentFlag.AlignVCenter
            case Qt.ItemDataRole.ToolTipRole | Qt.ItemDataRole.AccessibleTextRole:
                return HINTS[section]
        return None

    def flags(self, index: _Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.ItemIsDropEnabled
        usual = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren
        return usual | Qt.ItemFlag.ItemIsDragEnabled

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.MoveAction

    def supportedDragActions(self) -> Qt.DropAction:
        """Moved within the table, copied to a chart."""
        return Qt.DropAction.MoveAction | Qt.DropAction.CopyAction

    def mimeTypes(self) -> list[str]:
        return [TICKER_MIME]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        return ticker_mime(self._rows[indexes[0].row()].ticker) if indexes else QMimeData()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """By a column; a negative one gives the person's own order back."""
        self._sorted_by = Column(column) if 0 <= column < len(Column) else None
        self._is_descending = order == Qt.SortOrder.DescendingOrder
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(Column) - 1)
        self.arrange()

    # --- inside --------------------------------------------------------------------------------------------

    def _new_row(self, ticker: str) -> Row:
        info = self._search.info(ticker)
        row = Row(ticker, ticker_code(ticker, info), "" if info is None else info.name)
        self._read(row, None)
        return row

    def _find_places(self) -> None:
        self._places = {row.ticker: place for place, row in enumerate(self._rows)}

    def _read(self, row: Row, flash_s: float | None) -> bool:
        quote, info = self._live.board.get(row.ticker), self._search.info(row.ticker)
        return row.read(quote, info, self._clock.now_ms(), flash_s)

    def _target(self) -> list[str]:
        column = self._sorted_by
        if column is None:
            return [ticker for ticker in self._own_order if ticker in self._places]
        if column is Column.SYMBOL:
            by_code = sorted(self._rows, key=lambda row: row.code, reverse=self._is_descending)
            return [row.ticker for row in by_code]
        known = [(value, row.ticker) for row in self._rows if (value := _known(row.values[column])) is not None]
        known.sort(key=lambda pair: pair[0], reverse=self._is_descending)
        tickers = [ticker for _value, ticker in known]
        return tickers + [row.ticker for row in self._rows if _known(row.values[column]) is None]

    def _colour(self, row: Row, column: Column) -> QColor | None:
        is_price = column in (Column.LAST, Column.CHANGE, Column.CHANGE_PCT)
        if is_price and row.direction and not row.is_untrusted:
            return self._up if row.direction > 0 else self._down
        if column in (Column.VOLUME, Column.AGE) or (row.is_untrusted and column is not Column.SYMBOL):
            return self._dim
        return None

    def _font(self, column: Column) -> QFont:
        return self._text_font if column is Column.SYMBOL else self._number_font


def _known(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value
