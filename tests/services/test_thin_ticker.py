"""A coin that trades every few hours: it is quiet, not broken; nothing of it is missing, nothing is asked for twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from desktop.demo.server import RunningServer
from desktop.domain.freshness import Freshness
from desktop.domain.timeframe import DAY_MS, HOUR_MS, MINUTE_MS, Timeframe
from desktop.services.live import Channel
from desktop.services.series_stream import Pace
from tests.helpers.feed_server import serving_source
from tests.helpers.steady_market import START_MS, SteadyMarket
from tests.services.live_desk import LiveDesk, live_desk, until

THIN = "X:THINUSD"
NOW = START_MS + 2 * DAY_MS + 40 * MINUTE_MS + 20_000  # 40 minutes after a trade
QUICK = Pace(settle_s=0.05, outage_s=0.2, poll_s=60.0, retry_s=0.2, join_s=0.1, repair_s=0.2)
Run = Callable[..., Any]


class RareMarket(SteadyMarket):
    """`X:THINUSD` trades every third hour."""

    def _times(self, ticker: str, from_ms: int, to_ms: int) -> tuple[np.ndarray, np.ndarray]:
        numbers, times = super()._times(ticker, from_ms, to_ms)
        is_kept = numbers % 3 == 0 if ticker == THIN else np.ones(len(numbers), bool)
        return numbers[is_kept], times[is_kept]


def calls(server: RunningServer, part: str) -> int:
    return sum(count for path, count in server.stats.requests.items() if part in path)


async def drop(server: RunningServer) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        (await client.post(f"{server.control}/faults", json={"kind": "socket_drop"})).raise_for_status()


def said_while_streaming(desk: LiveDesk) -> set[Freshness]:
    """Every freshness of the thin ticker on a standing connection, from now on."""
    said = set[Freshness]()

    def look() -> None:
        if desk.live.is_streaming(THIN):
            said.add(desk.live.board[THIN].freshness)

    desk.chart.status_changed.connect(look)
    desk.live.state_changed.connect(look)
    return said


@pytest.mark.parametrize("text", ["1m", "15m", "1h"])
def test_a_thin_chart_is_complete_quiet_and_cheap(run_async: Run, tmp_path: Path, text: str) -> None:
    async def scenario() -> None:
        market, timeframe = RareMarket(), Timeframe.parse(text)
        async with (
            serving_source(market, start_ms=NOW) as server,
            live_desk(server, tmp_path, pace=QUICK) as desk,
        ):
            chart, quote = desk.chart, desk.live.board
            chart.show(THIN, timeframe)
            said = said_while_streaming(desk)
            await until(lambda: chart.is_live, "it is live")
            await until(lambda: quote[THIN].freshness is Freshness.NO_TRADES, "right after the start nobody trades")
            shown, asked, steps = len(chart.series), calls(server, "aggs"), 0
            while server.clock.now_ms() < NOW + 7 * HOUR_MS:
                before_ms, steps = server.clock.now_ms(), steps + 1
                server.clock.advance(10 * MINUTE_MS)
                await until(
                    lambda at_ms=before_ms - timeframe.typical_ms: chart.state_of(at_ms - at_ms % HOUR_MS) == "settled",
                    "what is over is settled",
                )
                assert chart.status.missing == ()
                assert chart.status.sentence is None
            assert len(chart.series) == shown + 2  # at 03:00:05 and 06:00:05
            now_ms = server.clock.now_ms()
            assert (
                chart.series.bars.close[-2:].tolist()
                == market.trades(THIN, now_ms - 6 * HOUR_MS, now_ms).price.tolist()
            )
            assert calls(server, "aggs") - asked <= 2 * steps
            await until(lambda: quote[THIN].freshness is Freshness.NO_TRADES, "nobody trades again")
            assert Freshness.STALE not in said

            stands = desk.live.stream_of(THIN)
            assert stands is not None
            await drop(server)
            await until(lambda: (desk.live.stream_of(THIN) or 0) > stands, "it is connected again")
            await until(lambda: chart.is_live, "it is live again")
            await until(lambda: chart.status.freshness is Freshness.NO_TRADES, "after the reconnect nobody trades")
            assert Freshness.STALE not in said
            assert chart.status.missing == ()

    run_async(scenario(), timeout_s=60)


def test_a_thin_ticker_in_the_watchlist_only_is_quiet_too(run_async: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with (
            serving_source(RareMarket(), start_ms=NOW) as server,
            live_desk(server, tmp_path, pace=QUICK) as desk,
        ):
            desk.live.listen(THIN, [Channel.TRADE, Channel.QUOTE])
            quote = desk.live.board[THIN]
            said = said_while_streaming(desk)
            await until(lambda: quote.freshness is Freshness.NO_TRADES, "right after the start nobody trades")
            assert quote.last is not None
            for _ in range(7):
                server.clock.advance(HOUR_MS)
                await until(lambda: desk.live.is_streaming(THIN), "it streams")
            await until(lambda: quote.last_ms == NOW + 5 * HOUR_MS + 20 * MINUTE_MS - 15_000, "two trades came")
            server.clock.advance(6 * MINUTE_MS)
            await until(lambda: quote.freshness is Freshness.NO_TRADES, "six minutes later nobody trades")
            await drop(server)
            await until(lambda: not desk.live.is_streaming(THIN), "it is cut off")
            await until(lambda: desk.live.is_streaming(THIN), "it is connected again")
            await until(lambda: quote.freshness is Freshness.NO_TRADES, "after the reconnect nobody trades")
            assert Freshness.STALE not in said
            assert calls(server, "aggs") == 0
            assert calls(server, "snapshot") <= 5  # at the start, and for each connection

    run_async(scenario(), timeout_s=60)


def test_pongs_tell_a_quiet_line_from_a_dead_one(run_async: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with (
            serving_source(RareMarket(), start_ms=NOW) as server,
            live_desk(server, tmp_path, pace=QUICK) as desk,
        ):
            for ticker in ("X:BTCUSD", "C:EURUSD"):
                desk.live.listen(ticker, [Channel.TRADE, Channel.QUOTE])
            dead, quiet = desk.live.board["X:BTCUSD"], desk.live.board["C:EURUSD"]
            await until(lambda: all(map(desk.live.is_streaming, desk.live.board)), "both stream")
            server.clock.advance(10_000)
            await until(lambda: dead.freshness is Freshness.LIVE, "it is live")
            said = set[Freshness]()
            desk.live.state_changed.connect(lambda: said.add(quiet.freshness))
            async with httpx.AsyncClient(trust_env=False) as client:
                fault = {"kind": "socket_stall", "cluster": "crypto"}
                (await client.post(f"{server.control}/faults", json=fault)).raise_for_status()
            # No event comes on either line from here on: the clock stands still.
            await until(lambda: dead.freshness is Freshness.STALE, "the line without pongs is found out", limit_s=60)
            assert desk.live.is_streaming("C:EURUSD")
            assert quiet.freshness is not Freshness.STALE
            assert Freshness.STALE not in said

    run_async(scenario(), timeout_s=90)
