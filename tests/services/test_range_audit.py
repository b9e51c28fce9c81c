"""Audits as the window asks for them: offered without a call, run, cancelled, failed; over a real feed server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from desktop.demo.faults import Fault
from desktop.domain.timeframe import DAY_MS, HOUR_MS, ONE_MINUTE, Timeframe
from desktop.services.audit import RangeAudit
from tests.helpers.feed_server import serving_source
from tests.helpers.steady_market import START_MS, SteadyMarket
from tests.services.live_desk import live_desk, until

NOW = START_MS + 200 * DAY_MS
BTC = "X:BTCUSD"
Run = Callable[..., Any]


def test_an_offer_costs_nothing_and_names_the_stored_bars(run_async: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving_source(SteadyMarket(), start_ms=NOW) as server, live_desk(server, tmp_path) as desk:
            audit = RangeAudit(desk.layer.market_data, lambda *_stored: None)
            before = desk.layer.limiter.usage().last_day
            audit.offer(BTC, Timeframe.parse("45m"), NOW - 100 * DAY_MS, NOW)
            offer = audit.state.offer
            assert offer is not None
            assert (audit.state.phase, offer.timeframe, offer.calls) == ("offered", ONE_MINUTE, 3)
            assert offer.calls_per_minute is None
            assert desk.layer.limiter.usage().last_day == before
            await audit.aclose()

    run_async(scenario())


def test_pages_are_told_as_they_are_stored_and_the_report_ends_it(run_async: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving_source(SteadyMarket(), start_ms=NOW) as server, live_desk(server, tmp_path) as desk:
            stored: list[tuple[str, int, int]] = []
            audit = RangeAudit(desk.layer.market_data, lambda *page: stored.append(page))
            await desk.layer.market_data.bars(BTC, ONE_MINUTE, NOW - 40 * DAY_MS, NOW - DAY_MS)
            audit.offer(BTC, ONE_MINUTE, NOW - 40 * DAY_MS, NOW - DAY_MS)
            audit.start()
            assert audit.state.phase == "running"
            audit.offer(BTC, ONE_MINUTE, NOW - DAY_MS, NOW)
            assert audit.state.phase == "running", "one that runs is left alone"
            await until(lambda: audit.state.phase == "done", "it is done")
            assert audit.state.report is not None
            assert audit.state.report.findings.compared == 39 * 24 * 60
            assert audit.state.report.is_clean
            assert [ticker for ticker, _from, _to in stored] == [BTC, BTC]
            assert (stored[0][1], stored[-1][2]) == (NOW - 40 * DAY_MS, NOW - DAY_MS)
            assert stored[0][2] == stored[1][1]
            await audit.aclose()

    run_async(scenario())


def test_a_cancelled_one_ends_at_once_and_another_can_be_started(run_async: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving_source(SteadyMarket(), start_ms=NOW) as server, live_desk(server, tmp_path) as desk:
            audit = RangeAudit(desk.layer.market_data, lambda *_stored: None)
            server.faults.add(Fault(kind="stall", path="aggs"))
            audit.offer(BTC, ONE_MINUTE, NOW - 2 * HOUR_MS, NOW - HOUR_MS)
            audit.start()
            await until(lambda: server.faults.counter["stall"], "the server keeps it waiting")
            audit.cancel()
            assert audit.state.phase == "cancelled"
            server.faults.clear()
            audit.start()
            await until(lambda: audit.state.phase == "done", "the second one is done")
            await audit.aclose()

    run_async(scenario())


def test_offline_is_a_sentence(run_async: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with (
            serving_source(SteadyMarket(), start_ms=NOW) as server,
            live_desk(server, tmp_path, rest=False) as desk,
        ):
            audit = RangeAudit(desk.layer.market_data, lambda *_stored: None)
            audit.offer(BTC, ONE_MINUTE, NOW - 2 * HOUR_MS, NOW - HOUR_MS)
            audit.start()
            await until(lambda: audit.state.phase == "failed", "it says that it cannot")
            assert audit.state.sentence is not None
            assert "ffline" in audit.state.sentence
            await audit.aclose()

    run_async(scenario())
