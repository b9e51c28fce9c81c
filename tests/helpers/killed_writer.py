"""Processes that fill a cache until they are killed; forked from one that has imported everything.

`python -m tests.helpers.killed_writer` reads lines of JSON from stdin, each a `Job`; forks, and the child writes lines
to stdout: `["pid", n]`, then `["done", ticker, timeframe, from_ms, to_ms]` for each range that is committed. When the
child has ended, its parent writes `["ended", status]`.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from dataclasses import dataclass
from pathlib import Path

from desktop.data.market_data import MarketData
from desktop.data.rate_limit import Limiter
from desktop.data.rest import RestClient
from desktop.data.store import Store
from desktop.domain.timeframe import HOUR_MS, Timeframe
from desktop.domain.world import VENDOR

WORKERS = 3


@dataclass(frozen=True)
class Job:
    """What one child does: random ranges of `series` (ticker, timeframe) within [from_ms, to_ms), for ever."""

    path: str
    base: str
    key: str
    seed: int
    now_ms: int
    from_ms: int
    to_ms: int
    series: tuple[tuple[str, str], ...]


class StillClock:
    """Market time that stands still."""

    rate = 1.0
    breaks = 0

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms


def tell(*words: object) -> None:
    os.write(1, json.dumps(words).encode() + b"\n")


async def write_for_ever(job: Job) -> None:
    rng = random.Random(job.seed)
    async with (
        RestClient(
            base=job.base, key=job.key, limiter=Limiter(calls_per_minute=None, calls_per_second=10_000), world=None
        ) as rest,
        await Store.open(Path(job.path), VENDOR, on_event=lambda sentence: tell("event", sentence)) as store,
        asyncio.TaskGroup() as group,
    ):
        data = MarketData(rest=rest, store=store, clock=StillClock(job.now_ms))
        for _ in range(WORKERS):
            group.create_task(work(job, data, rng))


async def work(job: Job, data: MarketData, rng: random.Random) -> None:
    while True:
        ticker, text = rng.choice(job.series)
        from_ms = rng.randrange(job.from_ms, job.to_ms, HOUR_MS)
        to_ms = min(job.to_ms, from_ms + rng.choice((1, 5, 24, 100)) * HOUR_MS)
        if rng.random() < 0.3:  # what is held is written anew
            await data.audit(ticker, Timeframe.parse(text), from_ms, to_ms)
        else:
            error = await data.fill(ticker, Timeframe.parse(text), from_ms, to_ms)
            assert error is None, error
        tell("done", ticker, text, from_ms, to_ms)


def main() -> None:
    for line in sys.stdin.buffer:
        fields = json.loads(line)
        job = Job(**{**fields, "series": tuple(map(tuple, fields["series"]))})
        child = os.fork()
        if child == 0:
            tell("pid", os.getpid())
            asyncio.run(write_for_ever(job))
        _, status = os.waitpid(child, 0)
        tell("ended", status)


if __name__ == "__main__":
    main()
