"""Fills the cache for whoever asks, after everything that somebody waits for."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import msgspec

from desktop.commands.work.workplace import Workplace
from desktop.data.local_channel import Outlet, Progress, Said, as_request
from desktop.domain.errors import MarketError, NotInPlan, Offline, UnknownTicker
from desktop.domain.timeframe import Timeframe
from desktop.services.tasks import Tasks

_TELL_EVERY_S: Final = 1.0
_ONE_TICKERS_OWN: Final = (UnknownTicker, NotInPlan)  # other failures would meet the next ticker too


class BackfillRequest(msgspec.Struct):
    """The bars whose start lies in [from_ms, to_ms), of every ticker."""

    tickers: list[str]
    timeframe: str
    from_ms: int
    to_ms: int
    adjusted: bool


async def work(workplace: Workplace, arguments: dict[str, Any], outlet: Outlet) -> None:
    """Fills one ticker after the other, saying how far it is. Raises the first failure when all else is done."""
    request = as_request(arguments, BackfillRequest)
    if workplace.layer.source.is_offline:
        raise Offline("Nothing can be fetched offline.")
    first: MarketError | None = None
    for ticker in request.tickers:
        fill = _Fill(workplace, request, ticker, outlet)
        try:
            error = await fill.run()
        except UnknownTicker as unknown:
            error = unknown
        if error is not None and not isinstance(error, _ONE_TICKERS_OWN):
            raise error
        if error is not None and len(request.tickers) > 1:
            outlet.post(Said(f"{ticker}: {error}"))
        first = first or error
    if first is not None:
        raise first


class _Fill:
    """One ticker's fill, told page by page and while it waits."""

    def __init__(self, workplace: Workplace, request: BackfillRequest, ticker: str, outlet: Outlet) -> None:
        self._layer = workplace.layer
        self._request = request
        self._ticker = ticker
        self._outlet = outlet
        self._bars = self._calls = 0

    async def run(self) -> MarketError | None:
        """Answers why something is still missing. Raises UnknownTicker and CacheError."""
        tasks = Tasks()
        tasks.start(self._tell_waits(), name=f"progress {self._ticker}")
        try:
            error = await self._fill()
        finally:
            await tasks.aclose()
        if error is None:
            self._tell(is_complete=True)
        return error

    async def _fill(self) -> MarketError | None:
        request, data = self._request, self._layer.market_data
        timeframe = Timeframe.parse(request.timeframe)
        error = await data.fill(
            self._ticker, timeframe, request.from_ms, request.to_ms, adjusted=request.adjusted, on_page=self._on_page
        )
        if error is None and self._calls and not self._bars:
            # The vendor answers for unknown tickers as for quiet ones: this tells them apart.
            await data.ticker_info(self._ticker)
        return error

    async def _tell_waits(self) -> None:
        while True:
            await asyncio.sleep(_TELL_EVERY_S)
            wait_s = self._layer.limiter.usage().next_free_s
            if wait_s > 0:
                self._tell(wait_s=wait_s)

    def _on_page(self, bars: int) -> None:
        self._bars += bars
        self._calls += 1
        self._tell()

    def _tell(self, *, wait_s: float = 0.0, is_complete: bool = False) -> None:
        self._outlet.post(Progress(self._ticker, self._bars, self._calls, wait_s, is_complete))
