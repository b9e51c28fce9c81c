"""The application under load: its window, more charts behind it, 200 watched tickers, and somebody who uses it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from desktop.data.folders import Folders
from desktop.data.log_setup import Logging
from desktop.data.redaction import Redactor
from desktop.data.user_store import UserStore
from desktop.data.wire_socket import Event, TradeEvent
from desktop.domain.market import Market
from desktop.domain.timeframe import Timeframe
from desktop.domain.world import World
from desktop.services.chart_data import ChartData
from desktop.services.live import Channel
from tests.helpers.feed_server import ServerProcess
from tests.helpers.window_desk import WindowDesk, window_desk
from tests.services.live_desk import until
from tests.soak.dense_market import COINS, PAIRS, STOCKS, TICKERS
from tests.soak.oracle import Correction, Row

FOLLOWED = (
    (COINS[0], "1m"),
    (COINS[1], "1m"),
    (COINS[2], "5m"),
    (COINS[3], "7m"),
    (COINS[4], "1h"),
    (COINS[5], "1D"),
    (STOCKS[0], "1m"),
    (PAIRS[0], "1m"),
)
VISITED = tuple(itertools.product((COINS[10], COINS[11], STOCKS[1], COINS[12], PAIRS[1], COINS[0]), ("1m", "5m", "1h")))
_PATIENCE_S = 60.0
_BEAT_S = 0.01
_CAUGHT_UP_MS = 2_000
_MIDDLE_OF_FRAME = 20_000  # bytes at most before the cut


@dataclass
class Load:
    """What goes on, and what was seen of it."""

    desk: WindowDesk
    charts: list[ChartData]
    control_url: str
    drops: int = 0
    dropped_ms: int = 0  # market time of the last one
    corrections: list[Correction] = field(default_factory=list)
    visits: int = 0
    reconnect_s: list[float] = field(default_factory=list)  # from each drop until every cluster was connected again
    recovery_s: list[float] = field(default_factory=list)  # from each drop until every chart was live again
    lags_ms: list[int] = field(default_factory=list)  # taken by whoever samples
    gap_ms: float = 0.0  # likewise
    newest_lag_ms: int | None = None
    _chance: random.Random = field(default_factory=lambda: random.Random(5))

    @property
    def all_charts(self) -> list[ChartData]:
        return [self.desk.session.chart, *self.charts]

    @property
    def charts_live(self) -> int:
        return sum(chart.is_live for chart in self.all_charts)

    @property
    def connections(self) -> tuple[int, ...]:
        """How often each cluster's socket has been opened."""
        states = self.desk.session.live.states
        return tuple(states[market].connections if market in states else 0 for market in Market)

    async def until_live(self) -> None:
        """Until the stream of every chart goes on without a hole."""
        await until(
            lambda: self.charts_live == len(self.all_charts) and all(self.connections),
            "every chart is live",
            _PATIENCE_S,
        )

    async def until_caught_up(self) -> None:
        """Until every chart is live and trades come as they happen."""
        await self.until_live()
        self.newest_lag_ms = None
        await until(
            lambda: self.newest_lag_ms is not None and self.newest_lag_ms < _CAUGHT_UP_MS,
            "trades come as they happen",
            _PATIENCE_S,
        )

    async def drop_every(self, every_s: float) -> None:
        """Drops all sockets at once: closed properly, cut, cut in the middle of a frame, in turn."""
        async with httpx.AsyncClient(trust_env=False, timeout=_PATIENCE_S) as client:
            next_s = time.monotonic()
            for kind in itertools.cycle(("close", "cut", "middle")):
                next_s += every_s
                await asyncio.sleep(max(0.0, next_s - time.monotonic()))
                before = self.connections
                fault: dict[str, Any] = {"kind": "socket_close" if kind == "close" else "socket_drop"}
                if kind == "middle":
                    fault["after_bytes"] = self._chance.randrange(1, _MIDDLE_OF_FRAME)
                self.dropped_ms = self.desk.layer.clock.now_ms()
                await self._order(client, fault)
                self.drops += 1
                began_s = time.monotonic()
                await until(
                    lambda seen=before: all(now > then for now, then in zip(self.connections, seen, strict=True)),
                    f"every cluster is connected again after drop {self.drops} ({kind})",
                    _PATIENCE_S,
                )
                self.reconnect_s.append(time.monotonic() - began_s)
                await self.until_live()
                self.recovery_s.append(time.monotonic() - began_s)

    async def correct_every(self, every_s: float) -> None:
        """Corrects a closed minute of a followed ticker, also while the sockets are down."""
        tickers = itertools.cycle(ticker for ticker, _ in FOLLOWED)
        async with httpx.AsyncClient(trust_env=False, timeout=_PATIENCE_S) as client:
            for ticker in tickers:
                await asyncio.sleep(every_s)
                back = self._chance.randrange(1, 4)
                answer = await self._order(client, {"kind": "correction", "ticker": ticker, "minutes_back": back})
                self.corrections.append(Correction(ticker, answer["bar"]["t"], self.desk.layer.clock.now_ms()))

    async def _order(self, client: httpx.AsyncClient, fault: dict[str, Any]) -> Any:
        return (await client.post(f"{self.control_url}/faults", json=fault)).raise_for_status().json()

    async def use_window(self, every_s: float) -> None:
        """A person: another chart every so often, looks to the left, searches, changes the watchlist."""
        session = self.desk.session
        for ticker, timeframe in itertools.cycle(VISITED):
            await asyncio.sleep(every_s)
            session.chart.want_older()
            session.watchlist.remove(TICKERS[-1])
            session.window.chart.paint_now()
            await asyncio.sleep(every_s / 4)
            session.watchlist.add(TICKERS[-1])
            self.desk.show(ticker, timeframe)
            self.visits += 1

    async def watch_loop(self) -> None:
        """Notes the longest time in which the loop did not come round."""
        last_s = time.perf_counter()
        while True:
            await asyncio.sleep(_BEAT_S)
            now_s = time.perf_counter()
            self.gap_ms = max(self.gap_ms, (now_s - last_s - _BEAT_S) * 1000)
            last_s = now_s

    def note_lag(self, events: list[Event]) -> None:
        """Listener of a busy ticker."""
        newest = events[-1]
        if isinstance(newest, TradeEvent):
            self.newest_lag_ms = self.desk.layer.clock.now_ms() - newest.time_ms
            self.lags_ms.append(self.newest_lag_ms)


