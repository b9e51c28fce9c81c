"""The bars of a chart as a table: for reading value by value, for screen readers, and to copy from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, cast

import numpy as np
from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelectionModel,
    QItemSelectionRange,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
)
from PySide6.QtGui import QAction, QFont, QFontMetrics, QGuiApplication, QKeySequence, QShowEvent
from PySide6.QtWidgets import QAbstractItemView, QDialog, QHeaderView, QTableView, QVBoxLayout, QWidget

from desktop.domain.bar_text import bars_tsv, number, utc_text
from desktop.domain.bars import VALUE_COLUMNS, Bars
from desktop.ui.chart.source import ChartSource
from desktop.ui.formatting import NOTHING
from desktop.ui.forms import Remark, button, button_row, form_style, label
from desktop.ui.theme import Tokens, number_font

MOST_COPIED: Final = 100_000  # bars; more belong into a file
_TITLES: Final = ("Time (UTC)", "Open", "High", "Low", "Close", "Volume", "VWAP", "Trades")
_ROOT: Final = QModelIndex()
_FONT_PX: Final = 13
_Index = QModelIndex | QPersistentModelIndex


class BarsModel(QAbstractTableModel):
    """A row for each bar of a source, oldest first; a cell is read when it is asked for. Follows the source."""

    def __init__(self, source: ChartSource, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._source = source
        self.bars = source.series.bars  # what the rows stand for: between two signals the source may be ahead
        self._font: QFont = number_font(_FONT_PX)
        source.reset.connect(self._on_reset)
        source.prepended.connect(self._on_prepended)
        source.changed.connect(self._on_changed)

    def rowCount(self, parent: _Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self.bars)

    def columnCount(self, parent: _Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(_TITLES)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self.bars):
            return None
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._text(index.row(), index.column())
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{_TITLES[index.column()]}: {self._text(index.row(), index.column())}"
            case Qt.ItemDataRole.FontRole:
                return self._font
            case Qt.ItemDataRole.TextAlignmentRole:
                return _side(index.column())
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            if orientation is Qt.Orientation.Horizontal:
                return _TITLES[section] if 0 <= section < len(_TITLES) else None
            return self._text(section, 0) if 0 <= section < len(self.bars) else None
        if role == Qt.ItemDataRole.TextAlignmentRole and orientation is Qt.Orientation.Horizontal:
            return _side(section)
        return None

    def _text(self, row: int, column: int) -> str:
        if column == 0:
            return utc_text(int(self.bars.start_ms[row])).replace("T", " ").removesuffix("Z")
        return number(float(getattr(self.bars, VALUE_COLUMNS[column - 1])[row])) or NOTHING

    # --- the source ----------------------------------------------------------------------------------------

    def _on_reset(self) -> None:
        self.beginResetModel()
        self.bars = self._source.series.bars
        self.endResetModel()

    def _on_prepended(self, count: int) -> None:
        bars, shown = self._source.series.bars, len(self.bars) + count
        if len(bars) < shown:
            self._on_reset()
            return
        self.beginInsertRows(_ROOT, 0, count - 1)
        self.bars = bars.take(0, shown)
        self.endInsertRows()

    def _on_changed(self, first_index: int) -> None:
        bars, shown = self._source.series.bars, len(self.bars)
        if len(bars) < shown:
            self._on_reset()
            return
        if len(bars) > shown:
            self.beginInsertRows(_ROOT, shown, len(bars) - 1)
            self.bars = bars
            self.endInsertRows()
        self.bars = bars
        self.dataChanged.emit(self.index(first_index, 0), self.index(len(bars) - 1, len(_TITLES) - 1))


class BarTableDialog(QDialog):
    """Stays open beside the window and follows the chart; deletes itself when it is closed."""

    def __init__(self, source: ChartSource, row: int, tokens: Tokens, parent: QWidget | None = None) -> None:
        """row: the bar to begin at."""
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._source = source
        self.resize(860, 520)
        self.setMinimumSize(480, 240)
        self.title = label("", "heading")
        self.remark = Remark()
        self.table = QTableView()
        self.model = BarsModel(source, self)
        self._set_up_table()
        self.copy_button = button("&Copy")
        self.close_button = button("C&lose")
        copy = QAction("Copy", self, shortcut=QKeySequence(QKeySequence.StandardKey.Copy))
        copy.triggered.connect(self.copy)
        self.addAction(copy)
        self.copy_button.clicked.connect(self.copy)
        self.close_button.clicked.connect(self.close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 16, 20, 14)
        layout.setSpacing(8)
        layout.addWidget(self.title)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.remark)
        layout.addLayout(button_row(self.copy_button, at_the_end=self.close_button))
        source.reset.connect(self._name)
        self._name()
        self.set_tokens(tokens)
        self.go_to(row)

    def _set_up_table(self) -> None:
        table = self.table
        table.setModel(self.model)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.setTabKeyNavigation(False)
        table.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerItem)
        rows, columns = table.verticalHeader(), table.horizontalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)  # every row is equally high: a million cost nothing
        metrics = QFontMetrics(number_font(_FONT_PX))
        rows.setDefaultSectionSize(metrics.height() + 8)
        columns.setResizeContentsPrecision(0)  # what is on the screen decides how wide a column is
        columns.setMinimumSectionSize(metrics.horizontalAdvance("0") * 10)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not event.spontaneous():
            self.table.resizeColumnsToContents()
            spare = self.table.viewport().width() - self.table.horizontalHeader().length()
            for column in range(self.model.columnCount() if spare > 0 else 0):
                width = self.table.columnWidth(column) + spare // self.model.columnCount()
                self.table.setColumnWidth(column, width)

    def go_to(self, row: int) -> None:
        """Selects a bar and shows it."""
        index = self.model.index(row, 0)
        if index.isValid():
            flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
            self.table.selectionModel().setCurrentIndex(index, flags)
            self.table.scrollTo(index, QAbstractItemView.ScrollHint.PositionAtCenter)
        self.table.setFocus()

    def copy(self) -> None:
        """The selected bars to the clipboard, as a spreadsheet takes them."""
        rows = self._selected_rows()
        if len(rows) > MOST_COPIED:
            self.remark.say(f"{len(rows):,} bars are too many for the clipboard. Save them as CSV instead.", "error")
            return
        bars = self.model.bars
        picked = Bars(bars.start_ms[rows], *(column[rows] for column in bars.values()))
        QGuiApplication.clipboard().setText(bars_tsv(picked))
        self.remark.say(f"{len(rows):,} bar{'' if len(rows) == 1 else 's'} copied.", "good")

    def set_tokens(self, tokens: Tokens) -> None:
        """Takes the colours of another theme."""
        self.setStyleSheet(
            form_style(tokens)
            + f"""
    QDialog {{ background: {tokens.panel}; }}
    QTableView {{ border: 1px solid {tokens.line}; }}
    QTableView:focus {{ border-color: {tokens.accent}; }}
    QTableView::item {{ padding: 0 6px; }}
    """
        )

    def _selected_rows(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Ascending, each once."""
        ranges = cast("Iterable[QItemSelectionRange]", self.table.selectionModel().selection())
        spans = [np.arange(part.top(), part.bottom() + 1) for part in ranges]
        return np.unique(np.concatenate(spans)) if spans else np.empty(0, np.int64)

    def _name(self) -> None:
        name = f"Bars of {self._source.ticker}, {self._source.timeframe}" if self._source.ticker else "Bars"
        self.setWindowTitle(name)
        self.title.setText(name)
        self.table.setAccessibleName(name)


def _side(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
