"""The vendor's REST API: its endpoints as typed answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from desktop.data import wire
from desktop.data.rate_limit import Priority
from desktop.data.rest_calls import Body, Params, Place, RestCalls, RestOptions
from desktop.data.rest_failures import NotFound, unknown_ticker
from desktop.domain.bars import Bar, Bars
from desktop.domain.errors import BadInput
from desktop.domain.market import (
    Market,
    MarketStatus,
    Snapshot,
    TickerInfo,
    Trade,
    is_plausible_ticker,
    market_of,
    pair_of,
)
from desktop.domain.timeframe import DAY_MS, ONE_DAY, ONE_SECOND, SECOND_MS, Timeframe

__all__ = ["BarsPage", "RestClient", "RestOptions", "one_call_ms", "unknown_ticker"]

BARS_PER_PAGE: Final = 50_000
TICKERS_PER_PAGE: Final = 1000
# Minute and hour bars are paged by minutes that hold bars: nights and weekends cost nothing.
_MINUTES_PAGE_DAYS: Final = {Market.CRYPTO: 34, Market.FOREX: 45, Market.STOCKS: 70}
_REGIONS: Final = {Market.CRYPTO: "global", Market.FOREX: "global", Market.STOCKS: "us"}
_SNAPSHOT_MARKETS: Final = {Market.CRYPTO: "crypto", Market.FOREX: "forex", Market.STOCKS: "stocks"}


@dataclass(frozen=True, slots=True)
class BarsPage:
    """Bars of one call. `next_url` when the range goes on; `server_ms` the vendor's own clock, when it said."""

    bars: Bars
    next_url: str | None
    is_delayed: bool = False
    server_ms: int | None = None


