"""Virtual time for a whole process: `time.monotonic` and `time.time` move only when nothing else is to be done.

Call `install()` first of all, before anything that could bind the clocks is imported; therefore this is for processes
of their own (`python -m tests.…`), never for the test process itself. Then run everything with `run`:

    from tests.helpers import virtual_process
    TIME = virtual_process.install(wall_s=1_709_251_200)
    from desktop… import …          # after `install`
    virtual_process.run(TIME, main())

Sockets, SQLite and threads are real: time stands still while a job is in a worker thread or data wait in a socket.
"""

from __future__ import annotations

import asyncio
import selectors
import sys
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar

T = TypeVar("T")
_real_monotonic = time.monotonic
_STUCK_S = 60.0  # real seconds a job in a thread may take


class VirtualTime:
    """The clocks of this process: `monotonic` stands still while the machine sleeps, `elapsed` and `wall` do not."""

    def __init__(self, wall_s: float) -> None:
        self.monotonic_s = 1000.0
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
        self._jumping = _JumpingSelector(virtual)
        self._has_threads = has_threads
        super().__init__(self._jumping)

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


def install(wall_s: float) -> VirtualTime:
    """Replaces this process's clocks; answers what moves them."""
    virtual = VirtualTime(wall_s)
    for name in ("trio", "sniffio"):  # else the HTTP library looks for them at every call
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]
    time.monotonic = virtual.monotonic
    time.time = virtual.wall
    time.clock_gettime = lambda _clock: virtual.elapsed()
    time.monotonic_ns = lambda: int(virtual.monotonic() * 1e9)
    time.time_ns = lambda: int(virtual.wall() * 1e9)
    time.clock_gettime = lambda _clock: virtual.monotonic()  # clocks that nobody can set
    return virtual


def run(virtual: VirtualTime, scenario: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine in virtual time; a task left running fails."""

    async def guarded() -> T:
        answer = await scenario
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, f"tasks left running: {left}"
        return answer

    with asyncio.Runner(loop_factory=lambda: VirtualLoop(virtual)) as runner:
        return runner.run(guarded())
