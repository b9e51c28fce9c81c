"""Labels: round, unique, ordered, apart, within their precision; times on the clock of the zone."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.domain.bars import Ints
from desktop.domain.market import Market
from desktop.ui import formatting
from desktop.ui.chart.axes import MIN_GAP, TimeLabel, price_labels, time_labels
from desktop.ui.chart.slots import IndexSlots, TimeSlots

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")


def ms(*when: int, zone: dt.tzinfo = dt.UTC) -> int:
    return int(dt.datetime(*when, tzinfo=zone).timestamp() * 1000)  # type: ignore[misc,arg-type]


def width_of(text: str) -> float:
    return 7.0 * len(text)


@given(st.floats(1e-10, 1e9), st.floats(1e-5, 3), st.floats(80, 3000), st.sampled_from(Market))
def test_price_labels_are_ordered_unlike_each_other_and_without_exponents(
    price: float, share: float, height: float, market: Market
) -> None:
    labels, _ = price_labels(price, price * (1 + share), height, 15, formatting.price_style(price, market))
    texts = [label.text for label in labels]
    assert len(set(texts)) == len(texts)
    assert not any("e" in text.lower() for text in texts)
    prices = [label.price for label in labels]
    assert prices == sorted(set(prices))
    rows = [(one - price) / (price * share) * height for one in prices]
    assert all(b - a >= 37.4 for a, b in pairwise(rows))


@pytest.mark.parametrize(
    ("bottom", "top", "price", "texts"),
    [
        (63_950.0, 64_220.0, 64_000.0, ["64,000", "64,100", "64,200"]),
        (17.40, 17.4101, 17.41, ["17.4000", "17.4050", "17.4100"]),
        (1.0e-8, 1.26e-8, 1.1e-8, ["0.0₇1000", "0.0₇1100", "0.0₇1200"]),
        (100.0, 100.75, 100.0, ["100.00", "100.25", "100.50", "100.75"]),
        (-0.6, 0.6, 1.0, ["−0.5000", "0.0000", "0.5000"]),
    ],
)
def test_price_labels_read_as_designed(bottom: float, top: float, price: float, texts: list[str]) -> None:
    labels, _ = price_labels(bottom, top, 140, 15, formatting.price_style(price, Market.CRYPTO))
    assert [label.text for label in labels] == texts


def labels_for(
    start_ms: int, unit_ms: int, count: int, spacing: float, zone: dt.tzinfo = dt.UTC
) -> tuple[list[TimeLabel], TimeSlots]:
    axis = TimeSlots(start_ms, unit_ms)
    starts = start_ms + unit_ms * np.arange(min(count, 1000), dtype=np.int64)
    return time_labels(starts, axis, 0, count - 1, spacing, width_of, zone), axis


def test_minutes_have_the_time_and_the_day_stands_out() -> None:
    labels, _ = labels_for(ms(2026, 3, 2, 22), 60_000, 240, 3.0)
    assert [(label.text, label.is_strong) for label in labels] == [
        ("22:00", False),
        ("22:30", False),
        ("23:00", False),
        ("23:30", False),
        ("Tue 3", True),
        ("00:30", False),
        ("01:00", False),
        ("01:30", False),
    ]


def test_days_have_their_number_and_the_month_stands_out() -> None:
    labels, _ = labels_for(ms(2025, 12, 28), 86_400_000, 8, 100.0)
    assert [(label.text, label.is_strong) for label in labels] == [
        *[(str(day), False) for day in (28, 29, 30, 31)],
        ("2026", True),
        *[(str(day), False) for day in (2, 3, 4)],
    ]


def test_seconds_have_seconds() -> None:
    labels, _ = labels_for(ms(2026, 3, 3, 14, 3, 50), 1_000, 20, 20.0)
    assert [label.text for label in labels] == ["14:03:50", "14:03:55", "14:04", "14:04:05"]


@settings(deadline=None)
@given(
    st.integers(ms(1995, 1, 1), ms(2035, 1, 1)),
    st.sampled_from([1_000, 60_000, 900_000, 3_600_000, 86_400_000, 604_800_000]),
    st.floats(0.003, 200),
    st.integers(2, 2000),
    st.sampled_from([dt.UTC, BERLIN, NEW_YORK, ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Asia/Kathmandu")]),
)
def test_time_labels_never_overlap_and_say_the_true_time(
    start_ms: int, unit_ms: int, spacing: float, width: int, zone: dt.tzinfo
) -> None:
    start_ms -= start_ms % unit_ms
    labels, axis = labels_for(start_ms, unit_ms, max(2, int(width / spacing)), spacing, zone)
    slots = [label.slot for label in labels]
    assert slots == sorted(set(slots))
    for one, other in pairwise(labels):
        gap = (other.slot - one.slot) * spacing - (width_of(one.text) + width_of(other.text)) / 2
        assert gap >= MIN_GAP - 1e-6
    for label in labels:
        if ":" in label.text:
            when = formatting.zoned(axis.time_at(np.empty(0, np.int64), label.slot), zone)
            early = formatting.zoned(axis.time_at(np.empty(0, np.int64), label.slot - 1), zone)
            # The slot begins at the labelled time, or is the first that begins after it.
            exact = when.strftime("%H:%M:%S").startswith(label.text)
            assert exact or early.strftime("%H:%M:%S") < label.text or early.date() < when.date()


def test_the_day_the_clocks_go_forward_leaves_out_the_hour_that_is_not() -> None:
    labels, axis = labels_for(ms(2026, 3, 29, zone=BERLIN), 60_000, 6 * 60, 2.0, BERLIN)
    assert [label.text for label in labels] == ["Sun 29", "01:00", "03:00", "04:00", "05:00", "06:00"]
    none: Ints = np.empty(0, np.int64)
    assert [axis.time_at(none, label.slot) for label in labels[1:3]] == [
        ms(2026, 3, 29, 1, zone=BERLIN),
        ms(2026, 3, 29, 3, zone=BERLIN),
    ]


def test_the_day_the_clocks_go_back_keeps_its_labels_apart_and_unlike() -> None:
    labels, _ = labels_for(ms(2026, 10, 25, zone=BERLIN), 60_000, 6 * 60, 2.0, BERLIN)
    texts = [label.text for label in labels]
    assert len(texts) == len(set(texts))
    assert texts[0] == "Sun 25"
    assert "04:00" in texts


def test_an_axis_without_closed_hours_names_the_first_bar_of_each_day() -> None:
    days = [ms(2026, 3, day, 14, 30) for day in (2, 3, 4)]
    starts = np.concatenate([day + 900_000 * np.arange(26, dtype=np.int64) for day in days])
    labels = time_labels(starts, IndexSlots(900_000), 0, len(starts) - 1, 12.0, width_of)
    strong = [(label.slot, label.text) for label in labels if label.is_strong]
    assert strong == [(26, "Tue 3"), (52, "Wed 4")]
    assert any(label.text == "16:00" for label in labels)
