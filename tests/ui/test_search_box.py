"""The symbol search by keyboard and mouse."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtTest import QAbstractItemModelTester, QTest
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from desktop.ui.search_box import SearchBox
from desktop.ui.search_rows import SearchRows
from desktop.ui.theme import DARK, LIGHT
from tests.ui.window_services import NAMES, HeldSearch, Parts, info_of, make_parts

Key = Qt.Key
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support", extend=True)  # lists that pop up


class SlowSearch(HeldSearch):
    """Answers only when told, for any query."""

    results = Signal(str, list)

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def set_query(self, text: str) -> None:
        self.asked.append(text)


@pytest.fixture
def parts() -> Parts:
    return make_parts()


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    """An active window whose only field has the focus."""
    window = QWidget()
    layout = QVBoxLayout(window)
    other = QLineEdit()
    layout.addWidget(other)
    qtbot.addWidget(window)
    window.resize(600, 120)
    with qtbot.waitActive(window):
        window.show()
    other.setFocus()
    return window


def make_box(window: QWidget, parts: Parts) -> SearchBox:
    """A box beside the field that has the focus."""
    box = SearchBox(parts.services, DARK)
    layout = window.layout()
    assert layout is not None
    layout.addWidget(box)
    box.show()
    return box


def press(box: SearchBox, key: Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    """As the window system delivers keys: to the list while it is open."""
    QTest.keyClick(box.popup if box.popup.isVisible() else box, key, modifier)


def type_text(box: SearchBox, text: str) -> None:
    for letter in text:
        QTest.keyClicks(box.popup if box.popup.isVisible() else box, letter)


def test_typing_shows_what_matches_and_enter_opens_the_first(qtbot: QtBot, window: QWidget, parts: Parts) -> None:
    box = make_box(window, parts)
    box.open_with("s")
    type_text(box, "ol")
    assert box.text() == "sol"
    assert box.popup.isVisible()
    assert box.rows.tickers == ("X:SOLUSD",)
    with qtbot.waitSignal(box.ticker_chosen) as chosen:
        press(box, Key.Key_Return)
    assert chosen.args == ["X:SOLUSD"]
    assert box.text() == ""
    assert not box.popup.isVisible()


def test_arrows_choose_the_row_and_leave_the_text(qtbot: QtBot, window: QWidget, parts: Parts) -> None:
    box = make_box(window, parts)
    box.open_with("u")
    press(box, Key.Key_Down)
    press(box, Key.Key_Down)
    assert box.text() == "u"
    with qtbot.waitSignal(box.ticker_chosen) as chosen:
        press(box, Key.Key_Return)
    assert chosen.args == [box_row(parts, "u", 1)]


def box_row(parts: Parts, query: str, row: int) -> str:
    found: list[str] = []
    parts.search.results.connect(lambda _query, rows: found.extend(info.ticker for info in rows))
    parts.search.set_query(query)
    return found[row]


def test_a_later_answer_keeps_the_highlighted_row(qtbot: QtBot, window: QWidget, parts: Parts) -> None:
    box = make_box(window, parts)
    box.open_with("usd")
    press(box, Key.Key_Down)
    press(box, Key.Key_Down)
    parts.search.results.emit("usd", [info_of("AAPL"), info_of("X:BTCUSD"), info_of("X:ETHUSD")])
    with qtbot.waitSignal(box.ticker_chosen) as chosen:
        press(box, Key.Key_Return)
    assert chosen.args == ["X:ETHUSD"]


def test_answers_of_older_queries_are_ignored(window: QWidget) -> None:
    parts = make_parts()
    search = SlowSearch()
    object.__setattr__(parts, "search", search)
    box = make_box(window, parts)
    box.open_with("b")
    search.results.emit("b", [info_of("X:BTCUSD")])
    type_text(box, "t")
    search.results.emit("b", [info_of("AAPL")])
    assert list(box.rows.tickers) == ["X:BTCUSD"]
    search.results.emit("bt", [info_of("X:BTCUSD"), info_of("X:ETHUSD")])
    assert list(box.rows.tickers) == ["X:BTCUSD", "X:ETHUSD"]
    press(box, Key.Key_Escape)
    search.results.emit("bt", [info_of("AAPL")])
    assert not box.popup.isVisible()
    assert search.asked == ["b", "bt", ""]


def test_a_list_that_was_closed_is_not_opened_by_a_late_answer(qtbot: QtBot, window: QWidget, parts: Parts) -> None:
    box = make_box(window, parts)
    box.open_with("usd")
    box.popup.hide()  # as a click beside it does
    parts.search.results.emit("usd", [info_of("X:ETHUSD")])
    assert not box.popup.isVisible()


def test_escape_closes_and_gives_the_focus_back(qtbot: QtBot, window: QWidget, parts: Parts) -> None:
    box = make_box(window, parts)
    box.open_with("b")
    with qtbot.waitSignal(box.dismissed):
        press(box, Key.Key_Escape)
    assert not box.popup.isVisible()
    assert box.text() == ""


def test_shift_enter_watches_without_opening(qtbot: QtBot, window: QWidget, parts: Parts) -> None:
    parts.watchlist.remove("AAPL")
    box = make_box(window, parts)
    opened: list[str] = []
    box.ticker_chosen.connect(opened.append)
    box.open_with("aap")
    press(box, Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert parts.watchlist.tickers[-1] == "AAPL"
    assert opened == []
    assert box.popup.isVisible()
    assert [notice.text for notice in parts.notices.open] == ["AAPL was added to the watchlist."]


def test_the_empty_box_shows_recent_symbols(qtbot: QtBot, window: QWidget, parts: Parts) -> None:
    box = make_box(window, parts)
    box.setFocus(Qt.FocusReason.ShortcutFocusReason)
    assert box.popup.isVisible()
    assert box.rows.tickers == tuple(NAMES)


def test_clearing_the_text_shows_recent_symbols_again(qtbot: QtBot, window: QWidget, parts: Parts) -> None:
    box = make_box(window, parts)
    box.open_with("sol")
    box.clear()
    assert box.rows.tickers == tuple(NAMES)


def test_nothing_found_says_so_and_cannot_be_chosen(qtbot: QtBot, window: QWidget, parts: Parts) -> None:
    parts.search.sentence = "Offline: list of symbols of 2026-11-20."
    box = make_box(window, parts)
    box.open_with("zzz")
    index = box.rows.index(0, 0)
    assert box.rows.rowCount() == 1
    assert index.data() == "No such symbol · Offline: list of symbols of 2026-11-20."
    assert index.flags() == Qt.ItemFlag.NoItemFlags
    opened: list[str] = []
    box.ticker_chosen.connect(opened.append)
    press(box, Key.Key_Return)
    press(box, Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert opened == []
    assert box.text() == "zzz"
    parts.search.sentence = "The server did not answer."
    parts.search.state.emit(parts.search.sentence)
    assert box.rows.index(0, 0).data() == "No such symbol · The server did not answer."


def test_a_click_opens(qtbot: QtBot, window: QWidget, parts: Parts) -> None:
    box = make_box(window, parts)
    box.open_with("eth")
    at: QPoint = box.popup.visualRect(box.popup.model().index(0, 0)).center()
    with qtbot.waitSignal(box.ticker_chosen) as chosen:
        QTest.mouseClick(box.popup.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
    assert chosen.args == ["X:ETHUSD"]


def test_rows_are_at_most_fifty_and_speak(qtbot: QtBot, window: QWidget, parts: Parts) -> None:
    rows = SearchRows(parts.live)
    QAbstractItemModelTester(rows, QAbstractItemModelTester.FailureReportingMode.Fatal)
    rows.put([info_of("X:BTCUSD")] * 60, None)
    assert rows.rowCount() == 50
    spoken = rows.index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "BTC/USD, Bitcoin – US Dollar, Crypto, 64,231.50, +1.30 %"
    rows.put([], "No such symbol")
    assert rows.rowCount() == 1
    rows.put([], None)
    assert rows.rowCount() == 0


def test_colours_follow_the_theme(qtbot: QtBot, window: QWidget, parts: Parts) -> None:
    box = make_box(window, parts)
    box.open_with("usd")
    box.popup.clearSelection()
    seen = []
    for tokens in (DARK, LIGHT):
        box.set_tokens(tokens)
        image = box.popup.grab().toImage()
        seen.append(image.pixelColor(image.width() // 2, 3).name().upper())
    assert seen == [DARK.raised, LIGHT.raised]
