"""What a chart says about itself, beside its bars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from desktop.domain.errors import MarketError, NotInPlan
from desktop.domain.freshness import Freshness, Seen
from desktop.domain.market import Market
from desktop.services.board import LiveQuote
from desktop.services.live_end import BarOrigin, LiveEnd
from desktop.services.series_stream import SeriesStream

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
    is_plan_limit: bool = False  # it is the plan that does not allow it: asking again may help after an upgrade
    note: str | None = None  # a peculiarity of the source worth a line
    is_loading_older: bool = False
    is_oldest_reached: bool = False
    bar_state: BarState = "forming"
    bar_origin: BarOrigin = "cache"  # of the last bar
    last_event_ms: int | None = None
    seen: Seen | None = None  # origin and times of the newest price
    fetched_ms: int | None = None  # when the end of the series came from the vendor
    live_events: int = 0
    missing: tuple[tuple[int, int], ...] = ()
    source: str = "Massive"

    def age_ms(self, now_ms: int) -> int | None:
        """How old what is shown is: cached bars since they were fetched, else since the newest price was made."""
        since_ms = self.last_event_ms
        if self.freshness is Freshness.CACHED and self.fetched_ms is not None:
            since_ms = self.fetched_ms
        return None if since_ms is None else max(0, now_ms - since_ms)


def what_is_wrong(error: MarketError | None) -> dict[str, Any]:
    """The fields of a status that an error decides; None: nothing is wrong."""
    return {"sentence": None if error is None else str(error), "is_plan_limit": isinstance(error, NotInPlan)}


def live_part(
    quote: LiveQuote | None, end: LiveEnd, stream: SeriesStream, market: Market, *, is_live: bool
) -> dict[str, Any]:
    """The fields of a status that the newest price and the live end decide."""
    freshness = Freshness.CACHED if quote is None else quote.freshness
    if not is_live and not stream.is_without_feed:
        freshness = before_stitch(freshness)
    has_only_minutes = end.events > 0 and not end.has_trades and market is not Market.FOREX
    return {
        "freshness": freshness,
        "last_event_ms": None if quote is None else quote.last_ms,
        "seen": None if quote is None else quote.seen,
        "live_events": end.events,
        "note": NO_FEED if stream.is_without_feed else MINUTES_ONLY if has_only_minutes else None,
    }


def before_stitch(freshness: Freshness) -> Freshness:
    """What may be said while there may be a hole behind the newest bar: nothing that claims to be current."""
    is_current = freshness in (Freshness.LIVE, Freshness.DELAYED, Freshness.NO_TRADES)
    return Freshness.CACHED if is_current else freshness
