"""The differences an audit found, as a table: time, field, what the cache had, what the vendor has."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from desktop.domain.audit import Difference
from desktop.domain.timeframe import ONE_MINUTE, Timeframe
from desktop.ui.audit_csv import value_text
from desktop.ui.chart.legend import bar_time
from desktop.ui.formatting import NOTHING
from desktop.ui.theme import number_font

_TITLES: Final = ("Time (UTC)", "Field", "Cache had", "Vendor has")
_ROOT: Final = QModelIndex()
_FONT_PX: Final = 13
_Index = QModelIndex | QPersistentModelIndex


class DifferencesModel(QAbstractTableModel):
    """Rows of differences; numbers in full precision, for they are to be compared digit by digit."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[Difference, ...] = ()
        self._timeframe: Timeframe = ONE_MINUTE
        self._font = number_font(_FONT_PX)

    def show_rows(self, rows: tuple[Difference, ...], timeframe: Timeframe) -> None:
        """Shows other differences."""
        self.beginResetModel()
        self._rows, self._timeframe = rows, timeframe
        self.endResetModel()

    def rowCount(self, parent: _Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(_TITLES)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(self._rows[index.row()], index.column())
        if role == Qt.ItemDataRole.FontRole:
            return self._font
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if index.column() >= 2 else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(_TITLES):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return _TITLES[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if section >= 2 else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def _text(self, difference: Difference, column: int) -> str:
        if column == 0:
            text = utc_bar_time(difference.start_ms, self._timeframe)
        elif column == 1:
            text = "whole bar" if difference.field == "bar" else difference.field
        else:
            text = value_text(difference.cached if column == 2 else difference.vendor) or NOTHING
        return text


def utc_bar_time(start_ms: int, timeframe: Timeframe) -> str:
    """A bar's start in UTC, without the zone's name; days without a time of day."""
    return bar_time(start_ms, timeframe, dt.UTC).removesuffix(" UTC")
