"""Time labels over every span, spacing and zone, on days when clocks change, on axes with and without closed hours."""

from __future__ import annotations

import datetime as dt
from itertools import groupby, pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from desktop.domain.bars import Ints
from desktop.domain.market import Market
from desktop.domain.sessions import is_open
from desktop.domain.timeframe import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Timeframe, bucket_end, bucket_starts
from desktop.ui import formatting
from desktop.ui.chart.axes import MIN_GAP, TimeLabel, time_labels
from desktop.ui.chart.slots import IndexSlots, SlotAxis, TimeSlots

ZONES = (
    dt.UTC,
    ZoneInfo("Europe/Berlin"),
    ZoneInfo("America/New_York"),
    ZoneInfo("Australia/Lord_Howe"),  # half an hour of daylight saving
    ZoneInfo("Asia/Kathmandu"),  # 5:45
    ZoneInfo("America/St_Johns"),  # put forward at 00:01 until 2011
    ZoneInfo("America/Sao_Paulo"),  # put forward at midnight until 2018
    ZoneInfo("Africa/Casablanca"),
    ZoneInfo("Pacific/Apia"),  # left out 30 December 2011
    ZoneInfo("Antarctica/Troll"),  # two hours of daylight saving
)
NONE: Ints = np.empty(0, np.int64)


def ms(*when: int, zone: dt.tzinfo = dt.UTC) -> int:
    return int(dt.datetime(*when, tzinfo=zone).timestamp() * 1000)  # type: ignore[misc,arg-type]


CLOCK_CHANGES = (
    ms(2026, 3, 29, 1),  # Berlin
    ms(2026, 10, 25, 1),
    ms(2026, 3, 8, 7),  # New York
    ms(2026, 11, 1, 6),
    ms(2026, 4, 4, 15),  # Lord Howe
    ms(2026, 10, 3, 15, 30),
    ms(2010, 3, 14, 3, 31),  # St. John's
    ms(2010, 11, 7, 2, 31),
    ms(2018, 11, 4, 3),  # Sao Paulo
    ms(2018, 2, 18, 2),
    ms(2011, 12, 30, 10),  # Apia
    ms(2026, 3, 29, 1),  # Troll
)
UNITS = (SECOND_MS, 5 * SECOND_MS, MINUTE_MS, 15 * MINUTE_MS, HOUR_MS, 4 * HOUR_MS, DAY_MS, 7 * DAY_MS)
times = st.one_of(
    st.integers(ms(1971, 1, 1), ms(2070, 1, 1)),
    st.tuples(st.sampled_from(CLOCK_CHANGES), st.integers(-2 * DAY_MS, 2 * DAY_MS)).map(sum),
)


def width_of(text: str) -> float:
    return 7.0 * len(text)


def context(label: TimeLabel, when: dt.datetime) -> tuple[object, ...]:
    """What the stronger labels to its left already say of a label: the longer unit it lies in."""
    match label.weight:
        case 0 | 1:
            return ("day", when.date())
        case 2:
            return ("month", when.year, when.month)
        case 3:
            return ("year", when.year)
    return ()


def check(labels: list[TimeLabel], axis: SlotAxis, starts: Ints, last: int, spacing: float, zone: dt.tzinfo) -> None:
    """What holds of every axis."""
    slots = [label.slot for label in labels]
    assert slots == sorted(set(slots)), "ordered, one a slot"
    assert all(0 <= slot <= last for slot in slots), "inside"
    for one, other in pairwise(labels):
        gap = (other.slot - one.slot) * spacing - (width_of(one.text) + width_of(other.text)) / 2
        assert gap >= MIN_GAP - 1e-6, f"{one} and {other} overlap"
    said = [(label.text, label.weight, context(label, label.when)) for label in labels]
    assert len(set(said)) == len(said), f"two labels alike in one longer unit: {said}"
    moments = [label.when.timestamp() for label in labels]
    assert moments == sorted(set(moments)), "later to the right"
    for label in labels:
        begins, before = (axis.time_at(starts, slot) for slot in (label.slot, label.slot - 1))
        at_ms = label.when.timestamp() * 1000
        assert before < at_ms <= begins, f"{label} is not at its first slot"
        assert label.when.utcoffset() == formatting.zoned(int(at_ms), zone).utcoffset()


