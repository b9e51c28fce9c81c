"""Recordings: what is served is what the files say, to the last digit, and nothing else."""

from __future__ import annotations

import asyncio
import csv
import gzip
import json
import math
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from websockets.asyncio.client import connect

from desktop.demo.recording import Recording
from desktop.domain.timeframe import ONE_DAY, ONE_HOUR, ONE_MINUTE, ONE_SECOND, Span, Timeframe
from tests.helpers.feed_server import TEST_KEY, serving_source

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
FAR_MS = 1 << 45
Row = tuple[int, float, float, float, float, float]


def rows_of(file: Path) -> list[dict[str, str]]:
    with gzip.open(file, "rt") as lines:
        return list(csv.DictReader(lines))


def bars_of(file: Path) -> list[Row]:
    return [
        (int(row["t"]), *(float(row[key] or "nan") for key in ("o", "h", "l", "c", "v")))  # type: ignore[misc]
        for row in rows_of(file)
    ]


def rolled(rows: list[Row], length_ms: int) -> list[Row]:
    """Straight from the definition, without numpy and without the code under test."""
    buckets: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        buckets[row[0] - row[0] % length_ms].append(row)
    return [
        (
            start,
            part[0][1],
            max(row[2] for row in part),
            min(row[3] for row in part),
            part[-1][4],
            math.fsum(row[5] for row in part),
        )
        for start, part in sorted(buckets.items())
    ]


async def served(client: httpx.AsyncClient, ticker: str, span: str, from_ms: int, to_ms: int) -> list[Row]:
    path: str | None = f"/v2/aggs/ticker/{ticker}/range/{span}/{from_ms}/{to_ms}?limit=50000&sort=asc"
    rows = []
    while path:
        body = (await client.get(path)).raise_for_status().json()
        rows += [tuple(row.get(key, math.nan) for key in "tohlcv") for row in body.get("results", [])]
        path = body.get("next_url")
    return rows


def test_a_month_of_minutes_and_what_rolls_up_from_it(shared_data: Path, run_async: Callable[..., Any]) -> None:
    file = shared_data / "X_BTCUSD_1m.csv.gz"
    expected = bars_of(file)
    assert len(expected) == 45_031
    recording = Recording([file])

    async def scenario() -> None:
        async with serving_source(recording, start_ms=recording.end_ms) as server:
            headers = {"Authorization": f"Bearer {TEST_KEY}"}
            async with httpx.AsyncClient(base_url=server.rest, headers=headers, trust_env=False, timeout=30) as client:
                first_ms, last_ms = expected[0][0] // DAY_MS * DAY_MS, expected[-1][0]
                for span, length_ms in (("1/minute", MINUTE_MS), ("15/minute", 15 * MINUTE_MS), ("1/hour", HOUR_MS)):
                    found = await served(client, "X:BTCUSD", span, first_ms, last_ms)
                    assert found == rolled(expected, length_ms), span
                assert await served(client, "X:BTCUSD", "1/day", first_ms, last_ms) == rolled(expected, DAY_MS)
                assert await served(client, "X:BTCUSD", "1/second", last_ms - HOUR_MS, last_ms) == []

    run_async(scenario())


