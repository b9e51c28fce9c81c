"""Which of the covered ranges may be served from the cache, at a given time. Pure functions; times Unix ms UTC."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from desktop.domain.bars import Bars
from desktop.domain.coverage import SETTLE_MS, Covered, joined
from desktop.domain.market import Market
from desktop.domain.timeframe import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    ONE_DAY,
    Timeframe,
    bucket_end,
    bucket_start,
    bucket_starts,
)

_EVENING_MS: Final = 3 * HOUR_MS + 45 * MINUTE_MS  # from 20:15 New York to midnight
_SMALL_PLAN_MS: Final = 730 * DAY_MS

Range = tuple[int, int]


def settled_until(fetched_ms: int, market: Market) -> int:
    """Up to when what was fetched at `fetched_ms` was final.

    Crypto and forex: 5 minutes before. Stocks: 16 minutes before, and a day's bars only once it is 20:15 in New York.
    """
    edge_ms = fetched_ms - SETTLE_MS[market.value]
    if market is Market.STOCKS:
        midnight_ms = bucket_start(fetched_ms, ONE_DAY, market)
        if fetched_ms < bucket_end(midnight_ms, ONE_DAY, market) - _EVENING_MS:
            return min(edge_ms, midnight_ms)
    return edge_ms


def held_ranges(
    covered: Iterable[Covered], base: Timeframe, market: Market, *, now_ms: int, max_age_ms: int
) -> list[Range]:
    """The ranges that need no call: whole bars that are settled, or were fetched at most `max_age_ms` ago.

    A bar that was forming when it was fetched is held while it still forms;
    once its time is over it must be asked for again. What was fetched "later than now" (the clock was set back)
    counts as if fetched now and settled parts only.
    """
    forming_ms = bucket_start(now_ms, base, market)
    held = []
    for part in covered:
        end_ms = min(part.end_ms, settled_until(min(part.fetched_ms, now_ms), market))
        is_recent = 0 <= now_ms - part.fetched_ms <= max_age_ms
        if is_recent and end_ms < part.end_ms:
            fetched_bucket_ms = bucket_start(part.fetched_ms, base, market)
            still_forming = fetched_bucket_ms == forming_ms
            end_ms = max(end_ms, part.end_ms if still_forming else min(part.end_ms, fetched_bucket_ms))
        if end_ms < part.end_ms:
            end_ms = bucket_start(end_ms, base, market)
        if end_ms > part.start_ms:
            held.append((part.start_ms, end_ms))
    return joined(held)


def settled_ranges_of(covered: Iterable[Covered], base: Timeframe, market: Market, now_ms: int) -> list[Range]:
    """The ranges whose bars will not change any more."""
    return held_ranges(covered, base, market, now_ms=now_ms, max_age_ms=-1)


def whole_buckets(ranges: Iterable[Range], timeframe: Timeframe, market: Market) -> list[Range]:
    """The ranges widened to whole buckets of `timeframe`."""
    return joined(
        (
            bucket_start(start_ms, timeframe, market),
            bucket_end(bucket_start(end_ms - 1, timeframe, market), timeframe, market),
        )
        for start_ms, end_ms in ranges
    )


def vouched(bars: Bars, asked: Range, market: Market, now_ms: int) -> Range:
    """The part of an answered range whose silence can be believed on a plan of five calls a minute.

    Such plans have two years up to yesterday, and some servers cut what lies outside off without a word: bars may be
    missing there although nothing says so. Before that edge, and on a trading day that is not over, only a bar proves
    that the plan reaches so far.
    """
    begin_ms, end_ms = asked
    edge_ms = bucket_end(bucket_start(now_ms - _SMALL_PLAN_MS, ONE_DAY, market), ONE_DAY, market)
    if begin_ms < edge_ms:
        first_ms = int(bars.start_ms[0]) if len(bars) else end_ms
        # A day at the very edge may be cut through.
        begin_ms = min(first_ms if first_ms < edge_ms - 2 * DAY_MS else edge_ms, end_ms)
    today_ms = bucket_start(now_ms, ONE_DAY, market)
    # 1970-01-01 was a Thursday; noon of today has its date in any zone of these markets.
    is_weekend = market is not Market.CRYPTO and ((today_ms + DAY_MS // 2) // DAY_MS + 3) % 7 >= 5
    if end_ms > today_ms and not is_weekend and not len(bars.between(today_ms, end_ms)):
        end_ms = max(today_ms, begin_ms)
    return begin_ms, end_ms


def without(bars: Bars, ranges: Iterable[Range]) -> Bars:
    """The bars whose start lies in none of the ranges."""
    keep = np.ones(len(bars), bool)
    for start_ms, end_ms in ranges:
        begin, end = np.searchsorted(bars.start_ms, [start_ms, end_ms])
        keep[begin:end] = False
    if keep.all():
        return bars
    return Bars(bars.start_ms[keep], *(column[keep] for column in bars.values()))


def aligned(bars: Bars, base: Timeframe, market: Market) -> Bars:
    """Bars as the vendor sends them, at the starts of their buckets.

    A day bar moves to the start of its day (old crypto days begin at New York's midnight); of two on one day the later
    stays. Other bars that start where none can are left out.
    """
    starts = bucket_starts(bars.start_ms, base, market)
    is_aligned = starts == bars.start_ms
    if is_aligned.all():
        return bars
    if base == ONE_DAY:
        return Bars.from_columns(starts, bars.values())
    return Bars(starts[is_aligned], *(column[is_aligned] for column in bars.values()))
