"""The tickers a person watches, in their order."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from desktop.data.user_store import UserStore
from desktop.domain.errors import CacheError
from desktop.domain.settings import DEFAULT_WATCHLIST
from desktop.services.notices import Notices
from desktop.services.saving import Saver

_NAME = "Watchlist"


class Watchlist(QObject):
    """An ordered list without repeats, saved in the user file at every change."""

    changed = Signal()

    def __init__(self, store: UserStore, notices: Notices, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._notices = notices
        self._tickers: tuple[str, ...] = DEFAULT_WATCHLIST
        self._saver = Saver(self._save, name="save watchlist")

    async def load(self) -> None:
        """Reads the saved list; the default one when nothing was saved yet."""
        saved = await self._store.watchlist(_NAME)
        if saved is not None:
            self._tickers = tuple(saved)
        self.changed.emit()

    @property
    def tickers(self) -> tuple[str, ...]:
        return self._tickers

    def add(self, ticker: str) -> None:
        """Appends, unless it is there already."""
        if ticker not in self._tickers:
            self._set((*self._tickers, ticker))

    def insert(self, ticker: str, index: int) -> None:
        """Puts a ticker at a place; for undo."""
        rest = [held for held in self._tickers if held != ticker]
        rest.insert(index, ticker)
        self._set(tuple(rest))

    def remove(self, ticker: str) -> None:
        self._set(tuple(held for held in self._tickers if held != ticker))

    def move(self, ticker: str, index: int) -> None:
        """Puts a held ticker at a new place."""
        if ticker in self._tickers:
            self.insert(ticker, index)

    def _set(self, tickers: tuple[str, ...]) -> None:
        if tickers == self._tickers:
            return
        self._tickers = tickers
        self.changed.emit()
        self._saver.mark()

    async def _save(self) -> None:
        try:
            await self._store.put_watchlist(_NAME, list(self._tickers))
        except CacheError as error:
            self._notices.post(f"The watchlist was not saved. {error}", "warning", key="watchlist not saved")

    async def aclose(self) -> None:
        """Writes what is not written yet and stops."""
        await self._saver.aclose()
