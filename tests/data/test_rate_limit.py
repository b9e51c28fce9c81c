"""The limiter never starts more calls than the plan allows, serves the screen first, and forgets nobody."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.data.call_counts import PastCalls
from desktop.data.rate_limit import FREE_WINDOW_S, Limiter, Priority, Ticket
from desktop.domain.usage import UsageLevel, warning_of
from tests.helpers.virtual_loop import run_virtual


def new_limiter(**options: Any) -> Limiter:
    loop = asyncio.get_running_loop()
    options.setdefault("calls_per_minute", 5)
    return Limiter(elapsed=loop.time, rng=random.Random(1), **options)


def past_call(age_s: float) -> PastCalls:
    return PastCalls(1, 0, age_s, age_s)


def most_in_any_window(starts: list[float], window_s: float) -> int:
    return max(sum(begin <= start < begin + window_s for start in starts) for begin in starts)


call = st.tuples(
    st.floats(0, 90),  # asked after so many seconds
    st.sampled_from(Priority),
    st.floats(0, 1),  # the server has it after this share of the call's time
    st.floats(0, 70),  # the call takes
    st.none() | st.floats(0, 120),  # cancelled after
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(call, min_size=1, max_size=40),
    st.lists(st.tuples(st.floats(0, 200), st.none() | st.floats(0, 90)), max_size=3),
    st.lists(st.floats(0, 300), max_size=8),
)
def test_the_server_never_has_more_than_five_calls_in_any_minute_and_nobody_is_forgotten(calls, refusals, ages):
    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        limiter = new_limiter()
        limiter.restore([past_call(age) for age in sorted(ages, reverse=True)])
        before = [-age for age in ages]
        arrivals: list[float] = []
        finished: list[int] = []

        async def one(
            index: int, delay: float, priority: Priority, share: float, takes: float, cancelled: float | None
        ) -> None:
            await asyncio.sleep(delay)
            try:
                async with asyncio.timeout(cancelled):
                    async with limiter.slot(priority):
                        await asyncio.sleep(takes * share)
                        arrivals.append(loop.time())
                        await asyncio.sleep(takes * (1 - share))
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
        for arrival in arrivals:
            assert sum(arrival - 60.5 < other <= arrival for other in before + arrivals) <= 5
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


def test_a_call_counts_until_a_minute_after_its_answer_began() -> None:
    async def scenario() -> None:
        loop, limiter = asyncio.get_running_loop(), new_limiter(calls_per_minute=1)
        async with limiter.slot(Priority.SCREEN) as slot:
            await asyncio.sleep(9)  # a slow network: the server may have it only now
            slot.reached()
            await asyncio.sleep(20)  # a large answer
        async with limiter.slot(Priority.SCREEN):
            assert loop.time() == 9 + FREE_WINDOW_S

    run_virtual(scenario())


class Notes:
    """A record in memory."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, int]] = []
        self.is_slow = False

    async def started(self, number: int, *, is_recheck: bool) -> None:
        if self.is_slow:
            await asyncio.sleep(1000)
        self.lines.append(("recheck" if is_recheck else "started", number))

    def answered(self, number: int) -> None:
        self.lines.append(("answered", number))

    def unused(self, number: int) -> None:
        self.lines.append(("unused", number))


def test_a_call_is_on_record_before_it_goes_out() -> None:
    async def scenario() -> None:
        notes = Notes()
        limiter = new_limiter(record=notes)
        async with limiter.slot(Priority.RECHECK) as slot:
            assert [kind for kind, _ in notes.lines] == ["recheck"]
            slot.reached()
            assert [kind for kind, _ in notes.lines] == ["recheck", "answered"]
        async with limiter.slot(Priority.SCREEN) as slot:
            slot.is_unused = True
        notes.is_slow = True
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1), limiter.slot(Priority.SCREEN):
                pytest.fail("goes out without being on record")
        assert [kind for kind, _ in notes.lines] == ["recheck", "answered", "started", "unused", "unused"]
        numbers = [number for _, number in notes.lines]
        assert numbers == [numbers[0], numbers[0], numbers[0] + 1, numbers[0] + 1, numbers[0] + 2]
        assert (limiter.usage().last_minute, limiter.usage().in_window) == (1, 1)

    run_virtual(scenario())


