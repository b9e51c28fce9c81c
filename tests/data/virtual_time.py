"""An event loop whose clock jumps to the next timer: hours pass in milliseconds, nothing sleeps."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any


class _JumpingSelector(selectors.SelectSelector):
    now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout:
            self.now_s += timeout
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """`time()` starts at 0 and moves only when nothing else is to be done."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now_s


def run_virtual(scenario: Coroutine[Any, Any, Any]) -> Any:
    """Runs a coroutine in virtual time; a task left running fails."""

    async def guarded() -> Any:
        answer = await scenario
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, f"tasks left running: {left}"
        return answer

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(guarded())
