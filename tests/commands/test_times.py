"""Times as typed, numbers as printed."""

from __future__ import annotations

import datetime as dt
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.commands.times import number, parse_time
from desktop.domain.errors import BadInput


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2022-01-31", (2022, 1, 31)),
        ("2022-01-31T12:30", (2022, 1, 31, 12, 30)),
        ("2022-01-31T12:30:15Z", (2022, 1, 31, 12, 30, 15)),
        ("2022-01-31T12:30:15+02:00", (2022, 1, 31, 10, 30, 15)),
        (" 2022-01-31 ", (2022, 1, 31)),
    ],
)
def test_dates_and_date_times_are_utc_unless_they_say_otherwise(text: str, moment: tuple[int, ...]) -> None:
    assert parse_time(text) == dt.datetime(*moment, tzinfo=dt.UTC).timestamp() * 1000  # type: ignore[misc]


def test_milliseconds_are_taken_as_they_are() -> None:
    assert parse_time("1643588700000") == 1643588700000


@pytest.mark.parametrize("text", ["", "yesterday", "2022-13-01", "12", "31.01.2022"])
def test_anything_else_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(BadInput, match="is not a time"):
        parse_time(text)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_read_back_the_same_and_carry_no_exponent(value: float) -> None:
    text = number(value)
    assert "e" not in text
    assert float(text) == value


def test_an_unknown_number_is_empty_and_whole_ones_have_no_point() -> None:
    assert number(math.nan) == ""
    assert number(42.0) == "42"
    assert number(1.5e-7) == "0.00000015"
