"""The property: whatever happens to it, the data path ends with what the market says. A hypothesis state machine.

Import only in a process whose clocks are virtual.
"""

from __future__ import annotations

import asyncio
import os
import select
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from desktop.demo.faults import Fault
from desktop.domain.market import Market
from desktop.domain.timeframe import Timeframe
from tests.helpers.virtual_loop import VirtualLoop, VirtualTime
from tests.oracle.patchy_market import START_MS
from tests.oracle.stage import TICKERS, TIMEFRAMES, Stage

ALL_TICKERS = tuple(ticker for tickers in TICKERS.values() for ticker in tickers)
CLUSTERS = tuple(market.cluster for market in Market)
SEEDS = 3
_REST_FAULTS = ("drop", "stall", "slow", "too_many_requests", "server_error", "html", "truncated", "garbage", "refuse")
_FRAME_FAULTS = ("socket_malformed", "socket_unknown", "socket_duplicate", "socket_reorder", "socket_late")
_DAY_S = 86_400
_KILLED_IN = 24  # one scenario in so many begins with a process that is killed

_THREADS_IN = 4  # one in so many has its SQLite and server jobs in threads; they are slow to switch
_DAY_LATER_IN = 10  # one in so many ends with a look at everything a day later

clusters = st.sampled_from(CLUSTERS)
tickers = st.sampled_from(ALL_TICKERS)
timeframes = st.sampled_from(TIMEFRAMES)
counts = st.integers(1, 4)
pauses = st.sampled_from((0.5, 1.0, 2.0, 4.0, 9.0))


class Tally:
    """What a run did in all."""

    def __init__(self) -> None:
        self.scenarios = 0
        self.kills = 0
        self.days_later = 0
        self.checks = 0
        self.live_checks = 0
        self.faults: Counter[str] = Counter()


