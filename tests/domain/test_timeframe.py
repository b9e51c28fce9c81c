"""Buckets per market: epoch, New York sessions, DST days, weeks and months."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.domain.errors import BadInput
from desktop.domain.holidays import is_trading_day
from desktop.domain.market import Market
from desktop.domain.timeframe import (
    NEW_YORK,
    Span,
    Timeframe,
    bucket_end,
    bucket_start,
    bucket_starts,
    new_york_midnight_ms,
)

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
ALL = (
    *("30s", "7s", "1m", "5m", "7m", "15m", "45m", "90m", "1h", "4h", "5h", "7h", "24h"),
    *("1D", "2D", "3D", "4D", "5D", "6D", "10D", "22D", "60D", "366D"),
    *("1W", "2W", "3W", "53W", "1M", "3M", "5M", "120M", "1Y", "2Y", "10Y"),
)
# Around them something about the calendar is special: clock changes, leap days, turns of months and years, holidays.
SPECIAL_DAYS = (
    *((2024, 3, 10), (2024, 11, 3), (2007, 3, 11), (2006, 4, 2), (2006, 10, 29), (2024, 2, 29), (2023, 12, 31)),
    *((2024, 7, 3), (2024, 11, 29), (2001, 9, 11), (2012, 10, 30), (2024, 6, 1), (2025, 1, 1), (2026, 1, 19)),
)


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


def reference_start(time_ms: int, timeframe: Timeframe, market: Market) -> int:
    """The start of the bucket by walking the calendar, one datetime at a time."""
    zone: dt.tzinfo = NEW_YORK if market is Market.STOCKS else dt.UTC
    local = (dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=time_ms)).astimezone(zone)
    units = {Span.SECOND: 1_000, Span.MINUTE: MINUTE_MS, Span.HOUR: HOUR_MS}
    n, day = timeframe.multiplier, local.date()
    if timeframe.span in units:
        length = units[timeframe.span] * n
        if market is not Market.STOCKS:
            return time_ms // length * length
        opened = day if local.hour >= 4 else day - dt.timedelta(days=1)
        opened_ms = ny(opened.year, opened.month, opened.day, 4)
        return opened_ms + (time_ms - opened_ms) // length * length
    first = reference_day(day, n, timeframe.span, market)
    return int(dt.datetime(first.year, first.month, first.day, tzinfo=zone).timestamp()) * 1000


def reference_day(day: dt.date, n: int, span: Span, market: Market) -> dt.date:
    if span is Span.DAY and market is Market.STOCKS and n > 1:
        while not is_trading_day(day):
            day -= dt.timedelta(days=1)
        around = [day + dt.timedelta(days=i) for i in range(-31, 32)]
        same_week = [d for d in around if d.isocalendar()[:2] == day.isocalendar()[:2]]
        same_month = [d for d in around if (d.year, d.month) == (day.year, day.month)]
        traded = [d for d in (same_week if n <= 5 else same_month) if is_trading_day(d)]
        return next(traded[i] for i in range(0, len(traded), n) if day in traded[i : i + n])
    if span is Span.DAY:
        return day - dt.timedelta(days=(day - dt.date(1970, 1, 1)).days % n)
    if span is Span.WEEK:
        monday = day - dt.timedelta(days=day.weekday())
        return monday - dt.timedelta(weeks=((monday - dt.date(1970, 1, 5)).days // 7) % n)
    if span is Span.YEAR:
        return dt.date(day.year - (day.year - 1970) % n, 1, 1)
    months = (day.year - 1970) * 12 + day.month - 1
    years, month = divmod(months - months % n, 12)
    return dt.date(1970 + years, month + 1, 1)


near_special = st.builds(
    lambda day, hours: utc(*day) + int(hours * HOUR_MS), st.sampled_from(SPECIAL_DAYS), st.floats(-80, 130)
)
times = st.integers(utc(1999, 1, 1), utc(2036, 1, 1)) | near_special
markets = st.sampled_from(list(Market))
timeframes = st.sampled_from([Timeframe.parse(text) for text in ALL])


@settings(max_examples=600, deadline=None)
@given(times, timeframes, markets)
def test_buckets_are_those_of_the_calendar(time_ms: int, timeframe: Timeframe, market: Market) -> None:
    assert bucket_start(time_ms, timeframe, market) == reference_start(time_ms, timeframe, market)


@settings(max_examples=200, deadline=None)
@given(st.lists(times, min_size=1, max_size=40).map(sorted), timeframes, markets)
def test_many_times_at_once_give_the_same_buckets(times_ms: list[int], timeframe: Timeframe, market: Market) -> None:
    starts = bucket_starts(np.array(times_ms, np.int64), timeframe, market).tolist()
    assert starts == [reference_start(time_ms, timeframe, market) for time_ms in times_ms]
    assert starts == sorted(starts)


@pytest.mark.parametrize("text", ["1D", "1h", "2h", "7m", "45m", "4h", "2D", "5D", "10D", "1W"])
@pytest.mark.parametrize(("month", "day", "hours"), [(3, 10, 23), (11, 3, 25)])
def test_a_stock_day_of_23_or_25_hours_has_no_gap_and_no_overlap(text: str, month: int, day: int, hours: int) -> None:
    timeframe, at = Timeframe.parse(text), ny(2024, month, day - 2)
    assert ny(2024, month, day + 1) - ny(2024, month, day) == hours * HOUR_MS
    at = bucket_start(at, timeframe, Market.STOCKS)
    while at < ny(2024, month, day + 3):
        end = bucket_end(at, timeframe, Market.STOCKS)
        middle = bucket_start((at + end) // 2, timeframe, Market.STOCKS)
        assert middle == at
        assert end == reference_start(end, timeframe, Market.STOCKS)
        assert at == reference_start(end - 1, timeframe, Market.STOCKS)
        at = end


def test_trading_days_leave_holidays_out() -> None:
    two = Timeframe.parse("2D")
    # Martin Luther King's day is Monday 2024-01-15: the week's pairs are Tuesday-Wednesday and Thursday-Friday.
    starts = [bucket_start(ny(2024, 1, 15 + i, 12), two, Market.STOCKS) for i in range(5)]
    assert starts == [ny(2024, 1, 12), ny(2024, 1, 16), ny(2024, 1, 16), ny(2024, 1, 18), ny(2024, 1, 18)]
    ten = Timeframe.parse("10D")
    # June 2024 begins on a Saturday, Juneteenth is a Wednesday.
    found = [bucket_start(ny(2024, 6, day, 12), ten, Market.STOCKS) for day in (1, 3, 14, 17, 19, 28)]
    wanted = [ny(2024, 5, 30), ny(2024, 6, 3), ny(2024, 6, 3), ny(2024, 6, 17), ny(2024, 6, 17), ny(2024, 6, 17)]
    assert found == wanted


def test_days_of_the_currency_weekend_belong_to_the_weeks_they_lie_in() -> None:
    week = Timeframe.parse("1W")
    sunday_open = ny(2024, 3, 10, 17)  # just after the clocks changed: 21:00 UTC, still Sunday
    assert bucket_start(sunday_open, week, Market.FOREX) == utc(2024, 3, 4)
    assert bucket_start(sunday_open, Timeframe.parse("1D"), Market.FOREX) == utc(2024, 3, 10)
    assert bucket_start(sunday_open, Timeframe.parse("4h"), Market.FOREX) == utc(2024, 3, 10, 20)


@settings(deadline=None)
@given(times, timeframes, markets)
def test_a_bucket_contains_its_times_and_ends_where_the_next_begins(
    time_ms: int, timeframe: Timeframe, market: Market
) -> None:
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
