"""Prices, previous closes and day volumes of what is on the board: first the cache's, then REST's, every minute."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from desktop.data.clock import MarketClock
from desktop.data.market_data import MarketData
from desktop.data.rate_limit import Priority
from desktop.domain.errors import MarketError, NotInPlan, Offline
from desktop.domain.freshness import Origin
from desktop.domain.market import Market, market_of
from desktop.domain.timeframe import DAY_MS, ONE_DAY, bucket_end, bucket_start
from desktop.services.board import Board

_log = logging.getLogger(__name__)
_LOOK_S: Final = 1.0
_RETRY_S: Final = 5.0  # doubled each time
_RETRY_AT_MOST_S: Final = 30.0
_CLOSES_MS: Final = 10 * DAY_MS  # holds two days with trades


class Snapshots:
    """Keeps the board up to date by REST where the plan has snapshots, else with the closes of finished days.

    connection_of: number of the connection that carries a ticker; a new one means that prices may have been missed.
    """

    def __init__(
        self,
        market_data: MarketData,
        board: Board,
        clock: MarketClock,
        connection_of: Callable[[str], int | None],
        every_s: float,
    ) -> None:
        self._market_data = market_data
        self._board = board
        self._clock = clock
        self._connection_of = connection_of
        self._every_s = every_s
        self._cached: set[str] = set()  # tickers whose cached values are on the board
        self._asked: dict[str, int | None] = {}  # by ticker: the connection that carried it then
        self._closes: dict[str, int] = {}  # by ticker: the day as of which its closes are known
        self._refused: set[Market] = set()
        self._hurry = asyncio.Event()
        self._due_s = 0.0  # when everything is asked for again; monotonic

    def hurry(self) -> None:
        """Ends a wait for the next try."""
        self._hurry.set()

    def check_again(self) -> None:
        """Asks for everything, also for what the plan did not have."""
        self._refused.clear()
        self._due_s = 0.0
        self.hurry()

    async def run(self) -> None:
        """Runs until cancelled."""
        pause_s = _LOOK_S
        while True:
            tickers = list(self._board.quotes)
            with suppress(MarketError):  # a cache that cannot be read says so elsewhere
                await self._show_cached([ticker for ticker in tickers if ticker not in self._cached])
            try:
                await self._ask(tickers)
                pause_s = _LOOK_S
            except MarketError:  # the connection's state says it
                pause_s = min(2 * pause_s, _RETRY_AT_MOST_S) if pause_s > _LOOK_S else _RETRY_S
            self._hurry.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._hurry.wait()

    async def _show_cached(self, tickers: Sequence[str]) -> None:
        if not tickers:
            return
        for snapshot, fetched_ms in (await self._market_data.cached_snapshots(tickers)).values():
            self._board.put_snapshots([snapshot], fetched_ms, Origin.CACHE)
        for ticker in tickers:
            if self._board.quote(ticker).last is None:
                with suppress(MarketError):
                    await self._put_closes(ticker, offline=True)
        self._cached.update(tickers)

    async def _ask(self, tickers: Sequence[str]) -> None:
        is_due = time.monotonic() >= self._due_s
        for market in Market:
            names = [ticker for ticker in tickers if market_of(ticker) is market]
            if market not in self._refused:
                await self._ask_snapshots(market, [name for name in names if is_due or self._is_new(name)])
            if market in self._refused:
                await self._ask_closes(names)
        if is_due:
            self._due_s = time.monotonic() + self._every_s

    def _is_new(self, ticker: str) -> bool:
        connection = self._connection_of(ticker)
        return ticker not in self._asked or connection not in (None, self._asked[ticker])

    async def _ask_snapshots(self, market: Market, tickers: Sequence[str]) -> None:
        if not tickers:
            return
        connections = {ticker: self._connection_of(ticker) for ticker in tickers}
        try:
            snapshots = await self._market_data.snapshot(sorted(tickers))
        except NotInPlan:
            self._refused.add(market)
            return
        self._asked |= connections
        self._board.put_snapshots(snapshots.values(), self._clock.now_ms())

    async def _ask_closes(self, tickers: Sequence[str]) -> None:
        """Once a day and ticker; most of it is in the cache."""
        for ticker in tickers:
            today_ms = bucket_start(self._clock.now_ms(), ONE_DAY, market_of(ticker))
            if self._closes.get(ticker) == today_ms:
                continue
            try:
                await self._put_closes(ticker)
            except Offline:
                raise
            except MarketError as error:  # asking again would use up calls for the same answer
                _log.info("no closes of %s: %s", ticker, error)
            self._closes[ticker] = today_ms

    async def _put_closes(self, ticker: str, *, offline: bool = False) -> None:
        market = market_of(ticker)
        today_ms = bucket_start(self._clock.now_ms(), ONE_DAY, market)
        answer = await self._market_data.bars(
            ticker, ONE_DAY, today_ms - _CLOSES_MS, today_ms, offline=offline, priority=Priority.WATCHLIST
        )
        if answer.error is not None and not offline:
            raise answer.error
        if bars := answer.bars:
            before = float(bars.close[-2]) if len(bars) > 1 else None
            end_ms = bucket_end(int(bars.start_ms[-1]), ONE_DAY, market)
            self._board.put_close(ticker, float(bars.close[-1]), end_ms - 1, before, self._clock.now_ms())