def test_calls_of_an_earlier_run_count() -> None:
    async def scenario() -> None:
        limiter = new_limiter()
        limiter.restore([PastCalls(30, 4, 50_000), PastCalls(7, 0, 1800), *(past_call(age) for age in (70, 20, 4, 3))])
        usage = limiter.usage()
        assert (usage.last_day, usage.last_hour, usage.last_minute, usage.in_window) == (41, 11, 3, 3)
        assert (usage.rechecks_last_day, usage.fills_last_day) == (4, 37)
        limiter.set_calls_per_minute(3)
        assert limiter.usage().next_free_s == FREE_WINDOW_S - 20

    run_virtual(scenario())


def test_a_recheck_waits_for_everything_else_and_leaves_one_call() -> None:
    async def scenario() -> None:
        loop, limiter, order = asyncio.get_running_loop(), new_limiter(), []

        async def one(name: str, place: Priority | Ticket) -> None:
            async with limiter.slot(place):
                order.append((name, loop.time()))

        async with asyncio.TaskGroup() as group:
            for index in range(6):
                group.create_task(one(f"recheck {index}", Priority.RECHECK))
            await asyncio.sleep(1)
            assert [name for name, _ in order] == [f"recheck {index}" for index in range(4)]
            assert limiter.usage().next_free_s == 0
            group.create_task(one("backfill", Priority.BACKFILL))
            await asyncio.sleep(1)
            assert order[4:] == [("backfill", 1)]
            usage = limiter.usage()
            assert (usage.waiting, usage.rechecks_waiting) == (2, 2)
            for _ in range(3):
                group.create_task(one("search", Priority.SEARCH))
        assert [name for name, _ in order[5:]] == ["search"] * 3 + ["recheck 4", "recheck 5"]
        assert order[5][1] == FREE_WINDOW_S
        assert order[8][1] > FREE_WINDOW_S  # the fourth and last but one of the next window: after the backfill left it
        assert limiter.usage().rechecks_last_day == 6

    run_virtual(scenario())


def test_a_recheck_somebody_comes_to_need_takes_the_free_call_at_once() -> None:
    async def scenario() -> None:
        loop, limiter = asyncio.get_running_loop(), new_limiter(calls_per_minute=1)
        ticket = Ticket(Priority.RECHECK)

        async def one() -> float:
            async with limiter.slot(ticket):
                return loop.time()

        waiting = asyncio.create_task(one())
        await asyncio.sleep(100)
        assert not waiting.done()
        ticket.raise_to(Priority.SCREEN)
        assert await waiting == 100
        assert limiter.usage().rechecks_last_day == 0

    run_virtual(scenario())


def test_rechecks_come_last_on_a_paid_plan_too() -> None:
    async def scenario() -> None:
        limiter, order = new_limiter(calls_per_minute=None, concurrency=1), []

        async def one(priority: Priority) -> None:
            async with limiter.slot(priority):
                order.append(priority)
                await asyncio.sleep(1)

        async with asyncio.TaskGroup() as group:
            for priority in reversed(Priority):
                group.create_task(one(priority))
        assert order == [Priority.RECHECK, *(place for place in Priority if place is not Priority.RECHECK)]

    run_virtual(scenario())


def test_a_refusal_long_after_the_last_calls_waits_a_whole_minute() -> None:
    async def scenario() -> None:
        limiter = new_limiter()
        for _ in range(4):
            async with limiter.slot(Priority.SCREEN):
                pass
        await asyncio.sleep(90)
        async with limiter.slot(Priority.SCREEN):  # refused: somebody else uses the same key
            assert 60 <= limiter.pause_after_refusal(None) <= 62

    run_virtual(scenario())


def test_the_warning_comes_before_the_limit_and_says_when_it_ends() -> None:
    async def scenario() -> None:
        limiter = new_limiter()
        said = []
        for _ in range(5):
            said.append(warning_of(limiter.usage()))
            async with limiter.slot(Priority.SCREEN):
                await asyncio.sleep(2)
        assert [warning.level for warning in said] == [UsageLevel.CALM] * 4 + [UsageLevel.NEAR]
        assert said[-1].sentence == "4 of 5 calls used; next free in 55 s."
        waiting = asyncio.create_task(anext_slot(limiter))
        await asyncio.sleep(0)
        assert warning_of(limiter.usage()).sentence == "All 5 calls used; next free in 53 s, 1 waiting."
        limiter.pause(90)
        assert warning_of(limiter.usage()).level is UsageLevel.PAUSED
        assert "calls go on in 90 s" in warning_of(limiter.usage()).sentence
        await waiting

    run_virtual(scenario())


async def anext_slot(limiter: Limiter) -> None:
    async with limiter.slot(Priority.SCREEN):
        pass


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
