"""The stitch of history and live bars, over a real feed server: what is shown equals the market itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from desktop.demo.server import RunningServer
from desktop.domain.bars import Bars
from desktop.domain.coverage import Covered
from desktop.domain.freshness import Freshness
from desktop.domain.timeframe import DAY_MS, HOUR_MS, MINUTE_MS, ONE_MINUTE, Timeframe, bucket_start
from desktop.services.chart_data import ChartData
from tests.helpers.feed_server import serving_source
from tests.helpers.steady_market import START_MS, SteadyMarket
from tests.services.live_desk import live_desk, until

MARKET = SteadyMarket()
NOW = START_MS + 2 * DAY_MS + 5 * HOUR_MS + 30 * MINUTE_MS + 20_000
Run = Callable[..., Any]


def expected(ticker: str, text: str, server: RunningServer, from_ms: int) -> Bars:
    """The market's own bars from `from_ms` to now, rolled up as the chart shows them."""
    from desktop.domain.aggregation import roll_up
    from desktop.domain.market import market_of

    timeframe, now_ms = Timeframe.parse(text), server.clock.now_ms()
    base = MARKET.bars(ticker, timeframe.base, from_ms, now_ms + 1, now_ms)
    return roll_up(base, timeframe, market_of(ticker))


def agrees(chart: ChartData, server: RunningServer) -> bool:
    bars = chart.series.bars
    if not len(bars):
        return False
    wanted = expected(chart.ticker, str(chart.timeframe), server, int(bars.start_ms[0]))
    return bars.start_ms.tolist() == wanted.start_ms.tolist() and all(
        getattr(bars, name).tolist() == getattr(wanted, name).tolist()
        for name in ("open", "high", "low", "close", "volume")
    )


@pytest.mark.parametrize("text", ["1m", "5m", "1h", "4h", "1D", "1W"])
@pytest.mark.parametrize("ticker", ["X:BTCUSD", "AAPL", "C:EURUSD"])
def test_history_and_live_make_the_bars_of_the_market(run_async: Run, tmp_path: Path, ticker: str, text: str) -> None:
    async def scenario() -> None:
        async with serving_source(MARKET, start_ms=NOW) as server, live_desk(server, tmp_path) as desk:
            chart = desk.chart
            chart.show(ticker, Timeframe.parse(text))
            await until(lambda: chart.status.phase == "ready" and agrees(chart, server), "the first picture is right")
            await until(lambda: chart.is_live, "it is stitched to the stream")
            for _ in range(8):  # over the close of a minute and more
                server.clock.advance(12_100)
                await until(lambda: agrees(chart, server), f"live bars equal the market at {server.clock.now_ms()}")
            assert chart.status.live_events > 0

    run_async(scenario())