@settings(deadline=None, max_examples=400)
@given(times, st.sampled_from(UNITS), st.floats(0.002, 200), st.integers(2, 2500), st.sampled_from(ZONES))
@example(ms(2026, 10, 24, 22), MINUTE_MS, 8.0, 1900, ZoneInfo("Europe/Berlin"))
@example(ms(2011, 12, 29, 0), HOUR_MS, 20.0, 1900, ZoneInfo("Pacific/Apia"))
@example(ms(2018, 11, 3, 0), MINUTE_MS, 0.5, 1900, ZoneInfo("America/Sao_Paulo"))
@example(ms(2018, 11, 4), 4 * HOUR_MS, 19.0, 2, ZoneInfo("America/Sao_Paulo"))
@example(ms(1975, 1, 6), 7 * DAY_MS, 0.2, 1900, dt.UTC)
def test_continuous_time(start_ms: int, unit_ms: int, spacing: float, width: int, zone: dt.tzinfo) -> None:
    start_ms -= start_ms % unit_ms
    last = max(2, int(width / spacing)) - 1
    last = min(last, (ms(2200, 1, 1) - start_ms) // unit_ms)
    axis = TimeSlots(start_ms, unit_ms)
    labels = time_labels(NONE, axis, 0, last, spacing, width_of, zone)
    check(labels, axis, NONE, last, spacing, zone)


def bars_of(market: Market, timeframe: Timeframe, from_ms: int, days: int) -> Ints:
    """Starts of all the bars of a market while it is open."""
    unit_ms = min(timeframe.typical_ms, HOUR_MS)
    grid = np.arange(from_ms - from_ms % HOUR_MS, from_ms + days * DAY_MS, max(unit_ms, 5 * MINUTE_MS), dtype=np.int64)
    traded = np.array([at for at in grid.tolist() if is_open(market, at)], np.int64)
    return np.unique(bucket_starts(traded, timeframe, market)) if len(traded) else traded


@settings(deadline=None, max_examples=60)
@given(
    times.filter(lambda at: at > ms(1999, 1, 1)),
    st.sampled_from([Market.STOCKS, Market.FOREX]),
    st.sampled_from(["5m", "30m", "1h", "4h", "1D", "1W", "1M"]),
    st.floats(0.05, 60),
    st.integers(2, 2500),
    st.sampled_from(ZONES),
)
def test_closed_hours_cut(
    start_ms: int, market: Market, text: str, spacing: float, width: int, zone: dt.tzinfo
) -> None:
    timeframe = Timeframe.parse(text)
    starts = bars_of(market, timeframe, start_ms, 12 if timeframe.typical_ms < DAY_MS else 300)
    if len(starts) < 2:
        return
    axis = IndexSlots(timeframe.typical_ms)
    last = min(max(2, int(width / spacing)), len(starts)) - 1
    labels = time_labels(starts, axis, 0, last, spacing, width_of, zone)
    check(labels, axis, starts, last, spacing, zone)


@settings(deadline=None, max_examples=100)
@given(
    st.sampled_from(["1W", "2W", "1M", "3M", "1Y", "5Y"]),
    st.sampled_from(Market),
    st.integers(1, 400),
    st.floats(0.5, 120),
    st.sampled_from(ZONES[:3]),
)
def test_weeks_months_and_years(text: str, market: Market, count: int, spacing: float, zone: dt.tzinfo) -> None:
    timeframe = Timeframe.parse(text)
    at = int(bucket_starts(np.array([ms(1990, 3, 1)], np.int64), timeframe, market)[0])
    listed = []
    for _ in range(count):
        listed.append(at)
        at = bucket_end(at, timeframe, market)
        if at > ms(2060, 1, 1):
            break
    starts = np.array(listed, np.int64)
    axis = IndexSlots(timeframe.typical_ms)
    last = len(starts) - 1
    labels = time_labels(starts, axis, 0, last, spacing, width_of, zone)
    check(labels, axis, starts, last, spacing, zone)
    weights = {label.weight for label in labels}
    assert not weights & {0, 1}, "no time of day on bars longer than a day"


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_neighbouring_texts_differ_unless_something_longer_stands_between(zone: dt.tzinfo) -> None:
    for at in CLOCK_CHANGES:
        axis = TimeSlots(at - DAY_MS, MINUTE_MS)
        labels = time_labels(NONE, axis, 0, 2880, 4.0, width_of, zone)
        runs = [list(group) for _, group in groupby(labels, key=lambda label: label.is_strong)]
        for run in runs:
            texts = [label.text for label in run]
            assert len(set(texts)) == len(texts)
