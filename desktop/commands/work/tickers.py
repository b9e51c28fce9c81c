"""Finds tickers for whoever asks, reading the catalogue as needed."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from desktop.commands.work.workplace import Workplace
from desktop.data.local_channel import Outlet, Rows, Said, as_request
from desktop.domain.errors import MarketError, UnknownTicker
from desktop.domain.market import Market, TickerInfo
from desktop.domain.search import TickerIndex


class TickersRequest(msgspec.Struct):
    """At most `limit` tickers that match `query`."""

    query: str
    limit: int
    offline: bool


async def work(workplace: Workplace, arguments: dict[str, Any], outlet: Outlet) -> None:
    """Sends rows of ticker, code, market, name. Raises UnknownTicker when nothing matches."""
    request = as_request(arguments, TickersRequest)
    data = workplace.layer.market_data
    is_offline = request.offline or workplace.layer.source.is_offline
    rows = await data.tickers()
    found = await asyncio.to_thread(_search, rows, request)
    if not is_offline and not rows:
        try:
            for market in Market:
                await data.refresh_tickers(market)
            found = await asyncio.to_thread(_search, await data.tickers(), request)
        except MarketError as error:
            outlet.post(Said(str(error)))
    if not found and not is_offline:
        found = (await data.find_tickers(request.query))[: request.limit]
    if not found:
        raise UnknownTicker(f"No ticker matches “{request.query}”.")
    await outlet.send(Rows([[row.ticker, row.code, row.market.value, row.name] for row in found]))


def _search(rows: list[TickerInfo], request: TickersRequest) -> list[TickerInfo]:
    return TickerIndex(rows).search(request.query, request.limit)
