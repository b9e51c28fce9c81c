"""Trading days and hours: New York's stock sessions and the currency week.

Stocks trade pre-market 04:00-09:30, regular 09:30-16:00 and after hours 16:00-20:00 New York; on an early close the
regular session ends at 13:00 and the day at 17:00. Currencies trade from Sunday 17:00 to Friday 17:00 New York,
crypto always. The holiday rules are those in force since 1998, with the exchange's one-off closures since 2001.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Final, Literal

from desktop.domain.market import Market
from desktop.domain.timeframe import DAY_MS, HOUR_MS, NEW_YORK, new_york_midnight_ms

SessionKind = Literal["pre", "regular", "post", "closed"]

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_PRE, _OPEN, _EARLY_CLOSE, _CLOSE = (dt.time(4), dt.time(9, 30), dt.time(13), dt.time(16))
_AFTER_HOURS_MS: Final = 4 * HOUR_MS
_MONDAY, _THURSDAY, _FRIDAY, _SATURDAY, _SUNDAY = 0, 3, 4, 5, 6
_CURRENCY_DAY_ENDS: Final = 17  # o'clock in New York
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


@lru_cache(maxsize=4096)
def stock_session(day: dt.date) -> tuple[int, int, int, int] | None:
    """Starts of pre-market, regular session and after hours, and the end of those: Unix ms. None when closed."""
    if not is_trading_day(day):
        return None
    close_ms = _new_york_ms(day, _EARLY_CLOSE if day in early_closes(day.year) else _CLOSE)
    return _new_york_ms(day, _PRE), _new_york_ms(day, _OPEN), close_ms, close_ms + _AFTER_HOURS_MS


def new_york_date(time_ms: int) -> dt.date:
    """The date in New York at `time_ms`."""
    return _in_new_york(time_ms).date()


def session_kind(time_ms: int) -> SessionKind:
    """The part of the stock day that `time_ms` lies in; every part includes its start and not its end."""
    session = stock_session(new_york_date(time_ms))
    if session is None:
        return "closed"
    pre_ms, open_ms, close_ms, end_ms = session
    if not pre_ms <= time_ms < end_ms:
        return "closed"
    if time_ms < open_ms:
        return "pre"
    return "regular" if time_ms < close_ms else "post"


def is_forex_open(time_ms: int) -> bool:
    """Whether currencies trade: Sunday 17:00 to Friday 17:00 New York."""
    local = _in_new_york(time_ms)
    if local.weekday() == _SUNDAY:
        return local.hour >= _CURRENCY_DAY_ENDS
    return local.weekday() < _FRIDAY or (local.weekday() == _FRIDAY and local.hour < _CURRENCY_DAY_ENDS)


def forex_week(time_ms: int) -> tuple[int, int]:
    """Open and close, in Unix ms, of the currency week `time_ms` lies in, or of the next one on a weekend."""
    day = new_york_date(time_ms)
    friday = day + dt.timedelta(days=(_FRIDAY - day.weekday()) % 7)
    close_ms = _new_york_ms(friday, dt.time(_CURRENCY_DAY_ENDS))
    if time_ms >= close_ms:
        friday += dt.timedelta(days=7)
        close_ms = _new_york_ms(friday, dt.time(_CURRENCY_DAY_ENDS))
    return _new_york_ms(friday - dt.timedelta(days=5), dt.time(_CURRENCY_DAY_ENDS)), close_ms


def is_open(market: Market, time_ms: int) -> bool:
    """Whether `market` trades at `time_ms`: for stocks pre-market and after hours count as open."""
    match market:
        case Market.CRYPTO:
            return True
        case Market.FOREX:
            return is_forex_open(time_ms)
        case Market.STOCKS:
            return session_kind(time_ms) != "closed"


def next_stock_session(time_ms: int) -> tuple[int, int, int, int]:
    """The first stock session (as `stock_session`) that ends after `time_ms`."""
    day = new_york_date(time_ms)
    while (session := stock_session(day)) is None or session[3] <= time_ms:
        day += dt.timedelta(days=1)
    return session


def trading_days(from_ms: int, to_ms: int) -> list[dt.date]:
    """Trading days whose New York midnight lies in [from_ms, to_ms)."""
    first = new_york_date(from_ms)
    count = max(0, (to_ms - from_ms) // DAY_MS + 2)
    days = (first + dt.timedelta(days=i) for i in range(count))
    return [day for day in days if is_trading_day(day) and from_ms <= new_york_midnight_ms(day) < to_ms]


def _in_new_york(time_ms: int) -> dt.datetime:
    return (_EPOCH + dt.timedelta(milliseconds=time_ms)).astimezone(NEW_YORK)


def _new_york_ms(day: dt.date, at: dt.time) -> int:
    return int(dt.datetime.combine(day, at, NEW_YORK).timestamp()) * 1000


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
