"""How far a price or a chart may be trusted, in words: a mark with its age, and where and when it comes from."""

from __future__ import annotations

import datetime as dt
from typing import Final

from desktop.domain.freshness import Freshness, Origin, Seen
from desktop.ui import formatting

MEANINGS: Final = {
    Freshness.LIVE: "prices come in as they are made",
    Freshness.DELAYED: "the prices are true, but late",
    Freshness.CACHED: "from the cache, not current",
    Freshness.STALE: "no connection for it: the price may have moved on",
    Freshness.NO_TRADES: "the connection works, nobody trades",
}
_ORIGINS: Final = {Origin.STREAM: "live feed", Origin.REST: "REST", Origin.CACHE: "cache"}


def freshness_text(freshness: Freshness, passed_ms: int | None) -> str:
    """`LIVE 0.3 s`, `DELAYED 15 m`, `CACHED, 3 h old`, `STALE 00:42`, `NO TRADES for 3 m`.

    passed_ms: since the newest price was made, or a cached one was known to be true; None when not known.
    """
    word = freshness.value
    if passed_ms is None:
        return word
    passed_ms = max(0, passed_ms)
    match freshness:
        case Freshness.CACHED:
            return f"{word}, {formatting.age(passed_ms)} old"
        case Freshness.STALE:
            seconds = passed_ms // 1000
            return f"{word} {formatting.age(passed_ms) if seconds >= 86_400 else formatting.clock_text(seconds)}"
        case Freshness.NO_TRADES:
            return f"{word} for {formatting.age(passed_ms)}"
        case _:
            return f"{word} {formatting.age(passed_ms)}"


def freshness_details(freshness: Freshness, source: str, seen: Seen | None, zone: dt.tzinfo = dt.UTC) -> str:
    """The mark's meaning, the price's source, its own time and when it was received; a line each."""
    lines = [f"{freshness.value}: {MEANINGS[freshness]}"]
    if seen is not None:
        lines += [
            f"Source: {source}, {_ORIGINS[seen.origin]}" if source else f"Source: {_ORIGINS[seen.origin]}",
            f"Event time: {formatting.moment(seen.event_ms, zone)}",
            f"Received: {formatting.moment(seen.received_ms, zone)}",
        ]
    elif source:
        lines.append(f"Source: {source}")
    return "\n".join(lines)
