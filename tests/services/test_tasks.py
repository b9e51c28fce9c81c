"""The owner of tasks: latest wins, nothing outlives it, no exception is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from desktop.services.tasks import Tasks


def test_a_newer_task_replaces_the_older_of_its_key(run_async: Callable[..., Any]) -> None:
    async def scenario() -> None:
        tasks, done = Tasks(), []

        async def work(name: str, gate: asyncio.Event) -> None:
            await gate.wait()
            done.append(name)

        gate = asyncio.Event()
        first = tasks.start(work("Pari", gate), replace="search")
        second = tasks.start(work("Paris", gate), replace="search")
        other = tasks.start(work("other", gate))
        gate.set()
        await asyncio.wait({first, second, other})
        assert first.cancelled()
        assert done == ["Paris", "other"]

    run_async(scenario())


def test_closing_cancels_and_waits_for_the_clean_up(run_async: Callable[..., Any]) -> None:
    async def scenario() -> None:
        tasks, cleaned = Tasks(), []

        async def work() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                cleaned.append(True)

        tasks.start(work())
        tasks.start(work())
        await asyncio.sleep(0)
        await tasks.aclose()
        assert cleaned == [True, True]

    run_async(scenario())


def test_an_exception_is_reported_once_and_cancellation_never(run_async: Callable[..., Any]) -> None:
    async def scenario() -> None:
        reported: list[BaseException] = []
        tasks = Tasks(reported.append)

        async def fail() -> None:
            raise ValueError("a bug")

        failing = tasks.start(fail())
        waiting = tasks.start(asyncio.sleep(60))
        await asyncio.wait({failing})
        waiting.cancel()
        await asyncio.wait({waiting})
        await tasks.aclose()
        assert [str(error) for error in reported] == ["a bug"]

    run_async(scenario())


def test_without_a_reporter_the_loop_hears_of_it(run_async: Callable[..., Any]) -> None:
    async def scenario() -> None:
        heard: list[str] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: heard.append(context["message"]))
        tasks = Tasks()

        async def fail() -> None:
            raise ValueError("a bug")

        task = tasks.start(fail(), name="prices")
        await asyncio.wait({task})
        await asyncio.sleep(0)
        loop.set_exception_handler(None)
        assert heard == ["task prices failed"]

    run_async(scenario())


def test_finish_lets_the_work_end(run_async: Callable[..., Any]) -> None:
    async def scenario() -> None:
        tasks, done = Tasks(), []

        async def work() -> None:
            await asyncio.sleep(0)
            done.append(True)

        tasks.start(work())
        await tasks.finish()
        assert done == [True]

    run_async(scenario())
