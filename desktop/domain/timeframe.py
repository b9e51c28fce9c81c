"""Timeframes and the buckets they cut time into, per market. All times are Unix ms UTC.

Crypto and forex: below a day from the UTC epoch; N days from 1970-01-01; N weeks from Monday 1970-01-05.
Stocks: below a day from 04:00 New York of each day; days at New York midnight; N days are trading days counted within
their week (up to 5) or month, holidays left out; weeks from Monday in New York.
Months and years by calendar, in the market's zone, N of them from 1970.
"""

from __future__ import annotations

import datetime as dt
import enum
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from desktop.domain.bars import Ints
from desktop.domain.errors import BadInput
from desktop.domain.holidays import is_trading_day
from desktop.domain.market import Market

NEW_YORK: Final = ZoneInfo("America/New_York")
SECOND_MS: Final = 1_000
MINUTE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000
_FIRST_MONDAY_DAY: Final = 4  # 1970-01-05, in days since the epoch
_STOCKS_OPEN_MS: Final = 4 * HOUR_MS  # pre-market opens 04:00 New York
_EPOCH: Final = dt.date(1970, 1, 1)


class Span(enum.StrEnum):
    """The unit of a timeframe, by the vendor's name for it."""

    SECOND = "second"
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


_LETTERS: Final = {
    "s": Span.SECOND,
    "m": Span.MINUTE,
    "h": Span.HOUR,
    "D": Span.DAY,
    "W": Span.WEEK,
    "M": Span.MONTH,
    "Y": Span.YEAR,
}
_FIXED_MS: Final = {Span.SECOND: SECOND_MS, Span.MINUTE: MINUTE_MS, Span.HOUR: HOUR_MS}
_LARGEST: Final = {
    Span.SECOND: 86_400,
    Span.MINUTE: 1440,
    Span.HOUR: 24,
    Span.DAY: 366,
    Span.WEEK: 53,
    Span.MONTH: 120,
    Span.YEAR: 10,
}


@dataclass(frozen=True, slots=True)
class Timeframe:
    """The length of a bar: `Timeframe(15, Span.MINUTE)`."""

    multiplier: int
    span: Span

    @classmethod
    def parse(cls, text: str) -> Timeframe:
        """Reads `1m 15m 4h 1H 1D 2d W 1M 30s`: `m` is minutes and `M` months, else case does not matter.

        Raises BadInput with a hint when `text` is none.
        """
        match = re.fullmatch(r"\s*(\d{0,5})\s*([smhdwyHDWMSY])\s*", text)
        if match is None:
            raise BadInput(f"“{text}” is not a timeframe.", next_step="Try 1m, 15m, 4h, 1D, 1W or 1M.")
        digits, letter = match.groups()
        letter = letter if letter in "mM" else {"S": "s", "H": "h", "d": "D", "w": "W", "y": "Y"}.get(letter, letter)
        span = _LETTERS[letter]
        multiplier = int(digits or 1)
        if not 1 <= multiplier <= _LARGEST[span]:
            raise BadInput(f"“{text}” is out of range.", next_step=f"Use 1 to {_LARGEST[span]} for {span.value}s.")
        return cls(multiplier, span)

    def __str__(self) -> str:
        letter = next(letter for letter, span in _LETTERS.items() if span is self.span)
        return f"{self.multiplier}{letter}"

    @property
    def fixed_ms(self) -> int | None:
        """Length in ms below a day; None from a day up, where lengths vary."""
        unit = _FIXED_MS.get(self.span)
        return None if unit is None else unit * self.multiplier

    @property
    def typical_ms(self) -> int:
        """Usual length in ms, for estimates only."""
        days = {Span.DAY: 1, Span.WEEK: 7, Span.MONTH: 30, Span.YEAR: 365}
        return self.fixed_ms or days[self.span] * DAY_MS * self.multiplier

    @property
    def base(self) -> Timeframe:
        """The stored timeframe this one is rolled up from: 1s, 1m, 1h or 1D."""
        if self.span is Span.SECOND:
            return ONE_SECOND
        if (fixed := self.fixed_ms) is None:
            return ONE_DAY
        return ONE_HOUR if fixed % HOUR_MS == 0 else ONE_MINUTE

    @property
    def is_base(self) -> bool:
        return self == self.base


