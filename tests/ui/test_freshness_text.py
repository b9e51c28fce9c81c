"""The mark of a price in words."""

from __future__ import annotations

import pytest

from desktop.domain.freshness import Freshness, Origin, Seen
from desktop.ui.freshness_text import MEANINGS, freshness_details, freshness_text


@pytest.mark.parametrize(
    ("freshness", "passed_ms", "text"),
    [
        (Freshness.LIVE, 340, "LIVE 0.3 s"),
        (Freshness.DELAYED, 15 * 60_000, "DELAYED 15 m"),
        (Freshness.CACHED, 3 * 3_600_000, "CACHED, 3 h old"),
        (Freshness.CACHED, None, "CACHED"),
        (Freshness.STALE, 42_000, "STALE 00:42"),
        (Freshness.STALE, 3 * 86_400_000, "STALE 3 d"),
        (Freshness.NO_TRADES, 180_000, "NO TRADES for 3 m"),
        (Freshness.LIVE, -500, "LIVE 0.0 s"),
    ],
)
def test_the_mark_carries_its_age(freshness: Freshness, passed_ms: int | None, text: str) -> None:
    assert freshness_text(freshness, passed_ms) == text


def test_every_mark_has_a_meaning_of_its_own() -> None:
    assert set(MEANINGS) == set(Freshness)
    assert len(set(MEANINGS.values())) == len(Freshness)


def test_nothing_is_said_of_times_that_are_not_known() -> None:
    assert freshness_details(Freshness.CACHED, "Massive", None) == (
        "CACHED: from the cache, not current\nSource: Massive"
    )
    seen = Seen(Origin.STREAM, 0, 1_250, 0)
    assert freshness_details(Freshness.LIVE, "DEMO", seen).splitlines()[1:] == [
        "Source: DEMO, live feed",
        "Event time: Thu 01 Jan '70 00:00:00.0 UTC",
        "Received: Thu 01 Jan '70 00:00:01.2 UTC",
    ]
