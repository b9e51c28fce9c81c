"""Calendars over the whole path: feed server, REST, store, roll-up, chart; against bars grouped one at a time."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from desktop.demo.market import SyntheticMarket
from desktop.domain.bars import Bars
from desktop.domain.market import Market, market_of
from desktop.domain.timeframe import DAY_MS, MINUTE_MS, NEW_YORK, ONE_DAY, ONE_MINUTE, Timeframe
from tests.data.small_vendor import json_reply
from tests.data.test_market_data import bench
from tests.domain.test_timeframe import ny, reference_start, utc
from tests.helpers.feed_server import serving_source
from tests.services.live_desk import LiveDesk, live_desk, until

SEED = 7
Run = Callable[..., Any]
Row = tuple[int, float, float, float, float, float]
SMALL = ("1m", "7m", "45m", "1h", "4h")
LARGE = ("1D", "2D", "3D", "10D", "1W", "3W", "1M", "3M", "1Y")


def grouped_slowly(bars: Bars, timeframe: Timeframe, market: Market) -> list[Row]:
    """Start, open, high, low, close and volume of each bucket, one bar at a time."""
    buckets: dict[int, list[int]] = {}
    for index, start_ms in enumerate(bars.start_ms.tolist()):
        buckets.setdefault(reference_start(start_ms, timeframe, market), []).append(index)
    return [
        (
            start_ms,
            float(bars.open[some[0]]),
            max(bars.high[some].tolist()),
            min(bars.low[some].tolist()),
            float(bars.close[some[-1]]),
            math.fsum(bars.volume[some].tolist()),
        )
        for start_ms, some in buckets.items()
    ]


def rows_of(bars: Bars) -> list[Row]:
    columns = (bars.start_ms, bars.open, bars.high, bars.low, bars.close, bars.volume)
    return list(zip(*(column.tolist() for column in columns), strict=True))


async def agree(desk: LiveDesk, market: SyntheticMarket, ticker: str, text: str, from_ms: int, now_ms: int) -> None:
    """What the cache gives after REST filled it equals the market's own bars, grouped slowly."""
    timeframe = Timeframe.parse(text)
    begin_ms = reference_start(from_ms, timeframe, market_of(ticker))
    found = await desk.layer.market_data.bars(ticker, timeframe, begin_ms, now_ms)
    assert found.error is None
    assert found.missing == ()
    truth = market.bars(ticker, timeframe.base, begin_ms, now_ms, now_ms)
    assert rows_of(found.bars) == grouped_slowly(truth, timeframe, market_of(ticker)), text


@pytest.mark.parametrize(
    ("ticker", "from_ms", "now_ms"),
    [
        ("AAPL", ny(2024, 3, 8), ny(2024, 3, 12, 11, 20)),  # over a day of 23 hours
        ("AAPL", ny(2024, 11, 1), ny(2024, 11, 5, 11, 20)),  # over a day of 25 hours
        ("AAPL", ny(2024, 11, 27), ny(2024, 12, 2, 5, 7)),  # Thanksgiving, and an early close
        ("C:EURUSD", ny(2024, 3, 8), ny(2024, 3, 11, 3, 7)),  # the weekend on which New York's clocks change
        ("C:EURUSD", ny(2024, 11, 1), ny(2024, 11, 4, 3, 7)),
        ("X:BTCUSD", utc(2024, 2, 28), utc(2024, 3, 1, 1, 2)),  # a leap day
    ],
)
def test_bars_below_a_day_over_special_days(
    run_async: Run, tmp_path: Path, ticker: str, from_ms: int, now_ms: int
) -> None:
    async def scenario() -> None:
        market = SyntheticMarket(SEED)
        async with serving_source(market, start_ms=now_ms) as server, live_desk(server, tmp_path) as desk:
            for text in SMALL:
                await agree(desk, market, ticker, text, from_ms, now_ms)
            minutes = await desk.layer.market_data.bars(ticker, ONE_MINUTE, from_ms, now_ms, offline=True)
            assert len(minutes.bars) > 100
            for start_ms in minutes.bars.start_ms.tolist():
                assert is_within_hours(start_ms, market_of(ticker)), dt.datetime.fromtimestamp(
                    start_ms / 1000, NEW_YORK
                )
            asked = sum(server.stats.requests.values())
            for text in SMALL:  # settled or just fetched: nothing is asked for twice
                await agree(desk, market, ticker, text, from_ms, now_ms)
            assert sum(server.stats.requests.values()) == asked

    run_async(scenario(), timeout_s=120)


