"""The dot beside a price never says more than is known."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.domain.freshness import Freshness, Line, Origin, Seen, freshness_of, quiet_after_ms

NOW = 1_709_251_200_000
HOUR = 3_600_000
UP = Line(since_ms=NOW - HOUR, silence_ms=100)
YOUNG = replace(UP, since_ms=NOW - 1_000)
DOWN = Line()
LATELY = Seen(Origin.STREAM, NOW - 120, NOW - 100, NOW - 100)


def seen(origin: Origin, ago_ms: int, *, checked_ago_ms: int | None = None) -> Seen:
    checked = NOW - (ago_ms if checked_ago_ms is None else checked_ago_ms)
    return Seen(origin, NOW - ago_ms, NOW - ago_ms, checked)


def shown(value: Seen | None, line: Line, *, is_open: bool = True, gap_ms: float = 1000) -> Freshness:
    return freshness_of(value, line, now_ms=NOW, is_market_open=is_open, usual_gap_ms=gap_ms)


@pytest.mark.parametrize(
    ("value", "line", "said"),
    [
        (LATELY, UP, Freshness.LIVE),
        (LATELY, replace(UP, is_delayed=True), Freshness.DELAYED),
        (LATELY, DOWN, Freshness.STALE),
        (None, DOWN, Freshness.CACHED),
        (None, UP, Freshness.NO_TRADES),  # subscribed for an hour, and never a trade
        (None, YOUNG, Freshness.CACHED),  # nothing heard yet
        (seen(Origin.STREAM, 20_000), UP, Freshness.NO_TRADES),  # the line works: nobody trades this one
        (seen(Origin.STREAM, 20_000), replace(UP, silence_ms=16_000), Freshness.STALE),  # no data and no pong
        (LATELY, replace(UP, silence_ms=None), Freshness.STALE),
        (seen(Origin.CACHE, 90 * HOUR), DOWN, Freshness.CACHED),
        (seen(Origin.REST, 3 * HOUR, checked_ago_ms=60_000), DOWN, Freshness.DELAYED),  # refreshed every minute
        (seen(Origin.REST, 3 * HOUR, checked_ago_ms=200_000), DOWN, Freshness.STALE),  # no longer refreshed
        # A thin ticker just after the start: the snapshot says when it traded last.
        (seen(Origin.REST, 3 * HOUR, checked_ago_ms=500), YOUNG, Freshness.NO_TRADES),
        (seen(Origin.CACHE, 3 * HOUR), YOUNG, Freshness.CACHED),  # who knows what was traded since that run
        # And after a reconnect: before anybody looked again there may have been trades in between.
        (seen(Origin.STREAM, 3 * HOUR), YOUNG, Freshness.CACHED),
        (seen(Origin.STREAM, 3 * HOUR, checked_ago_ms=500), YOUNG, Freshness.NO_TRADES),
        (seen(Origin.STREAM, 3 * HOUR), replace(UP, since_ms=NOW - 16_000), Freshness.NO_TRADES),
    ],
)
def test_each_state(value: Seen | None, line: Line, said: Freshness) -> None:
    assert shown(value, line) is said


def test_a_closed_market_needs_no_trade_to_be_quiet() -> None:
    assert shown(seen(Origin.CACHE, 3 * HOUR), YOUNG, is_open=False) is Freshness.NO_TRADES
    assert shown(seen(Origin.REST, 3 * HOUR, checked_ago_ms=60_000), DOWN, is_open=False) is Freshness.NO_TRADES


def test_a_ticker_is_quiet_after_four_of_its_own_gaps_and_after_five_minutes_at_the_latest() -> None:
    assert shown(seen(Origin.STREAM, 20_000), UP, gap_ms=6_000) is Freshness.LIVE
    assert shown(seen(Origin.STREAM, 25_000), UP, gap_ms=6_000) is Freshness.NO_TRADES
    assert shown(seen(Origin.STREAM, 301_000), UP, gap_ms=HOUR) is Freshness.NO_TRADES
    assert quiet_after_ms(10) == 15_000


origins = st.sampled_from(Origin)
lines = st.builds(
    Line,
    since_ms=st.none() | st.integers(NOW - 2 * HOUR, NOW),
    silence_ms=st.none() | st.integers(0, 60_000),
    is_delayed=st.booleans(),
)
values = st.none() | st.builds(
    Seen,
    origins,
    st.integers(NOW - 10 * HOUR, NOW),
    st.integers(NOW - 10 * HOUR, NOW),
    st.integers(NOW - 10 * HOUR, NOW),
)


@given(values, lines, st.booleans(), st.floats(1, 1e8))
def test_live_is_said_of_what_the_stream_brought_lately_and_of_nothing_else(
    value: Seen | None, line: Line, is_open: bool, gap_ms: float
) -> None:
    said = shown(value, line, is_open=is_open, gap_ms=gap_ms)
    if said is Freshness.LIVE:
        assert value is not None
        assert value.origin is Origin.STREAM
        assert line.since_ms is not None
        assert line.since_ms <= value.received_ms
        assert NOW - value.received_ms <= 300_000
        assert line.silence_ms is not None
        assert line.silence_ms <= 15_000
        assert not line.is_delayed
    if line.is_alive:
        assert said is not Freshness.STALE
    else:
        assert said is not Freshness.LIVE
