"""When the next call to the vendor may start: rolling window, concurrency, priorities, pauses.

One limiter stands in front of every HTTP attempt of the process, retries and pages included.
"""

from __future__ import annotations

import asyncio
import enum
import logging
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from desktop.domain.errors import CacheError
from desktop.domain.usage import Usage

_log = logging.getLogger(__name__)

FREE_WINDOW_S: Final = 61.0  # the vendor says a minute; whether fixed or sliding is unknown, a margin satisfies both
_REFUSED_WINDOW_S: Final = 60.0
_REFUSED_LOOKBACK: Final = 5
_DAY_MINUTES: Final = 1440


class Priority(enum.IntEnum):
    """Who goes first when calls are short; lower is sooner."""

    SCREEN = 0
    GAP = 1
    SEARCH = 2
    WATCHLIST = 3
    BACKFILL = 4


@dataclass(slots=True, eq=False)
class Ticket:
    """A place in the queue whose priority can be raised while it waits."""

    priority: Priority

    def raise_to(self, priority: Priority) -> None:
        """Moves forward; never back."""
        self.priority = min(self.priority, priority)


@dataclass(slots=True, eq=False)
class _Waiter:
    ticket: Ticket
    number: int
    granted: asyncio.Future[float]


@dataclass(slots=True, eq=False)
class Slot:
    """A call that may start now; `is_unused` when it never reached the server, which then does not count."""

    is_unused: bool = False


