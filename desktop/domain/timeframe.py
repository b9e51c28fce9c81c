"""Timeframes and the buckets they cut time into, per market. All times are Unix ms UTC.

Crypto and forex: below a day from the UTC epoch; N days from 1970-01-01; N weeks from Monday 1970-01-05.
Stocks: below a day from 04:00 New York of each day; days at New York midnight; weeks from Monday in New York.
Months and years by calendar, in the market's zone.
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
        days = start_ms // DAY_MS
        return _calendar_days(days, timeframe, trading_week=False) * DAY_MS
    if not len(start_ms):
        return start_ms
    midnights, first_day = _midnights_around(start_ms)
    index: Ints = np.searchsorted(midnights, start_ms, side="right") - 1
    if fixed is not None:
        anchor: Ints = midnights[index] + _local_open_ms(midnights, index)
        buckets: Ints = anchor + (start_ms - anchor) // fixed * fixed
        return buckets
    days = _calendar_days(index + first_day, timeframe, trading_week=True)
    return _new_york_midnights(days)


def bucket_start(time_ms: int, timeframe: Timeframe, market: Market) -> int:
    """Start of the bucket that `time_ms` lies in."""
    return int(bucket_starts(np.array([time_ms], np.int64), timeframe, market)[0])


def bucket_end(start_ms: int, timeframe: Timeframe, market: Market) -> int:
    """End (exclusive) of the bucket that starts at `start_ms`: the start of the next one."""
    fixed = timeframe.fixed_ms
    if fixed is not None:
        if market is not Market.STOCKS:
            return start_ms + fixed
        # The last bucket of a day ends where the next day's first begins.
        ahead = np.array([start_ms + fixed - 1, start_ms + fixed], np.int64)
        inside, after = bucket_starts(ahead, timeframe, market)
        return int(inside if inside > start_ms else after)
    step = DAY_MS if timeframe.span is Span.DAY else 6 * DAY_MS
    probe = start_ms + step * timeframe.multiplier - DAY_MS // 2
    while (following := bucket_start(probe, timeframe, market)) <= start_ms:
        probe += DAY_MS // 2
    return following


def _calendar_days(days: Ints, timeframe: Timeframe, *, trading_week: bool) -> Ints:
    """For each day (since the epoch) the first day of its bucket."""
    n = timeframe.multiplier
    match timeframe.span:
        case Span.DAY if trading_week and n > 1:
            # N trading days counted within their week (up to 5) or month.
            week: Ints = (days - _FIRST_MONDAY_DAY) // 7 * 7 + _FIRST_MONDAY_DAY
            if n <= 5:
                firsts: Ints = week + np.minimum(days - week, 4) // n * n
                return firsts
            months = days.astype("datetime64[D]").astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
            weekday = _weekdays_since(months, days)
            return _nth_weekday(months, weekday // n * n)
        case Span.DAY:
            return days - days % n
        case Span.WEEK:
            return (days - _FIRST_MONDAY_DAY) // (7 * n) * (7 * n) + _FIRST_MONDAY_DAY
        case _:
            months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
            months -= months % (n if timeframe.span is Span.MONTH else 12 * n)
            return _first_days(months)


def _first_days(months: Ints) -> Ints:
    return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def _weekdays_since(first: Ints, days: Ints) -> Ints:
    """Weekdays in [first, day), a weekend day counting as the Friday before."""
    friday = days - np.maximum((days - _FIRST_MONDAY_DAY) % 7 - 4, 0)
    return np.busday_count(first.astype("datetime64[D]"), np.maximum(first, friday).astype("datetime64[D]")).astype(
        np.int64
    )


def _nth_weekday(first: Ints, count: Ints) -> Ints:
    return np.busday_offset(first.astype("datetime64[D]"), count, roll="forward").astype(np.int64)


def _local_open_ms(midnights: Ints, index: Ints) -> Ints:
    """From New York midnight to 04:00 on its clock: three, four or five hours."""
    length: Ints = midnights[index + 1] - midnights[index]
    return _STOCKS_OPEN_MS + (length - DAY_MS)


@lru_cache(maxsize=8)
def _midnight_table(first_year: int, last_year: int) -> Ints:
    first = dt.date(first_year, 1, 1)
    count = (dt.date(last_year + 1, 1, 2) - first).days
    table = np.fromiter(
        (
            int(dt.datetime.combine(first + dt.timedelta(days=i), dt.time(), NEW_YORK).timestamp()) * 1000
            for i in range(count)
        ),
        np.int64,
        count,
    )
    table.setflags(write=False)
    return table


def _midnights_around(start_ms: Ints) -> tuple[Ints, int]:
    """New York midnights covering all times, and the day number (since the epoch) of the first."""
    years = np.array([start_ms.min(), start_ms.max()], "datetime64[ms]").astype("datetime64[Y]").astype(int) + 1970
    first_year, last_year = int(years[0]) - 1, int(years[1]) + 1
    first_year -= first_year % 10  # few distinct tables
    last_year += 9 - last_year % 10
    return _midnight_table(first_year, last_year), (dt.date(first_year, 1, 1) - _EPOCH).days


def _new_york_midnights(days: Ints) -> Ints:
    table, first_day = _midnights_around(days * DAY_MS)
    midnights: Ints = table[days - first_day]
    return midnights


def new_york_midnight_ms(day: dt.date) -> int:
    """Unix ms of midnight New York at the start of `day`."""
    return int(dt.datetime.combine(day, dt.time(), NEW_YORK).timestamp()) * 1000
