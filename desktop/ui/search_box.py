"""The symbol search: a field with a list under it, usable by keyboard alone."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QModelIndex, QObject, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QCompleter, QFrame, QLineEdit, QListView, QWidget

from desktop.domain.market import TickerInfo
from desktop.ui.search_rows import INFO_ROLE, NOTHING_FOUND, SearchRowDelegate, SearchRows
from desktop.ui.services_api import WindowServices
from desktop.ui.theme import Tokens
from desktop.ui.ticker_row import ticker_code

_VISIBLE_ROWS: Final = 10
_LIST_PX: Final = 520  # least width of the list
_PRICES_MS: Final = 500  # how often prices in the open list are drawn again
_OPENING_REASONS: Final = (
    Qt.FocusReason.MouseFocusReason,
    Qt.FocusReason.ShortcutFocusReason,
    Qt.FocusReason.OtherFocusReason,
)


class SearchBox(QLineEdit):
    """Enter opens the highlighted row, or the first; Shift+Enter puts it on the watchlist; Esc closes."""

    ticker_chosen = Signal(str)
    tab_wanted = Signal(str)  # the ticker, in a tab of its own
    dismissed = Signal()

    def __init__(self, services: WindowServices, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._services = services
        self._search = services.search
        self._query: str | None = None  # whose results are waited for; None: nothing was asked
        self._is_open = False  # the list is wanted; a click beside it ends that
        self._is_filling = False
        self.rows = SearchRows(services.live, self)
        self._delegate = SearchRowDelegate(services.live, tokens, self)
        self._completer = QCompleter(self)
        self._completer.setModel(self.rows)
        self._completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        self._completer.setMaxVisibleItems(_VISIBLE_ROWS)
        self._completer.setWidget(self)  # and not setCompleter: rows must not be written into the field
        self.popup = QListView()
        self.popup.setMouseTracking(True)
        self.popup.setUniformItemSizes(True)
        self.popup.setFrameShape(QFrame.Shape.NoFrame)
        self.popup.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.popup.setAccessibleName("Symbols found")
        self._completer.setPopup(self.popup)
        self.popup.setItemDelegate(self._delegate)  # after setPopup, which sets its own
        self.popup.installEventFilter(self)
        self.popup.clicked.connect(self._on_clicked)
        self._prices = QTimer(self)
        self._prices.setInterval(_PRICES_MS)
        self._prices.timeout.connect(self.popup.viewport().update)
        self.setPlaceholderText("Search symbol  (Ctrl+F)")
        self.setAccessibleName("Search symbol")
        self.setAccessibleDescription("Enter opens, Shift and Enter adds to the watchlist, Escape closes")
        self.setClearButtonEnabled(True)
        self.textEdited.connect(self._on_edited)
        self.textChanged.connect(self._on_changed)
        self._search.results.connect(self._on_results)
        self._search.state.connect(self._on_state)
        self.set_tokens(tokens)

    def set_tokens(self, tokens: Tokens) -> None:
        """Other colours."""
        self._delegate.set_tokens(tokens)
        self.popup.setStyleSheet(
            f"QListView {{ background: {tokens.raised}; color: {tokens.text}; border: 1px solid {tokens.line}; }}"
        )
        self.popup.viewport().update()

    def open_with(self, text: str) -> None:
        """Takes the focus with `text` as its content; with nothing, selects what is there and shows the list."""
        self.setFocus(Qt.FocusReason.ShortcutFocusReason)
        if text:
            self.setText(text)
        else:
            self.selectAll()
        self._ask()

    # --- results -------------------------------------------------------------------------------------------

    def _on_edited(self, _text: str) -> None:
        self._ask()

    def _on_changed(self, text: str) -> None:
        if not text and self._is_open:
            self._ask()  # the clear button does not count as editing

    def _ask(self) -> None:
        self._is_open = True
        text = self.text()
        if text.strip():
            self._query = text
            self._search.set_query(text)
        else:
            self._forget_query()
            self._show(self._search.recent(), None)

    def _on_results(self, query: str, rows: list[TickerInfo]) -> None:
        if query == self._query:
            self._show(rows, " · ".join(part for part in (NOTHING_FOUND, self._search.sentence) if part))

    def _on_state(self, _sentence: str) -> None:
        if self._query is not None and not self.rows.tickers and self.rows.rowCount():
            self._on_results(self._query, [])

    def _show(self, rows: list[TickerInfo], reason: str | None) -> None:
        held = self._highlighted()
        self._is_filling = True
        self.rows.put(rows, reason)
        if self._is_open:
            width = max(_LIST_PX, self.width())
            self._completer.complete(QRect(0, 0, width, self.height() + 2))
        self._is_filling = False
        if held is not None and held.ticker in self.rows.tickers:
            model = self._completer.completionModel()
            self.popup.setCurrentIndex(model.index(self.rows.tickers.index(held.ticker), 0))
        else:
            self.popup.setCurrentIndex(QModelIndex())

    def _highlighted(self) -> TickerInfo | None:
        selected = self.popup.selectionModel().selectedIndexes() if self.popup.isVisible() else []
        info = selected[0].data(INFO_ROLE) if selected else None
        return info if isinstance(info, TickerInfo) else None

    # --- keys, mouse, focus --------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        match event.key():
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                held = event.modifiers()
                self._on_enter(
                    is_adding=bool(held & Qt.KeyboardModifier.ShiftModifier),
                    is_tab=bool(held & Qt.KeyboardModifier.ControlModifier),
                )
            case Qt.Key.Key_Escape:
                self._close()
                self.dismissed.emit()
            case Qt.Key.Key_Down | Qt.Key.Key_Up if not self.popup.isVisible():
                self._ask()
            case _:
                super().keyPressEvent(event)
                return
        event.accept()

    def _on_enter(self, *, is_adding: bool, is_tab: bool) -> None:
        if not self.popup.isVisible() and not self.text().strip():
            self._ask()
            return
        if self._query is None and self.text().strip():
            self._ask()
        chosen = self._highlighted()
        if chosen is None and self.rows.tickers:
            chosen = self.rows.index(0, 0).data(INFO_ROLE)
        if chosen is None:
            return
        if is_adding:
            self._services.watchlist.add(chosen.ticker)
            said = f"{ticker_code(chosen.ticker, chosen)} was added to the watchlist."
            self._services.notices.post(said, key=f"added:{chosen.ticker}")
        elif is_tab:
            self._close()
            self.tab_wanted.emit(chosen.ticker)
        else:
            self._choose(chosen.ticker)

    def _on_clicked(self, index: QModelIndex) -> None:
        info = index.data(INFO_ROLE)
        if isinstance(info, TickerInfo):
            self._choose(info.ticker)

    def _choose(self, ticker: str) -> None:
        self._close()
        self.ticker_chosen.emit(ticker)

    def _close(self) -> None:
        self._is_open = False
        self.popup.hide()
        self.clear()
        self._forget_query()

    def _forget_query(self) -> None:
        if self._query is not None:
            self._query = None
            self._search.set_query("")

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if not self.text() and event.reason() in _OPENING_REASONS:
            self._ask()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() is not Qt.FocusReason.PopupFocusReason:
            self._is_open = False
            self.popup.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.popup:
            if event.type() is QEvent.Type.Show:
                self._prices.start()
            elif event.type() is QEvent.Type.Hide:
                self._prices.stop()
                self._is_open = self._is_open and self._is_filling
        return super().eventFilter(watched, event)
