"""Days on which the New York exchanges stay closed or close early, by rule.

The rules are those in force since 1998, with the exchange's one-off closures since 2001.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Final

_MONDAY, _THURSDAY, _SATURDAY, _SUNDAY = 0, 3, 5, 6
_SPECIAL_CLOSURES: Final = {
    dt.date(2001, 9, 11): "September 11 attacks",
    dt.date(2001, 9, 12): "September 11 attacks",
    dt.date(2001, 9, 13): "September 11 attacks",
    dt.date(2001, 9, 14): "September 11 attacks",
    dt.date(2004, 6, 11): "Mourning for Ronald Reagan",
    dt.date(2007, 1, 2): "Mourning for Gerald Ford",
    dt.date(2012, 10, 29): "Hurricane Sandy",
    dt.date(2012, 10, 30): "Hurricane Sandy",
    dt.date(2018, 12, 5): "Mourning for George H. W. Bush",
    dt.date(2025, 1, 9): "Mourning for Jimmy Carter",
}


@lru_cache(maxsize=128)
def stock_holidays(year: int) -> dict[dt.date, str]:
    """Weekdays of `year` on which the New York exchanges stay closed, with the reason; in order of date."""
    days = {
        _nth_weekday(year, 1, _MONDAY, 3): "Martin Luther King, Jr. Day",
        _nth_weekday(year, 2, _MONDAY, 3): "Washington's Birthday",
        _easter(year) - dt.timedelta(days=2): "Good Friday",
        _last_monday_of_may(year): "Memorial Day",
        _observed(dt.date(year, 7, 4)): "Independence Day",
        _nth_weekday(year, 9, _MONDAY, 1): "Labor Day",
        _nth_weekday(year, 11, _THURSDAY, 4): "Thanksgiving",
        _observed(dt.date(year, 12, 25)): "Christmas",
    }
    new_year = dt.date(year, 1, 1)
    if new_year.weekday() != _SATURDAY:  # one that falls on a Saturday is not made up for on the Friday before
        days[_observed(new_year)] = "New Year's Day"
    if year >= 2022:
        days[_observed(dt.date(year, 6, 19))] = "Juneteenth"
    days.update({day: reason for day, reason in _SPECIAL_CLOSURES.items() if day.year == year})
    return dict(sorted(days.items()))


@lru_cache(maxsize=128)
def early_closes(year: int) -> dict[dt.date, str]:
    """Trading days of `year` whose regular session ends at 13:00 New York, with the reason; in order of date."""
    candidates = {
        dt.date(year, 7, 3): "Day before Independence Day",
        _nth_weekday(year, 11, _THURSDAY, 4) + dt.timedelta(days=1): "Day after Thanksgiving",
        dt.date(year, 12, 24): "Christmas Eve",
    }
    return {day: reason for day, reason in sorted(candidates.items()) if is_trading_day(day)}


def is_trading_day(day: dt.date) -> bool:
    """Whether the New York exchanges open on `day`."""
    return day.weekday() < _SATURDAY and day not in stock_holidays(day.year)


def _nth_weekday(year: int, month: int, weekday: int, n: int) -> dt.date:
    first = dt.date(year, month, 1)
    return first + dt.timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))


def _last_monday_of_may(year: int) -> dt.date:
    last = dt.date(year, 5, 31)
    return last - dt.timedelta(days=last.weekday())


def _observed(day: dt.date) -> dt.date:
    """Saturday's holidays are kept on the Friday before, Sunday's on the Monday after."""
    shift = {_SATURDAY: -1, _SUNDAY: 1}.get(day.weekday(), 0)
    return day + dt.timedelta(days=shift)


def _easter(year: int) -> dt.date:
    """Easter Sunday, by the anonymous Gregorian algorithm (Meeus, Astronomical Algorithms, 1991)."""
    golden = year % 19
    century, year_of_century = divmod(year, 100)
    leaps, leaps_rest = divmod(century, 4)
    correction = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leaps - correction + 15) % 30
    quarter, quarter_rest = divmod(year_of_century, 4)
    to_sunday = (32 + 2 * leaps_rest + 2 * quarter - epact - quarter_rest) % 7
    shift = (golden + 11 * epact + 22 * to_sunday) // 451
    month, day = divmod(epact + to_sunday - 7 * shift + 114, 31)
    return dt.date(year, month, day + 1)
