"""Smaller bars and trades into larger bars, with correctly rounded sums of volume."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from desktop.domain.bars import Bar, Bars, Floats, Ints
from desktop.domain.market import Market
from desktop.domain.timeframe import Timeframe, bucket_starts


def roll_up(bars: Bars, timeframe: Timeframe, market: Market) -> Bars:
    """Bars of `timeframe` from smaller ones: first open, max high, min low, last close, `math.fsum` of volume.

    vwap is weighted by volume, trades are summed; a sum with an unknown part is unknown (NaN).
    """
    if not len(bars):
        return bars
    return grouped(bars, bucket_starts(bars.start_ms, timeframe, market))


def grouped(bars: Bars, starts: Ints) -> Bars:
    """Bars of which each joins the neighbours with the same entry in `starts` (n,), its start; sums as in `roll_up`.

    `bars.start_ms` may repeat (one row per trade), `starts` never decreases.
    """
    if not len(bars):
        return bars
    first = np.flatnonzero(np.append(True, starts[1:] != starts[:-1])).astype(np.int64)
    if len(first) == len(bars) and np.array_equal(starts, bars.start_ms):
        return bars
    last = np.append(first[1:], len(bars)) - 1
    volume = _exact_sums(bars.volume, first, last)
    with np.errstate(invalid="ignore", divide="ignore"):
        vwap = np.add.reduceat(bars.vwap * bars.volume, first) / volume
        plain = np.add.reduceat(bars.vwap, first) / (last - first + 1)
        vwap = np.where(volume > 0, vwap, plain)
    vwap = np.where(first == last, bars.vwap[first], vwap)
    return Bars(
        starts[first],
        bars.open[first],
        np.maximum.reduceat(bars.high, first),
        np.minimum.reduceat(bars.low, first),
        bars.close[last],
        volume,
        vwap,
        np.add.reduceat(bars.trades, first),
    )


def _exact_sums(values: Floats, first: Ints, last: Ints) -> Floats:
    numbers: list[float] = values.tolist()
    fsum = math.fsum
    try:
        return np.array([fsum(numbers[a : b + 1]) for a, b in zip(first.tolist(), last.tolist(), strict=True)])
    except OverflowError:  # absurd volumes near 1e308: infinite, as a plain sum would be
        return np.asarray(np.add.reduceat(values, first))


def bar_of_trades(start_ms: int, prices: Sequence[float], sizes: Sequence[float]) -> Bar:
    """One bar of at least one trade, in the order they happened."""
    volume = math.fsum(sizes)
    notional = math.fsum(price * size for price, size in zip(prices, sizes, strict=True))
    return Bar(
        start_ms,
        prices[0],
        max(prices),
        min(prices),
        prices[-1],
        volume,
        notional / volume if volume else prices[-1],
        float(len(prices)),
    )
