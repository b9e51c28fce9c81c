"""The connection tells a meter about the calls used, as they are used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from desktop.data.rate_limit import Priority
from desktop.domain.usage import UsageLevel
from desktop.services.connection import Connection
from tests.helpers.feed_server import serving_source
from tests.helpers.steady_market import START_MS, SteadyMarket
from tests.services.live_desk import live_desk


def test_calls_are_announced_and_warned_of(run_async: Callable[..., Any], tmp_path: Path) -> None:
    async def scenario() -> None:
        async with (
            serving_source(SteadyMarket(), start_ms=START_MS + 86_400_000) as server,
            live_desk(server, tmp_path) as desk,
        ):
            limiter, rest = desk.layer.limiter, desk.layer.rest
            assert rest is not None
            connection = Connection(desk.live, limiter, lambda _action: None)
            used: list[int] = []
            connection.usage_changed.connect(lambda: used.append(connection.usage.in_window))
            limiter.set_calls_per_minute(connection.usage.in_window + 5)
            assert connection.usage_warning.level is UsageLevel.CALM
            while connection.usage.next_free_s == 0:
                await rest.market_status(place=Priority.SEARCH)
            usage = connection.usage
            assert usage.in_window == usage.limit_per_minute == max(used)
            assert sorted(used) == used
            assert usage.last_day == usage.fills_last_day >= 5
            assert connection.usage_warning.level is UsageLevel.FULL
            assert "next free in" in connection.usage_warning.sentence

    run_async(scenario())
