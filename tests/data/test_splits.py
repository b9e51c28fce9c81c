"""Splits over a real feed server: adjusted history of an old scale is fetched anew, the rest stays."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from desktop.data.splits import is_on_an_old_scale
from desktop.demo.server import RunningServer
from desktop.demo.source import Split
from desktop.domain.bars import Bars
from desktop.domain.coverage import Covered
from desktop.domain.timeframe import DAY_MS, HOUR_MS, ONE_DAY, ONE_HOUR, Timeframe, new_york_midnight_ms
from tests.helpers.feed_server import serving_source
from tests.helpers.steady_market import START_MS, SteadyMarket
from tests.services.live_desk import LiveDesk, live_desk, until

Run = Callable[..., Any]
SPLIT_DAY = dt.date(2024, 3, 5)
SPLIT_MS = new_york_midnight_ms(SPLIT_DAY)
BEFORE = SPLIT_MS - 10 * HOUR_MS + 30_000


class SplittingMarket(SteadyMarket):
    """AAPL is split 1 to 4: from that midnight on all bars before it cost a quarter."""

    def splits(self, ticker: str) -> Sequence[Split]:
        return [Split(SPLIT_DAY, 1, 4)] if ticker == "AAPL" else []

    def bars(self, ticker: str, timeframe: Timeframe, from_ms: int, to_ms: int, now_ms: int) -> Bars:
        bars = super().bars(ticker, timeframe, from_ms, to_ms, now_ms)
        if ticker != "AAPL" or now_ms < SPLIT_MS:
            return bars
        before, after = bars.between(0, SPLIT_MS), bars.between(SPLIT_MS, 1 << 60)
        prices = {name: getattr(before, name) / 4 for name in ("open", "high", "low", "close", "vwap")}
        return replace(before, volume=before.volume * 4, **prices).merged(after)


def split_calls(server: RunningServer) -> int:
    return sum(count for path, count in server.stats.requests.items() if "splits" in path)


async def opens(desk: LiveDesk, *, adjusted: bool, offline: bool = False) -> list[float]:
    """Hours of the first two days."""
    data = desk.layer.market_data
    found = await data.bars("AAPL", ONE_HOUR, START_MS, START_MS + 2 * DAY_MS, adjusted=adjusted, offline=offline)
    assert offline or found.error is None
    return found.bars.open.tolist()  # type: ignore[no-any-return]


def test_adjusted_history_from_before_a_split_is_fetched_anew(run_async: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with (
            serving_source(SplittingMarket(), start_ms=BEFORE) as server,
            live_desk(server, tmp_path) as desk,
        ):
            data = desk.layer.market_data
            old, traded = await opens(desk, adjusted=True), await opens(desk, adjusted=False)
            assert len(old) == 48
            assert old == traded
            assert not await data.check_splits("AAPL")
            assert split_calls(server) == 0  # everything is of today

            server.clock.advance(11 * HOUR_MS)
            assert await opens(desk, adjusted=True) == old  # settled: nothing but the split tells
            assert await data.check_splits("AAPL")
            assert split_calls(server) == 1
            assert await opens(desk, adjusted=True) == [price / 4 for price in old]
            asked = sum(server.stats.requests.values())
            assert await opens(desk, adjusted=False) == traded
            assert sum(server.stats.requests.values()) == asked  # unadjusted history was kept

            for _ in range(5):
                assert not await data.check_splits("AAPL")
            assert split_calls(server) == 1
            server.clock.advance(DAY_MS)
            assert await data.check_splits("AAPL")  # what was fetched on the day itself may have been too early
            await opens(desk, adjusted=True)
            server.clock.advance(DAY_MS)
            assert not await data.check_splits("AAPL")
            assert split_calls(server) == 3
            assert not await data.check_splits("X:BTCUSD")
            assert split_calls(server) == 3

    run_async(scenario())


def test_without_an_answer_the_old_history_stays(run_async: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving_source(SplittingMarket(), start_ms=BEFORE) as server:
            async with live_desk(server, tmp_path) as desk:
                old = await opens(desk, adjusted=True)
            server.clock.advance(11 * HOUR_MS)
            async with live_desk(server, tmp_path, rest=False) as desk:
                assert not await desk.layer.market_data.check_splits("AAPL")
                assert await opens(desk, adjusted=True, offline=True) == old
            async with live_desk(server, tmp_path, key="another-key-0123456789") as desk:
                assert not await desk.layer.market_data.check_splits("AAPL")
                assert await opens(desk, adjusted=True, offline=True) == old
            async with live_desk(server, tmp_path) as desk:  # the failure is not remembered as an answer
                assert await desk.layer.market_data.check_splits("AAPL")

    run_async(scenario())


@pytest.mark.parametrize("text", ["1h", "1D", "5m"])
def test_a_chart_never_shows_two_scales(run_async: Run, tmp_path: Path, text: str) -> None:
    """Neither when it is opened after the split, nor when it is open over that midnight."""

    async def scenario() -> None:
        market, timeframe = SplittingMarket(), Timeframe.parse(text)
        async with serving_source(market, start_ms=BEFORE) as server:
            async with live_desk(server, tmp_path) as desk:
                desk.chart.show("AAPL", timeframe)
                await until(lambda: desk.chart.is_live, "it is live")
            server.clock.advance(11 * HOUR_MS)
            async with live_desk(server, tmp_path) as desk:
                chart, mixed = desk.chart, list[str]()

                def look(*_args: object) -> None:
                    before = chart.series.bars.between(START_MS, SPLIT_MS)
                    is_old, is_new = before.high > 60, before.high < 40  # a price is 100 to 149, or a quarter of that
                    if is_old.any() and is_new.any():
                        mixed.append("old and new prices before the split")
                    if is_old.any() and len(chart.series.bars.between(SPLIT_MS, 1 << 60)):
                        mixed.append("an old scale before new bars")

                for signal in (chart.reset, chart.changed, chart.prepended):
                    signal.connect(look)
                chart.show("AAPL", timeframe)
                await until(lambda: chart.is_live, "it is live")
                assert (chart.series.bars.between(START_MS, SPLIT_MS).high < 40).all()
                assert len(chart.series) > 2
                assert mixed == []
                assert split_calls(server) == 1

    run_async(scenario())


@pytest.mark.parametrize(
    ("fetched", "now", "is_old"),
    [
        (-1, 0, True),
        (0, HOUR_MS, False),
        (HOUR_MS, 2 * HOUR_MS, False),
        (HOUR_MS, DAY_MS, True),  # fetched on the day itself, which is over
        (DAY_MS, 2 * DAY_MS, False),
        (-DAY_MS, -1, False),  # not executed yet
    ],
)
def test_which_ranges_are_of_an_old_scale(fetched: int, now: int, is_old: bool) -> None:
    part = Covered(SPLIT_MS - 9 * DAY_MS, SPLIT_MS - 8 * DAY_MS, SPLIT_MS + fetched)
    assert is_on_an_old_scale([part], [SPLIT_MS], SPLIT_MS + now) is is_old
    later = replace(part, start_ms=SPLIT_MS + ONE_DAY.typical_ms, end_ms=SPLIT_MS + 2 * DAY_MS)
    assert not is_on_an_old_scale([later], [SPLIT_MS], SPLIT_MS + now)
