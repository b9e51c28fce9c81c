"""What a chart says about itself, beside its bars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from desktop.domain.freshness import Freshness

Phase = Literal["empty", "loading", "ready", "failed"]
BarState = Literal["forming", "closed", "settled"]


MINUTES_ONLY: Final = "Minute bars only: this feed carries no trades, so the candle moves once a minute."
NO_FEED: Final = "This plan has no live feed: refreshed every minute."


@dataclass(frozen=True, slots=True)
class ChartStatus:
    """What a chart says about itself."""

    phase: Phase = "empty"
    freshness: Freshness = Freshness.CACHED
    sentence: str | None = None  # what is wrong, one sentence
    note: str | None = None  # a peculiarity of the source worth a line
    is_loading_older: bool = False
    is_oldest_reached: bool = False
    bar_state: BarState = "forming"
    last_event_ms: int | None = None
    live_events: int = 0
    missing: tuple[tuple[int, int], ...] = ()
    source: str = "Massive"


def before_stitch(freshness: Freshness) -> Freshness:
    """What may be said while there may be a hole behind the newest bar: nothing that claims to be current."""
    is_current = freshness in (Freshness.LIVE, Freshness.DELAYED, Freshness.NO_TRADES)
    return Freshness.CACHED if is_current else freshness
