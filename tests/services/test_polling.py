"""Plans without a socket, and no network at all: what is shown, what is said, and how many calls it costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from desktop.demo.plan import FREE, PAID
from desktop.demo.server import RunningServer
from desktop.domain.freshness import Freshness
from desktop.domain.market import market_of
from desktop.domain.sessions import is_open
from desktop.domain.timeframe import DAY_MS, HOUR_MS, MINUTE_MS, ONE_DAY, ONE_HOUR, ONE_MINUTE, Timeframe, bucket_start
from desktop.services.chart_data import ChartData
from desktop.services.chart_status import NO_FEED
from desktop.services.connection import Connection
from desktop.services.live import Channel
from desktop.services.series_stream import Pace
from tests.helpers.feed_server import serving_source
from tests.helpers.steady_market import START_MS, SteadyMarket
from tests.services.live_desk import LiveDesk, live_desk, until
from tests.services.test_chart_data import agrees

MARKET = SteadyMarket()
NOW = START_MS + 4 * DAY_MS + 5 * HOUR_MS + 30 * MINUTE_MS + 20_000  # a Tuesday
QUICK = Pace(settle_s=0.2, outage_s=0.2, poll_s=0.2, retry_s=0.2, join_s=0.2, repair_s=0.2)
Run = Callable[..., Any]


def calls(server: RunningServer, part: str = "") -> int:
    return sum(count for path, count in server.stats.requests.items() if part in path)


def last_price(ticker: str, now_ms: int) -> float:
    return float(MARKET.trades(ticker, now_ms - HOUR_MS, now_ms).price[-1])


def said_of(chart: ChartData) -> set[Freshness]:
    """Every freshness the chart shows from now on."""
    said = {chart.status.freshness}
    chart.status_changed.connect(lambda: said.add(chart.status.freshness))
    return said


@pytest.mark.parametrize(("ticker", "text"), [("X:BTCUSD", "1m"), ("X:BTCUSD", "4h"), ("AAPL", "5m")])
def test_a_plan_without_a_socket_is_asked_every_minute(run_async: Run, tmp_path: Path, ticker: str, text: str) -> None:
    async def scenario() -> None:
        plan = replace(PAID, has_socket=False)
        async with (
            serving_source(MARKET, start_ms=NOW, plan=plan) as server,
            live_desk(server, tmp_path, pace=QUICK) as desk,
        ):
            chart, connection = desk.chart, Connection(desk.live, desk.layer.limiter, lambda _action: None)
            said = said_of(chart)
            desk.live.listen("X:ETHUSD", [Channel.TRADE, Channel.QUOTE])  # on the watchlist
            chart.show(ticker, Timeframe.parse(text))
            await until(lambda: agrees(chart, server), "the first picture is right")
            await until(lambda: chart.status.note == NO_FEED, "the chart says that there is no feed")
            await until(lambda: connection.summary.sentence == NO_FEED, "and so does the status bar")
            watched = desk.live.board["X:ETHUSD"]
            for _ in range(4):
                closed_ms = bucket_start(server.clock.now_ms(), chart.timeframe, chart.market)
                server.clock.advance(chart.timeframe.typical_ms + 10_000)
                await until(lambda: agrees(chart, server), "the chart has followed")
                assert chart.state_of(closed_ms) != "forming"
                price = last_price("X:ETHUSD", server.clock.now_ms())
                await until(lambda p=price: watched.last == p, "the watchlist has followed")
            is_trading = is_open(chart.market, server.clock.now_ms())
            shown = Freshness.DELAYED if is_trading else Freshness.NO_TRADES
            await until(lambda: chart.status.freshness is shown, f"the chart is called {shown}")
            await until(lambda: watched.freshness is Freshness.DELAYED, "the watched ticker is called delayed")
            assert Freshness.LIVE not in said
            markets = {market_of(ticker).cluster, "crypto"}
            assert {name: server.stats.clusters[name].total for name in markets} == dict.fromkeys(markets, 1)
            assert server.stats.statuses.keys() == {200}

    run_async(scenario())


@pytest.mark.parametrize("text", ["1h", "4h", "1D"])
def test_a_chart_that_reaches_beyond_the_plans_history_is_live_all_the_same(
    run_async: Run, tmp_path: Path, text: str
) -> None:
    async def scenario() -> None:
        plan = replace(PAID, history_days=3, cuts_history=False)
        async with (
            serving_source(MARKET, start_ms=NOW, plan=plan) as server,
            live_desk(server, tmp_path, pace=QUICK) as desk,
        ):
            chart = desk.chart
            chart.show("X:BTCUSD", Timeframe.parse(text))
            await until(lambda: chart.is_live and agrees(chart, server), "it is live")
            assert chart.status.missing
            assert chart.status.missing[-1][1] <= int(chart.series.bars.start_ms[0])
            server.clock.advance(HOUR_MS)
            await until(lambda: agrees(chart, server), "it goes on")

    run_async(scenario())


def test_a_free_plan_shows_finished_days_and_asks_for_nothing_twice(run_async: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        plan = replace(FREE, calls_per_minute=20)
        async with (
            serving_source(MARKET, start_ms=NOW, plan=plan) as server,
            live_desk(server, tmp_path, pace=QUICK, calls_per_minute=20) as desk,
        ):
            chart = desk.chart
            said = said_of(chart)
            for ticker in ("X:ETHUSD", "AAPL"):
                desk.live.listen(ticker, [Channel.TRADE, Channel.QUOTE])
            chart.show("X:BTCUSD", ONE_HOUR)
            board, today_ms = desk.live.board, NOW - NOW % DAY_MS

            def is_up_to(end_ms: int) -> bool:
                return chart.series.last_start_ms == end_ms - HOUR_MS

            await until(lambda: is_up_to(today_ms), "the chart ends with yesterday")
            await until(lambda: chart.status.note == NO_FEED, "the chart says that there is no feed")
            close = last_price("X:ETHUSD", today_ms)
            await until(lambda: board["X:ETHUSD"].last == close, "the watched coin shows yesterday's close")
            new_york_ms = bucket_start(NOW, ONE_DAY, market_of("AAPL"))
            await until(lambda: board["AAPL"].last == last_price("AAPL", new_york_ms), "and so does the stock")
            await until(lambda: board["X:ETHUSD"].freshness is Freshness.CACHED, "it is called cached")
            assert board["X:ETHUSD"].prev_close == last_price("X:ETHUSD", today_ms - DAY_MS)
            asked = calls(server)

            server.clock.advance(DAY_MS)
            await until(lambda: is_up_to(today_ms + DAY_MS), "the next day is there by itself")
            close = last_price("X:ETHUSD", today_ms + DAY_MS)
            await until(lambda: board["X:ETHUSD"].last == close, "also in the watchlist")
            assert calls(server) - asked <= 5
            assert asked <= 12
            assert server.stats.statuses[429] == 0
            assert server.stats.clusters["crypto"].total == 1
            assert said <= {Freshness.CACHED}

    run_async(scenario())


def test_without_a_network_everything_opens_from_the_cache_and_catches_up_by_itself(
    run_async: Run, tmp_path: Path
) -> None:
    async def fill() -> tuple[RunningServer, int]:
        async with serving_source(MARKET, start_ms=NOW) as server, live_desk(server, tmp_path) as desk:
            await _open(desk)
            await until(lambda: agrees(desk.chart, server), "the first picture is right")
            await until(lambda: desk.live.board["X:ETHUSD"].last is not None, "the watchlist has a price")
            return server, server.clock.now_ms()

    async def scenario() -> None:
        gone, now_ms = await fill()
        rest_port, socket_port = urlsplit(gone.rest).port or 0, urlsplit(gone.socket).port or 0
        gone.clock.advance(3 * HOUR_MS)
        async with live_desk(gone, tmp_path, pace=QUICK) as desk:  # nobody listens there now
            chart, watched = desk.chart, desk.live.board
            said = said_of(chart)
            await _open(desk)
            await until(lambda: len(chart.series) > 400, "the cache is on the screen")
            await until(lambda: watched["X:ETHUSD"].last is not None, "the watchlist shows its last prices")
            await until(lambda: chart.status.sentence is not None, "it says what is wrong")
            assert chart.status.phase == "ready"
            assert chart.status.freshness is Freshness.CACHED
            assert watched["X:ETHUSD"].freshness is Freshness.CACHED
            age_ms = chart.status.age_ms(gone.clock.now_ms())
            assert age_ms is not None
            assert age_ms >= 3 * HOUR_MS
            assert said == {Freshness.CACHED}

            start_ms = now_ms + 3 * HOUR_MS
            ports = {"rest_port": rest_port, "socket_port": socket_port}
            async with serving_source(MARKET, start_ms=start_ms, **ports) as server:
                await until(lambda: agrees(chart, server), "the chart has caught up", limit_s=60)
                await until(lambda: chart.is_live, "it is live", limit_s=60)
                price = last_price("X:ETHUSD", start_ms)
                await until(lambda: watched["X:ETHUSD"].last == price, "the watchlist has caught up", limit_s=60)
                await until(lambda: chart.status.sentence is None, "nothing is wrong any more")

    run_async(scenario(), timeout_s=120)


async def _open(desk: LiveDesk) -> None:
    desk.live.listen("X:ETHUSD", [Channel.TRADE, Channel.QUOTE])
    desk.chart.show("X:BTCUSD", ONE_MINUTE)
