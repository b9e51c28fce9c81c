"""The vendor's list of tickers, kept in the cache and refreshed weekly."""

from __future__ import annotations

from typing import Final

from desktop.data.clock import MarketClock
from desktop.data.rate_limit import Priority
from desktop.data.rest import RestClient
from desktop.data.store import Store
from desktop.domain.market import Market, TickerInfo
from desktop.domain.timeframe import DAY_MS

REFRESHED_AFTER_MS: Final = 7 * DAY_MS
_FOUND_AT_MOST: Final = 50
_NAME: Final = "catalogue"


class Catalogue:
    """Ticker rows of all markets. Every method may raise MarketError."""

    def __init__(self, store: Store, clock: MarketClock) -> None:
        self._store = store
        self._clock = clock

    async def tickers(self, market: Market | None = None) -> list[TickerInfo]:
        """The rows held, of one market or all."""
        return await self._store.tickers(market)

    async def ticker(self, ticker: str) -> TickerInfo | None:
        """One row held."""
        return await self._store.ticker(ticker)

    async def fetched_ms(self, market: Market) -> int | None:
        """When the whole list of a market was last read; None when never."""
        times = await self._store.get_value(_NAME)
        found = times.get(market.value) if isinstance(times, dict) else None
        return found if isinstance(found, int) else None

    async def refresh(
        self, rest: RestClient, market: Market, *, force: bool = False, priority: Priority = Priority.SEARCH
    ) -> bool:
        """Reads the market's whole list if a week has passed, or with `force`. Answers whether it did.

        Nothing is stored until all pages are there.
        """
        now_ms = self._clock.now_ms()
        last_ms = await self.fetched_ms(market)
        if not force and last_ms is not None and 0 <= now_ms - last_ms < REFRESHED_AFTER_MS:
            return False
        rows: dict[str, TickerInfo] = {}
        async for page in rest.tickers_pages(market=market, place=priority):
            rows |= {row.ticker: row for row in page if row.market is market}
        if not rows and last_ms is not None:
            return False  # an empty list is no list
        await self._store.put_tickers(market, rows.values(), now_ms)
        times = await self._store.get_value(_NAME)
        await self._store.put_value(_NAME, {**(times if isinstance(times, dict) else {}), market.value: now_ms})
        return True

    async def find(self, rest: RestClient, text: str, *, priority: Priority = Priority.SEARCH) -> list[TickerInfo]:
        """Asks the vendor for tickers by code or name, one call; what it finds is kept."""
        async for rows in rest.tickers_pages(search=text, limit=_FOUND_AT_MOST, place=priority):
            await self._store.put_tickers(None, rows, self._clock.now_ms())
            return rows
        return []

    async def look_up(self, rest: RestClient, ticker: str, *, priority: Priority = Priority.SCREEN) -> TickerInfo:
        """One row, from the cache or the vendor. Raises UnknownTicker."""
        held = await self._store.ticker(ticker)
        if held is not None:
            return held
        info = await rest.overview(ticker, place=priority)
        await self._store.put_tickers(None, [info], self._clock.now_ms())
        return info
