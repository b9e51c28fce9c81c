"""Calls are on file before they are sent, whatever happens to the process, the disk or the clock."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop.data.call_log import CallLog


class Clocks:
    """A machine's two clocks."""

    def __init__(self) -> None:
        self.wall_s = 1_709_251_200.0
        self.elapsed_s = 5000.0

    def pass_(self, seconds: float) -> None:
        self.wall_s += seconds
        self.elapsed_s += seconds

    async def open(self, path: Path) -> CallLog:
        return await CallLog.open(path, wall=lambda: self.wall_s, elapsed=lambda: self.elapsed_s)

    async def past(self, path: Path) -> list[tuple[float, float | None]]:
        """Age and age in the window of each call another run finds."""
        log = await self.open(path)
        await log.aclose()
        return [(calls.age_s, calls.window_age_s) for calls in log.past for _ in range(calls.count)]


def content(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "calls.log"


def test_a_call_is_in_the_file_before_it_is_sent(run_async: Callable[..., Any], path: Path) -> None:
    async def scenario() -> None:
        clocks = Clocks()
        log = await clocks.open(path)
        await log.started(17, is_recheck=True)
        assert content(path) == b"s 17 1709251200000 5000000 1\n"
        clocks.pass_(2)
        log.answered(17)
        await log.started(18, is_recheck=False)
        log.unused(18)
        await log.aclose()
        log.answered(18)  # the application is closing: nothing is left to write to
        await log.started(19, is_recheck=False)
        clocks.pass_(10)
        reopened = await clocks.open(path)
        await reopened.aclose()
        assert [(calls.count, calls.rechecks, calls.age_s, calls.window_age_s) for calls in reopened.past] == [
            (1, 1, 10, 10)
        ]

    run_async(scenario())


def test_a_call_without_an_answer_counts_from_the_next_start_once(run_async: Callable[..., Any], path: Path) -> None:
    async def scenario() -> None:
        clocks = Clocks()
        log = await clocks.open(path)
        await log.started(1, is_recheck=False)
        log.answered(1)
        clocks.pass_(4)
        await log.started(2, is_recheck=False)  # and then the process is killed
        await log.aclose()
        clocks.pass_(30)
        assert await clocks.past(path) == [(34, 34), (0, 0)]
        clocks.pass_(10)
        assert await clocks.past(path) == [(44, 44), (10, 10)]

    run_async(scenario())


@pytest.mark.parametrize("step_s", [-86_400 * 365, -3600, 3600, 86_400 * 365])
def test_a_clock_that_is_set_hides_no_call(run_async: Callable[..., Any], path: Path, step_s: float) -> None:
    async def scenario() -> None:
        clocks = Clocks()
        log = await clocks.open(path)
        await log.started(1, is_recheck=False)
        log.answered(1)
        await log.aclose()
        clocks.pass_(20)
        clocks.wall_s += step_s
        expected = 0 if step_s < 0 else 20  # the future counts as now
        assert await clocks.past(path) == [(expected, expected)]
        clocks.pass_(30)
        expected += 30
        assert await clocks.past(path) == [(expected, expected)]

    run_async(scenario())


def test_a_reboot_leaves_the_wall_clock_alone_to_tell(run_async: Callable[..., Any], path: Path) -> None:
    async def scenario() -> None:
        clocks = Clocks()
        log = await clocks.open(path)
        for number in range(3):
            await log.started(number, is_recheck=False)
            log.answered(number)
            clocks.pass_(3000)
        await log.aclose()
        clocks.pass_(40)
        clocks.elapsed_s = 12
        assert await clocks.past(path) == [(9040, None), (6040, None), (3040, None)]

    run_async(scenario())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kept=st.integers(0, 400), junk=st.binary(max_size=60), calls=st.integers(0, 3))
def test_a_torn_or_garbled_end_costs_no_other_call(
    run_async: Callable[..., Any], path: Path, kept: int, junk: bytes, calls: int
) -> None:
    path.unlink(missing_ok=True)
    clocks = Clocks()

    async def before() -> None:
        log = await clocks.open(path)
        for number in range(5):
            await log.started(number, is_recheck=False)
            log.answered(number)
        await log.aclose()

    run_async(before())
    left = content(path)[:kept]
    path.write_bytes(left + junk)
    complete = left[: left.rfind(b"\n") + 1].count(b"s ")
    clocks.pass_(5)

    async def after() -> None:
        again = await clocks.open(path)
        found = len(again.past)
        assert found >= complete
        for number in range(100, 100 + calls):
            await again.started(number, is_recheck=False)
            again.answered(number)
        await again.aclose()
        assert len(await clocks.past(path)) >= complete + calls

    run_async(after())


def test_old_calls_are_summed_up_and_the_file_stays_small(run_async: Callable[..., Any], path: Path) -> None:
    async def scenario() -> None:
        clocks = Clocks()
        log = await clocks.open(path)
        largest = 0
        for number in range(12_000):
            await log.started(number, is_recheck=number % 4 == 0)
            log.answered(number)
            clocks.pass_(2)
            if number % 50 == 0:
                largest = max(largest, len(content(path)))
        await log.aclose()
        assert largest < 300_000
        reopened = await clocks.open(path)
        await reopened.aclose()
        assert sum(calls.count for calls in reopened.past) == 12_000
        assert sum(calls.rechecks for calls in reopened.past) == 3000
        assert sum(calls.count for calls in reopened.past if calls.window_age_s is not None) >= 58
        ages = [calls.age_s for calls in reopened.past]
        assert ages == sorted(ages, reverse=True)
        clocks.pass_(86_400 - 12_000)
        assert 5900 <= len(await clocks.past(path)) <= 6100  # the first half is more than a day ago

    run_async(scenario())


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
def test_a_full_disk_is_said_once_and_stops_no_call(
    run_async: Callable[..., Any], path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.symlink_to("/dev/full")

    async def scenario() -> None:
        clocks = Clocks()
        log = await clocks.open(path)
        assert log.past == []
        for number in range(5):
            await log.started(number, is_recheck=False)
            log.answered(number)
        await log.aclose()

    run_async(scenario())
    assert [record.message.split(":")[0] for record in caplog.records] == ["calls are counted in memory alone"]


def test_a_folder_that_cannot_be_written_is_said_once_and_heals(
    run_async: Callable[..., Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "world" / "calls.log"

    async def scenario() -> None:
        clocks = Clocks()
        log = await clocks.open(path)
        for number in range(3):
            await log.started(number, is_recheck=False)
        path.parent.mkdir()
        await log.started(3, is_recheck=False)
        await log.aclose()
        assert len(await clocks.past(path)) == 1

    run_async(scenario())
    assert len(caplog.records) == 1


def test_writing_does_not_hold_up_the_loop(run_async: Callable[..., Any], path: Path) -> None:
    """Several calls at once are written one after the other, in their order, while the loop runs."""

    async def scenario() -> None:
        clocks = Clocks()
        log = await clocks.open(path)
        await asyncio.gather(*(log.started(number, is_recheck=False) for number in range(50)))
        await log.aclose()
        assert [int(line.split()[1]) for line in content(path).splitlines()] == list(range(50))

    run_async(scenario())
