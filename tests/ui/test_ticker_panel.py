"""The live list: table model, painting of changes, keys, dragging, undo."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QAbstractItemModelTester, QTest
from pytestqt.qtbot import QtBot

from desktop.domain.freshness import Freshness
from desktop.domain.market import Market, TickerInfo
from desktop.ui.theme import DARK, LIGHT, blend
from desktop.ui.ticker_mime import dragged_ticker
from desktop.ui.ticker_model import FLASH_ROLE, FRESHNESS_ROLE, TickerModel
from desktop.ui.ticker_paint import FLASH_SHARE
from desktop.ui.ticker_panel import TickerPanel
from desktop.ui.ticker_row import FLASH_S, Column, currency_of, ticker_code
from tests.ui.window_services import NAMES, Parts, make_parts

Key = Qt.Key
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support", extend=True)  # lists that pop up
Role = Qt.ItemDataRole
DOWN, UP = Qt.SortOrder.DescendingOrder, Qt.SortOrder.AscendingOrder


class Stopwatch:
    """A monotonic clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def parts() -> Parts:
    return make_parts()


@pytest.fixture
def watch() -> Stopwatch:
    return Stopwatch()


@pytest.fixture
def model(qapp: object, parts: Parts, watch: Stopwatch) -> TickerModel:
    built = TickerModel(parts.live, parts.search, parts.clock, DARK, monotonic=watch)
    QAbstractItemModelTester(built, QAbstractItemModelTester.FailureReportingMode.Fatal, built)
    built.set_tickers(tuple(NAMES))
    return built


def make_panel(qtbot: QtBot, parts: Parts, width: int = 340) -> TickerPanel:
    panel = TickerPanel(parts.services, DARK)
    qtbot.addWidget(panel)
    panel.resize(width, 320)
    with qtbot.waitActive(panel):
        panel.show()
    panel.table.setFocus()
    return panel


def text(model: TickerModel, ticker: str, column: Column) -> str:
    row = model.row_of(ticker)
    assert row is not None
    return str(model.index(row, column).data())


def changed_rows(model: TickerModel) -> list[tuple[int, int]]:
    """First and last row of every dataChanged from now on."""
    seen: list[tuple[int, int]] = []
    model.dataChanged.connect(lambda first, last, _roles: seen.append((first.row(), last.row())))
    return seen


# --- the model ---------------------------------------------------------------------------------------------


def test_cells_are_written_as_people_read_them(model: TickerModel) -> None:
    btc = [text(model, "X:BTCUSD", column) for column in Column]
    assert btc == ["BTC/USD", "64,231.50", "+821.30", "▲ +1.30 %", "18.4 K", "64,225.08", "64,237.92", "0.4 s"]
    assert text(model, "X:PEPEUSD", Column.LAST) == "0.0₅1230"
    assert text(model, "X:PEPEUSD", Column.CHANGE) == "+0.0₇30"
    assert text(model, "C:EURUSD", Column.LAST) == "1.08342"
    assert text(model, "C:EURUSD", Column.CHANGE_PCT) == "▼ −0.15 %"
    row = model.row_of("X:PEPEUSD")
    assert row is not None
    assert model.index(row, Column.LAST).data(Role.ToolTipRole) == "Last price: 0.00000123"


def test_unknown_values_are_dashes(parts: Parts, model: TickerModel) -> None:
    model.set_tickers(("MSFT",))
    assert [text(model, "MSFT", column) for column in Column] == ["MSFT"] + ["—"] * 7
    assert model.index(0, Column.LAST).data(Role.AccessibleTextRole) == "MSFT last unknown"


def test_colour_follows_the_change_and_is_not_the_only_sign(model: TickerModel) -> None:
    up, down = model.row_of("X:BTCUSD"), model.row_of("X:ETHUSD")
    assert up is not None
    assert down is not None
    assert model.index(up, Column.CHANGE_PCT).data(Role.ForegroundRole) == QColor(DARK.up)
    assert model.index(down, Column.CHANGE_PCT).data(Role.ForegroundRole) == QColor(DARK.down)
    model.set_tokens(LIGHT)
    assert model.index(up, Column.LAST).data(Role.ForegroundRole) == QColor(LIGHT.up)


