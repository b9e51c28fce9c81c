"""Times as typed."""

from __future__ import annotations

import datetime as dt

import pytest

from desktop.commands.times import parse_time
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
