"""kill -9 at a random moment while several series are filled: nothing is half written, nothing committed is lost."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import random
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import numpy as np
import pytest

from desktop.data.market_data import MarketData
from desktop.data.rate_limit import Limiter
from desktop.data.rest import RestClient
from desktop.data.store import Store
from desktop.data.store_files import was_cut_off
from desktop.domain.aggregation import roll_up
from desktop.domain.bars import Bars
from desktop.domain.market import market_of
from desktop.domain.timeframe import DAY_MS, MINUTE_MS, Timeframe
from desktop.domain.world import VENDOR
from tests.data.small_vendor import KEY, SmallVendor
from tests.helpers.feed_server import PROJECT
from tests.helpers.killed_writer import Job, StillClock

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

NOW = 20_000 * DAY_MS
BEGIN, END = NOW - 100 * DAY_MS, NOW - 10 * DAY_MS
SERIES = (("X:BTCUSD", "1m"), ("X:BTCUSD", "1h"), ("X:ETHUSD", "1m"), ("C:EURUSD", "1m"))
ROUNDS_A_FILE = 20

Told = set[tuple[str, str, int, int]]


@asynccontextmanager
async def writers() -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.helpers.killed_writer"),
        cwd=PROJECT,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


async def killed(writer: asyncio.subprocess.Process, job: Job, rng: random.Random) -> Told:
    """One child from its start to its death; what it told to be committed."""
    assert writer.stdin is not None
    assert writer.stdout is not None
    writer.stdin.write(json.dumps(dataclasses.asdict(job)).encode() + b"\n")
    told: Told = set()
    # Sometimes while it still opens the file, mostly some commits later; a moment more lands inside a transaction.
    commits, delay_s = rng.randrange(8), rng.random() * 0.02
    pid = 0
    while True:
        word, *rest = json.loads(await writer.stdout.readline())
        assert word != "event", rest
        if word == "pid":
            (pid,) = rest
        elif word == "done":
            told.add(tuple(rest))
        else:
            assert os.WTERMSIG(*rest) == signal.SIGKILL
            return told
        if len(told) == commits:
            asyncio.get_running_loop().call_later(delay_s, os.kill, pid, signal.SIGKILL)
            commits = -1


def assert_whole(path: Path, sources: dict[tuple[str, str], Bars]) -> Counter[str]:
    """Sound to SQLite; every covered range holds the source's bars, and there is no bar outside. Counts both."""
    counts: Counter[str] = Counter()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        ranges: dict[tuple[str, str], list[tuple[int, int]]] = {}
        for ticker, text, begin, end in connection.execute(
            "SELECT ticker, timeframe, start_ms, end_ms FROM series JOIN coverage ON series_id = id ORDER BY start_ms"
        ):
            ranges.setdefault((ticker, text), []).append((begin, end))
    for (ticker, text), source in sources.items():
        expected = [source.between(*part) for part in ranges.get((ticker, text), [])]
        found = asyncio.run(_stored(path, ticker, Timeframe.parse(text)))
        counts["ranges"] += len(expected)
        counts["bars"] += len(found)
        for name in ("start_ms", "open", "high", "low", "close", "volume", "vwap", "trades"):
            columns = [getattr(part, name) for part in expected]
            whole = np.concatenate(columns) if columns else np.empty(0)
            np.testing.assert_array_equal(getattr(found, name), whole, f"{ticker} {text} {name}")
    return counts


async def _stored(path: Path, ticker: str, timeframe: Timeframe) -> Bars:
    def unexpected(sentence: str) -> None:
        raise AssertionError(sentence)

    async with await Store.open(path, VENDOR, on_event=unexpected) as store:
        return await store.bars(ticker, timeframe, True, 0, 1 << 50)


async def assert_not_fetched_again(path: Path, vendor: SmallVendor, told: Told) -> None:
    asked = len(vendor.asked)
    limiter = Limiter(calls_per_minute=None)
    async with (
        RestClient(base=vendor.base, key=KEY, limiter=limiter, world=None) as rest,
        await Store.open(path, VENDOR, on_event=lambda _sentence: None) as store,
    ):
        data = MarketData(rest=rest, store=store, clock=StillClock(NOW))
        for ticker, text, from_ms, to_ms in sorted(told):
            answer = await data.bars(ticker, Timeframe.parse(text), from_ms, to_ms)
            assert answer.missing == ()
    assert vendor.asked[asked:] == []


def minutes(seed: int) -> Bars:
    rng = np.random.default_rng(seed)
    starts = np.arange(BEGIN, END, MINUTE_MS)
    starts = starts[rng.random(len(starts)) < 0.5]
    return Bars(starts, *(rng.integers(1, 1000, (7, len(starts))) / 8))


def run_rounds(run_async, folder: Path, rounds: int, seed: int) -> None:
    rng = random.Random(seed)
    committed = written = cut_off = 0

    async def scenario() -> None:
        nonlocal committed, written, cut_off
        async with SmallVendor() as vendor, writers() as writer:
            vendor.now_ms, vendor.page_bars = NOW, 1500
            vendor.tickers = [{"ticker": name, "name": name, "market": "crypto", "active": True} for name, _ in SERIES]
            vendor.minutes = {ticker: minutes(number) for number, (ticker, _) in enumerate(SERIES)}
            sources = {
                (ticker, text): roll_up(vendor.minutes[ticker], Timeframe.parse(text), market_of(ticker))
                for ticker, text in SERIES
            }
            told: Told = set()
            for number in range(rounds):
                path = folder / f"{number // ROUNDS_A_FILE}.sqlite"
                if number % ROUNDS_A_FILE == 0:
                    told = set()
                job = Job(str(path), vendor.base, KEY, rng.getrandbits(32), NOW, BEGIN, END, SERIES)
                new = await killed(writer, job, rng)
                told |= new
                committed += len(new)
                cut_off += was_cut_off(path)
                if path.exists():
                    counts = await asyncio.to_thread(assert_whole, path, sources)
                    written = max(written, counts["bars"])
                await assert_not_fetched_again(path, vendor, told)

    run_async(scenario(), 100 + 2 * rounds)
    assert committed > rounds
    assert written > 10_000
    assert cut_off > rounds / 2, "most kills met an open file"


def test_a_kill_leaves_whole_ranges(run_async, tmp_path: Path) -> None:
    run_rounds(run_async, tmp_path, 25, seed=1)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_two_hundred_kills_leave_whole_ranges(run_async, tmp_path: Path) -> None:
    run_rounds(run_async, tmp_path, 200, seed=2)
