"""Dates and times as they are typed into “Go to”."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.domain.errors import BadInput
from desktop.domain.moments import parse_moment

NEW_YORK = ZoneInfo("America/New_York")
NOW = dt.datetime(2026, 3, 31, 14, 30, tzinfo=dt.UTC)


def read(text: str, zone: dt.tzinfo = dt.UTC, now: dt.datetime = NOW) -> str:
    found_ms = parse_moment(text, int(now.timestamp() * 1000), zone)
    return f"{dt.datetime.fromtimestamp(found_ms / 1000, dt.UTC):%Y-%m-%d %H:%M:%S}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-03-01 14:00", "2024-03-01 14:00:00"),
        ("2024-03-01T14:00", "2024-03-01 14:00:00"),
        ("2024-03-01 9:05", "2024-03-01 09:05:00"),
        ("2024-03-01 14:00:30", "2024-03-01 14:00:30"),
        ("2024-03-01 14:00+02:00", "2024-03-01 12:00:00"),
        ("2024-03-01T14:00Z", "2024-03-01 14:00:00"),
        ("  2024-03-01  ", "2024-03-01 00:00:00"),
        ("2024/3/1", "2024-03-01 00:00:00"),
        ("2024-03", "2024-03-01 00:00:00"),
        ("now", "2026-03-31 14:30:00"),
        ("today", "2026-03-31 00:00:00"),
        ("Yesterday", "2026-03-30 00:00:00"),
        ("yesterday 9:30", "2026-03-30 09:30:00"),
        ("09:30", "2026-03-31 09:30:00"),
        ("-30d", "2026-03-01 14:30:00"),
        ("-30 days", "2026-03-01 14:30:00"),
        ("-6h", "2026-03-31 08:30:00"),
        ("-90m", "2026-03-31 13:00:00"),
        ("-2W", "2026-03-17 14:30:00"),
        ("-1M", "2026-02-28 14:30:00"),
        ("-1mo", "2026-02-28 14:30:00"),
        ("-3 months", "2025-12-31 14:30:00"),
        ("-1y", "2025-03-31 14:30:00"),
        ("-10 minutes", "2026-03-31 14:20:00"),
        ("-13mo", "2025-02-28 14:30:00"),
    ],
)
def test_what_is_understood(text: str, expected: str) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "tomorrow-ish", "2024-13-01", "2024-02-30", "25:00", "-", "-d", "-5x", "30d", "1969-12-31", "-9999y", "99999"],
)
def test_anything_else_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        read(text)
    assert caught.value.next_step == "Try 2024-03-01, 2024-03-01 14:00, -30d or yesterday."


def test_clock_times_are_of_the_zone() -> None:
    assert read("2024-03-01 09:30", NEW_YORK) == "2024-03-01 14:30:00"
    assert read("2024-07-01", NEW_YORK) == "2024-07-01 04:00:00"
    assert read("yesterday", NEW_YORK, dt.datetime(2026, 3, 31, 2, 0, tzinfo=dt.UTC)) == "2026-03-29 04:00:00"


def test_a_day_is_a_day_of_the_calendar_and_an_hour_an_hour() -> None:
    """The clocks went forward in New York on 8 March 2026, at 02:00."""
    noon = dt.datetime(2026, 3, 8, 16, 0, tzinfo=dt.UTC)
    assert read("-1d", NEW_YORK, noon) == "2026-03-07 17:00:00"
    assert read("-24h", NEW_YORK, noon) == "2026-03-07 16:00:00"
    assert read("2026-03-08 02:30", NEW_YORK) == "2026-03-08 07:30:00"
    assert read("2026-11-01 01:30", NEW_YORK) == "2026-11-01 05:30:00"


@given(st.text(max_size=24))
def test_any_text_is_a_time_or_refused(text: str) -> None:
    try:
        found_ms = parse_moment(text, int(NOW.timestamp() * 1000), NEW_YORK)
    except BadInput:
        return
    assert 0 <= found_ms < 253_402_300_800_000


@given(st.datetimes(dt.datetime.fromisoformat("1970-01-02"), dt.datetime.fromisoformat("9999-12-30")))
def test_a_written_time_reads_back(moment: dt.datetime) -> None:
    moment = moment.replace(second=0, microsecond=0, fold=0)
    assert read(f"{moment:%Y-%m-%d %H:%M}".zfill(16)) == f"{moment:%Y-%m-%d %H:%M:%S}".zfill(19)
