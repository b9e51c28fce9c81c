"""The limiter never starts more calls than the plan allows, serves the screen first, and forgets nobody."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.data.rate_limit import FREE_WINDOW_S, Limiter, Priority, Ticket
from desktop.domain.errors import CacheError
from tests.data.virtual_time import run_virtual


def new_limiter(**options: Any) -> Limiter:
    loop = asyncio.get_running_loop()
    options.setdefault("calls_per_minute", 5)
    return Limiter(monotonic=loop.time, wall=lambda: 1_000_000 + loop.time(), rng=random.Random(1), **options)


def most_in_any_window(starts: list[float], window_s: float) -> int:
    return max(sum(begin <= start < begin + window_s for start in starts) for begin in starts)


call = st.tuples(
    st.floats(0, 90),  # asked after so many seconds
    st.sampled_from(Priority),
    st.floats(0, 70),  # the call takes
    st.none() | st.floats(0, 120),  # cancelled after
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(call, min_size=1, max_size=40),
    st.lists(st.tuples(st.floats(0, 200), st.none() | st.floats(0, 90)), max_size=3),
    st.lists(st.floats(-300, 5), max_size=8),
)
def test_never_more_than_five_starts_in_any_minute_and_nobody_is_forgotten(calls, refusals, earlier):
    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        limiter = new_limiter()
        limiter.restore([1_000_000 + at for at in earlier])
        before = [min(0.0, at) for at in earlier]
        starts: list[float] = []
        finished: list[int] = []

        async def one(index: int, delay: float, priority: Priority, takes: float, cancelled: float | None) -> None:
            await asyncio.sleep(delay)
            try:
                async with asyncio.timeout(cancelled):
                    async with limiter.slot(priority):
                        starts.append(loop.time())
                        await asyncio.sleep(takes)
            except TimeoutError:
                assert cancelled is not None
            finished.append(index)

        async def refuse(delay: float, retry_after: float | None) -> None:
            await asyncio.sleep(delay)
            limiter.pause_after_refusal(retry_after)

        async with asyncio.TaskGroup() as group:
            for index, options in enumerate(calls):
                group.create_task(one(index, *options))
            for refusal in refusals:
                group.create_task(refuse(*refusal))
        assert sorted(finished) == list(range(len(calls)))
        for start in starts:
            assert sum(start - 60.5 < other <= start for other in before + starts) <= 5
        assert limiter.usage().waiting == 0

    run_virtual(scenario())


def test_five_start_at_once_and_the_sixth_waits_out_the_window() -> None:
    async def scenario() -> None:
        loop, limiter, starts = asyncio.get_running_loop(), new_limiter(), []

        async def one() -> None:
            async with limiter.slot(Priority.SCREEN):
                starts.append(loop.time())

        async with asyncio.TaskGroup() as group:
            for _ in range(6):
                group.create_task(one())
        assert starts == [0, 0, 0, 0, 0, FREE_WINDOW_S]

    run_virtual(scenario())


def test_the_screen_goes_first_and_a_waiting_ticket_can_be_raised() -> None:
    async def scenario() -> None:
        limiter, order = new_limiter(calls_per_minute=1), []
        raised = Ticket(Priority.BACKFILL)

        async def one(name: str, place: Priority | Ticket) -> None:
            async with limiter.slot(place):
                order.append(name)

        async with asyncio.TaskGroup() as group:
            group.create_task(one("first", Priority.BACKFILL))
            for name, place in [("backfill", Priority.BACKFILL), ("raised", raised), ("search", Priority.SEARCH)]:
                group.create_task(one(name, place))
            await asyncio.sleep(1)
            group.create_task(one("screen", Priority.SCREEN))
            raised.raise_to(Priority.GAP)
        assert order == ["first", "screen", "raised", "search", "backfill"]

    run_virtual(scenario())


def test_a_paid_plan_is_held_to_its_rate_and_concurrency() -> None:
    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        limiter = new_limiter(calls_per_minute=None, calls_per_second=10, concurrency=3)
        starts, running, most = [], 0, 0

        async def one() -> None:
            nonlocal running, most
            async with limiter.slot(Priority.SCREEN):
                starts.append(loop.time())
                running += 1
                most = max(most, running)
                await asyncio.sleep(0.05)
                running -= 1

        async with asyncio.TaskGroup() as group:
            for _ in range(60):
                group.create_task(one())
        assert most == 3
        assert most_in_any_window(starts, 0.999) <= 10
        assert limiter.usage().last_minute == 60

    run_virtual(scenario())


def test_a_cancelled_wait_costs_no_call() -> None:
    async def scenario() -> None:
        limiter = new_limiter(concurrency=1)

        async def one() -> None:
            async with limiter.slot(Priority.SCREEN):
                pytest.fail("never gets in")

        async with limiter.slot(Priority.SCREEN):
            waiting, granted = asyncio.create_task(one()), asyncio.create_task(one())
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait([waiting])
        assert limiter.usage().last_minute == 2  # the other one was let in, but has not run yet
        granted.cancel()
        await asyncio.wait([granted])
        assert waiting.cancelled()
        assert granted.cancelled()
        assert limiter.usage().last_minute == 1
        async with limiter.slot(Priority.SCREEN):
            pass

    run_virtual(scenario())


def test_a_refusal_without_a_time_pauses_until_a_minute_after_the_oldest_of_five() -> None:
    async def scenario() -> None:
        loop, limiter = asyncio.get_running_loop(), new_limiter(calls_per_minute=None)
        for _ in range(7):
            async with limiter.slot(Priority.SCREEN):
                await asyncio.sleep(2)
        paused = limiter.pause_after_refusal(None)
        assert 60 - 10 <= paused <= 62 - 10
        async with limiter.slot(Priority.SCREEN):
            assert loop.time() >= 14 + 50
        assert limiter.pause_after_refusal(7) == 7

    run_virtual(scenario())


def test_starts_are_recorded_before_the_call_and_restored() -> None:
    async def scenario() -> None:
        recorded: list[float] = []

        async def record(at: float) -> None:
            recorded.append(at)

        limiter = new_limiter(record_start=record)
        async with limiter.slot(Priority.SCREEN):
            assert recorded == [1_000_000]
        after_restart = new_limiter()
        after_restart.restore([*recorded, *recorded, *recorded, 2_000_000, 3_000_000])  # a clock was wrong, too
        assert after_restart.usage().next_free_s == FREE_WINDOW_S
        assert after_restart.recent_starts() == [1_000_000] * 5

    run_virtual(scenario())


def test_a_start_that_cannot_be_recorded_goes_out_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    async def record(_at: float) -> None:
        raise CacheError("The disk is full.")

    async def scenario() -> None:
        limiter = new_limiter(record_start=record)
        async with limiter.slot(Priority.SCREEN):
            pass
        assert limiter.usage().last_minute == 1

    run_virtual(scenario())
    assert "not recorded" in caplog.text


def test_usage_counts_minute_hour_and_day() -> None:
    async def scenario() -> None:
        limiter = new_limiter(calls_per_minute=None)
        for pause in (23 * 3600, 50 * 60, 30, 0):
            async with limiter.slot(Priority.SCREEN):
                pass
            await asyncio.sleep(pause)
        usage = limiter.usage()
        assert (usage.last_minute, usage.last_hour, usage.last_day) == (2, 3, 4)
        assert usage.limit_per_minute is None
        limiter.set_calls_per_minute(2)
        assert limiter.usage().next_free_s > 30

    run_virtual(scenario())


def test_a_call_that_never_reached_the_server_does_not_count(run_async) -> None:
    async def scenario() -> None:
        limiter = Limiter(calls_per_minute=2)
        for _ in range(5):
            async with limiter.slot(Priority.SCREEN) as slot:
                slot.is_unused = True
        assert limiter.usage().last_minute == 0
        async with limiter.slot(Priority.SCREEN):
            pass
        assert limiter.usage().last_minute == 1

    run_async(scenario())