def test_freshness_is_told_in_words_too(model: TickerModel) -> None:
    row = model.row_of("C:EURUSD")
    assert row is not None
    index = model.index(row, Column.AGE)
    assert Freshness(index.data(FRESHNESS_ROLE)) is Freshness.STALE
    said = "EUR/USD stale, age 0.4 s, no connection for it: the price may have moved on"
    assert index.data(Role.AccessibleTextRole) == said
    assert index.data(Role.ToolTipRole).splitlines() == [
        "STALE 00:00: no connection for it: the price may have moved on",
        "Source: live feed",
        "Event time: Tue 03 Mar '26 14:00:17.6 UTC",
        "Received: Tue 03 Mar '26 14:00:17.7 UTC",
    ]


@pytest.mark.parametrize("freshness", [Freshness.STALE, Freshness.CACHED])
def test_a_price_that_may_have_moved_on_has_no_colour_of_its_direction(
    parts: Parts, model: TickerModel, freshness: Freshness
) -> None:
    row = model.row_of("X:BTCUSD")
    assert row is not None
    parts.live.board["X:BTCUSD"].freshness = freshness
    model.refresh({"X:BTCUSD"})
    for column in (Column.LAST, Column.CHANGE, Column.CHANGE_PCT):
        assert model.index(row, column).data(Role.ForegroundRole) == QColor(DARK.secondary)
    assert model.index(row, Column.SYMBOL).data(Role.ForegroundRole) is None


def test_only_rows_that_look_different_are_announced(parts: Parts, model: TickerModel) -> None:
    seen = changed_rows(model)
    model.refresh(set(NAMES))
    assert seen == []
    parts.live.board["X:SOLUSD"].last = 173.0
    parts.live.board["X:ETHUSD"].last = 3_500.0
    model.refresh({"X:SOLUSD", "NOT:WATCHED"})
    assert seen == [(2, 2)]
    assert text(model, "X:SOLUSD", Column.LAST) == "173.00"
    assert text(model, "X:ETHUSD", Column.LAST) == "3,412.77"


def test_a_price_flashes_in_its_direction_and_stops(parts: Parts, model: TickerModel, watch: Stopwatch) -> None:
    index = model.index(0, Column.LAST)
    parts.live.board["X:BTCUSD"].last = 64_300.0
    model.refresh({"X:BTCUSD"})
    assert index.data(FLASH_ROLE) == 1
    parts.live.board["X:BTCUSD"].last = 64_200.0
    model.refresh({"X:BTCUSD"})
    assert index.data(FLASH_ROLE) == -1
    seen = changed_rows(model)
    watch.now_s += FLASH_S * 0.9
    model.refresh(set())
    assert (index.data(FLASH_ROLE), seen) == (-1, [])
    watch.now_s += FLASH_S * 0.2
    model.refresh(set())
    assert (index.data(FLASH_ROLE), seen) == (0, [(0, 0)])


def test_the_first_price_of_a_ticker_does_not_flash(parts: Parts, model: TickerModel) -> None:
    quote = parts.live.board.pop("AAPL")
    model.set_tickers(("AAPL",))
    model.set_tickers(())
    model.set_tickers(("AAPL",))
    parts.live.board["AAPL"] = quote
    model.refresh({"AAPL"})
    assert model.index(0, Column.LAST).data() == "187.22"
    assert model.index(0, Column.LAST).data(FLASH_ROLE) == 0


def test_digits_do_not_flicker_at_a_border(parts: Parts, model: TickerModel) -> None:
    quote = parts.live.board["X:SOLUSD"]
    quote.last = 99.5
    model.refresh({"X:SOLUSD"})
    assert text(model, "X:SOLUSD", Column.LAST) == "99.50"


def test_sorting_puts_the_unknown_last_and_the_third_click_gives_the_own_order(model: TickerModel) -> None:
    model.set_tickers((*NAMES, "MSFT"))
    model.sort(Column.CHANGE_PCT, DOWN)
    assert (model.tickers[0], model.tickers[-2:]) == ("X:SOLUSD", ("X:ETHUSD", "MSFT"))
    model.sort(Column.CHANGE_PCT, UP)
    assert (model.tickers[0], model.tickers[-1]) == ("X:ETHUSD", "MSFT")
    model.sort(Column.SYMBOL, UP)
    assert model.tickers[:2] == ("AAPL", "X:BTCUSD")
    model.sort(-1, UP)
    assert model.tickers == (*NAMES, "MSFT")


