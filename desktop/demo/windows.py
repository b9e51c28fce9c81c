"""How the vendor cuts time into bars: windows counted from the request's own `from`, snapped to the unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from desktop.domain.bars import Ints
from desktop.domain.market import Market
from desktop.domain.timeframe import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    ONE_DAY,
    ONE_MINUTE,
    ONE_SECOND,
    SECOND_MS,
    Timeframe,
    bucket_starts,
)

UNITS: Final = ("second", "minute", "hour", "day", "week", "month", "quarter", "year")
_FIXED_MS: Final = {"second": SECOND_MS, "minute": MINUTE_MS, "hour": HOUR_MS}
_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}
_FIRST_SUNDAY: Final = 3  # 1970-01-04, in days since the epoch: the vendor's weeks start on Sundays


@dataclass(frozen=True, slots=True)
class Windows:
    """`count` windows of `multiplier` units, the first of which starts with unit number `first`."""

    unit: str
    multiplier: int
    market: Market
    first: int
    count: int

    @classmethod
    def snapped(cls, unit: str, multiplier: int, market: Market, from_ms: int, to_ms: int) -> Self:
        """For a request: `from_ms` goes back to the start of its unit, `to_ms` on to the end of its window."""
        first, last = (int(n) for n in _numbers(np.array([from_ms, to_ms], np.int64), unit, market))
        return cls(unit, multiplier, market, first, -(-(last - first + 1) // multiplier))

    @property
    def start_ms(self) -> int:
        return self._edge(0)

    @property
    def end_ms(self) -> int:
        """End (exclusive) of the last window."""
        return self._edge(self.count)

    @property
    def stored_base(self) -> Timeframe:
        """What the vendor builds these bars from and counts against `limit`."""
        if self.unit == "second":
            return ONE_SECOND
        return ONE_MINUTE if self.unit in _FIXED_MS else ONE_DAY

    def is_built_from(self, base: Timeframe) -> bool:
        """Whether every window consists of whole bars of `base`."""
        if base == self.stored_base:
            return True
        length_ms, base_ms = _FIXED_MS.get(self.unit), base.fixed_ms
        if length_ms is None:
            return base == ONE_DAY
        return base_ms is not None and (length_ms * self.multiplier) % base_ms == 0 and self.start_ms % base_ms == 0

    def starts(self, time_ms: Ints) -> Ints:
        """For each time the start of its window."""
        number = _numbers(time_ms, self.unit, self.market)
        return _starts((number - self.first) // self.multiplier * self.multiplier + self.first, self.unit, self.market)

    def next_start(self, start_ms: int) -> int:
        """Start of the window after the one that starts at `start_ms`."""
        number = _numbers(np.array([start_ms], np.int64), self.unit, self.market) + self.multiplier
        return int(_starts(number, self.unit, self.market)[0])

    def _edge(self, index: int) -> int:
        number = np.array([self.first + index * self.multiplier], np.int64)
        return int(_starts(number, self.unit, self.market)[0])


def _numbers(time_ms: Ints, unit: str, market: Market) -> Ints:
    """The number of the unit that each time lies in, counted from the epoch."""
    if (fixed := _FIXED_MS.get(unit)) is not None:
        return time_ms // fixed
    days = _days(time_ms, market)
    if unit == "day":
        return days
    if unit == "week":
        return (days - _FIRST_SUNDAY) // 7
    months: Ints = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return months // _MONTHS[unit]


def _starts(numbers: Ints, unit: str, market: Market) -> Ints:
    if (fixed := _FIXED_MS.get(unit)) is not None:
        return numbers * fixed
    if unit == "day":
        days = numbers
    elif unit == "week":
        days = numbers * 7 + _FIRST_SUNDAY
    else:
        days = (numbers * _MONTHS[unit]).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    if market is not Market.STOCKS:
        return days * DAY_MS
    return bucket_starts(days * DAY_MS + DAY_MS // 2, ONE_DAY, market)


def _days(time_ms: Ints, market: Market) -> Ints:
    """Days since the epoch, in New York for stocks: its midnight is 04:00 or 05:00 UTC of the same date."""
    if market is Market.STOCKS:
        time_ms = bucket_starts(time_ms, ONE_DAY, market)
    return time_ms // DAY_MS
