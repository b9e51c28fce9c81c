"""Ticker search: answered from memory at once, refined by the vendor when memory knows nothing."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from desktop.data.market_data import MarketData
from desktop.domain.errors import MarketError
from desktop.domain.market import Market, TickerInfo, market_of
from desktop.domain.search import TickerIndex
from desktop.services import memory
from desktop.services.tasks import Tasks

_TYPING_PAUSE_S = 0.3
_AT_MOST = 50
_RECENT = 8


class TickerSearch(QObject):
    """Holds the catalogue in memory; the latest query wins."""

    results = Signal(str, list)  # query, list[TickerInfo]
    state = Signal(str)

    def __init__(
        self,
        market_data: MarketData,
        watched: Callable[[], tuple[str, ...]],
        *,
        is_offline: bool = False,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._market_data = market_data
        self._watched = watched
        self._is_offline = is_offline
        self._index = TickerIndex([])
        self._query = ""
        self._recent: list[str] = []
        self._tasks = Tasks()
        self._sentence = ""

    @property
    def sentence(self) -> str:
        """What there is to say about the catalogue; empty when it is fine."""
        return self._sentence

    def start(self) -> None:
        """Loads the catalogue from the cache and brings it up to date behind the scenes."""
        self._tasks.start(self._load(), replace="load", name="catalogue")

    def set_query(self, text: str) -> None:
        """Searches; `results` follows at once, and again if the vendor knows more."""
        self._query = text
        hits = self._search(text)
        self.results.emit(text, hits)
        if not hits and text.strip() and not self._is_offline:
            self._tasks.start(self._ask_vendor(text), replace="ask", name="search")
        else:
            self._tasks.cancel("ask")

    def recent(self) -> list[TickerInfo]:
        """For the empty box: what was opened lately, then the watchlist."""
        tickers = dict.fromkeys((*self._recent, *self._watched()))
        return [self.info(ticker) or TickerInfo(ticker, "", market_of(ticker)) for ticker in tickers][:_AT_MOST]

    def remember(self, ticker: str) -> None:
        """A ticker was opened."""
        self._recent = [ticker, *(held for held in self._recent if held != ticker)][:_RECENT]

    def info(self, ticker: str) -> TickerInfo | None:
        """The catalogue's row of exactly this ticker."""
        return self._index.info(ticker)

    def _search(self, text: str) -> list[TickerInfo]:
        return self._index.search(text, _AT_MOST, {*self._recent, *self._watched()})

    async def _load(self) -> None:
        try:
            await self._rebuild()
            if self._is_offline:
                return
            for market in (Market.CRYPTO, Market.FOREX, Market.STOCKS):
                if await self._market_data.refresh_tickers(market):
                    await self._rebuild()
        except MarketError as error:
            self._say(f"The list of symbols could not be refreshed. {error}")

    async def _rebuild(self) -> None:
        rows = await self._market_data.tickers()
        self._index = await asyncio.to_thread(TickerIndex, rows)
        memory.settle()  # tens of thousands of rows that stay
        if not rows:
            self._say("The list of symbols is not loaded yet.")
        else:
            self._say(await self._age() if self._is_offline else "")
        if self._query:
            self.results.emit(self._query, self._search(self._query))

    async def _age(self) -> str:
        fetched_ms = await self._market_data.catalogue.fetched_ms(Market.CRYPTO)
        if fetched_ms is None:
            return "Offline: only symbols seen before are listed."
        day = dt.datetime.fromtimestamp(fetched_ms / 1000, dt.UTC).date()
        return f"Offline: list of symbols of {day.isoformat()}."

    async def _ask_vendor(self, text: str) -> None:
        await asyncio.sleep(_TYPING_PAUSE_S)
        try:
            rows = await self._market_data.find_tickers(text)
        except MarketError as error:
            self._say(str(error))
            return
        if text == self._query and rows:
            self.results.emit(text, rows[:_AT_MOST])

    def _say(self, sentence: str) -> None:
        if sentence != self._sentence:
            self._sentence = sentence
            self.state.emit(sentence)

    async def aclose(self) -> None:
        await self._tasks.aclose()
