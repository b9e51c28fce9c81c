"""Two connections that share a long read give what one would give, also while the series is written to."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from desktop.data.store import Store
from desktop.domain.bars import Bars
from desktop.domain.coverage import Covered
from desktop.domain.timeframe import ONE_MINUTE
from desktop.domain.world import VENDOR

MINUTE = 60_000
COUNT = 200_000
TICKER = "X:BTCUSD"
Run = Callable[..., Any]


def minutes(first: int, count: int, version: float) -> Bars:
    """Bars whose values tell their start and the version of what was written."""
    starts = (first + np.arange(count, dtype=np.int64)) * MINUTE
    return Bars(starts, *(np.full(count, version) + index * 1000 for index in range(6)), starts / 1.0)


async def filled(path: Path) -> Store:
    store = await Store.open(path, VENDOR, on_event=lambda _sentence: None)
    bars = minutes(0, COUNT, 0.0)
    await store.put_bars(TICKER, ONE_MINUTE, True, bars, Covered(0, COUNT * MINUTE, 1 << 45))
    return store


@pytest.mark.parametrize("live", [0, 1, 700])
@pytest.mark.parametrize(
    ("first", "last"), [(0, COUNT + 1000), (12_345, COUNT - 3), (8192, COUNT + 350), (-5, 160_001)]
)
def test_a_shared_read_gives_the_range(run_async: Run, tmp_path: Path, live: int, first: int, last: int) -> None:
    async def scenario() -> None:
        async with await filled(tmp_path / "cache.sqlite") as store:
            if live:
                await store.put_bars(TICKER, ONE_MINUTE, True, minutes(COUNT, live, 1.0), None)
            found = await store.bars(TICKER, ONE_MINUTE, True, first * MINUTE, last * MINUTE)
            begin, end = max(first, 0), min(last, COUNT + live)
            np.testing.assert_array_equal(found.start_ms, np.arange(begin, end) * MINUTE)
            for index, column in enumerate(found.values()[:6]):
                np.testing.assert_array_equal(
                    column, np.where(found.start_ms < COUNT * MINUTE, 0.0, 1.0) + index * 1000
                )
            np.testing.assert_array_equal(found.trades, found.start_ms)

    run_async(scenario())


def test_reads_while_the_series_is_written_are_whole(run_async: Run, tmp_path: Path) -> None:
    """Live bars, corrections in the middle, chunks that grow and split: no bar twice, none lost, none mixed up."""

    async def scenario() -> None:
        rng = random.Random(3)
        async with await filled(tmp_path / "cache.sqlite") as store:
            written = COUNT

            async def write() -> None:
                nonlocal written
                for version in range(1, 60):
                    if version % 3:
                        await store.put_bars(TICKER, ONE_MINUTE, True, minutes(written, 90, float(version)), None)
                        written += 90
                    else:
                        first, count = rng.randrange(COUNT - 9000), rng.randrange(1, 9000)
                        bars = minutes(first, count, float(version))
                        span = Covered(first * MINUTE, (first + count) * MINUTE, 1 << 45)
                        await store.put_bars(TICKER, ONE_MINUTE, True, bars, span)

            writing = asyncio.ensure_future(write())
            reads = 0
            while not writing.done() or reads < 3:
                least = written
                found = await store.bars(TICKER, ONE_MINUTE, True, 0, 1 << 50)
                assert len(found) >= least
                np.testing.assert_array_equal(found.start_ms, np.arange(len(found)) * MINUTE)
                for index, column in enumerate(found.values()[:6]):  # all columns of a bar are of one version
                    np.testing.assert_array_equal(column - index * 1000, found.open)
                np.testing.assert_array_equal(found.trades, found.start_ms)
                reads += 1
            await writing

    run_async(scenario())