def test_persistent_indexes_follow_their_ticker(model: TickerModel) -> None:
    held = QPersistentModelIndex(model.index(0, Column.SYMBOL))
    model.sort(Column.LAST, UP)
    assert held.data() == "BTC/USD"
    model.set_tickers(("AAPL", "X:BTCUSD", "C:EURUSD", "MSFT"))
    assert held.data() == "BTC/USD"
    model.set_tickers(("AAPL",))
    assert not held.isValid()


def test_names_arrive_with_the_catalogue(parts: Parts, model: TickerModel, monkeypatch: pytest.MonkeyPatch) -> None:
    known = parts.search.info
    monkeypatch.setattr(parts.search, "info", lambda _ticker: None)
    model.set_tickers(())
    model.set_tickers(("X:PEPEUSD",))
    assert model.index(0, 0).data(Role.ToolTipRole) == "X:PEPEUSD"
    monkeypatch.setattr(parts.search, "info", known)
    model.name_again()
    assert model.index(0, 0).data(Role.ToolTipRole) == "Pepe – US Dollar\nX:PEPEUSD"


@pytest.mark.parametrize(
    ("ticker", "code", "currency"),
    [("X:BTCUSD", "BTC/USD", "USD"), ("C:USDJPY", "USD/JPY", "JPY"), ("AAPL", "AAPL", ""), ("X:Q", "Q", "Q")],
)
def test_codes_without_a_catalogue(ticker: str, code: str, currency: str) -> None:
    assert (ticker_code(ticker), currency_of(ticker)) == (code, currency)


def test_code_from_the_catalogue() -> None:
    info = TickerInfo("X:ABCDEF", "", Market.CRYPTO, base="ABCD", currency="EF")
    assert (ticker_code("X:ABCDEF", info), currency_of("X:ABCDEF", info)) == ("ABCD/EF", "EF")


# --- the panel ---------------------------------------------------------------------------------------------


def test_live_changes_reach_the_table_by_themselves(qtbot: QtBot, parts: Parts) -> None:
    panel = make_panel(qtbot, parts)
    parts.live.board["X:BTCUSD"].last = 70_000.0
    parts.live.changed_tickers.add("X:BTCUSD")
    with qtbot.waitSignal(panel.model.dataChanged):
        pass
    assert panel.model.index(0, Column.LAST).data() == "70,000.00"


def test_a_hidden_panel_leaves_the_changes_until_it_is_shown(qtbot: QtBot, parts: Parts) -> None:
    panel = make_panel(qtbot, parts)
    panel.hide()
    parts.live.board["X:BTCUSD"].last = 70_000.0
    parts.live.changed_tickers = {"X:BTCUSD"}
    qtbot.wait(120)  # more than two ticks: none may come
    assert parts.live.changed_tickers == {"X:BTCUSD"}
    panel.show()
    assert panel.model.index(0, Column.LAST).data() == "70,000.00"


def test_the_price_cell_is_painted_in_the_flash(qtbot: QtBot, parts: Parts) -> None:
    panel = make_panel(qtbot, parts)
    panel.table.clearSelection()
    parts.live.board["X:BTCUSD"].last = 70_000.0
    panel.model.refresh({"X:BTCUSD"})
    rect = panel.table.visualRect(panel.model.index(0, Column.LAST))
    image = panel.table.viewport().grab().toImage()
    assert image.pixelColor(rect.topLeft() + QPoint(1, 1)).name() == blend(DARK.up, DARK.chart, FLASH_SHARE)
    beside = panel.table.visualRect(panel.model.index(1, Column.LAST))
    assert image.pixelColor(beside.topLeft() + QPoint(1, 1)) == QColor(DARK.chart)


@pytest.mark.parametrize("freshness", list(Freshness))
def test_every_freshness_has_a_dot_of_its_own(qtbot: QtBot, parts: Parts, freshness: Freshness) -> None:
    panel = make_panel(qtbot, parts)
    pictures = []
    for shown in Freshness:
        parts.live.board["AAPL"].freshness = shown
        panel.model.refresh({"AAPL"})
        row = panel.model.row_of("AAPL")
        assert row is not None
        rect = panel.table.visualRect(panel.model.index(row, Column.AGE))
        picture = panel.table.viewport().grab(rect).toImage()
        pictures.append((shown, picture.convertToFormat(QImage.Format.Format_Grayscale8)))
    own = next(picture for shown, picture in pictures if shown is freshness)
    assert all(picture != own for shown, picture in pictures if shown is not freshness)