class Limiter:
    """Lets calls start in order of priority, as fast as the plan allows.

    calls_per_minute: at most so many starts in any rolling 61 s, as a burst if need be; None: `calls_per_second` only.
    record_start: awaited with the wall time (Unix s) of each start before the call goes out, so that even a killed
    process has not forgotten it; see `restore`.
    """

    def __init__(
        self,
        *,
        calls_per_minute: int | None,
        calls_per_second: int = 50,
        concurrency: int = 6,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        rng: random.Random | None = None,
        record_start: Callable[[float], Awaitable[None]] | None = None,
        on_changed: Callable[[], None] | None = None,
    ) -> None:
        self._calls_per_second = calls_per_second
        self._concurrency = concurrency
        self._monotonic = monotonic
        self._wall = wall
        self._rng = rng or random.Random()
        self.record_start = record_start
        self.on_changed = on_changed
        self._calls_per_minute = calls_per_minute
        self._starts: deque[float] = deque()  # monotonic, the last two minutes at most
        self._minutes: deque[tuple[int, int]] = deque()  # minute of the monotonic clock, starts in it; one day
        self._waiters: list[_Waiter] = []
        self._count = 0
        self._running = 0
        self._paused_until = -float("inf")
        self._timer: asyncio.TimerHandle | None = None

    @property
    def calls_per_minute(self) -> int | None:
        return self._calls_per_minute

    def set_calls_per_minute(self, calls: int | None) -> None:
        """Another plan: holds from the next start on; earlier starts stay counted."""
        self._calls_per_minute = calls
        self._let_go()

    def restore(self, started_wall_s: Iterable[float]) -> None:
        """Counts calls of an earlier run. Times in the future (a stepped clock) count as just now."""
        now, wall = self._monotonic(), self._wall()
        for started in sorted(started_wall_s):
            age_s = max(0.0, wall - started)
            if age_s < _DAY_MINUTES * 60:
                self._note_start(now - age_s)

    def recent_starts(self) -> list[float]:
        """Wall times (Unix s) of the starts still inside the plan's window."""
        now, wall = self._monotonic(), self._wall()
        return [wall - (now - start) for start in self._starts if now - start < FREE_WINDOW_S]

    @asynccontextmanager
    async def slot(self, place: Priority | Ticket) -> AsyncIterator[Slot]:
        """Waits until a call may start; the call runs inside. Cancelling while waiting costs nothing."""
        ticket = place if isinstance(place, Ticket) else Ticket(place)
        self._count += 1
        waiter = _Waiter(ticket, self._count, asyncio.get_running_loop().create_future())
        self._waiters.append(waiter)
        self._let_go()
        try:
            await waiter.granted
        except asyncio.CancelledError:
            self._give_back(waiter)
            raise
        slot = Slot()
        try:
            await self._record()
            yield slot
        finally:
            self._running -= 1
            if slot.is_unused:
                self._forget_start(waiter.granted.result())
            self._let_go()

    def pause(self, seconds: float) -> None:
        """No start for so long; a longer pause that is running stays."""
        self._paused_until = max(self._paused_until, self._monotonic() + seconds)
        self._let_go()

    def pause_after_refusal(self, retry_after_s: float | None) -> float:
        """Pauses everything after a 429 and answers for how many seconds.

        Without a Retry-After: until 60 s after the oldest of the last five starts, and up to 2 s more.
        """
        if retry_after_s is None:
            now = self._monotonic()
            recent = list(self._starts)[-_REFUSED_LOOKBACK:]
            oldest = recent[0] if recent else now
            retry_after_s = max(0.0, oldest + _REFUSED_WINDOW_S - now) + self._rng.uniform(0, 2)
        self.pause(retry_after_s)
        return retry_after_s

    def usage(self) -> Usage:
        """Counts for a meter; `next_free_s` 0 when a call could start now."""
        now = self._monotonic()
        minute = int(now // 60)
        ready = self._ready_at(now)
        return Usage(
            last_minute=sum(now - start < 60 for start in self._starts),
            last_hour=sum(count for at, count in self._minutes if minute - at < 60),
            last_day=sum(count for at, count in self._minutes if minute - at < _DAY_MINUTES),
            waiting=len(self._waiters),
            limit_per_minute=self._calls_per_minute,
            next_free_s=max(0.0, ready - now),
            pause_s=max(0.0, self._paused_until - now),
        )

    async def _record(self) -> None:
        if self.record_start is None:
            return
        try:
            await self.record_start(self._wall())
        except CacheError as error:
            _log.warning("call time not recorded: %s", error)

    def _ready_at(self, now: float) -> float:
        """The earliest time the next call may start, leaving concurrency aside."""
        limit, window_s = self._calls_per_second, 1.0
        if self._calls_per_minute is not None:
            limit, window_s = self._calls_per_minute, FREE_WINDOW_S
        ready = self._paused_until
        if len(self._starts) >= limit:
            ready = max(ready, self._starts[-limit] + window_s)
        return max(now, ready)

    def _let_go(self) -> None:
        """Grants what may start now and sets the alarm for the next; safe to call at any time."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiters and self._running < self._concurrency:
            now = self._monotonic()
            ready = self._ready_at(now)
            if ready > now:
                # A timer may fire early (Qt's do): the next pass reads the clock again.
                self._timer = asyncio.get_running_loop().call_later(max(ready - now, 0.001), self._let_go)
                break
            waiter = min(self._waiters, key=lambda waiter: (waiter.ticket.priority, waiter.number))
            self._waiters.remove(waiter)
            if waiter.granted.done():
                continue
            self._note_start(now)
            self._running += 1
            waiter.granted.set_result(now)
        if self.on_changed is not None:
            self.on_changed()

    def _give_back(self, waiter: _Waiter) -> None:
        """The waiter was cancelled: leaves the queue, or returns a start that was granted but never used."""
        if waiter in self._waiters:
            self._waiters.remove(waiter)
        elif not waiter.granted.cancelled():
            self._running -= 1
            self._forget_start(waiter.granted.result())
        self._let_go()

    def _note_start(self, at: float) -> None:
        self._starts.append(at)
        while self._starts and at - self._starts[0] > 120:
            self._starts.popleft()
        minute = int(at // 60)
        if self._minutes and self._minutes[-1][0] == minute:
            self._minutes[-1] = (minute, self._minutes[-1][1] + 1)
        else:
            self._minutes.append((minute, 1))
        while self._minutes and minute - self._minutes[0][0] >= _DAY_MINUTES:
            self._minutes.popleft()

    def _forget_start(self, at: float) -> None:
        if at in self._starts:
            self._starts.remove(at)
        for index, (minute, count) in enumerate(self._minutes):
            if minute == int(at // 60):
                self._minutes[index] = (minute, count - 1)
