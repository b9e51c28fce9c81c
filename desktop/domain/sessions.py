"""Trading days and hours: New York's stock sessions and the currency week.

Stocks trade pre-market 04:00-09:30, regular 09:30-16:00 and after hours 16:00-20:00 New York; on an early close the
regular session ends at 13:00 and the day at 17:00. Currencies trade from Sunday 17:00 to Friday 17:00 New York,
crypto always.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from desktop.domain.bars import Ints
from desktop.domain.holidays import early_closes, is_trading_day
from desktop.domain.market import Market
from desktop.domain.timeframe import DAY_MS, HOUR_MS, NEW_YORK, new_york_midnight_ms

SessionKind = Literal["pre", "regular", "post", "closed"]

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_PRE, _OPEN, _EARLY_CLOSE, _CLOSE = (dt.time(4), dt.time(9, 30), dt.time(13), dt.time(16))
_AFTER_HOURS_MS: Final = 4 * HOUR_MS
_FRIDAY, _SUNDAY = 4, 6
_CURRENCY_DAY_ENDS: Final = 17  # o'clock in New York


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


def stock_sessions(from_ms: int, to_ms: int) -> list[tuple[int, int, int, int]]:
    """The stock sessions (as `stock_session`) of the New York days from that of `from_ms` to that of `to_ms`."""
    day, last = new_york_date(from_ms), new_york_date(to_ms)
    days = (day + dt.timedelta(days=i) for i in range((last - day).days + 1))
    return [session for day in days if (session := stock_session(day)) is not None]


def in_regular_hours(start_ms: Ints, length_ms: int) -> NDArray[np.bool_]:
    """Whether bars of stocks of one length hold regular trading. start_ms: (n,), ascending."""
    if not len(start_ms):
        return np.empty(0, np.bool_)
    sessions = stock_sessions(int(start_ms[0]), int(start_ms[-1]) + length_ms)
    never = np.iinfo(np.int64).max
    opens = np.array([session[1] for session in sessions] + [never], np.int64)
    closes = np.array([session[2] for session in sessions], np.int64)
    following = np.searchsorted(closes, start_ms, side="right")
    is_regular: NDArray[np.bool_] = opens[following] < start_ms + length_ms
    return is_regular


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
