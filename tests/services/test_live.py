"""Shared subscriptions, the board and freshness over a real feed server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from desktop.demo.server import RunningServer
from desktop.domain.freshness import Freshness, Origin
from desktop.domain.timeframe import DAY_MS, HOUR_MS
from desktop.services.chart_status import NO_FEED
from desktop.services.connection import Connection
from desktop.services.live import Channel
from tests.helpers.feed_server import serving_source
from tests.helpers.steady_market import START_MS, SteadyMarket
from tests.services.live_desk import live_desk, until

NOW = START_MS + 2 * DAY_MS + 9 * HOUR_MS
Run = Callable[..., Any]


async def control(server: RunningServer, path: str, body: dict[str, Any]) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        (await client.post(f"{server.control}{path}", json=body)).raise_for_status()


def test_one_connection_serves_every_listener_and_ends_with_the_last(run_async: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving_source(SteadyMarket(), start_ms=NOW) as server, live_desk(server, tmp_path) as desk:
            heard: list[list[str]] = [[], []]
            first = desk.live.listen("X:BTCUSD", [Channel.TRADE], lambda e: heard[0].extend(x.kind for x in e))
            second = desk.live.listen("X:BTCUSD", [Channel.TRADE], lambda e: heard[1].extend(x.kind for x in e))
            other = desk.live.listen("X:ETHUSD", [Channel.TRADE])
            await until(lambda: desk.live.is_streaming("X:ETHUSD", Channel.TRADE), "both are subscribed")
            server.clock.advance(30_000)
            await until(lambda: len(heard[0]) == len(heard[1]) == 3, "both listeners heard three trades")
            assert desk.live.board["X:ETHUSD"].last == desk.live.board["X:BTCUSD"].last
            first.close()
            first.close()
            server.clock.advance(10_000)
            await until(lambda: len(heard[1]) == 4, "the second goes on")
            assert len(heard[0]) == 3
            second.close()
            await until(lambda: not desk.live.is_streaming("X:BTCUSD"), "the last one ends the subscription")
            assert desk.live.is_streaming("X:ETHUSD")
            assert server.stats.clusters["crypto"].total == 1
            other.close()

    run_async(scenario())


def test_the_board_shows_the_newest_price_and_the_snapshots_day(run_async: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving_source(SteadyMarket(), start_ms=NOW) as server, live_desk(server, tmp_path) as desk:
            desk.live.listen("X:BTCUSD", [Channel.TRADE, Channel.QUOTE])
            quote = desk.live.board["X:BTCUSD"]
            await until(lambda: quote.prev_close is not None and quote.day_volume, "the snapshot is there")
            await until(lambda: desk.live.is_streaming("X:BTCUSD", Channel.TRADE), "it streams")
            before = quote.day_volume
            desk.live.take_changed()
            server.clock.advance(10_000)
            await until(lambda: quote.origin is Origin.STREAM, "a trade came")
            assert quote.day_volume == before + 1
            assert quote.change is not None
            assert quote.change_pct is not None
            assert "X:BTCUSD" in desk.live.take_changed()

    run_async(scenario())


def test_a_frozen_feed_stops_saying_live(run_async: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving_source(SteadyMarket(), start_ms=NOW) as server, live_desk(server, tmp_path) as desk:
            desk.live.listen("X:BTCUSD", [Channel.TRADE])
            quote = desk.live.board["X:BTCUSD"]
            await until(lambda: desk.live.is_streaming("X:BTCUSD"), "it streams")
            server.clock.advance(10_000)
            await until(lambda: quote.freshness is Freshness.LIVE, "it is live")
            await control(server, "/faults", {"kind": "socket_drop"})
            await control(server, "/faults", {"kind": "socket_refuse"})
            await until(lambda: quote.freshness is Freshness.STALE, "it says so")

    run_async(scenario())


def test_a_refusal_is_one_sentence_with_one_action(run_async: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving_source(SteadyMarket(), start_ms=NOW) as server, live_desk(server, tmp_path) as desk:
            actions: list[str] = []
            connection = Connection(desk.live, desk.layer.limiter, actions.append)
            await control(server, "/faults", {"kind": "socket_no_plan"})
            desk.live.listen("X:BTCUSD", [Channel.TRADE])
            await until(lambda: connection.summary.sentence == NO_FEED, "it is refused")
            summary = connection.summary
            assert summary.level == "warning"
            assert summary.action
            tries = server.stats.clusters["crypto"].total
            async with httpx.AsyncClient(trust_env=False) as client:
                await client.delete(f"{server.control}/faults")
            assert server.stats.clusters["crypto"].total == tries  # no reconnect loop
            connection.run_action("retry")
            await until(lambda: connection.summary.level == "good", "one click connects again")
            assert actions == ["retry"]

    run_async(scenario())


def test_data_that_arrive_late_are_called_late(run_async: Run, tmp_path: Path) -> None:
    class Ahead:
        """The clock of a reader whose events took five seconds to arrive."""

        rate = 0.0

        def __init__(self, server: RunningServer) -> None:
            self._server = server

        breaks = 0

        def now_ms(self) -> int:
            return self._server.clock.now_ms() + 10_000

    async def scenario() -> None:
        async with (
            serving_source(SteadyMarket(), start_ms=NOW) as server,
            live_desk(server, tmp_path, Ahead(server)) as desk,
        ):
            connection = Connection(desk.live, desk.layer.limiter, lambda _action: None)
            desk.live.listen("X:BTCUSD", [Channel.TRADE])
            await until(lambda: desk.live.is_streaming("X:BTCUSD"), "it streams")
            assert connection.lag_sentence is None
            for count in range(1, 4):
                server.clock.advance(10_000)
                await until(lambda n=count: desk.live.events >= n, "a trade came")
            assert connection.lag_sentence is not None
            assert "late" in connection.lag_sentence

    run_async(scenario())
