"""When the next call to the vendor may start: rolling window, concurrency, priorities, pauses.

One limiter stands in front of every HTTP attempt of the process, retries and pages included.
"""

from __future__ import annotations

import asyncio
import enum
import itertools
import random
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from desktop.data.call_counts import Call, CallCounts, PastCalls
from desktop.data.clock import elapsed_s
from desktop.domain.usage import Usage

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
    RECHECK = 5  # of history that is held: on a plan with few calls never the last one of the window


@dataclass(slots=True, eq=False)
class Ticket:
    """A place in the queue whose priority can be raised while it waits."""

    priority: Priority
    on_raised: Callable[[], None] | None = None

    def raise_to(self, priority: Priority) -> None:
        """Moves forward; never back."""
        if priority < self.priority:
            self.priority = priority
            if self.on_raised is not None:
                self.on_raised()


class CallRecord(Protocol):
    """Where calls are noted so that even a killed process has not forgotten one. Never raises."""

    async def started(self, number: int, *, is_recheck: bool) -> None:
        """A call is about to be sent: answers once that is on record."""

    def answered(self, number: int) -> None:
        """The server has had it by now."""

    def unused(self, number: int) -> None:
        """It never reached the server."""


@dataclass(slots=True, eq=False)
class _Waiter:
    ticket: Ticket
    number: int
    granted: asyncio.Future[Call]


@dataclass(slots=True, eq=False)
class Slot:
    """A call that may start now; `is_unused` when it never reached the server, which then does not count.

    `reached` is to be called as soon as the server's answer begins: from then on the plan's window runs.
    """

    reached: Callable[[], None]
    is_unused: bool = False


