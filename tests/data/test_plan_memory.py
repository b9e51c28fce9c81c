"""What a plan lacks is remembered for its key, and asked for once more after “check again”; counted by the server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from desktop.assembly import DataLayer, Source, identify, open_data_layer
from desktop.data.folders import Folders
from desktop.demo.faults import Fault
from desktop.demo.plan import FREE
from desktop.demo.plan import Plan as ServedPlan
from desktop.demo.server import RunningServer
from desktop.domain.errors import NotInPlan, Unauthorized
from desktop.domain.settings import Plan
from desktop.domain.timeframe import HOUR_MS, ONE_MINUTE
from desktop.domain.world import World
from tests.helpers.feed_server import TEST_KEY, serving_source
from tests.helpers.steady_market import START_MS, SteadyMarket

OTHER_KEY = "another-key-0123456789abcdef"
NOW = START_MS + 30 * HOUR_MS
TODAY = START_MS + 24 * HOUR_MS
UNHURRIED = ServedPlan(has_socket=False, is_end_of_day=True, families=FREE.families)


@asynccontextmanager
async def layer_over(server: RunningServer, folder: Path) -> AsyncIterator[DataLayer]:
    source = Source(server.rest, server.socket, server.key, World(server.world), server.control, Plan.PAID)
    async with open_data_layer(source, Folders.open(folder), lambda _sentence: None) as layer:
        yield layer


def calls(server: RunningServer) -> int:
    return sum(server.stats.requests.values())


def test_an_endpoint_not_in_the_plan_is_asked_once_more_after_check_again(
    run_async: Callable[..., Any], tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with (
            serving_source(SteadyMarket(), start_ms=NOW, plan=UNHURRIED) as server,
            layer_over(server, tmp_path) as layer,
        ):
            data, rest = layer.market_data, layer.rest
            assert rest is not None

            async def asks(times: int = 3) -> int:
                before = calls(server)
                for _ in range(times):
                    with pytest.raises(NotInPlan):
                        await data.snapshot(["X:BTCUSD"])
                return calls(server) - before

            assert await asks() == 1
            assert await asks() == 0
            await data.forget_limits()
            assert await asks() == 1
            rest.use_key(OTHER_KEY)
            with pytest.raises(Unauthorized):
                await data.snapshot(["X:BTCUSD"])
            rest.use_key(TEST_KEY)
            assert await asks() == 1

    run_async(scenario())


def test_asking_a_server_for_its_world_is_no_call_of_the_plan(run_async: Callable[..., Any], tmp_path: Path) -> None:
    async def scenario() -> None:
        folders = Folders.open(tmp_path)
        async with serving_source(SteadyMarket(), start_ms=NOW, plan=FREE) as server:
            asked = Source(server.rest, server.socket, server.key, World("custom-0123456789"))
            for _ in range(5):
                source = await identify(asked, folders)
                assert (source.world, source.control) == (World(server.world), server.control)
            async with layer_over(server, tmp_path) as layer:
                assert layer.rest is not None
                for _ in range(5):
                    await layer.rest.market_status()
            assert server.stats.statuses == {401: 5, 200: 5}

    run_async(scenario())


def test_what_one_market_lacks_says_nothing_about_another(run_async: Callable[..., Any], tmp_path: Path) -> None:
    """Plans are sold by asset class."""

    async def scenario() -> None:
        async with serving_source(SteadyMarket(), start_ms=NOW) as server, layer_over(server, tmp_path) as layer:
            server.faults.add(Fault(kind="not_entitled", path="ticker/AAPL/"))
            hour = NOW - 2 * HOUR_MS, NOW - HOUR_MS
            for _ in range(2):
                answer = await layer.market_data.bars("AAPL", ONE_MINUTE, *hour)
                assert isinstance(answer.error, NotInPlan)
            coins = await layer.market_data.bars("X:BTCUSD", ONE_MINUTE, *hour)
            assert (coins.error, len(coins.bars)) == (None, 60)
            assert sum("AAPL" in path for path in server.stats.requests.elements()) == 1

    run_async(scenario())


def test_the_edge_of_a_plan_is_remembered_for_its_key_only(run_async: Callable[..., Any], tmp_path: Path) -> None:
    async def asked(key: str, *, check_again: bool = False) -> int:
        """The calls one run of the application makes for an hour of the current day."""
        async with (
            serving_source(SteadyMarket(), start_ms=NOW, plan=UNHURRIED, key=key) as server,
            layer_over(server, tmp_path) as layer,
        ):
            if check_again:
                await layer.market_data.forget_limits()
            before = calls(server)
            answer = await layer.market_data.bars("X:BTCUSD", ONE_MINUTE, TODAY, TODAY + HOUR_MS)
            assert isinstance(answer.error, NotInPlan)
            assert answer.newest_ms == TODAY
            return calls(server) - before

    async def scenario() -> None:
        assert await asked(TEST_KEY) == 1
        assert await asked(TEST_KEY) == 0
        assert await asked(OTHER_KEY) == 1
        assert await asked(OTHER_KEY) == 0
        assert await asked(OTHER_KEY, check_again=True) == 1

    run_async(scenario())
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert OTHER_KEY.encode() not in file.read_bytes()
