"""Watching for somebody else on a window's connections: nothing of it stays when they go."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import shiboken6

from desktop.commands.work import watch
from desktop.commands.work.workplace import Workplace
from desktop.data.local_channel import Output, Text
from desktop.domain.market import Market
from desktop.domain.timeframe import DAY_MS
from desktop.services.chart_data import ChartData
from tests.helpers.feed_server import serving_source
from tests.helpers.steady_market import START_MS, SteadyMarket
from tests.services.live_desk import live_desk, until


class Lines:
    """Keeps the lines."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    async def send(self, output: Output) -> None:
        self.post(output)

    def post(self, output: Output) -> None:
        assert isinstance(output, Text), output
        assert len(output.text) < 1_000_000
        self.events += [json.loads(line) for line in output.text.splitlines()]


def charts() -> int:
    """Charts that still hear of the connection; the Python half of the last ones may live on in a finished task."""
    return sum(isinstance(found, ChartData) and shiboken6.isValid(found) for found in gc.get_objects())


def test_nothing_of_it_stays(on_qt_loop: Callable[..., Any], tmp_path: Path) -> None:
    async def scenario() -> None:
        async with (
            serving_source(SteadyMarket(), start_ms=START_MS + DAY_MS, rate=30.0) as server,
            live_desk(server, tmp_path) as desk,
        ):
            workplace = Workplace(desk.layer, desk.live)
            before = charts()
            for _ in range(3):
                lines = Lines()
                arguments = {"tickers": ["X:BTCUSD", "X:ETHUSD"], "timeframe": "1m"}
                async with asyncio.TaskGroup() as group:
                    work = group.create_task(watch.work(workplace, arguments, lines))
                    await until(
                        lambda lines=lines: {e["type"] for e in lines.events} >= {"bar", "connection", "trade"},
                        "bars and trades come",
                    )
                    work.cancel()
                assert sum(event["type"] == "bar" for event in lines.events) < 100
            await until(lambda: charts() == before, "the charts are gone")
            cluster = desk.live._clusters[Market.CRYPTO]
            assert cluster.entries == {}
            await workplace.aclose()
            assert desk.live.states[Market.CRYPTO].connections == 1  # the window's own, still open

    on_qt_loop(scenario(), 60)
