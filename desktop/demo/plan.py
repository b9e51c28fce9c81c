"""What the served key's plan allows: calls a minute, how far back, how recent, and which kinds of data."""

from __future__ import annotations

import datetime as dt
from collections import deque
from dataclasses import dataclass, field
from typing import Final, Literal

from desktop.domain.timeframe import DAY_MS, MINUTE_MS

Family = Literal["aggregates", "reference", "status", "indicators", "snapshots", "trades", "quotes", "last"]
_FAR_MS: Final = 1 << 62
_WINDOW_S: Final = 60.0
_FREE_FAMILIES: Final[frozenset[Family]] = frozenset({"aggregates", "reference", "status", "indicators"})
_ALL_FAMILIES: Final[frozenset[Family]] = _FREE_FAMILIES | {"snapshots", "trades", "quotes", "last"}


@dataclass(frozen=True, slots=True)
class Plan:
    """Limits of one plan; None means none. `cuts_history` serves what is allowed of a window that crosses the edge."""

    calls_per_minute: int | None = None
    history_days: int | None = None
    is_end_of_day: bool = False  # the current UTC day is refused
    delay_ms: int = 0  # the market is shown as it was then
    has_socket: bool = True
    denied_channels: frozenset[str] = frozenset()  # of the socket
    cuts_history: bool = True
    families: frozenset[Family] = field(default_factory=lambda: _ALL_FAMILIES)

    def span(self, now_ms: int) -> tuple[int, int]:
        """From when to when (exclusive) the plan's data reach at `now_ms`."""
        oldest_ms = 0 if self.history_days is None else now_ms - self.history_days * DAY_MS
        newest_ms = now_ms - now_ms % DAY_MS if self.is_end_of_day else _FAR_MS
        return oldest_ms, newest_ms


FREE: Final = Plan(calls_per_minute=5, history_days=730, is_end_of_day=True, has_socket=False, families=_FREE_FAMILIES)
PAID: Final = Plan()
PLANS: Final = {"free": FREE, "paid": PAID, "delayed": Plan(delay_ms=15 * MINUTE_MS)}


class CallMeter:
    """Counts the calls of the last 60 seconds, on a monotonic clock."""

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self._starts_s: deque[float] = deque()

    def admits(self, now_s: float) -> bool:
        """Counts one call; False when it is over the limit (such calls do not count, as with a sliding window)."""
        while self._starts_s and self._starts_s[0] <= now_s - _WINDOW_S:
            self._starts_s.popleft()
        if self.limit is not None and len(self._starts_s) >= self.limit:
            return False
        self._starts_s.append(now_s)
        return True


def utc_date(time_ms: int) -> dt.date:
    """The UTC date of a Unix ms time."""
    return (dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=time_ms)).date()
