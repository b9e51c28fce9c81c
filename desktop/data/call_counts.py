"""Calls as a plan counts them: which are in its window, and how many there were in a minute, an hour, a day."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

DAY_S: Final = 86_400
_KEPT_S: Final = 65.0  # longer than any window
_LONGEST_S: Final = 600.0
_MINUTE_S: Final = 60
_DAY_MINUTES: Final = DAY_S // _MINUTE_S


@dataclass(slots=True, eq=False)
class Call:
    """A call that was let go. Times in seconds on a clock that nobody can set."""

    number: int
    started_s: float
    is_recheck: bool = False
    reached_s: float | None = None  # the server had it by then; None: it may be under way


@dataclass(frozen=True, slots=True)
class PastCalls:
    """Calls of an earlier run. `age_s`: for hour and day; `window_age_s`: for the plan's window, where still near."""

    count: int
    rechecks: int
    age_s: float
    window_age_s: float | None = None


@dataclass(slots=True)
class _Minute:
    at: int  # of that clock
    calls: int = 0
    rechecks: int = 0


class CallCounts:
    """The calls of the last day.

    When a call reached the server is known to lie between its start and its answer: it counts from the answer on,
    whatever the network did to it, and a call without one counts as of now.
    """

    def __init__(self) -> None:
        self._recent: deque[Call] = deque()  # in order of start
        self._minutes: deque[_Minute] = deque()

    def add(self, call: Call) -> None:
        """A call starts now."""
        self._recent.append(call)
        while call.started_s - _over_by(self._recent[0]) > _KEPT_S:
            self._recent.popleft()
        self._count(call.started_s, 1, int(call.is_recheck))

    def restore(self, past: PastCalls, now_s: float) -> None:
        """Counts calls of an earlier run; oldest first, before any other."""
        if past.window_age_s is not None:
            at_s = now_s - past.window_age_s
            self._recent.extend(Call(0, at_s, reached_s=at_s) for _ in range(past.count))
        self._count(now_s - past.age_s, past.count, past.rechecks)

    def forget(self, call: Call) -> None:
        """The call never reached the server."""
        if call in self._recent:
            self._recent.remove(call)
        self._count(call.started_s, -1, -int(call.is_recheck))

    def frees_at(self, now_s: float, window_s: float) -> list[float]:
        """When each call that counts in the window leaves it, soonest first."""
        ends = (now_s + window_s if call.reached_s is None else call.reached_s + window_s for call in self._recent)
        return sorted(end for end in ends if end > now_s)

    def starts(self, since_s: float) -> list[float]:
        """Starts after `since_s`, in order; a minute back at most."""
        return [call.started_s for call in self._recent if call.started_s > since_s]

    def newest_but(self, count: int) -> float | None:
        """Start of the `count`-th newest call, None when there are fewer."""
        return self._recent[-count].started_s if len(self._recent) >= count else None

    def within(self, now_s: float, minutes: int) -> tuple[int, int]:
        """Calls and re-checks of so many clock minutes."""
        found = list(self._within(int(now_s // _MINUTE_S), minutes))
        return sum(minute.calls for minute in found), sum(minute.rechecks for minute in found)

    def _within(self, now: int, minutes: int) -> Iterator[_Minute]:
        return (minute for minute in self._minutes if now - minute.at < minutes)

    def _count(self, at_s: float, calls: int, rechecks: int) -> None:
        at = int(at_s // _MINUTE_S)
        if not self._minutes or self._minutes[-1].at < at:
            self._minutes.append(_Minute(at))
        # A call is forgotten, if at all, soon after its start.
        minute = next((minute for minute in reversed(self._minutes) if minute.at == at), None)
        if minute is not None:
            minute.calls += calls
            minute.rechecks += rechecks
        while self._minutes and at - self._minutes[0].at >= _DAY_MINUTES:
            self._minutes.popleft()


def _over_by(call: Call) -> float:
    """When the server had the call; one without an answer is no longer under way after the longest time-out."""
    return call.started_s + _LONGEST_S if call.reached_s is None else call.reached_s