class Actor:
    """Runs a stage in one long-lived task of its own loop and does in it what it is told, one thing after another."""

    def __init__(self, virtual: VirtualTime, folder: Path, seed: int, *, has_threads: bool = True) -> None:
        self._loop = VirtualLoop(virtual, has_threads=has_threads)
        self._orders: asyncio.Queue[tuple[Callable[[Stage], Awaitable[Any]], asyncio.Future[Any]] | None]
        self._orders = asyncio.Queue()
        self.stage = Stage(virtual, folder, seed)
        self._failures: list[BaseException] = []
        self._loop.set_exception_handler(self._on_failure)
        self._life = self._loop.create_task(self._live())
        self.do(lambda stage: stage.open())

    def _on_failure(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self._failures.append(context.get("exception") or RuntimeError(context["message"]))

    async def _live(self) -> None:
        while (order := await self._orders.get()) is not None:
            work, done = order
            try:
                done.set_result(await work(self.stage))
            except BaseException as error:  # noqa: BLE001 (raised again by `do`)
                done.set_exception(error)
        await self.stage.close()

    def do(self, work: Callable[[Stage], Awaitable[Any]]) -> Any:
        """The answer of `work`; a task of the client's that failed meanwhile fails it too."""
        done = self._loop.create_future()
        self._orders.put_nowait((work, done))
        answer = self._loop.run_until_complete(done)
        if self._failures:
            raise self._failures.pop(0)
        return answer

    def close(self) -> None:
        """Ends everything; a task left running fails."""
        self._orders.put_nowait(None)
        try:
            self._loop.run_until_complete(self._life)
            left = [task for task in asyncio.all_tasks(self._loop) if not task.done()]
            assert not left, f"tasks left running: {left}"
        finally:
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()


def make_machine(virtual: VirtualTime, tally: Tally) -> type[RuleBasedStateMachine]:
    """The machine over this process's virtual time; each scenario begins some days into the market."""

    class Scenario(RuleBasedStateMachine):
        actor: Actor | None = None
        folder: Path | None = None
        is_a_day_later = False

        @initialize(
            seed=st.integers(0, SEEDS - 1),
            begin_s=st.integers(3 * _DAY_S, 10 * _DAY_S),
            killed=st.integers(0, _KILLED_IN - 1),
            shown=st.tuples(timeframes, timeframes, timeframes),
            day_later=st.integers(0, _DAY_LATER_IN - 1),
            threads=st.integers(0, _THREADS_IN - 1),
        )
        def begin(
            self, seed: int, begin_s: int, killed: int, shown: tuple[Timeframe, ...], day_later: int, threads: int
        ) -> None:
            self.is_a_day_later = day_later == 0
            virtual.monotonic_s = 1000.0
            virtual.set_wall(START_MS / 1000 + begin_s)
            self.folder = Path(tempfile.mkdtemp(prefix="oracle-"))
            if killed == 0:
                _run_and_kill(virtual, self.folder, seed, random_ms=30 + begin_s % 200)
                tally.kills += 1
                virtual.sleep(1 + begin_s % 5000)
            self.actor = Actor(virtual, self.folder, seed, has_threads=threads == 0)
            for market, timeframe in zip(Market, shown, strict=True):
                self._do(lambda stage, m=market, t=timeframe: _now(stage.show, TICKERS[m][0], t))
            self._advance(3.0)

        def _do(self, work: Callable[[Stage], Awaitable[Any]]) -> Any:
            assert self.actor is not None
            return self.actor.do(work)

        def _advance(self, seconds: float) -> None:
            self._do(lambda stage: stage.advance(seconds))

        @rule(seconds=st.sampled_from((1.0, 5.0, 20.0, 61.0)))
        def wait(self, seconds: float) -> None:
            self._advance(seconds)

        @rule(cluster=clusters, after_bytes=st.integers(0, 3000), pause=pauses)
        def drop(self, cluster: str, after_bytes: int, pause: float) -> None:
            self._do(lambda stage: stage.order(kind="socket_drop", cluster=cluster, after_bytes=after_bytes))
            self._advance(pause)

        @rule(cluster=clusters, pause=pauses)
        def stall(self, cluster: str, pause: float) -> None:
            self._do(lambda stage: stage.order(kind="socket_stall", cluster=cluster))
            self._advance(pause)

        @rule(cluster=clusters)
        def evict(self, cluster: str) -> None:
            self._do(lambda stage: stage.order(kind="socket_evict", cluster=cluster))
            self._advance(1.0)
            self._do(lambda stage: _now(stage.retry))

        @rule(cluster=clusters, count=counts, pause=pauses)
        def refuse_socket(self, cluster: str, count: int, pause: float) -> None:
            self._do(lambda stage: _now(stage.add_fault, Fault(kind="socket_refuse", cluster=cluster, count=count)))
            self._do(lambda stage: stage.order(kind="socket_drop", cluster=cluster))
            self._advance(pause)

        @rule(kind=st.sampled_from(_FRAME_FAULTS), cluster=clusters, count=counts, late_s=st.floats(0.5, 20))
        def spoil_frames(self, kind: Any, cluster: str, count: int, late_s: float) -> None:
            fault = Fault(kind=kind, cluster=cluster, count=count, late_s=late_s)
            self._do(lambda stage: _now(stage.add_fault, fault))
            self._advance(4.0)

        @rule(ticker=tickers, minutes_back=st.integers(1, 20), pause=pauses)
        def correct(self, ticker: str, minutes_back: int, pause: float) -> None:
            self._do(lambda stage: stage.correct(ticker, minutes_back))
            self._advance(pause)

        @rule(
            kind=st.sampled_from(_REST_FAULTS),
            count=counts,
            after_bytes=st.integers(0, 4000),
            retry_after_s=st.sampled_from((None, 1, 5)),
            pause=pauses,
        )
        def spoil_rest(self, kind: Any, count: int, after_bytes: int, retry_after_s: int | None, pause: float) -> None:
            fault = Fault(kind=kind, count=count, after_bytes=after_bytes, retry_after_s=retry_after_s, bytes_per_s=2e4)
            self._do(lambda stage: _now(stage.add_fault, fault))
            self._advance(pause)

        @rule(
            behind_s=st.integers(10, 240),
            count=st.integers(1, 9),
            away_s=st.sampled_from((0, 75, 200, 700)),
            pause=pauses,
        )
        def fall_behind(self, behind_s: int, count: int, away_s: int, pause: float) -> None:
            fault = Fault(kind="behind", behind_ms=behind_s * 1000, count=count, path="/v2/aggs/ticker")
            self._do(lambda stage: _now(stage.add_fault, fault))
            if away_s:  # there are minutes that only REST can tell
                self._do(lambda stage: _now(stage.sleep, float(away_s)))
            self._do(lambda stage: stage.order(kind="socket_drop"))
            self._advance(pause)

        @rule(seconds=st.one_of(st.integers(11, 900), st.integers(1800, 30_000)), is_dropped=st.booleans())
        def sleep(self, seconds: int, is_dropped: bool) -> None:
            self._do(lambda stage: _now(stage.sleep, float(seconds)))
            if is_dropped:
                self._do(lambda stage: stage.order(kind="socket_drop"))
            self._advance(2.0)

        @rule(seconds=st.one_of(st.integers(-20_000, -2), st.integers(2, 20_000)), pause=pauses)
        def step_clock(self, seconds: int, pause: float) -> None:
            self._do(lambda stage: _now(stage.step_clock, float(seconds)))
            self._advance(pause)

        @rule(ticker=tickers, timeframe=timeframes, pause=pauses)
        def show(self, ticker: str, timeframe: Timeframe, pause: float) -> None:
            self._do(lambda stage: _now(stage.show, ticker, timeframe))
            self._advance(pause)

        @rule(market=st.sampled_from(tuple(Market)), pause=pauses)
        def look_back(self, market: Market, pause: float) -> None:
            self._do(lambda stage: _now(stage.charts[market].want_older))
            self._advance(pause)

        @rule(away_s=st.sampled_from((0.0, 0.0, 40.0, 700.0, 20_000.0)), pause=pauses)
        def restart(self, away_s: float, pause: float) -> None:
            self._do(lambda stage: stage.restart(away_s))
            self._advance(pause)

        @precondition(lambda self: self.actor is not None)
        @rule()
        def catch_up(self) -> None:
            self._do(lambda stage: stage.catch_up())

        def teardown(self) -> None:
            if self.actor is None:
                return
            stage = self.actor.stage
            try:
                try:
                    self._do(lambda stage: stage.catch_up())
                    self._do(lambda stage: stage.finish(a_day_later=self.is_a_day_later))
                finally:
                    self.actor.close()
                tally.scenarios += 1
                tally.days_later += self.is_a_day_later
            finally:
                tally.faults += stage.faults
                tally.checks += stage.checks
                tally.live_checks += stage.live_checks
                if self.folder is not None:
                    shutil.rmtree(self.folder, ignore_errors=True)

    return Scenario


async def _now(work: Callable[..., object], *arguments: object) -> None:
    work(*arguments)


def _run_and_kill(virtual: VirtualTime, folder: Path, seed: int, random_ms: int) -> None:
    """A process of its own fills the folder and is killed at some real moment; virtual time goes on from there."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            _live_until_killed(virtual, folder, seed, writing)
        finally:
            os._exit(1)
    os.close(writing)
    said = os.read(reading, 64)  # it has begun
    time.sleep(random_ms / 1000)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"the process ended by itself: {status}"
    while select.select([reading], [], [], 0)[0] and (more := os.read(reading, 4096)):
        said += more
    os.close(reading)
    last = said.decode().split("\n")
    virtual.monotonic_s = max(virtual.monotonic_s, float(last[-2]))


def _live_until_killed(virtual: VirtualTime, folder: Path, seed: int, report: int) -> None:
    """Opens one chart after the other, for ever; says what time it is before each step."""
    actor = Actor(virtual, folder, seed)
    turn = 0
    while True:
        os.write(report, f"{virtual.monotonic_s + 1}\n".encode())
        ticker = ALL_TICKERS[turn % len(ALL_TICKERS)]
        timeframe = TIMEFRAMES[turn // 2 % len(TIMEFRAMES)]
        actor.do(lambda stage, a=ticker, b=timeframe: _now(stage.show, a, b))
        actor.do(lambda stage: stage.advance(1.0))
        turn += 1