@asynccontextmanager
async def loaded_desk(server: ServerProcess, folder: Path) -> AsyncIterator[Load]:
    """The window over `server` with its data below `folder`, everything shown and followed, all charts live."""
    world = World(server.world)
    path = Folders.open(folder).world(world) / "user.sqlite"
    async with await UserStore.open(path, world, on_event=lambda _sentence: None) as store:
        await store.put_watchlist("Watchlist", list(TICKERS))
    async with AsyncExitStack() as stack:
        stack.callback(Logging(Folders.open(folder).logs, Redactor(server.key)).close)
        desk = await stack.enter_async_context(window_desk(server, folder))
        live, layer = desk.session.live, desk.layer
        charts = []
        for ticker, timeframe in FOLLOWED:
            chart = ChartData(layer.market_data, live, layer.clock, source="DEMO", is_limited=False)
            stack.push_async_callback(chart.aclose)
            chart.show(ticker, Timeframe.parse(timeframe))
            charts.append(chart)
        load = Load(desk, charts, server.control_url)
        stack.callback(live.listen(COINS[20], (Channel.TRADE,), load.note_lag).close)
        desk.show(*VISITED[0])
        await load.until_live()
        yield load


def shown(load: Load) -> dict[str, dict[int, Row]]:
    """The bars every chart holds, by chart and start."""
    answer = {}
    for number, chart in enumerate(load.all_charts):
        bars = chart.series.bars
        rows = zip(*(column.tolist() for column in bars.values()), strict=True)
        answer[f"{number} {chart.ticker} {chart.timeframe}"] = dict(zip(bars.start_ms.tolist(), rows, strict=True))
    return answer


async def stop(tasks: list[asyncio.Task[None]]) -> None:
    """Ends what `Load` has running; what had failed by itself fails here."""
    for task in tasks:
        task.cancel()
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError):
            await task
