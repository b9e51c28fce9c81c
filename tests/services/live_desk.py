"""The data layer and live services over a running feed server, for tests: real sockets, real SQLite."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from desktop.assembly import DataLayer, Source
from desktop.data.clock import MarketClock
from desktop.data.market_data import MarketData
from desktop.data.rate_limit import Limiter
from desktop.data.rest import RestClient
from desktop.data.store import Store
from desktop.demo.server import RunningServer
from desktop.domain.settings import Plan
from desktop.domain.world import World
from desktop.services.chart_data import ChartData
from desktop.services.live import LiveMarket
from desktop.services.series_stream import Pace


@dataclass
class LiveDesk:
    """What a test touches."""

    layer: DataLayer
    live: LiveMarket
    chart: ChartData


@asynccontextmanager
async def live_desk(
    server: RunningServer,
    folder: Path,
    clock: MarketClock | None = None,
    *,
    key: str | None = None,
    rest: bool = True,
    calls_per_minute: int | None = None,
    pace: Pace | None = None,
) -> AsyncIterator[LiveDesk]:
    """A chart over `server`; with `rest=False` offline, on the cache in `folder` alone.

    `pace` is that of the board's snapshots too.
    """
    source = Source(server.rest, server.socket, key or server.key, World(server.world), server.control, Plan.PAID)
    async with AsyncExitStack() as stack:
        store = await Store.open(folder / "cache.sqlite", source.world, on_event=lambda _sentence: None)
        stack.push_async_callback(store.aclose)
        limiter = Limiter(calls_per_minute=calls_per_minute)
        client = None
        if rest:
            client = RestClient(base=source.rest_base, key=source.key, limiter=limiter, world=source.world)
            stack.push_async_callback(client.aclose)
        market_clock = clock or server.clock
        data = MarketData(rest=client, store=store, clock=market_clock)
        layer = DataLayer(source, store, limiter, client, data, market_clock, folder)
        every_s = (pace or Pace()).poll_s
        live = LiveMarket(layer.make_feed if rest else None, market_clock, data, snapshot_every_s=every_s)
        stack.push_async_callback(live.aclose)
        live.start()
        chart = ChartData(data, live, market_clock, source="DEMO", is_limited=calls_per_minute is not None, pace=pace)
        stack.push_async_callback(chart.aclose)
        yield LiveDesk(layer, live, chart)


async def until(condition: Callable[[], object], what: str, limit_s: float = 15) -> None:
    """Waits until `condition` holds; fails the test with `what` after the limit."""
    deadline = asyncio.get_running_loop().time() + limit_s
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, f"waited in vain until {what}"
        await asyncio.sleep(0.005)
