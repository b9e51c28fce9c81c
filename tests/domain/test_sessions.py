"""The trading calendar against the exchange's published holidays, and its own arithmetic."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.domain.holidays import early_closes, is_trading_day, stock_holidays
from desktop.domain.market import Market
from desktop.domain.sessions import (
    forex_week,
    is_forex_open,
    is_open,
    new_york_date,
    next_stock_session,
    session_kind,
    stock_session,
    trading_days,
)

NEW_YORK = ZoneInfo("America/New_York")
# As published by NYSE; weekdays on which it was, or will be, closed.
PUBLISHED = {
    2018: "01-01 01-15 02-19 03-30 05-28 07-04 09-03 11-22 12-05 12-25",
    2019: "01-01 01-21 02-18 04-19 05-27 07-04 09-02 11-28 12-25",
    2020: "01-01 01-20 02-17 04-10 05-25 07-03 09-07 11-26 12-25",
    2021: "01-01 01-18 02-15 04-02 05-31 07-05 09-06 11-25 12-24",
    2022: "01-17 02-21 04-15 05-30 06-20 07-04 09-05 11-24 12-26",
    2023: "01-02 01-16 02-20 04-07 05-29 06-19 07-04 09-04 11-23 12-25",
    2024: "01-01 01-15 02-19 03-29 05-27 06-19 07-04 09-02 11-28 12-25",
    2025: "01-01 01-09 01-20 02-17 04-18 05-26 06-19 07-04 09-01 11-27 12-25",
    2026: "01-01 01-19 02-16 04-03 05-25 06-19 07-03 09-07 11-26 12-25",
    2027: "01-01 01-18 02-15 03-26 05-31 06-18 07-05 09-06 11-25 12-24",
}
PUBLISHED_EARLY = {
    2018: "07-03 11-23 12-24",
    2019: "07-03 11-29 12-24",
    2020: "11-27 12-24",
    2021: "11-26",
    2022: "11-25",
    2023: "07-03 11-24",
    2024: "07-03 11-29 12-24",
    2025: "07-03 11-28 12-24",
    2026: "11-27 12-24",
}
YEAR_2013_MS = 1_356_998_400_000
times = st.integers(YEAR_2013_MS, YEAR_2013_MS + 20 * 365 * 86_400_000)


def ms(text: str) -> int:
    """Unix ms of an ISO time on New York's clock."""
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).timestamp() * 1000)


@pytest.mark.parametrize("year", PUBLISHED)
def test_holidays_are_those_published(year: int) -> None:
    assert " ".join(f"{day:%m-%d}" for day in stock_holidays(year)) == PUBLISHED[year]


@pytest.mark.parametrize("year", PUBLISHED_EARLY)
def test_early_closes_are_those_published(year: int) -> None:
    assert " ".join(f"{day:%m-%d}" for day in early_closes(year)) == PUBLISHED_EARLY[year]


@pytest.mark.parametrize("day", ["2001-09-11", "2001-09-14", "2004-06-11", "2007-01-02", "2012-10-29", "2012-10-30"])
def test_one_off_closures(day: str) -> None:
    assert not is_trading_day(dt.date.fromisoformat(day))


def test_juneteenth_was_a_trading_day_before_2022_and_new_years_eve_always_is() -> None:
    assert is_trading_day(dt.date(2020, 6, 19))
    assert is_trading_day(dt.date(2021, 12, 31))  # 2022-01-01 was a Saturday


def test_the_number_of_trading_days_of_known_years() -> None:
    counted = {year: len(trading_days(ms(f"{year}-01-01"), ms(f"{year + 1}-01-01"))) for year in (2019, 2021, 2024)}
    assert counted == {2019: 252, 2021: 252, 2024: 252}


def test_a_session_in_winter_and_in_summer_and_on_an_early_close() -> None:
    assert stock_session(dt.date(2024, 1, 16)) == tuple(
        ms(f"2024-01-16T{at}") for at in ("04:00", "09:30", "16:00", "20:00")
    )
    assert stock_session(dt.date(2024, 7, 16)) == tuple(
        ms(f"2024-07-16T{at}") for at in ("04:00", "09:30", "16:00", "20:00")
    )
    assert stock_session(dt.date(2024, 7, 3)) == tuple(
        ms(f"2024-07-03T{at}") for at in ("04:00", "09:30", "13:00", "17:00")
    )
    assert stock_session(dt.date(2024, 7, 4)) is None


@pytest.mark.parametrize(
    ("at", "kind"),
    [
        ("2024-01-16T03:59:59.999", "closed"),
        ("2024-01-16T04:00", "pre"),
        ("2024-01-16T09:29:59.999", "pre"),
        ("2024-01-16T09:30", "regular"),
        ("2024-01-16T15:59:59.999", "regular"),
        ("2024-01-16T16:00", "post"),
        ("2024-01-16T20:00", "closed"),
        ("2024-11-29T13:00", "post"),
        ("2024-11-29T17:00", "closed"),
        ("2024-01-15T12:00", "closed"),
        ("2024-01-13T12:00", "closed"),
    ],
)
def test_session_kind_at_its_edges(at: str, kind: str) -> None:
    assert session_kind(ms(at)) == kind
    assert is_open(Market.STOCKS, ms(at)) == (kind != "closed")


@pytest.mark.parametrize(
    ("at", "is_trading"),
    [
        ("2024-01-14T16:59:59.999", False),
        ("2024-01-14T17:00", True),
        ("2024-01-17T03:00", True),
        ("2024-01-19T16:59:59.999", True),
        ("2024-01-19T17:00", False),
        ("2024-01-20T12:00", False),
        ("2024-07-12T16:59:59.999", True),
        ("2024-07-12T17:00", False),
    ],
)
def test_the_currency_week_at_its_edges(at: str, is_trading: bool) -> None:
    assert is_open(Market.FOREX, ms(at)) is is_trading


@given(times)
def test_the_currency_week_agrees_with_is_forex_open(time_ms: int) -> None:
    opens_ms, closes_ms = forex_week(time_ms)
    assert time_ms < closes_ms
    assert is_forex_open(time_ms) == (opens_ms <= time_ms)
    assert is_forex_open(opens_ms)
    assert not is_forex_open(opens_ms - 1)
    assert is_forex_open(closes_ms - 1)
    assert not is_forex_open(closes_ms)


@given(times)
def test_the_next_session_is_the_one_that_is_open_or_comes(time_ms: int) -> None:
    pre_ms, open_ms, close_ms, end_ms = next_stock_session(time_ms)
    assert pre_ms < open_ms < close_ms < end_ms
    assert time_ms < end_ms
    assert (session_kind(time_ms) != "closed") == (pre_ms <= time_ms)
    assert stock_session(new_york_date(pre_ms)) == (pre_ms, open_ms, close_ms, end_ms)


def test_crypto_never_closes() -> None:
    assert is_open(Market.CRYPTO, ms("2024-12-25T03:00"))