ONE_SECOND: Final = Timeframe(1, Span.SECOND)
ONE_MINUTE: Final = Timeframe(1, Span.MINUTE)
ONE_HOUR: Final = Timeframe(1, Span.HOUR)
ONE_DAY: Final = Timeframe(1, Span.DAY)


def bucket_starts(start_ms: Ints, timeframe: Timeframe, market: Market) -> Ints:
    """For each time the start of the bucket of `timeframe` it lies in."""
    fixed = timeframe.fixed_ms
    if market is not Market.STOCKS:
        if fixed is not None:
            return start_ms - start_ms % fixed
        return _calendar_days(start_ms // DAY_MS, timeframe) * DAY_MS
    if not len(start_ms):
        return start_ms
    table = _new_york_days(start_ms)
    if fixed is not None:
        # A stock's day goes on until the next one opens.
        opens: Ints = table.opens[np.searchsorted(table.opens, start_ms, side="right") - 1]
        buckets: Ints = opens + (start_ms - opens) // fixed * fixed
        return buckets
    days = np.searchsorted(table.midnights, start_ms, side="right") - 1 + table.first_day
    if timeframe.span is Span.DAY and timeframe.multiplier > 1:
        firsts = _trading_day_buckets(days, timeframe.multiplier)
    else:
        firsts = _calendar_days(days, timeframe)
    return _new_york_midnights(firsts)


def bucket_start(time_ms: int, timeframe: Timeframe, market: Market) -> int:
    """Start of the bucket that `time_ms` lies in."""
    return int(bucket_starts(np.array([time_ms], np.int64), timeframe, market)[0])


def bucket_end(start_ms: int, timeframe: Timeframe, market: Market) -> int:
    """End (exclusive) of the bucket that starts at `start_ms`: the start of the next one."""
    n, fixed = timeframe.multiplier, timeframe.fixed_ms
    if market is not Market.STOCKS:
        if fixed is not None:
            return start_ms + fixed
        return _next_first_day(start_ms // DAY_MS, timeframe) * DAY_MS
    times = np.array([start_ms], np.int64)
    table = _new_york_days(times)
    if fixed is not None:
        following = int(table.opens[np.searchsorted(table.opens, start_ms, side="right")])
        return min(start_ms + fixed, following)
    day = int(np.searchsorted(table.midnights, start_ms, side="right")) - 1 + table.first_day
    is_counted = timeframe.span is Span.DAY and n > 1
    following_day = _next_trading_bucket(day, n) if is_counted else _next_first_day(day, timeframe)
    return int(_new_york_midnights(np.array([following_day], np.int64))[0])


def _calendar_days(days: Ints, timeframe: Timeframe) -> Ints:
    """For each day (since the epoch) the first day of its bucket."""
    n = timeframe.multiplier
    match timeframe.span:
        case Span.DAY:
            return days - days % n
        case Span.WEEK:
            return (days - _FIRST_MONDAY_DAY) // (7 * n) * (7 * n) + _FIRST_MONDAY_DAY
        case _:
            months = _months(days)
            months -= months % _months_of(timeframe)
            return _first_days(months)


def _next_first_day(first_day: int, timeframe: Timeframe) -> int:
    """The first day of the bucket after the one that starts on `first_day`."""
    match timeframe.span:
        case Span.DAY:
            return first_day + timeframe.multiplier
        case Span.WEEK:
            return first_day + 7 * timeframe.multiplier
        case _:
            months = _months(np.array([first_day], np.int64)) + _months_of(timeframe)
            return int(_first_days(months)[0])


def _months_of(timeframe: Timeframe) -> int:
    return timeframe.multiplier * (12 if timeframe.span is Span.YEAR else 1)


def _months(days: Ints) -> Ints:
    """For each day its month, counted from January 1970."""
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def _first_days(months: Ints) -> Ints:
    return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def _trading_day_buckets(days: Ints, n: int) -> Ints:
    """For each day (since the epoch) the first of its `n` trading days; a day without trading joins the one before."""
    table = _trading_days(days)
    index = np.searchsorted(table, days, side="right") - 1
    first = _period_firsts(table, n)[index]
    firsts: Ints = table[first + (index - first) // n * n]
    return firsts


def _next_trading_bucket(day: int, n: int) -> int:
    table = _trading_days(np.array([day], np.int64))
    index = int(np.searchsorted(table, day, side="right")) - 1
    firsts = _period_firsts(table, n)
    first = int(firsts[index])
    end = int(np.searchsorted(firsts, first, side="right"))  # of the week or month
    return int(table[min(first + ((index - first) // n + 1) * n, end)])


def _period_firsts(table: Ints, n: int) -> Ints:
    """For each trading day the index of the first one of its week (up to 5 days at a time) or month."""
    periods = (table - _FIRST_MONDAY_DAY) // 7 if n <= 5 else _months(table)
    return np.searchsorted(periods, periods, side="left").astype(np.int64)


def _trading_days(days: Ints) -> Ints:
    """All trading days of the decades around `days`, as days since the epoch."""
    return _trading_table(*_decades(days * DAY_MS))


@lru_cache(maxsize=8)
def _trading_table(first_year: int, last_year: int) -> Ints:
    first = dt.date(first_year, 1, 1)
    offset = (first - _EPOCH).days
    count = (dt.date(last_year + 1, 1, 1) - first).days
    table = np.array([offset + i for i in range(count) if is_trading_day(first + dt.timedelta(days=i))], np.int64)
    table.setflags(write=False)
    return table


@dataclass(frozen=True, slots=True)
class _NewYorkDays:
    """Days in New York from `first_day` (since the epoch) on: when they begin, and when 04:00 is. Unix ms."""

    first_day: int
    midnights: Ints
    opens: Ints


@lru_cache(maxsize=8)
def _day_table(first_year: int, last_year: int) -> _NewYorkDays:
    first = dt.date(first_year, 1, 1)
    count = (dt.date(last_year + 1, 1, 2) - first).days
    midnights = np.fromiter((new_york_midnight_ms(first + dt.timedelta(days=i)) for i in range(count)), np.int64, count)
    # The clocks change at 02:00: 04:00 comes three, four or five hours after midnight.
    opens = midnights[:-1] + _STOCKS_OPEN_MS + np.diff(midnights) - DAY_MS
    for column in (midnights, opens):
        column.setflags(write=False)
    return _NewYorkDays((first - _EPOCH).days, midnights, opens)


def _new_york_days(time_ms: Ints) -> _NewYorkDays:
    """The days around all times."""
    return _day_table(*_decades(time_ms))


def _decades(time_ms: Ints) -> tuple[int, int]:
    """First and last year of the decades around all times, a year beyond them included."""
    years = np.array([time_ms.min(), time_ms.max()], "datetime64[ms]").astype("datetime64[Y]").astype(int) + 1970
    first_year, last_year = int(years[0]) - 1, int(years[1]) + 1
    return first_year - first_year % 10, last_year + 9 - last_year % 10  # few distinct tables


def _new_york_midnights(days: Ints) -> Ints:
    table = _new_york_days(days * DAY_MS)
    midnights: Ints = table.midnights[days - table.first_day]
    return midnights


def new_york_midnight_ms(day: dt.date) -> int:
    """Unix ms of midnight New York at the start of `day`."""
    return int(dt.datetime.combine(day, dt.time(), NEW_YORK).timestamp()) * 1000