class RestClient(RestCalls):
    """The endpoints the application uses. An async context manager; close it on the loop it was used on.

    Every method raises MarketError. `place` is a priority, or a ticket in the limiter's queue.
    """

    async def bars_page(
        self,
        ticker: str,
        timeframe: Timeframe,
        from_ms: int,
        to_ms: int,
        *,
        adjusted: bool = True,
        limit: int = BARS_PER_PAGE,
        place: Place = Priority.SCREEN,
    ) -> BarsPage:
        """The first page of the bars whose start lies in [from_ms, to_ms), ascending; bars outside are left out."""
        path = (
            f"/v2/aggs/ticker/{_in_path(ticker)}/range/{timeframe.multiplier}/{timeframe.span.value}"
            f"/{from_ms}/{to_ms - 1}"
        )
        params = {"adjusted": str(adjusted).lower(), "sort": "asc", "limit": str(limit)}
        try:
            return await self._bars_page(path, params, from_ms, to_ms, place, _bars_of(ticker))
        except NotFound as error:
            raise unknown_ticker(ticker) from error

    async def bars_pages(
        self,
        ticker: str,
        timeframe: Timeframe,
        from_ms: int,
        to_ms: int,
        *,
        adjusted: bool = True,
        place: Place = Priority.SCREEN,
    ) -> AsyncIterator[BarsPage]:
        """All pages of [from_ms, to_ms), following the vendor's `next_url`."""
        page = await self.bars_page(ticker, timeframe, from_ms, to_ms, adjusted=adjusted, place=place)
        yield page
        followed: set[str] = set()
        while page.next_url is not None:
            path, params = self.following(page.next_url, followed)
            page = await self._bars_page(path, params, from_ms, to_ms, place, _bars_of(ticker))
            yield page

    async def _bars_page(
        self, path: str, params: Params, from_ms: int, to_ms: int, place: Place, family: str
    ) -> BarsPage:
        def decode(body: Body) -> BarsPage:
            page = wire.decode_bars(body.content)
            return BarsPage(page.rows.between(from_ms, to_ms), page.next_url, page.is_delayed, body.server_ms)

        return await self.ask_body(path, params, decode, place, family)

    async def previous_bar(self, ticker: str, *, place: Place = Priority.WATCHLIST) -> Bar | None:
        """The last finished day's bar; its `start_ms` is whatever time the vendor gave. None when there is none."""
        path = f"/v2/aggs/ticker/{_in_path(ticker)}/prev"
        page = await self.ask(path, {}, wire.decode_bars, place, _bars_of(ticker))
        return page.rows[len(page.rows) - 1] if len(page.rows) else None

    async def grouped_daily(self, market: Market, day: dt.date, *, place: Place = Priority.WATCHLIST) -> dict[str, Bar]:
        """Every ticker's bar of one day, in one call."""
        path = f"/v2/aggs/grouped/locale/{_REGIONS[market]}/market/{market.value}/{day.isoformat()}"
        return await self.ask(path, {}, wire.decode_grouped, place, f"grouped {market}")

    async def tickers_pages(
        self, *, market: Market | None = None, search: str = "", limit: int = TICKERS_PER_PAGE, place: Place
    ) -> AsyncIterator[list[TickerInfo]]:
        """Active tickers of the catalogue, page by page."""
        params = {"active": "true", "limit": str(limit), "sort": "ticker", "order": "asc"}
        if market is not None:
            params["market"] = market.value
        if search:
            params["search"] = search
        query: Params = params
        path, followed = "/v3/reference/tickers", set[str]()
        while True:
            page = await self.ask(path, query, wire.decode_tickers, place, "tickers")
            yield page.rows
            if page.next_url is None:
                return
            path, query = self.following(page.next_url, followed)

    async def overview(self, ticker: str, *, place: Place = Priority.SCREEN) -> TickerInfo:
        """One ticker's row of the catalogue. Raises UnknownTicker."""
        try:
            return await self.ask(
                f"/v3/reference/tickers/{_in_path(ticker)}", {}, wire.decode_overview, place, "tickers"
            )
        except NotFound as error:
            raise unknown_ticker(ticker) from error

    async def snapshots(
        self, market: Market, tickers: Sequence[str] = (), *, place: Place = Priority.WATCHLIST
    ) -> list[Snapshot]:
        """Snapshots of some tickers of one market in one call; of all when `tickers` is empty."""
        path = f"/v2/snapshot/locale/{_REGIONS[market]}/markets/{_SNAPSHOT_MARKETS[market]}/tickers"
        params = {"tickers": ",".join(tickers)} if tickers else {}
        return await self.ask(path, params, wire.decode_snapshots, place, f"snapshots {market}")

    async def market_status(self, *, place: Place = Priority.WATCHLIST) -> MarketStatus:
        """Which markets are open and what time the server has."""
        return await self.ask("/v1/marketstatus/now", {}, wire.decode_market_status, place, "status")

    async def last_trade(self, ticker: str, market: Market, *, place: Place = Priority.SCREEN) -> Trade:
        """The last trade of a coin or a stock. Raises UnknownTicker."""
        if market is Market.FOREX:
            raise BadInput("Forex has quotes, no trades.")
        path = f"/v2/last/trade/{_in_path(ticker)}"
        if market is Market.CRYPTO:
            path = "/v1/last/crypto/" + "/".join(map(_in_path, pair_of(ticker)))
        try:
            return await self.ask(
                path, {}, lambda body: wire.decode_last_trade(body, ticker), place, f"last trade {market}"
            )
        except NotFound as error:
            raise unknown_ticker(ticker) from error

    async def trades_pages(
        self, ticker: str, from_ms: int, to_ms: int, *, place: Place = Priority.SCREEN
    ) -> AsyncIterator[list[Trade]]:
        """Tick history of [from_ms, to_ms), ascending, page by page."""
        code = "X:" + "-".join(pair_of(ticker)) if ticker.startswith("X:") else ticker
        path, followed = f"/v3/trades/{_in_path(code)}", set[str]()
        family = f"trades {market_of(ticker)}"
        params: Params = {
            "timestamp.gte": str(from_ms * 1_000_000),
            "timestamp.lt": str(to_ms * 1_000_000),
            "order": "asc",
            "sort": "timestamp",
            "limit": "50000",
        }
        while True:
            page = await self.ask(path, params, lambda body: wire.decode_trades(body, ticker), place, family)
            yield page.rows
            if page.next_url is None:
                return
            path, params = self.following(page.next_url, followed)

    async def splits(self, ticker: str, *, place: Place = Priority.WATCHLIST) -> list[wire.Split]:
        """All splits of a stock."""
        path, followed, answer = "/v3/reference/splits", set[str](), list[wire.Split]()
        params: Params = {"ticker": ticker, "limit": "1000"}
        while True:
            page = await self.ask(path, params, wire.decode_splits, place, "splits")
            answer += page.rows
            if page.next_url is None:
                return answer
            path, params = self.following(page.next_url, followed)


def one_call_ms(base: Timeframe, market: Market) -> int:
    """A span of bars of a base timeframe (1s, 1m, 1h, 1D) that one call gives whole, however much was traded."""
    if base == ONE_SECOND:
        return BARS_PER_PAGE * SECOND_MS
    return (BARS_PER_PAGE if base == ONE_DAY else _MINUTES_PAGE_DAYS[market]) * DAY_MS


def _bars_of(ticker: str) -> str:
    """Plans are sold by asset class: one that lacks the bars of stocks may well have those of coins."""
    return f"bars {market_of(ticker)}"


def _in_path(ticker: str) -> str:
    if not is_plausible_ticker(ticker) or set(ticker) <= {".", "/"}:
        raise unknown_ticker(ticker)
    return quote(ticker, safe=":")
