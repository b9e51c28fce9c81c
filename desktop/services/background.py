"""Long computations beside the GUI: work in a thread, its answer back in the loop's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from desktop.services.tasks import Tasks


class Background:
    """Runs pure functions in threads. After `aclose` the answers of those under way are dropped."""

    def __init__(self) -> None:
        self._tasks = Tasks()

    def run(self, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        """Calls `done` with what `work()` gave, in the loop's thread. `work` must not touch Qt's objects."""
        self._tasks.start(self._run(work, done), name="computation")

    async def _run(self, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        done(await asyncio.to_thread(work))

    async def aclose(self) -> None:
        """Ends everything."""
        await self._tasks.aclose()