def test_enter_and_double_click_open(qtbot: QtBot, parts: Parts) -> None:
    panel = make_panel(qtbot, parts)
    opened: list[str] = []
    panel.ticker_chosen.connect(opened.append)
    panel.table.selectRow(1)
    QTest.keyClick(panel.table, Key.Key_Return)
    assert opened == ["X:ETHUSD"]
    at = panel.table.visualRect(panel.model.index(2, 0)).center()
    QTest.mouseClick(panel.table.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
    assert opened == ["X:ETHUSD"]
    QTest.mouseDClick(panel.table.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
    assert opened == ["X:ETHUSD", "X:SOLUSD"]


def test_delete_removes_and_undo_puts_it_back(qtbot: QtBot, parts: Parts) -> None:
    panel = make_panel(qtbot, parts)
    panel.table.selectRow(1)
    QTest.keyClick(panel.table, Key.Key_Delete)
    assert "X:ETHUSD" not in parts.watchlist.tickers
    assert panel.table.current_ticker() == "X:SOLUSD"
    (notice,) = parts.notices.open
    assert (notice.text, notice.action) == ("ETH/USD was removed from the watchlist.", "Undo")
    assert notice.action_id == "undo-remove:X:ETHUSD"
    assert panel.run_action(notice.action_id)
    assert parts.watchlist.tickers == tuple(NAMES)
    assert panel.table.current_ticker() == "X:ETHUSD"
    assert parts.notices.open == ()
    assert not panel.run_action("enter_key")


def test_adding_it_again_ends_the_undo(qtbot: QtBot, parts: Parts) -> None:
    panel = make_panel(qtbot, parts)
    panel.remove("X:ETHUSD")
    parts.watchlist.add("X:ETHUSD")
    assert parts.notices.open == ()
    assert panel.run_action("undo-remove:X:ETHUSD")
    assert parts.watchlist.tickers[-1] == "X:ETHUSD"


def drop(panel: TickerPanel, row: int, at: QPoint) -> None:
    """Row `row` is dragged and let go at a place of the viewport."""
    panel.table.selectRow(row)
    panel.table.take_drop(at)


@pytest.mark.parametrize(
    ("row", "onto", "is_lower_half", "place"),
    [(0, 2, True, 2), (0, 2, False, 1), (3, 0, False, 0), (3, 0, True, 1), (1, 1, True, 1), (1, 1, False, 1)],
)
def test_dragging_moves_a_row(qtbot: QtBot, parts: Parts, row: int, onto: int, is_lower_half: bool, place: int) -> None:
    panel = make_panel(qtbot, parts)
    ticker = parts.watchlist.tickers[row]
    rect = panel.table.visualRect(panel.model.index(onto, 0))
    drop(panel, row, QPoint(10, rect.top() + (20 if is_lower_half else 3)))
    assert parts.watchlist.tickers.index(ticker) == place
    assert panel.model.tickers == parts.watchlist.tickers
    assert panel.table.current_ticker() == ticker


def test_dragging_below_the_last_row_moves_to_the_end(qtbot: QtBot, parts: Parts) -> None:
    panel = make_panel(qtbot, parts)
    drop(panel, 0, QPoint(10, 230))
    assert parts.watchlist.tickers[-1] == "X:BTCUSD"


def test_sorted_rows_can_be_dragged_away_but_not_among_themselves(qtbot: QtBot, parts: Parts) -> None:
    panel = make_panel(qtbot, parts)
    panel.table.sortByColumn(Column.LAST, DOWN)
    index = panel.model.index(0, 0)
    assert index.flags() & Qt.ItemFlag.ItemIsDragEnabled
    assert dragged_ticker(panel.model.mimeData([index])) == panel.model.tickers[0]
    drop(panel, 0, QPoint(10, 230))
    assert parts.watchlist.tickers == tuple(NAMES)


def test_alt_and_arrows_move_a_row(qtbot: QtBot, parts: Parts) -> None:
    panel = make_panel(qtbot, parts)
    panel.table.selectRow(0)
    QTest.keyClick(panel.table, Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert parts.watchlist.tickers == tuple(NAMES)
    QTest.keyClick(panel.table, Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert parts.watchlist.tickers[:2] == ("X:ETHUSD", "X:BTCUSD")
    assert panel.table.current_ticker() == "X:BTCUSD"


def test_header_clicks_sort_and_the_third_gives_the_own_order(qtbot: QtBot, parts: Parts) -> None:
    panel = make_panel(qtbot, parts)
    header = panel.table.horizontalHeader()
    titles, orders = [], []
    for _click in range(3):
        at = QPoint(header.sectionViewportPosition(Column.LAST) + 20, header.height() // 2)
        QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
        titles.append(panel.model.headerData(Column.LAST, Qt.Orientation.Horizontal))
        orders.append(panel.model.tickers[0])
    assert titles == ["↑ Last", "↓ Last", "Last"]
    assert orders == ["X:PEPEUSD", "X:BTCUSD", "X:BTCUSD"]
    assert panel.model.sorted_by is None
    assert panel.model.tickers == tuple(NAMES)


@pytest.mark.parametrize("width", [260, 340, 460, 560, 800])
def test_columns_that_fit_are_shown_whole(qtbot: QtBot, parts: Parts, width: int) -> None:
    panel = make_panel(qtbot, parts, width)
    shown = panel.table.shown
    assert {Column.SYMBOL, Column.LAST, Column.CHANGE_PCT} <= set(shown)
    assert (Column.BID in shown) == (width >= 800)
    assert sum(panel.table.columnWidth(column) for column in shown) == panel.table.viewport().width()


def test_every_column_can_be_reached_in_a_narrow_panel(qtbot: QtBot, parts: Parts) -> None:
    panel = make_panel(qtbot, parts)
    menu = panel.table.columns_menu()
    by_text = {action.text(): action for action in menu.actions()}
    assert by_text["As many as fit"].isChecked()
    assert not by_text["Bid"].isChecked()
    by_text["Bid"].trigger()
    assert Column.BID in panel.table.shown
    qtbot.waitUntil(lambda: panel.table.horizontalScrollBar().maximum() > 0)
    by_text["As many as fit"].trigger()
    assert Column.BID not in panel.table.shown
    qtbot.waitUntil(lambda: panel.table.horizontalScrollBar().maximum() == 0)


def test_the_menu_opens_removes_and_adds(qtbot: QtBot, parts: Parts) -> None:
    panel = make_panel(qtbot, parts)
    by_text = {action.text(): action for action in panel.menu("X:SOLUSD").actions()}
    with qtbot.waitSignal(panel.ticker_chosen) as chosen:
        by_text["Open SOL/USD"].trigger()
    assert chosen.args == ["X:SOLUSD"]
    by_text["Remove from watchlist"].trigger()
    assert "X:SOLUSD" not in parts.watchlist.tickers
    by_text["Add symbol…"].trigger()
    assert panel.add_box.hasFocus()
    assert panel.add_box.popup.isVisible()


def test_the_field_below_adds(qtbot: QtBot, parts: Parts) -> None:
    parts.watchlist.remove("AAPL")
    panel = make_panel(qtbot, parts)
    opened: list[str] = []
    panel.ticker_chosen.connect(opened.append)
    panel.add_box.open_with("apple")
    QTest.keyClick(panel.add_box.popup, Key.Key_Return)
    assert parts.watchlist.tickers[-1] == "AAPL"
    assert panel.table.current_ticker() == "AAPL"
    assert opened == []


def test_an_empty_list_says_what_to_do(qtbot: QtBot, parts: Parts) -> None:
    panel = make_panel(qtbot, parts)
    full = panel.table.viewport().grab().toImage()
    for ticker in tuple(parts.watchlist.tickers):
        parts.watchlist.remove(ticker)
    assert panel.model.rowCount(QModelIndex()) == 0
    empty = panel.table.viewport().grab().toImage()
    assert empty != full
    background = empty.pixelColor(1, 1)
    centre = range(empty.height() // 2 - 24, empty.height() // 2 + 24)
    assert any(empty.pixelColor(x, y) != background for y in centre for x in range(empty.width()))


def test_typing_jumps_to_a_symbol(qtbot: QtBot, parts: Parts) -> None:
    panel = make_panel(qtbot, parts)
    panel.table.setCurrentIndex(panel.model.index(0, Column.AGE))
    QTest.keyClicks(panel.table, "sol")
    assert panel.table.current_ticker() == "X:SOLUSD"
