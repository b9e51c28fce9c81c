"""How far a shown price may be trusted: live, delayed, cached, stale."""

from __future__ import annotations

import enum


class Freshness(enum.StrEnum):
    """What the dot beside a price says."""

    LIVE = "LIVE"
    DELAYED = "DELAYED"
    CACHED = "CACHED"
    STALE = "STALE"
    NO_TRADES = "NO TRADES"


def freshness_of(
    *,
    is_streaming: bool,
    is_delayed: bool,
    is_market_open: bool,
    feed_silence_ms: int | None,
    ticker_silence_ms: int | None,
    usual_gap_ms: int,
) -> Freshness:
    """Freshness of one ticker.

    is_streaming: the ticker's subscription is confirmed on a connection whose pong is in time.
    feed_silence_ms: since anything at all arrived on that connection; None when nothing ever did.
    ticker_silence_ms: since this ticker's last event was received; None when there was none.
    usual_gap_ms: the ticker's own usual time between events.
    """
    if not is_streaming:
        return Freshness.CACHED if ticker_silence_ms is None else Freshness.STALE
    limit_ms = max(15_000, 4 * usual_gap_ms)
    if ticker_silence_ms is None or ticker_silence_ms > limit_ms:
        is_feed_alive = feed_silence_ms is not None and feed_silence_ms <= 15_000
        if not is_market_open or is_feed_alive:
            return Freshness.NO_TRADES
        return Freshness.CACHED if ticker_silence_ms is None else Freshness.STALE
    return Freshness.DELAYED if is_delayed else Freshness.LIVE
