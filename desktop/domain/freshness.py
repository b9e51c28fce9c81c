"""How far a price or bar can be trusted: live, delayed, cached, stale, or nobody trades. All times are Unix ms UTC."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

_ALIVE_MS: Final = 15_000  # a connection without data or pong for longer is not known to work
_SHORTEST_MS: Final = 15_000  # of silence before a ticker counts as quiet
_LONGEST_MS: Final = 300_000  # however rarely it trades: what is five minutes old is not live
_USUAL_GAPS: Final = 4
_POLLED_MS: Final = 150_000  # two rounds of a minute and their answers


class Freshness(enum.StrEnum):
    """What the dot beside a price says."""

    LIVE = "LIVE"
    DELAYED = "DELAYED"
    CACHED = "CACHED"
    STALE = "STALE"
    NO_TRADES = "NO TRADES"


class Origin(enum.StrEnum):
    """Where a value comes from."""

    STREAM = "stream"
    REST = "rest"  # asked for now and then
    CACHE = "cache"  # of an earlier run, or a day's close


@dataclass(frozen=True, slots=True)
class Seen:
    """A value's origin and times (market time).

    event_ms: when it happened, by its own word. received_ms: when it came. checked_ms: when REST or the stream last
    said that there is nothing newer.
    """

    origin: Origin
    event_ms: int
    received_ms: int
    checked_ms: int


@dataclass(frozen=True, slots=True)
class Line:
    """How a ticker's live data come in.

    since_ms: when its subscription was confirmed on the connection that stands (market time); None while it is not.
    silence_ms: real time since data, status or pong came on that connection.
    """

    since_ms: int | None = None
    silence_ms: int | None = None
    is_delayed: bool = False

    @property
    def is_alive(self) -> bool:
        """Whether the connection proves that it works; that it is open proves nothing."""
        return self.since_ms is not None and self.silence_ms is not None and self.silence_ms <= _ALIVE_MS


def freshness_of(seen: Seen | None, line: Line, *, now_ms: int, is_market_open: bool, usual_gap_ms: float) -> Freshness:
    """Freshness of one ticker's newest value. usual_gap_ms: the ticker's own usual time between events (market)."""
    if line.is_alive and line.since_ms is not None:
        return _on_a_working_line(seen, line, line.since_ms, now_ms, is_market_open, quiet_after_ms(usual_gap_ms))
    if seen is None or seen.origin is Origin.CACHE:
        return Freshness.CACHED
    if seen.origin is Origin.REST and 0 <= now_ms - seen.checked_ms <= _POLLED_MS:
        return Freshness.DELAYED if is_market_open else Freshness.NO_TRADES
    return Freshness.STALE


def quiet_after_ms(usual_gap_ms: float) -> int:
    """Silence of a ticker on a working connection that means that nobody trades it."""
    return int(min(max(_SHORTEST_MS, _USUAL_GAPS * usual_gap_ms), _LONGEST_MS))


def _on_a_working_line(
    seen: Seen | None, line: Line, since_ms: int, now_ms: int, is_market_open: bool, quiet_ms: int
) -> Freshness:
    is_of_this_stream = seen is not None and seen.origin is Origin.STREAM and seen.received_ms >= since_ms
    if seen is not None and is_of_this_stream and now_ms - seen.received_ms <= quiet_ms:
        return Freshness.DELAYED if line.is_delayed else Freshness.LIVE
    if is_of_this_stream or now_ms - since_ms > quiet_ms:
        return Freshness.NO_TRADES
    # The stream is young. What REST said since it began, or a closed market, tells that there is nothing newer.
    is_checked = seen is not None and seen.checked_ms >= since_ms
    is_old = seen is None or now_ms - seen.event_ms > quiet_ms
    return Freshness.NO_TRADES if is_old and (is_checked or not is_market_open) else Freshness.CACHED
