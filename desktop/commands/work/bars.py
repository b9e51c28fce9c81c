"""Finds bars for whoever asks, filling the cache as needed."""

from __future__ import annotations

from typing import Any

import msgspec

from desktop.commands.work.workplace import Workplace
from desktop.data.local_channel import Outlet, as_request, send_bars
from desktop.data.rate_limit import Priority
from desktop.domain.errors import MarketError, NotCached
from desktop.domain.timeframe import Timeframe


class BarsRequest(msgspec.Struct):
    """The bars whose start lies in [from_ms, to_ms)."""

    ticker: str
    timeframe: str
    from_ms: int
    to_ms: int
    adjusted: bool
    offline: bool


async def work(workplace: Workplace, arguments: dict[str, Any], outlet: Outlet) -> None:
    """Sends the bars there are, then raises why some are missing."""
    request = as_request(arguments, BarsRequest)
    layer = workplace.layer
    answer = await layer.market_data.bars(
        request.ticker,
        Timeframe.parse(request.timeframe),
        request.from_ms,
        request.to_ms,
        adjusted=request.adjusted,
        offline=request.offline or layer.source.is_offline,
        priority=Priority.SEARCH,  # somebody waits, yet what is on a screen goes first
    )
    await send_bars(answer.bars, outlet)
    problem: MarketError | None = answer.error
    if problem is None and answer.missing:
        problem = NotCached(f"{len(answer.missing)} ranges are not in the cache and are missing above.")
    if problem is not None:
        raise problem
