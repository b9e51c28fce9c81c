"""Buckets per market: epoch, New York sessions, DST days, weeks and months."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.domain.errors import BadInput
from desktop.domain.market import Market
from desktop.domain.timeframe import (
    NEW_YORK,
    Timeframe,
    bucket_end,
    bucket_start,
    bucket_starts,
    new_york_midnight_ms,
)

ALL = ("30s", "1m", "5m", "7m", "15m", "1h", "4h", "1D", "2D", "1W", "3W", "1M", "3M", "1Y")


def utc(*parts: int) -> int:
    return int(dt.datetime(*parts, tzinfo=dt.UTC).timestamp() * 1000)  # type: ignore[arg-type]


def ny(*parts: int) -> int:
    return int(dt.datetime(*parts, tzinfo=NEW_YORK).timestamp() * 1000)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "shown"),
    [("1m", "1m"), ("1M", "1M"), ("4H", "4h"), ("d", "1D"), ("W", "1W"), ("15m", "15m"), ("30S", "30s"), ("2d", "2D")],
)
def test_parse_reads_what_people_type(text: str, shown: str) -> None:
    assert str(Timeframe.parse(text)) == shown


@pytest.mark.parametrize("text", ["", "0m", "m1", "5x", "-1m", "99999m", "1.5h"])
def test_parse_names_what_is_wrong(text: str) -> None:
    with pytest.raises(BadInput):
        Timeframe.parse(text)


@given(
    st.integers(utc(2004, 1, 1), utc(2032, 1, 1)),
    st.sampled_from(ALL),
    st.sampled_from(list(Market)),
)
def test_a_bucket_contains_its_times_and_ends_where_the_next_begins(time_ms: int, text: str, market: Market) -> None:
    timeframe = Timeframe.parse(text)
    start = bucket_start(time_ms, timeframe, market)
    end = bucket_end(start, timeframe, market)
    assert start <= time_ms < end
    assert bucket_start(start, timeframe, market) == start
    assert bucket_start(end - 1, timeframe, market) == start
    assert bucket_start(end, timeframe, market) == end


def test_stock_hours_count_from_four_in_new_york_on_days_of_23_and_25_hours() -> None:
    four_hours = Timeframe.parse("4h")
    for day in ((2024, 3, 10), (2024, 3, 11), (2024, 11, 3), (2024, 11, 4), (2024, 7, 1)):
        assert bucket_start(ny(*day, 9, 30), four_hours, Market.STOCKS) == ny(*day, 8)
        assert bucket_start(ny(*day, 4, 0), four_hours, Market.STOCKS) == ny(*day, 4)


def test_stock_days_start_at_new_york_midnight() -> None:
    day = Timeframe.parse("1D")
    assert bucket_start(utc(2024, 1, 10, 20), day, Market.STOCKS) == utc(2024, 1, 10, 5)
    assert bucket_start(utc(2024, 7, 10, 20), day, Market.STOCKS) == utc(2024, 7, 10, 4)
    long_day = new_york_midnight_ms(dt.date(2024, 11, 3))
    assert bucket_end(long_day, day, Market.STOCKS) - long_day == 25 * 3_600_000


def test_weeks_start_on_monday_and_n_weeks_count_from_1970() -> None:
    week = Timeframe.parse("1W")
    assert bucket_start(utc(2024, 2, 29, 12), week, Market.CRYPTO) == utc(2024, 2, 26)
    assert bucket_start(ny(2024, 3, 15, 12), week, Market.STOCKS) == ny(2024, 3, 11)
    three = bucket_start(utc(2024, 2, 29), Timeframe.parse("3W"), Market.CRYPTO)
    assert (three - utc(1970, 1, 5)) % (21 * 86_400_000) == 0


def test_months_and_years_follow_the_calendar() -> None:
    assert bucket_start(utc(2024, 2, 29, 23), Timeframe.parse("1M"), Market.FOREX) == utc(2024, 2, 1)
    assert bucket_start(ny(2024, 3, 31, 23), Timeframe.parse("3M"), Market.STOCKS) == ny(2024, 1, 1)
    assert bucket_start(utc(2024, 2, 29), Timeframe.parse("1Y"), Market.CRYPTO) == utc(2024, 1, 1)


def test_two_trading_days_count_within_their_week() -> None:
    two = Timeframe.parse("2D")
    starts = [bucket_start(ny(2024, 3, 11 + i, 12), two, Market.STOCKS) for i in range(5)]
    assert starts == [ny(2024, 3, 11), ny(2024, 3, 11), ny(2024, 3, 13), ny(2024, 3, 13), ny(2024, 3, 15)]


def test_no_times_give_no_buckets() -> None:
    assert len(bucket_starts(np.empty(0, np.int64), Timeframe.parse("1h"), Market.STOCKS)) == 0
