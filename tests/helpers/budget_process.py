"""A user's day on a plan of five calls a minute, client and feed server in one process of virtual time.

    python -m tests.helpers.budget_process day FOLDER --from-s 0 --until-s 7200 [--kill-at 17] [--step-s 3600]

Every request that reaches the server is appended to FOLDER/arrivals with the time the machine has been up, then the
process may be killed (`--kill-at`: with that request). It ends with a line of JSON on stdout.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys

from tests.helpers import virtual_process
from tests.helpers.virtual_loop import run_virtual

WALL_S = 1_709_298_017.0  # 2024-03-01T13:00:17Z, when the machine has been up for 0 s


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("scenario")
    parser.add_argument("folder")
    parser.add_argument("--from-s", type=float, default=0.0)
    parser.add_argument("--until-s", type=float, default=3600.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kill-at", type=int)
    parser.add_argument(
        "--step-s", type=float, default=0.0, help="how far the wall clock was set since the machine is up"
    )
    return parser.parse_args()


OPTIONS = _arguments()
TIME = virtual_process.install(wall_s=WALL_S + OPTIONS.step_s + 1000)
TIME.monotonic_s = OPTIONS.from_s

import asyncio  # noqa: E402
import itertools  # noqa: E402
import json  # noqa: E402
import random  # noqa: E402
from collections import Counter  # noqa: E402
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine  # noqa: E402
from contextlib import asynccontextmanager, suppress  # noqa: E402
from dataclasses import replace  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import msgspec  # noqa: E402

from desktop.assembly import DataLayer, Source, open_data_layer  # noqa: E402
from desktop.data.folders import Folders  # noqa: E402
from desktop.data.rate_limit import Priority  # noqa: E402
from desktop.demo import plan, socket_pump  # noqa: E402
from desktop.demo.faults import Fault  # noqa: E402
from desktop.demo.server import RunningServer  # noqa: E402
from desktop.domain.errors import MarketError  # noqa: E402
from desktop.domain.settings import Plan  # noqa: E402
from desktop.domain.timeframe import DAY_MS, MINUTE_MS, ONE_DAY, ONE_MINUTE, Timeframe  # noqa: E402
from desktop.domain.world import World  # noqa: E402
from tests.helpers.feed_server import serving_source  # noqa: E402
from tests.helpers.plain_market import PlainMarket  # noqa: E402

COINS = PlainMarket(60).names
WATCHED = COINS[20:60]
_TIMEFRAMES = [Timeframe.parse(text) for text in ("1m", "5m", "1h", "4h", "1D", "1W")]


class Arrivals(Counter[str]):
    """The server's count of requests by path, written down as they come; the process may end with one."""

    def __init__(self, folder: Path, kill_at: int | None) -> None:
        super().__init__()
        self._file = os.open(folder / "arrivals", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._kill_at = kill_at
        self.log: list[tuple[float, str]] = []

    def __setitem__(self, path: str, count: int) -> None:
        super().__setitem__(path, count)
        os.write(self._file, f"{TIME.monotonic_s:.3f} {path}\n".encode())
        self.log.append((TIME.monotonic_s, path))
        if len(self.log) == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)


@asynccontextmanager
async def serving(kind: plan.Plan = plan.FREE) -> AsyncIterator[RunningServer]:
    """A feed server that counts; its clock is the wall clock."""
    socket_pump.TICK_S = 5.0  # type: ignore[misc]  # nobody is on the socket: the day passes more quickly
    start_ms = (WALL_S + TIME.monotonic_s) * 1000
    async with serving_source(PlainMarket(120), start_ms=start_ms, rate=1.0, plan=kind) as server:
        server.stats.requests = Arrivals(Path(OPTIONS.folder), OPTIONS.kill_at)
        yield server


@asynccontextmanager
async def opened(server: RunningServer, kind: Plan = Plan.FREE) -> AsyncIterator[DataLayer]:
    """The application's data layer on the folder."""
    source = Source(server.rest, server.socket, server.key, World(server.world), plan=kind)
    async with open_data_layer(source, Folders.open(Path(OPTIONS.folder)), lambda _sentence: None) as layer:
        yield layer


