"""Stock splits: which scale a price is on, and adjusted bars back to what was traded at the time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from desktop.demo.source import Split
from desktop.domain.bars import Bars
from desktop.domain.sessions import new_york_date
from desktop.domain.timeframe import new_york_midnight_ms


def unadjusted(bars: Bars, splits: Sequence[Split], now_ms: int) -> Bars:
    """Split-adjusted `bars` of a stock, on the scale of `now_ms`, as they were traded.

    Exact for the ratios of the synthetic market, which are powers of two.
    """
    today = new_york_date(now_ms)
    factor = np.ones(len(bars))
    for split in splits:
        if split.execution_date <= today:
            is_before = bars.start_ms < new_york_midnight_ms(split.execution_date)
            factor = np.where(is_before, factor * (split.split_to / split.split_from), factor)
    return replace(
        bars,
        open=bars.open * factor,
        high=bars.high * factor,
        low=bars.low * factor,
        close=bars.close * factor,
        vwap=bars.vwap * factor,
        volume=bars.volume / factor,
    )
