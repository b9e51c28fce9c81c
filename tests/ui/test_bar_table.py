"""The table of bars: every value, a million rows, following the chart, copied as a spreadsheet takes it."""

from __future__ import annotations

import tracemalloc

import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtGui import QAccessible, QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester, QTest
from pytestqt.qtbot import QtBot

from desktop.domain.bar_text import bars_tsv
from desktop.domain.bars import Bar, Bars, BarSeries
from desktop.ui.bar_table import MOST_COPIED, BarsModel, BarTableDialog
from desktop.ui.theme import DARK
from tests.ui.chart_source import START_MS, SeriesSource, walk

pytestmark = pytest.mark.usefixtures("qapp")
SELECT = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows


@pytest.fixture
def source() -> SeriesSource:
    return SeriesSource(walk(300))


def show(qtbot: QtBot, source: SeriesSource, row: int = 0) -> BarTableDialog:
    dialog = BarTableDialog(source, row, DARK)
    qtbot.addWidget(dialog)
    with qtbot.waitExposed(dialog):
        dialog.show()
    return dialog


def row_of(model: BarsModel, row: int) -> list[str]:
    return [model.index(row, column).data() for column in range(model.columnCount())]


def test_a_row_says_every_value_in_full() -> None:
    bar = Bar(START_MS, 0.1 + 0.2, 64_000.0, 1.5e-7, 62_000.5, float("nan"), 3.0, 17.0)
    model = BarsModel(SeriesSource(Bars.from_rows([bar])))
    assert row_of(model, 0) == [
        "2026-03-03 14:00:00",
        "0.30000000000000004",
        "64000",
        "0.00000015",
        "62000.5",
        "—",
        "3",
        "17",
    ]
    titles = [model.headerData(n, Qt.Orientation.Horizontal) for n in range(model.columnCount())]
    assert titles == ["Time (UTC)", "Open", "High", "Low", "Close", "Volume", "VWAP", "Trades"]
    assert model.headerData(0, Qt.Orientation.Vertical) == "2026-03-03 14:00:00"


def test_the_model_follows_every_change_of_the_source(source: SeriesSource) -> None:
    model = BarsModel(source)
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)
    inserted: list[tuple[int, int]] = []
    model.rowsInserted.connect(lambda _parent, first, last: inserted.append((first, last)))
    source.put(Bar(START_MS + 60_000, 1, 2, 0.5, 1.25))
    source.put(Bar(START_MS + 60_000, 1, 2, 0.5, 1.75))
    assert row_of(model, 300)[4] == "1.75"
    source.merge(walk(50, end_ms=START_MS - 300 * 60_000))
    assert inserted == [(300, 300), (0, 49)]
    assert model.rowCount() == len(source.series) == 351
    assert row_of(model, 350)[4] == "1.75"
    source.show(walk(7), "X:ETHUSD", source.timeframe)
    assert model.rowCount() == 7
    source.show(None, "X:ETHUSD", source.timeframe)
    assert model.rowCount() == 0
    tester.deleteLater()


def test_fewer_bars_than_before_are_shown_as_they_are(source: SeriesSource) -> None:
    model = BarsModel(source)
    source.series.remove(source.series.bars.start_ms[-3:].copy())
    source.changed.emit(0)
    assert model.rowCount() == 297


def test_selected_rows_are_copied_as_tsv(qtbot: QtBot, source: SeriesSource) -> None:
    dialog = show(qtbot, source)
    selection = dialog.table.selectionModel()
    selection.clear()
    for row in (250, 3, 4):
        selection.select(dialog.model.index(row, 2), SELECT)
    QTest.keySequence(dialog, "Ctrl+C")
    bars = source.series.bars
    expected = bars_tsv(Bars.from_rows([bars[3], bars[4], bars[250]]))
    assert QGuiApplication.clipboard().text() == expected
    assert dialog.remark.text() == "3 bars copied."


def test_a_million_rows_open_at_the_last_and_cost_nothing_each(qtbot: QtBot) -> None:
    source = SeriesSource()
    source.series = BarSeries(walk(1_000_000))
    tracemalloc.start()
    dialog = show(qtbot, source, 999_999)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000_000
    assert dialog.table.currentIndex().row() == 999_999
    assert dialog.table.visualRect(dialog.model.index(999_999, 0)).intersects(dialog.table.viewport().rect())
    source.put(Bar(START_MS + 60_000, 1, 2, 0.5, 1.25))
    assert dialog.model.rowCount() == 1_000_001
    dialog.table.selectAll()
    QGuiApplication.clipboard().setText("as before")
    dialog.copy()
    assert QGuiApplication.clipboard().text() == "as before"
    assert f"{MOST_COPIED:,}" not in dialog.remark.text()
    assert "Save them as CSV" in dialog.remark.text()


def test_a_screen_reader_finds_table_headers_and_cells(qtbot: QtBot, source: SeriesSource) -> None:
    dialog = show(qtbot, source, 5)
    table = QAccessible.queryAccessibleInterface(dialog.table)
    assert table.role() == QAccessible.Role.Table
    assert table.text(QAccessible.Text.Name) == "Bars of X:BTCUSD, 1m"
    assert dialog.table.hasFocus()
    focus = table.focusChild()
    assert focus is not None
    assert focus.text(QAccessible.Text.Name) == f"Time (UTC): {row_of(dialog.model, 5)[0]}"