class Day:
    """What a user, a watchlist, a search box and work behind the scenes ask for."""

    def __init__(self, server: RunningServer, rng: random.Random) -> None:
        self._server = server
        self._rng = rng
        self.done: Counter[str] = Counter()
        self.left = 0  # charts that were left before they were there

    async def run(self, until_s: float) -> None:
        """Sessions of some minutes, each with a data layer of its own on the same folder."""
        while (now_s := TIME.monotonic()) < until_s:
            self.done["sessions"] += 1
            end_s = min(until_s, now_s + self._rng.uniform(90, 3600))
            async with opened(self._server) as layer:
                with suppress(TimeoutError):
                    async with asyncio.timeout(end_s - now_s), asyncio.TaskGroup() as group:
                        for work in (self._charts, self._watchlist, self._searches, self._backfill, self._rechecks):
                            group.create_task(work(layer))
                        group.create_task(self._faults())
                usage = layer.limiter.usage()
                self.done["in the last day"] = usage.last_day
                self.done["rechecks in the last day"] = usage.rechecks_last_day
            await asyncio.sleep(self._rng.choice([0, 0, 0, 20]))

    async def _charts(self, layer: DataLayer) -> None:
        """Switching on; what is not there yet is left."""
        while True:
            stay_s = 0.3 if self._rng.random() < 0.4 else self._rng.expovariate(1 / 90)
            ticker, timeframe = self._rng.choice(COINS), self._rng.choice(_TIMEFRAMES)
            now_ms = layer.clock.now_ms()
            try:
                async with asyncio.timeout(stay_s):
                    await self._told(
                        "charts",
                        layer.market_data.bars(ticker, timeframe, now_ms - 1500 * timeframe.typical_ms, now_ms + 1),
                    )
                    await asyncio.sleep(stay_s)
            except TimeoutError:
                self.left += 1

    async def _watchlist(self, layer: DataLayer) -> None:
        while True:
            async with asyncio.TaskGroup() as group:
                for ticker in WATCHED:
                    group.create_task(self._told("watchlist", layer.market_data.previous_close(ticker)))
                group.create_task(self._told("snapshots", layer.market_data.snapshot(WATCHED)))
            await asyncio.sleep(600)

    async def _searches(self, layer: DataLayer) -> None:
        while True:
            await asyncio.sleep(self._rng.expovariate(1 / 240))
            await self._told("searches", layer.market_data.find_tickers(f"coin {self._rng.randrange(1000)}"))

    async def _backfill(self, layer: DataLayer) -> None:
        while True:
            ticker, day = self._rng.choice(COINS), self._rng.randrange(1, 600)
            to_ms = layer.clock.now_ms() - day * DAY_MS
            await self._told(
                "backfill",
                layer.market_data.bars(ticker, ONE_MINUTE, to_ms - DAY_MS, to_ms, priority=Priority.BACKFILL),
            )
            await asyncio.sleep(self._rng.expovariate(1 / 10))

    async def _rechecks(self, layer: DataLayer) -> None:
        assert layer.rest is not None
        while True:
            ticker, day = self._rng.choice(COINS), self._rng.randrange(2, 600)
            from_ms = layer.clock.now_ms() - day * DAY_MS
            await self._told(
                "rechecks",
                layer.rest.bars_page(ticker, ONE_DAY, from_ms, from_ms + DAY_MS, place=Priority.RECHECK),
            )
            await asyncio.sleep(self._rng.expovariate(1 / 60))

    async def _faults(self) -> None:
        kinds = (
            Fault(kind="too_many_requests", count=1),
            Fault(kind="too_many_requests", count=2, retry_after_s=17),
            Fault(kind="server_error", count=1),
            Fault(kind="drop", count=1),
            Fault(kind="stall", count=1),
        )
        turns = itertools.cycle(kinds)  # a rule in force counts itself down
        while True:
            await asyncio.sleep(self._rng.expovariate(1 / 900))
            self._server.faults.add(msgspec.structs.replace(next(turns)))

    async def _told(self, kind: str, call: Awaitable[object]) -> None:
        """Counts how it went; a failure is an answer like any other."""
        try:
            await call
        except MarketError as error:
            self.done[f"{kind}: {type(error).__name__}"] += 1
        else:
            self.done[kind] += 1