def test_what_was_traded_while_the_line_was_down_is_there_before_it_says_live(run_async: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving_source(MARKET, start_ms=NOW) as server, live_desk(server, tmp_path) as desk:
            chart = desk.chart
            chart.show("X:BTCUSD", Timeframe.parse("1m"))
            await until(lambda: chart.is_live and agrees(chart, server), "it is live")
            holes: list[int] = []

            def look() -> None:
                starts = chart.series.bars.start_ms
                if chart.status.freshness is Freshness.LIVE and (starts[1:] - starts[:-1] != MINUTE_MS).any():
                    holes.append(len(starts))

            chart.changed.connect(lambda _first: look())
            chart.status_changed.connect(look)
            for round_number in range(2, 5):
                await _drop(server)
                server.clock.advance(7 * MINUTE_MS + 3_000)
                await until(lambda n=round_number: desk.live.stream_of("X:BTCUSD") == n, "it is connected again")
                await until(lambda: chart.is_live and agrees(chart, server), "the gap is filled")
            assert holes == []

    run_async(scenario())


def test_a_bar_is_forming_then_closed_then_settled(run_async: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving_source(MARKET, start_ms=NOW) as server, live_desk(server, tmp_path) as desk:
            chart = desk.chart
            chart.show("X:BTCUSD", Timeframe.parse("1m"))
            await until(lambda: chart.is_live and agrees(chart, server), "it is live")
            forming_ms = bucket_start(NOW, chart.timeframe, chart.market)
            assert chart.state_of(forming_ms) == "forming"
            assert chart.state_of(forming_ms - MINUTE_MS) == "closed"
            assert chart.state_of(forming_ms - HOUR_MS) == "settled"
            server.clock.advance(MINUTE_MS)
            await until(lambda: chart.state_of(forming_ms) == "closed", "the bar is closed")

    run_async(scenario())


def test_older_bars_are_put_in_front_until_there_are_none(run_async: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving_source(MARKET, start_ms=NOW) as server, live_desk(server, tmp_path) as desk:
            chart, fronts = desk.chart, []
            chart.prepended.connect(fronts.append)
            chart.show("X:BTCUSD", Timeframe.parse("1m"))
            await until(lambda: chart.status.phase == "ready" and agrees(chart, server), "the first picture is right")
            for _ in range(10):
                if chart.status.is_oldest_reached:
                    break
                chart.want_older()
                await until(lambda: not chart.status.is_loading_older, "older bars are there")
            assert chart.status.is_oldest_reached
            assert int(chart.series.bars.start_ms[0]) == START_MS
            assert sum(fronts) == len(chart.series) - 601
            assert agrees(chart, server)
            chart.want_older()
            assert not chart.status.is_loading_older

    run_async(scenario())


def test_what_is_repaired_within_view_comes_in_place_and_nothing_from_before(run_async: Run, tmp_path: Path) -> None:
    """A page is checked again whole: its repaired bars from before the first one on the chart must not join it."""

    async def scenario() -> None:
        async with serving_source(MARKET, start_ms=NOW) as server, live_desk(server, tmp_path) as desk:
            chart, ticker = desk.chart, "X:BTCUSD"
            midnight = bucket_start(NOW, Timeframe.parse("1D"), chart.market)
            seen, before = ((midnight - hours * HOUR_MS, midnight - (hours - 1) * HOUR_MS) for hours in (25, 40))
            for from_ms, to_ms in (seen, before):
                bars = MARKET.bars(ticker, ONE_MINUTE, from_ms, to_ms, NOW)
                wrong = Bars(bars.start_ms, *(column + 7 for column in bars.values()))
                covered = Covered(from_ms, to_ms, NOW - 25 * HOUR_MS)
                await desk.layer.store.put_bars(ticker, ONE_MINUTE, True, wrong, covered)
            chart.show(ticker, ONE_MINUTE)
            await until(lambda: chart.is_live, "it is live")
            chart.want_older()
            await until(lambda: not chart.status.is_loading_older, "older bars are there")
            first_ms = int(chart.series.bars.start_ms[0])
            assert before[1] < first_ms < seen[0]
            assert not agrees(chart, server)
            chart.look_at(*seen)
            await until(lambda: agrees(chart, server), "the chart is what the market says")
            repaired = await desk.layer.store.bars(ticker, ONE_MINUTE, True, *before)
            assert repaired.close.tolist() == MARKET.bars(ticker, ONE_MINUTE, *before, NOW).close.tolist()
            assert int(chart.series.bars.start_ms[0]) == first_ms

    run_async(scenario())


def test_the_cache_alone_shows_what_was_seen_before(run_async: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving_source(MARKET, start_ms=NOW) as server:
            async with live_desk(server, tmp_path) as desk:
                desk.chart.show("X:BTCUSD", Timeframe.parse("5m"))
                await until(lambda: agrees(desk.chart, server), "the first picture is right")
            async with live_desk(server, tmp_path, rest=False) as desk:
                desk.chart.show("X:BTCUSD", Timeframe.parse("5m"))
                await until(lambda: len(desk.chart.series) > 0, "the cache is shown")
                assert desk.chart.status.freshness is Freshness.CACHED
                assert desk.chart.status.phase == "ready"

    run_async(scenario())


@pytest.mark.parametrize(
    ("ticker", "key", "said"),
    [("X:NOSUCHUSD", None, "X:NOSUCHUSD"), ("X:BTCUSD", "wrong-key-0123456789", "key")],
)
def test_what_cannot_be_had_is_said_in_one_sentence(
    run_async: Run, tmp_path: Path, ticker: str, key: str | None, said: str
) -> None:
    async def scenario() -> None:
        async with serving_source(MARKET, start_ms=NOW) as server, live_desk(server, tmp_path, key=key) as desk:
            desk.chart.show(ticker, Timeframe.parse("1m"))
            await until(lambda: desk.chart.status.phase == "failed", "it has failed")
            sentence = desk.chart.status.sentence
            assert sentence is not None
            assert said in sentence
            assert "wrong-key" not in sentence
            desk.chart.show("AAPL" if key is None else ticker, Timeframe.parse("1h"))
            if key is None:
                await until(lambda: agrees(desk.chart, server), "another ticker works at once")

    run_async(scenario())


async def _drop(server: RunningServer) -> None:
    import httpx

    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(f"{server.control}/faults", json={"kind": "socket_drop"})
        assert answer.status_code == 200, answer.text
