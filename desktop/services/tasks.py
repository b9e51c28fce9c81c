"""The only place that starts tasks: every coroutine has an owner that can stop it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class Tasks:
    """The coroutines one object has running; `aclose` cancels and awaits them all.

    An exception that leaves a task goes to `report`, or to the loop's exception handler when there is none.
    """

    def __init__(self, report: Callable[[BaseException], None] | None = None) -> None:
        self._running: dict[asyncio.Task[Any], str | None] = {}
        self._report = report

    def start(
        self, coroutine: Coroutine[Any, Any, Any], *, replace: str | None = None, name: str | None = None
    ) -> asyncio.Task[Any]:
        """Runs `coroutine`; a running one with the same `replace` key is cancelled first (latest wins)."""
        if replace is not None:
            self.cancel(replace)
        task = asyncio.get_running_loop().create_task(coroutine, name=name or replace)
        self._running[task] = replace
        task.add_done_callback(self._on_done)
        return task

    def cancel(self, key: str) -> None:
        """Cancels what runs under a `replace` key, if anything."""
        for task, held in self._running.items():
            if held == key:
                task.cancel()

    def is_running(self, key: str) -> bool:
        return any(held == key and not task.done() for task, held in self._running.items())

    async def aclose(self) -> None:
        """Cancels everything and waits until it is gone."""
        while running := [task for task in self._running if task is not asyncio.current_task()]:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            for task in running:
                self._running.pop(task, None)

    async def finish(self) -> None:
        """Waits until everything has run to its end, cancelling nothing."""
        while running := [task for task in self._running if task is not asyncio.current_task()]:
            await asyncio.gather(*running, return_exceptions=True)
            for task in running:
                self._running.pop(task, None)

    def _on_done(self, task: asyncio.Task[Any]) -> None:
        self._running.pop(task, None)
        if task.cancelled() or (error := task.exception()) is None:
            return
        if self._report is not None:
            self._report(error)
            return
        task.get_loop().call_exception_handler(
            {"message": f"task {task.get_name()} failed", "exception": error, "task": task}
        )