async def day() -> dict[str, Any]:
    """Simulated use until `--until-s`."""
    async with serving() as server:
        simulated = Day(server, random.Random(OPTIONS.seed))
        await simulated.run(OPTIONS.until_s)
        refused = server.stats.statuses[429] - server.stats.faults["too_many_requests"]
        return {
            "calls": sum(server.stats.requests.values()),
            "refused": refused,
            "faults": dict(server.stats.faults),
            "left": simulated.left,
            **simulated.done,
        }


async def screen_first() -> dict[str, Any]:
    """One call a minute, forty of a back-fill wait, and then a chart is asked for, by three at once."""
    async with serving(replace(plan.FREE, calls_per_minute=1)) as server, opened(server) as layer:
        layer.limiter.set_calls_per_minute(1)
        arrivals = server.stats.requests
        assert isinstance(arrivals, Arrivals)
        now_ms = layer.clock.now_ms()
        async with asyncio.TaskGroup() as group:
            for ticker in COINS[:40]:
                days = range_of(now_ms, 3)
                group.create_task(layer.market_data.bars(ticker, ONE_MINUTE, *days, priority=Priority.BACKFILL))
            await asyncio.sleep(100)
            waiting, before = layer.limiter.usage().waiting, len(arrivals.log)
            for _ in range(3):
                group.create_task(layer.market_data.bars("X:C050USD", ONE_DAY, *range_of(now_ms, 90)))
        return {
            "waiting": waiting,
            "before": before,
            "tickers": [path.split("/")[4] for _, path in arrivals.log],
            "refused": server.stats.statuses[429],
        }


def range_of(now_ms: int, days: int) -> tuple[int, int]:
    """So many days up to yesterday."""
    return now_ms - days * DAY_MS, now_ms - 2 * DAY_MS


async def fill(kind: plan.Plan, client_plan: Plan) -> dict[str, Any]:
    """Five years of 1D for 100 coins, and 90 days of 1m for ten others; the server's clock stands still."""
    async with serving(kind) as server, opened(server, client_plan) as layer:
        server.clock.set(rate=0.0)
        now_ms = server.clock.now_ms() - 10 * MINUTE_MS  # the client's clock runs on: no minute that is not settled
        names = PlainMarket(120).names
        calls, bars = [], []
        for tickers, timeframe, days in ((names[:100], ONE_DAY, 1826), (names[100:110], ONE_MINUTE, 90)):
            before, found = sum(server.stats.requests.values()), 0
            for ticker in tickers:
                answer = await layer.market_data.bars(
                    ticker, timeframe, now_ms - days * DAY_MS, now_ms + 1, priority=Priority.BACKFILL
                )
                found += len(answer.bars)
            calls.append(sum(server.stats.requests.values()) - before)
            bars.append(found)
        return {"calls": calls, "bars": bars, "took_s": TIME.monotonic() - OPTIONS.from_s}


async def fill_paid() -> dict[str, Any]:
    return await fill(plan.PAID, Plan.PAID)


async def fill_slow() -> dict[str, Any]:
    return await fill(plan.Plan(calls_per_minute=5), Plan.FREE)


async def fill_free() -> dict[str, Any]:
    return await fill(plan.FREE, Plan.FREE)


SCENARIOS: dict[str, Callable[[], Coroutine[Any, Any, dict[str, Any]]]] = {
    "day": day,
    "screen-first": screen_first,
    "fill-paid": fill_paid,
    "fill-slow": fill_slow,
    "fill-free": fill_free,
}

if __name__ == "__main__":
    sys.stdout.write(json.dumps(run_virtual(SCENARIOS[OPTIONS.scenario](), TIME)))
