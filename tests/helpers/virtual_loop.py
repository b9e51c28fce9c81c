"""An event loop on virtual time: the clock jumps to the next timer, hours pass in milliseconds, nothing sleeps.

Sockets, SQLite and threads are real: time stands still while a job is in a worker thread or data wait in a socket.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar

T = TypeVar("T")
_real_monotonic = time.monotonic
_STUCK_S = 60.0  # real seconds a job in a thread may take


class VirtualTime:
    """Clocks that move when told to: `monotonic` stands still while the machine sleeps, `elapsed` and `wall` do not."""

    def __init__(self, wall_s: float = 0.0, monotonic_s: float = 0.0) -> None:
        self.monotonic_s = monotonic_s
        self._slept_s = 0.0
        self._wall_offset_s = wall_s - self.monotonic_s

    def monotonic(self) -> float:
        return self.monotonic_s

    def wall(self) -> float:
        return self.elapsed() + self._wall_offset_s

    def elapsed(self) -> float:
        return self.monotonic_s + self._slept_s

    def sleep(self, seconds: float) -> None:
        """The machine sleeps: nothing of this process runs meanwhile."""
        self._slept_s += seconds

    def set_wall(self, wall_s: float) -> None:
        """What everybody's clock shows from now on."""
        self._wall_offset_s = wall_s - self.elapsed()


class _JumpingSelector(selectors.DefaultSelector):  # type: ignore[misc, valid-type]
    def __init__(self, virtual: VirtualTime) -> None:
        super().__init__()
        self._virtual = virtual
        self.jobs = 0  # in worker threads

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if self.jobs or timeout is None:
            began_s = _real_monotonic()
            while not ready:
                ready = super().select(1.0)
                assert _real_monotonic() - began_s < _STUCK_S, f"nothing happens; {self.jobs} jobs in threads"
            return ready
        self._virtual.monotonic_s += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """Jumps to the next timer when neither sockets nor threads have anything to do.

    has_threads: whether jobs for threads really run in threads; else at once in the loop's own, which is faster.
    """

    def __init__(self, virtual: VirtualTime, *, has_threads: bool = True) -> None:
        self._virtual = virtual
        self._jumping = _JumpingSelector(virtual)
        self._has_threads = has_threads
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._virtual.monotonic_s

    def run_in_executor(self, executor: Executor | None, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:  # type: ignore[override]
        if not self._has_threads:
            return self._at_once(func, args)
        self._jumping.jobs += 1
        future = super().run_in_executor(executor, func, *args)

        def done(_future: asyncio.Future[T]) -> None:
            self._jumping.jobs -= 1

        future.add_done_callback(done)
        return future

    def _at_once(self, func: Callable[..., T], arguments: tuple[Any, ...]) -> asyncio.Future[T]:
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*arguments))
        except Exception as error:  # noqa: BLE001 (raised where it is awaited, as from a thread)
            future.set_exception(error)
        return future


def run_virtual(scenario: Coroutine[Any, Any, T], virtual: VirtualTime | None = None) -> T:
    """Runs a coroutine in virtual time (None: from 0 on); a task left running fails."""

    async def guarded() -> T:
        answer = await scenario
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, f"tasks left running: {left}"
        return answer

    with asyncio.Runner(loop_factory=lambda: VirtualLoop(virtual or VirtualTime())) as runner:
        return runner.run(guarded())
