"""Where an anchored study begins anew: at each session, day or week of a market."""

from __future__ import annotations

import datetime as dt
from typing import Final

import numpy as np

from desktop.domain.bars import Ints
from desktop.domain.market import Market
from desktop.domain.sessions import new_york_date, stock_session
from desktop.domain.timeframe import HOUR_MS, ONE_DAY, Span, Timeframe, bucket_starts

_WEEK: Final = Timeframe(1, Span.WEEK)
_CURRENCY_DAY_BEFORE_MIDNIGHT_MS: Final = 7 * HOUR_MS  # it begins 17:00 New York


def anchor_keys(start_ms: Ints, anchor: str, market: Market) -> Ints:
    """A number for each time that is the same within one session, day or week, and grows.

    day, week: those of the market's daily and weekly bars. session: for crypto the day; for currencies from 17:00 New
    York; for stocks from the regular open at 09:30 on, pre-market before it on its own.
    """
    if not len(start_ms):
        return start_ms
    if anchor == "week":
        return bucket_starts(start_ms, _WEEK, market)
    if anchor == "day" or market is Market.CRYPTO:
        return bucket_starts(start_ms, ONE_DAY, market)
    if market is Market.FOREX:
        return bucket_starts(start_ms + _CURRENCY_DAY_BEFORE_MIDNIGHT_MS, ONE_DAY, Market.STOCKS)
    midnights = bucket_starts(start_ms, ONE_DAY, market)
    days, day_of = np.unique(midnights, return_inverse=True)
    opens = np.array([_regular_open_ms(int(day)) for day in days], np.int64)[day_of]
    return np.where(start_ms >= opens, opens, midnights)


def _regular_open_ms(midnight_ms: int) -> int:
    """Of the New York day that begins at `midnight_ms`; on a day without trading its midnight."""
    day: dt.date = new_york_date(midnight_ms)
    session = stock_session(day)
    return midnight_ms if session is None else session[1]