class Limiter:
    """Lets calls start in order of priority, as fast as the plan allows.

    calls_per_minute: at most so many in any rolling 61 s, as a burst if need be; None: `calls_per_second` only.
    record: told of each call before it goes out; see `restore`.
    on_changed: called whenever `usage` is another one than before.
    """

    def __init__(
        self,
        *,
        calls_per_minute: int | None,
        calls_per_second: int = 50,
        concurrency: int = 6,
        elapsed: Callable[[], float] = elapsed_s,
        rng: random.Random | None = None,
        record: CallRecord | None = None,
        on_changed: Callable[[], None] | None = None,
    ) -> None:
        self._calls_per_second = calls_per_second
        self._concurrency = concurrency
        self._elapsed = elapsed
        self._rng = rng or random.Random()
        self._record = record
        self.on_changed = on_changed
        self._calls_per_minute = calls_per_minute
        self._counts = CallCounts()
        self._waiters: list[_Waiter] = []
        self._numbers = itertools.count(random.getrandbits(40))  # told apart from those of other runs
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

    def restore(self, past: Iterable[PastCalls]) -> None:
        """Counts the calls of an earlier run, oldest first. To be called before the first slot."""
        now = self._elapsed()
        for calls in past:
            self._counts.restore(calls, now)

    @asynccontextmanager
    async def slot(self, place: Priority | Ticket) -> AsyncIterator[Slot]:
        """Waits until a call may start; the call runs inside. Cancelling while waiting costs nothing."""
        ticket = place if isinstance(place, Ticket) else Ticket(place)
        ticket.on_raised = self._let_go
        waiter = _Waiter(ticket, next(self._numbers), asyncio.get_running_loop().create_future())
        self._waiters.append(waiter)
        self._let_go()
        try:
            call = await waiter.granted
        except asyncio.CancelledError:
            self._give_back(waiter)
            raise
        slot = Slot(lambda: self._note_reached(call))
        is_sent = False
        try:
            if self._record is not None:
                await self._record.started(call.number, is_recheck=call.is_recheck)
            is_sent = True
            yield slot
        finally:
            self._running -= 1
            if slot.is_unused or not is_sent:
                self._counts.forget(call)
                if self._record is not None:
                    self._record.unused(call.number)
            else:
                self._note_reached(call)
            self._let_go()

    def pause(self, seconds: float) -> None:
        """No start for so long; a longer pause that is running stays."""
        self._paused_until = max(self._paused_until, self._elapsed() + seconds)
        self._let_go()

    def pause_after_refusal(self, retry_after_s: float | None) -> float:
        """Pauses everything after a 429 and answers for how many seconds.

        Without a Retry-After: until 60 s after the oldest of the last five starts, and up to 2 s more.
        """
        if retry_after_s is None:
            now = self._elapsed()
            # An older call is none of what the server counts; the refused one was just now.
            recent = self._counts.starts(now - _REFUSED_WINDOW_S)[-_REFUSED_LOOKBACK:]
            oldest = recent[0] if recent else now
            retry_after_s = oldest + _REFUSED_WINDOW_S - now + self._rng.uniform(0, 2)
        self.pause(retry_after_s)
        return retry_after_s

    def usage(self) -> Usage:
        """Counts for a meter; `next_free_s` 0 when a call could start now."""
        now = self._elapsed()
        frees = self._counts.frees_at(now, FREE_WINDOW_S)
        last_day, rechecks = self._counts.within(now, _DAY_MINUTES)
        return Usage(
            last_minute=len(self._counts.starts(now - 60)),
            last_hour=self._counts.within(now, 60)[0],
            last_day=last_day,
            waiting=len(self._waiters),
            limit_per_minute=self._calls_per_minute,
            next_free_s=self._ready_at(now, Priority.SCREEN) - now,
            pause_s=max(0.0, self._paused_until - now),
            in_window=len(frees),
            next_return_s=frees[0] - now if frees else 0.0,
            rechecks_last_day=rechecks,
            rechecks_waiting=sum(waiter.ticket.priority is Priority.RECHECK for waiter in self._waiters),
        )

    def _ready_at(self, now: float, priority: Priority) -> float:
        """The earliest time the next call may start, leaving concurrency aside; infinite for never."""
        ready = max(now, self._paused_until)
        if self._calls_per_minute is None:
            earlier = self._counts.newest_but(self._calls_per_second)
            return ready if earlier is None else max(ready, earlier + 1.0)
        limit = self._calls_per_minute - (priority is Priority.RECHECK)  # something more urgent may come any moment
        if limit <= 0:
            return float("inf")
        frees = self._counts.frees_at(now, FREE_WINDOW_S)
        return max(ready, frees[len(frees) - limit]) if len(frees) >= limit else ready

    def _let_go(self) -> None:
        """Grants what may start now and sets the alarm for the next; safe to call at any time."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiters and self._running < self._concurrency:
            waiter = min(self._waiters, key=lambda waiter: (waiter.ticket.priority, waiter.number))
            if waiter.granted.done():
                self._waiters.remove(waiter)
                continue
            now = self._elapsed()
            ready = self._ready_at(now, waiter.ticket.priority)
            if ready > now:
                if ready < float("inf"):
                    # A timer may fire early (Qt's do): the next pass reads the clock again.
                    self._timer = asyncio.get_running_loop().call_later(max(ready - now, 0.001), self._let_go)
                break
            self._waiters.remove(waiter)
            call = Call(waiter.number, now, is_recheck=waiter.ticket.priority is Priority.RECHECK)
            self._counts.add(call)
            self._running += 1
            waiter.granted.set_result(call)
        if self.on_changed is not None:
            self.on_changed()

    def _note_reached(self, call: Call) -> None:
        if call.reached_s is None:
            call.reached_s = self._elapsed()
            if self._record is not None:
                self._record.answered(call.number)

    def _give_back(self, waiter: _Waiter) -> None:
        """The waiter was cancelled: leaves the queue, or returns a start that was granted but never used."""
        if waiter in self._waiters:
            self._waiters.remove(waiter)
        elif not waiter.granted.cancelled():
            self._running -= 1
            self._counts.forget(waiter.granted.result())
        self._let_go()
