"""The dot beside a price never says more than is known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.domain.freshness import Freshness, freshness_of

FINE = {
    "is_streaming": True,
    "is_delayed": False,
    "is_market_open": True,
    "feed_silence_ms": 100,
    "ticker_silence_ms": 100,
    "usual_gap_ms": 1000,
}


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({}, Freshness.LIVE),
        ({"is_delayed": True}, Freshness.DELAYED),
        ({"is_streaming": False}, Freshness.STALE),
        ({"is_streaming": False, "ticker_silence_ms": None}, Freshness.CACHED),
        ({"ticker_silence_ms": 20_000}, Freshness.NO_TRADES),  # others flow: nobody trades this one
        ({"ticker_silence_ms": 20_000, "feed_silence_ms": 20_000}, Freshness.STALE),  # nothing flows at all
        ({"ticker_silence_ms": 20_000, "usual_gap_ms": 6_000}, Freshness.LIVE),  # within four usual gaps
        ({"ticker_silence_ms": 20_000, "feed_silence_ms": 20_000, "is_market_open": False}, Freshness.NO_TRADES),
        ({"ticker_silence_ms": None, "feed_silence_ms": None}, Freshness.CACHED),  # connected, nothing heard yet
        ({"ticker_silence_ms": None}, Freshness.NO_TRADES),
    ],
)
def test_each_state(changes: dict[str, object], shown: Freshness) -> None:
    assert freshness_of(**{**FINE, **changes}) is shown  # type: ignore[arg-type]


@given(st.booleans(), st.booleans(), st.integers(15_001, 10**9), st.integers(0, 3_000))
def test_a_frozen_feed_never_says_live(is_delayed: bool, is_open: bool, silence_ms: int, gap_ms: int) -> None:
    shown = freshness_of(
        is_streaming=True,
        is_delayed=is_delayed,
        is_market_open=is_open,
        feed_silence_ms=silence_ms,
        ticker_silence_ms=silence_ms,
        usual_gap_ms=gap_ms,
    )
    assert shown not in (Freshness.LIVE, Freshness.DELAYED)