def is_within_hours(time_ms: int, market: Market) -> bool:
    """Whether the market trades then, for the days of these tests, by New York's clock."""
    local = dt.datetime.fromtimestamp(time_ms / 1000, NEW_YORK)
    clock = local.hour * 60 + local.minute
    match market:
        case Market.CRYPTO:
            return True
        case Market.FOREX:
            if local.weekday() == 6:
                return clock >= 17 * 60
            return local.weekday() < 4 or (local.weekday() == 4 and clock < 17 * 60)
        case Market.STOCKS:
            end = 17 * 60 if (local.month, local.day) == (11, 29) else 20 * 60
            is_holiday = (local.month, local.day) == (11, 28)
            return local.weekday() < 5 and not is_holiday and 4 * 60 <= clock < end


@pytest.mark.parametrize("ticker", ["AAPL", "C:EURUSD", "X:BTCUSD"])
def test_bars_of_days_and_longer_over_two_years(run_async: Run, tmp_path: Path, ticker: str) -> None:
    async def scenario() -> None:
        market, now_ms = SyntheticMarket(SEED), utc(2024, 12, 3, 15, 30)
        async with serving_source(market, start_ms=now_ms) as server, live_desk(server, tmp_path) as desk:
            for text in LARGE:
                await agree(desk, market, ticker, text, utc(2023, 1, 20), now_ms)
            assert sum(count for path, count in server.stats.requests.items() if "aggs" in path) <= len(LARGE) + 3

    run_async(scenario(), timeout_s=120)


@pytest.mark.parametrize(
    ("ticker", "text", "now_ms"),
    [
        ("AAPL", "45m", ny(2024, 3, 11, 11, 20)),
        ("AAPL", "2D", ny(2024, 11, 29, 11, 20)),
        ("C:EURUSD", "4h", ny(2024, 3, 10, 18, 5)),  # an hour after the week has opened
        ("X:BTCUSD", "1W", utc(2024, 2, 29, 12)),
        ("X:BTCUSD", "1M", utc(2024, 3, 1, 0, 5)),
    ],
)
def test_a_chart_shows_the_buckets_of_the_calendar(
    run_async: Run, tmp_path: Path, ticker: str, text: str, now_ms: int
) -> None:
    async def scenario() -> None:
        market, timeframe = SyntheticMarket(SEED), Timeframe.parse(text)
        async with serving_source(market, start_ms=now_ms + 20_000) as server, live_desk(server, tmp_path) as desk:
            chart = desk.chart
            chart.show(ticker, timeframe)
            await until(lambda: chart.is_live, "it is live", limit_s=60)
            truth = market.bars(ticker, timeframe.base, 0, server.clock.now_ms(), server.clock.now_ms())
            wanted = grouped_slowly(truth.between(int(chart.series.bars.start_ms[0]), 1 << 60), timeframe, chart.market)
            shown = rows_of(chart.series.bars)
            assert shown[:-1] == wanted[:-1]
            assert shown[-1][:5] == pytest.approx(wanted[-1][:5])  # forming: of minutes, not of days

    run_async(scenario(), timeout_s=120)


def test_old_coin_days_that_start_at_new_yorks_midnight_belong_to_their_date(run_async: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        first, last = utc(2020, 10, 26), utc(2020, 11, 9)  # New York's clocks go back on November 1
        days = [first + index * DAY_MS for index in range(14)]
        starts = [day + (4 if day < utc(2020, 11, 2) else 5) * 60 * MINUTE_MS for day in days]
        rows = [
            {"t": start, "o": 10 + i, "h": 12 + i, "l": 9 + i, "c": 11 + i, "v": 2, "vw": 11 + i, "n": 3}
            for i, start in enumerate(starts)
        ]
        rows.insert(5, {**rows[5], "t": days[5], "c": 9.5})  # the same day under both, as the vendor has sent it
        async with bench(tmp_path) as b:
            b.vendor.faults.append(json_reply({"status": "OK", "ticker": "X:BTCUSD", "results": rows}))
            found = await b.data.bars("X:BTCUSD", ONE_DAY, first, last)
            assert found.missing == ()
            assert found.bars.start_ms.tolist() == days
            assert found.bars.close.tolist() == [11.0 + i for i in range(14)]
            weeks = await b.data.bars("X:BTCUSD", Timeframe.parse("1W"), first, last)
            assert weeks.bars.start_ms.tolist() == [first, first + 7 * DAY_MS]
            assert weeks.bars.open.tolist() == [10.0, 17.0]
            assert weeks.bars.close.tolist() == [17.0, 24.0]
            assert weeks.bars.volume.tolist() == [14.0, 14.0]
            assert len(b.calls()) == 1

    run_async(scenario())