def test_a_minute_appears_at_its_close_and_not_before(shared_data: Path) -> None:
    file = shared_data / "X_BTCUSD_1m.csv.gz"
    recording = Recording([file])
    expected = bars_of(file)
    for index in (0, 20_000, 45_030):
        start_ms = expected[index][0]
        for timeframe, length_ms in ((ONE_MINUTE, MINUTE_MS), (ONE_HOUR, HOUR_MS), (ONE_DAY, DAY_MS)):
            for now_ms in (start_ms + MINUTE_MS - 1, start_ms + MINUTE_MS):
                known = [row for row in expected[: index + 1] if row[0] + MINUTE_MS <= now_ms]
                bars = recording.bars("X:BTCUSD", timeframe, start_ms - DAY_MS, FAR_MS, now_ms)
                rows = rolled(
                    [row for row in known if row[0] >= (start_ms - DAY_MS) // length_ms * length_ms], length_ms
                )
                assert list(zip(*columns(bars), strict=True)) == [row for row in rows if row[0] >= start_ms - DAY_MS]


def columns(bars: Any) -> list[list[float]]:
    return [bars.start_ms.tolist(), *(column.tolist() for column in bars.values()[:5])]


def test_minutes_of_a_replay_come_over_the_socket_as_recorded(shared_data: Path, run_async: Callable[..., Any]) -> None:
    file = shared_data / "X_BTCUSD_1m.csv.gz"
    recording = Recording([file])
    start_ms = recording.default_start_ms
    assert start_ms == recording.end_ms - 48 * HOUR_MS
    expected = [row for row in bars_of(file) if row[0] + MINUTE_MS > start_ms]
    assert len(expected) == 48 * 60

    async def scenario() -> None:
        async with (
            serving_source(recording, start_ms=start_ms, rate=None) as server,
            connect(f"{server.socket}/crypto", proxy=None, max_queue=None) as socket,
        ):
            await socket.recv()
            for message in ("auth", TEST_KEY), ("subscribe", "XT.BTC-USD,XQ.BTC-USD,XA.BTC-USD,XAS.BTC-USD"):
                await socket.send(json.dumps({"action": message[0], "params": message[1]}))
                await socket.recv()
            events: list[Any] = []
            while len(events) < len(expected):
                events += json.loads(await socket.recv())
            assert {event["ev"] for event in events} == {"XA"}
            assert [tuple(event[key] for key in "sohlcv") for event in events] == expected
            assert server.clock.has_ended

    run_async(scenario())


def test_trades_make_the_recorded_minutes(shared_data: Path) -> None:
    """Trades and minutes of one pair: the trades alone give the minutes of the file, all 2,469 of them."""
    expected = bars_of(shared_data / "X_XRPETH_1m.csv.gz")
    recording = Recording([shared_data / "X_XRPETH_trades_20191011.csv.gz"])
    assert recording.has_trades("X:XRPETH")
    bars = recording.bars("X:XRPETH", ONE_MINUTE, 0, FAR_MS, FAR_MS)
    assert list(zip(*columns(bars), strict=True)) == expected
    seconds = recording.bars("X:XRPETH", ONE_SECOND, 0, FAR_MS, FAR_MS)
    assert math.fsum(seconds.trades) == len(recording.trades("X:XRPETH", 0, FAR_MS)) == 12_477
    span = recording.trades("X:XRPETH", 0, FAR_MS).time_ms
    assert recording.default_start_ms == int(span[0]) + (int(span[-1]) - int(span[0])) // 10


def test_with_bars_and_trades_bars_come_from_bars_and_the_forming_one_from_trades(shared_data: Path) -> None:
    files = [shared_data / "X_XRPETH_1m.csv.gz", shared_data / "X_XRPETH_trades_20191011.csv.gz"]
    recording = Recording(files)
    expected = bars_of(files[0])
    bars = recording.bars("X:XRPETH", ONE_MINUTE, 0, FAR_MS, FAR_MS)
    assert list(zip(*columns(bars), strict=True)) == expected
    assert np.isnan(bars.trades).all()  # the bar file tells no count
    start_ms = expected[1000][0]
    trades = [row for row in rows_of(files[1]) if start_ms <= int(row["t"]) < start_ms + 30_000]
    forming = recording.bars("X:XRPETH", ONE_MINUTE, start_ms, start_ms + 1, start_ms + 30_000)
    assert len(forming) == (1 if trades else 0)
    if trades:
        assert (forming[0].close, forming[0].trades) == (float(trades[-1]["p"]), len(trades))
        assert forming[0].volume == math.fsum(float(row["s"]) for row in trades)
    hour = recording.bars("X:XRPETH", ONE_HOUR, start_ms - HOUR_MS, start_ms + 1, start_ms + 30_000)
    within = [row for row in expected[:1000] if row[0] >= start_ms - start_ms % HOUR_MS]
    assert hour[-1].volume == math.fsum([row[5] for row in within] + [float(row["s"]) for row in trades])


def test_five_minute_files_serve_multiples_of_five_minutes(shared_data: Path, run_async: Callable[..., Any]) -> None:
    file = shared_data / "X_ADABTC_5m.csv.gz"
    recording = Recording([file])
    expected = bars_of(file)
    assert recording.finest("X:ADABTC") == Timeframe(5, Span.MINUTE)

    async def scenario() -> None:
        async with serving_source(recording, start_ms=recording.end_ms) as server:
            headers = {"Authorization": f"Bearer {TEST_KEY}"}
            async with httpx.AsyncClient(base_url=server.rest, headers=headers, trust_env=False, timeout=30) as client:
                first_ms, last_ms = expected[0][0] // DAY_MS * DAY_MS, expected[-1][0]
                for span, length_ms in (
                    ("5/minute", 5 * MINUTE_MS),
                    ("15/minute", 15 * MINUTE_MS),
                    ("4/hour", 4 * HOUR_MS),
                ):
                    found = await served(client, "X:ADABTC", span, first_ms, last_ms)
                    assert found == rolled(expected, length_ms), span
                for span in ("1/minute", "7/minute", "1/second"):
                    assert await served(client, "X:ADABTC", span, first_ms, last_ms) == []

    run_async(scenario())


@pytest.mark.parametrize(
    ("name", "ticker", "timeframe", "count"),
    [
        ("AAPL_1d", "AAPL", ONE_DAY, 3_379),
        ("SPY_1d", "SPY", ONE_DAY, 2_519),
        ("C_EURUSD_1h", "C:EURUSD", ONE_HOUR, 5_000),
        ("C_EURUSD_1d", "C:EURUSD", ONE_DAY, 3_738),
        ("C_GBPUSD_1m", "C:GBPUSD", ONE_MINUTE, 30_117),
        ("X_BTCUSD_1s", "X:BTCUSD", ONE_SECOND, 11_520),
        ("top_coins_1d/X_DOGEUSD_1d", "X:DOGEUSD", ONE_DAY, 2_760),
    ],
)
def test_files_are_served_as_they_are(
    shared_data: Path, name: str, ticker: str, timeframe: Timeframe, count: int
) -> None:
    file = shared_data / f"{name}.csv.gz"
    recording = Recording([file])
    bars = recording.bars(ticker, timeframe, 0, FAR_MS, FAR_MS)
    expected = bars_of(file)
    assert len(bars) == count
    np.testing.assert_array_equal(np.array(columns(bars)).T, np.array(expected))
    assert [row.ticker for row in recording.tickers()] == [ticker]


def test_unknown_volume_is_left_out(shared_data: Path, run_async: Callable[..., Any]) -> None:
    recording = Recording([shared_data / "C_GBPUSD_1m.csv.gz"])

    async def scenario() -> None:
        async with serving_source(recording, start_ms=recording.end_ms) as server:
            headers = {"Authorization": f"Bearer {TEST_KEY}"}
            async with httpx.AsyncClient(base_url=server.rest, headers=headers, trust_env=False, timeout=30) as client:
                answer = await client.get("/v2/aggs/ticker/C:GBPUSD/range/1/hour/2012-02-01/2012-02-02")
                assert set(answer.json()["results"][0]) == set("tohlc")

    run_async(scenario())


def test_quotes_of_a_currency_make_its_bars_and_live_quotes(shared_data: Path, run_async: Callable[..., Any]) -> None:
    file = shared_data / "C_EURUSD_quotes_20140508.csv.gz"
    recording = Recording([file])
    rows = rows_of(file)
    day = recording.bars("C:EURUSD", ONE_DAY, 0, FAR_MS, FAR_MS)
    bids = [float(row["bp"]) for row in rows]
    assert (day[0].open, day[0].high, day[0].low, day[0].close) == (bids[0], max(bids), min(bids), bids[-1])
    assert (day[0].volume, day[0].trades) == (87_833, 87_833)

    async def scenario() -> None:
        start_ms = recording.default_start_ms
        async with (
            serving_source(recording, start_ms=start_ms) as server,
            connect(f"{server.socket}/forex", proxy=None, max_queue=None) as socket,
        ):
            await socket.recv()
            for message in ("auth", TEST_KEY), ("subscribe", "C.EUR/USD"):
                await socket.send(json.dumps({"action": message[0], "params": message[1]}))
                await socket.recv()
            server.clock.advance(HOUR_MS)
            expected = [row for row in rows if start_ms < int(row["t"]) <= start_ms + HOUR_MS]
            events: list[Any] = []
            while len(events) < len(expected):
                events += json.loads(await asyncio.wait_for(socket.recv(), 10))
            assert [(event["t"], event["b"], event["a"]) for event in events] == [
                (int(row["t"]), float(row["bp"]), float(row["ap"])) for row in expected
            ]

    run_async(scenario())


def test_a_folder_is_one_world_of_many_tickers(shared_data: Path) -> None:
    coins = Recording([shared_data / "top_coins_1d"])
    assert len(coins.tickers()) == 23
    assert coins.tickers()[0].ticker == "X:AAVEUSD"
    names = {row.ticker: row.name for row in coins.tickers()}
    assert names["X:BTCUSD"] == "Bitcoin - United States dollar"
    again = Recording(sorted((shared_data / "top_coins_1d").iterdir()))
    assert coins.world == again.world
    one = Recording([shared_data / "X_BTCUSD_1d.csv.gz"])
    assert one.world != coins.world
    assert one.world.label == "REPLAY"
