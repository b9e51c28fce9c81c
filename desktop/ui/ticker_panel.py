"""The live list: the watchlist with its newest values."""

from __future__ import annotations

import time
from typing import Final

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QKeySequence, QShowEvent
from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget

from desktop.ui.search_box import SearchBox
from desktop.ui.services_api import WindowServices
from desktop.ui.theme import Tokens
from desktop.ui.ticker_model import TickerModel
from desktop.ui.ticker_row import Column, ticker_code
from desktop.ui.ticker_table import TickerTable

_TICK_MS: Final = 50
_SORT_EVERY_S: Final = 2.0
_FIT_EVERY_S: Final = 1.0
_UNDO: Final = "undo-remove:"


class TickerPanel(QWidget):
    """Watched tickers, live. Enter or a double click opens one, Del removes it with undo, dragging re-orders."""

    ticker_chosen = Signal(str)

    def __init__(self, services: WindowServices, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._services = services
        self._watchlist = services.watchlist
        self._removed: dict[str, int] = {}  # ticker -> the place it had
        self._sorted_s = self._fitted_s = 0.0
        self._lengths: tuple[int, ...] = ()
        self.model = TickerModel(services.live, services.search, services.clock, tokens, self)
        self.table = TickerTable(self.model, tokens)
        self.table.opened.connect(self.ticker_chosen)
        self.table.remove_wanted.connect(self.remove)
        self.table.move_wanted.connect(self._watchlist.move)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._pop_up)
        self.add_box = SearchBox(services, tokens)
        self.add_box.setPlaceholderText("+  Add symbol")
        self.add_box.setAccessibleName("Add symbol to the watchlist")
        self.add_box.ticker_chosen.connect(self._add)
        self.add_box.dismissed.connect(self.table.setFocus)
        self.setFocusProxy(self.table)
        self.setAccessibleName("Live tickers")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 6)
        layout.setSpacing(6)
        layout.addWidget(self.table, 1)
        holder = QVBoxLayout()
        holder.setContentsMargins(6, 0, 6, 0)
        holder.addWidget(self.add_box)
        layout.addLayout(holder)
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._tick)
        self._watchlist.changed.connect(self._follow)
        services.search.state.connect(lambda _sentence: self.model.name_again())
        self._follow()

    def set_tokens(self, tokens: Tokens) -> None:
        """Other colours."""
        self.model.set_tokens(tokens)
        self.table.set_tokens(tokens)
        self.add_box.set_tokens(tokens)

    # --- the list ------------------------------------------------------------------------------------------

    def remove(self, ticker: str) -> None:
        """Takes a ticker off the watchlist and offers it back."""
        if ticker not in self._watchlist.tickers:
            return
        row = self.model.row_of(ticker)
        self._removed[ticker] = self._watchlist.tickers.index(ticker)
        self._watchlist.remove(ticker)
        self._select_row(min(row or 0, self.model.rowCount() - 1))
        code = ticker_code(ticker, self._services.search.info(ticker))
        said = f"{code} was removed from the watchlist."
        key = _UNDO + ticker
        self._services.notices.post(said, key=key, action="Undo", action_id=key)

    def toggle(self, ticker: str) -> None:
        """Puts a ticker on the watchlist, or takes it off."""
        if ticker in self._watchlist.tickers:
            self.remove(ticker)
            return
        self._watchlist.add(ticker)
        code = ticker_code(ticker, self._services.search.info(ticker))
        self._services.notices.post(f"{code} was added to the watchlist.", key=f"added:{ticker}")

    def run_action(self, action_id: str) -> bool:
        """Runs a notice's action when it is this panel's; False when it is not."""
        if not action_id.startswith(_UNDO):
            return False
        ticker = action_id.removeprefix(_UNDO)
        place = self._removed.pop(ticker, None)
        if place is not None:
            self._watchlist.insert(ticker, min(place, len(self._watchlist.tickers)))
            self._select_ticker(ticker)
        self._services.notices.clear(action_id)
        return True

    def _add(self, ticker: str) -> None:
        self._watchlist.add(ticker)
        self._select_ticker(ticker)
        self.table.setFocus()

    def _follow(self) -> None:
        self.model.set_tickers(self._watchlist.tickers)
        for ticker in self._removed.keys() & set(self._watchlist.tickers):
            del self._removed[ticker]  # it is back: nothing to undo
            self._services.notices.clear(_UNDO + ticker)
        self.table.fit()
        self.table.viewport().update()

    def _select_ticker(self, ticker: str) -> None:
        row = self.model.row_of(ticker)
        if row is not None:
            self._select_row(row)

    def _select_row(self, row: int) -> None:
        if row >= 0:
            index = self.model.index(row, Column.SYMBOL)
            self.table.setCurrentIndex(index)
            self.table.scrollTo(index)

    # --- live ----------------------------------------------------------------------------------------------

    def _tick(self) -> None:
        self.model.refresh(self._services.live.take_changed())
        now_s = time.monotonic()
        if now_s - self._fitted_s >= _FIT_EVERY_S:
            self._fitted_s = now_s
            self._fit_longer()
        is_free = not self.table.viewport().underMouse()  # never under the mouse
        if self.model.sorted_by is not None and is_free and now_s - self._sorted_s >= _SORT_EVERY_S:
            self._sorted_s = now_s
            self.model.arrange()

    def _fit_longer(self) -> None:
        """Makes room where a text has become longer than any before."""
        now = tuple(len(self.model.widest(column)) for column in Column)
        longest = tuple(map(max, now, self._lengths or now))
        if longest != self._lengths:
            self._lengths = longest
            self.table.fit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._tick()
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        self._timer.stop()
        super().hideEvent(event)

    # --- menu ----------------------------------------------------------------------------------------------

    def menu(self, ticker: str | None) -> QMenu:
        """What can be done with a row, or beside one; deletes itself when it closes."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if ticker is not None:
            code = ticker_code(ticker, self._services.search.info(ticker))
            menu.addAction(f"Open {code}").triggered.connect(lambda: self.ticker_chosen.emit(ticker))
            removal = menu.addAction("Remove from watchlist")
            removal.setShortcut(QKeySequence(Qt.Key.Key_Delete))
            removal.triggered.connect(lambda: self.remove(ticker))
            menu.addSeparator()
        menu.addAction("Add symbol…").triggered.connect(lambda: self.add_box.open_with(""))
        columns = self.table.columns_menu()
        columns.setTitle("Columns")
        columns.setParent(menu, columns.windowFlags())
        menu.addMenu(columns)
        return menu

    def _pop_up(self, at: QPoint) -> None:
        index = self.table.indexAt(at)
        ticker = self.model.tickers[index.row()] if index.isValid() else None
        self.menu(ticker).popup(self.table.viewport().mapToGlobal(at))
