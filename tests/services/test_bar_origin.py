"""Where the bars on a chart come from and how old they are, over a real feed server and then without one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from desktop.domain.freshness import Freshness, Origin
from desktop.domain.timeframe import DAY_MS, HOUR_MS, MINUTE_MS, ONE_MINUTE
from tests.helpers.feed_server import serving_source
from tests.helpers.steady_market import START_MS, SteadyMarket
from tests.services.live_desk import live_desk, until

NOW = START_MS + 2 * DAY_MS + 5 * HOUR_MS + 30 * MINUTE_MS + 20_000
BTC = "X:BTCUSD"
Run = Callable[..., Any]


def test_a_bar_is_made_of_trades_then_the_feeds_own_then_rests(run_async: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving_source(SteadyMarket(), start_ms=NOW) as server, live_desk(server, tmp_path) as desk:
            chart = desk.chart
            chart.show(BTC, ONE_MINUTE)
            await until(lambda: chart.is_live, "it is live")
            assert chart.origin_of(NOW - HOUR_MS) == "REST"
            server.clock.advance(45_000)  # into the next minute: its bar begins with trades alone
            first_ms = NOW - NOW % MINUTE_MS + MINUTE_MS
            await until(lambda: chart.series.last_start_ms == first_ms, "the next bar has begun")
            await until(lambda: chart.status.bar_origin == "feed trades", f"it is made of trades: {chart.status}")
            seen = chart.status.seen
            assert seen is not None
            assert seen.origin is Origin.STREAM
            assert seen.event_ms <= seen.received_ms <= server.clock.now_ms()
            server.clock.advance(MINUTE_MS)
            await until(lambda: chart.origin_of(first_ms) == "feed minute bar", "the feed's own bar has replaced it")
            for _ in range(8):
                server.clock.advance(MINUTE_MS)
                await until(lambda: chart.series.last_start_ms == _forming_ms(server.clock.now_ms()), "a bar a minute")
            await until(lambda: chart.state_of(first_ms) == "settled", "REST has settled it", 30)
            await until(lambda: chart.origin_of(first_ms) == "REST", "and is its origin now")

    run_async(scenario(), 60)


def _forming_ms(now_ms: int) -> int:
    return now_ms - now_ms % MINUTE_MS


def test_a_chart_from_the_cache_knows_when_it_was_fetched(run_async: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving_source(SteadyMarket(), start_ms=NOW) as server:
            async with live_desk(server, tmp_path) as desk:
                desk.chart.show(BTC, ONE_MINUTE)
                await until(lambda: desk.chart.is_live, "the cache is filled")
            server.clock.advance(3 * HOUR_MS)
            async with live_desk(server, tmp_path, rest=False) as desk:
                chart = desk.chart
                chart.show(BTC, ONE_MINUTE)
                await until(lambda: len(chart.series), "the cache is shown")
                await until(lambda: chart.status.fetched_ms, "it knows its age")
                assert chart.status.freshness is Freshness.CACHED
                assert chart.status.bar_origin == "cache"
                assert chart.origin_of(NOW - HOUR_MS) == "cache"
                age_ms = chart.status.age_ms(server.clock.now_ms())
                assert age_ms is not None
                assert abs(age_ms - 3 * HOUR_MS) < MINUTE_MS

    run_async(scenario(), 40)
