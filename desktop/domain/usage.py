"""How many calls were made, against what the plan allows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """Calls started in the last rolling minute, hour and day; `limit_per_minute` None when the plan has none."""

    last_minute: int = 0
    last_hour: int = 0
    last_day: int = 0
    waiting: int = 0
    limit_per_minute: int | None = None
    next_free_s: float = 0.0  # seconds until the next call may start
    pause_s: float = 0.0  # seconds left of a pause after a 429
