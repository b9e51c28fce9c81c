"""How many calls were made, against what the plan allows, and what is to be said before the limit is met."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from typing import Final

_NEARLY_ALL: Final = 0.8


@dataclass(frozen=True, slots=True)
class Usage:
    """Calls started in the last rolling minute, hour and day; `limit_per_minute` None when the plan has none.

    `in_window` is what counts against the limit now: a call does so until a minute after the server surely had it.
    Re-checks of held history are in all counts, and apart in `rechecks_last_day`.
    """

    last_minute: int = 0
    last_hour: int = 0
    last_day: int = 0
    waiting: int = 0
    limit_per_minute: int | None = None
    next_free_s: float = 0.0  # seconds until the next call may start
    pause_s: float = 0.0  # seconds left of a pause after a 429
    in_window: int = 0
    next_return_s: float = 0.0  # seconds until one call fewer counts; 0 when none does
    rechecks_last_day: int = 0
    rechecks_waiting: int = 0  # in `waiting` too

    @property
    def fills_last_day(self) -> int:
        """The day's calls that were not re-checks."""
        return self.last_day - self.rechecks_last_day


class UsageLevel(enum.StrEnum):
    """How near the limit is."""

    CALM = "calm"
    NEAR = "near"
    FULL = "full"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class UsageWarning:
    """What a meter shows; `sentence` is empty when all is calm."""

    level: UsageLevel = UsageLevel.CALM
    sentence: str = ""


def warning_of(usage: Usage) -> UsageWarning:
    """The warning for a state of the limiter: before the last call is used, when none is left, and in a pause."""
    if usage.pause_s > 0:
        sentence = f"The server asked for a pause; calls go on in {_seconds(usage.pause_s)}."
        return UsageWarning(UsageLevel.PAUSED, _with_waiting(sentence, usage.waiting))
    limit = usage.limit_per_minute
    if limit is None or usage.in_window < _NEARLY_ALL * limit:
        return UsageWarning()
    if usage.in_window < limit:
        sentence = f"{usage.in_window} of {limit} calls used; next free in {_seconds(usage.next_return_s)}."
        return UsageWarning(UsageLevel.NEAR, _with_waiting(sentence, usage.waiting))
    used = "The one call is used" if limit == 1 else f"All {limit} calls used"
    sentence = f"{used}; next free in {_seconds(usage.next_free_s)}."
    return UsageWarning(UsageLevel.FULL, _with_waiting(sentence, usage.waiting))


def _seconds(seconds: float) -> str:
    return f"{max(1, math.ceil(seconds))} s"


def _with_waiting(sentence: str, waiting: int) -> str:
    return f"{sentence[:-1]}, {waiting} waiting." if waiting else sentence
