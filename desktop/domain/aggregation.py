"""Smaller bars and trades into larger bars, with correctly rounded sums of volume."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from desktop.domain.bars import Bar, Bars, Floats, Ints
from desktop.domain.market import Market
from desktop.domain.timeframe import HOUR_MS, Timeframe, bucket_starts

_BLOCK_ROWS: Final = 131_072
_STRIDE: Final = 128  # a power of two
_HUGE: Final = 1e290


def roll_up(bars: Bars, timeframe: Timeframe, market: Market) -> Bars:
    """Bars of `timeframe` from smaller ones: first open, max high, min low, last close, exact sum of volume.

    Volume is the sum rounded once, as `math.fsum` gives it. vwap is weighted by volume, trades are summed; a sum with
    an unknown part is unknown (NaN).
    """
    if not len(bars):
        return bars
    return _joined(bars, *_buckets(bars.start_ms, timeframe, market))


def grouped(bars: Bars, starts: Ints) -> Bars:
    """Bars of which each joins the neighbours with the same entry in `starts` (n,), its start; sums as in `roll_up`.

    `bars.start_ms` may repeat (one row per trade), `starts` never decreases.
    """
    if not len(bars):
        return bars
    first = _first_of_equal(starts)
    return _joined(bars, first, starts[first])


def _first_of_equal(ascending: Ints) -> Ints:
    return np.flatnonzero(np.append(True, ascending[1:] != ascending[:-1])).astype(np.int64)


def _buckets(start_ms: Ints, timeframe: Timeframe, market: Market) -> tuple[Ints, Ints]:
    """Of each bucket that holds a bar the index of its first bar, and its own start."""
    # Every bucket starts on a multiple of the step, or is longer than it: the days of 23 hours are the shortest.
    fixed = timeframe.fixed_ms
    step = 12 * HOUR_MS if fixed is None else fixed if market is not Market.STOCKS else math.gcd(fixed, HOUR_MS)
    begin, last = int(start_ms[0]) // step * step, int(start_ms[-1])
    if 2 * ((last - begin) // step + 2) > len(start_ms):
        starts = bucket_starts(start_ms, timeframe, market)
        first = _first_of_equal(starts)
        return first, starts[first]
    starts = np.arange(begin, last + 1, step, dtype=np.int64)
    if fixed is None or market is Market.STOCKS:
        starts = bucket_starts(np.append(starts, last), timeframe, market)  # every bucket has one of these times
        starts = starts[_first_of_equal(starts)]
    first = _positions(start_ms, starts)
    holds_any = first < np.append(first[1:], len(start_ms))
    return first[holds_any], starts[holds_any]


def _positions(ascending: Ints, keys: Ints) -> Ints:
    """np.searchsorted for many ascending keys in a long array: a coarse search, then a guess, as if times were even."""
    last = len(ascending) - 1
    cell = np.maximum(np.searchsorted(ascending[::_STRIDE], keys) - 1, 0)
    begin: Ints = cell.astype(np.int64) * _STRIDE
    end = np.minimum(begin + _STRIDE, last)
    left = ascending[begin]
    width = np.maximum(ascending[end] - left, 1)
    answer: Ints = np.clip(begin - (left - keys) * (end - begin) // width, begin, end)
    is_wrong = (ascending[answer] < keys) | ((ascending[np.maximum(answer - 1, 0)] >= keys) & (answer > 0))
    if is_wrong.any():
        answer[is_wrong] = _halved(ascending, begin[is_wrong], keys[is_wrong])
    return answer


def _halved(ascending: Ints, at: Ints, keys: Ints) -> Ints:
    """The positions of `keys` by halving, each within _STRIDE after its `at`."""
    last, step = len(ascending) - 1, _STRIDE // 2
    while step:
        following = np.minimum(at + step, last)
        at = np.where(ascending[following] < keys, following, at)
        step //= 2
    return at + (ascending[at] < keys)


def _joined(bars: Bars, first: Ints, starts: Ints) -> Bars:
    """One bar of the rows from each index in `first` (m,) up to the next; `starts` (m,) are their starts."""
    if len(first) == len(bars) and np.array_equal(starts, bars.start_ms):
        return bars
    end = np.append(first[1:], len(bars))
    volume, notional = _volume_sums(bars, first, end)
    with np.errstate(invalid="ignore", divide="ignore"):
        vwap = notional / volume
    has_none = ~(volume > 0)
    if has_none.any():
        vwap[has_none] = (np.add.reduceat(bars.vwap, first) / (end - first))[has_none]
    is_single = end - first == 1
    vwap[is_single] = bars.vwap[first[is_single]]
    return Bars(
        starts,
        bars.open[first],
        np.maximum.reduceat(bars.high, first),
        np.minimum.reduceat(bars.low, first),
        bars.close[end - 1],
        volume,
        vwap,
        np.add.reduceat(bars.trades, first),
    )


def _volume_sums(bars: Bars, first: Ints, end: Ints) -> tuple[Floats, Floats]:
    """Per group the sum of volume, rounded once, and that of price times volume."""
    sums, notional = np.empty((2, len(first)))
    buffer = np.empty(_BLOCK_ROWS + int((end - first).max()))
    with np.errstate(over="ignore", invalid="ignore"):
        for begin, stop in _blocks(end):  # small enough for the processor's cache
            rows = slice(int(first[begin]), int(end[stop - 1]))
            volume, part = bars.volume[rows], buffer[: rows.stop - rows.start]
            sums[begin:stop] = _exact_sums(volume, first[begin:stop] - first[begin], part)
            np.multiply(bars.vwap[rows], volume, out=part)
            np.add.reduceat(part, first[begin:stop] - first[begin], out=notional[begin:stop])
    return sums, notional


def _exact_sums(values: Floats, first: Ints, part: Floats) -> Floats:
    """Per group the correctly rounded sum of `values` (n,); `part` (n,) is room to work in.

    Adding and subtracting a power of two above every possible sum cuts each value into a high part, whose sums are
    exact, and a rest of less than that power's last digit, whose sums err by less than `error`. Where both ends of
    that error round to the same number, it is the sum; the few others are left to `math.fsum`.
    """
    end = np.append(first[1:], len(values))
    size = int((end - first).max())
    largest = max(float(np.fmax.reduce(values)), -float(np.fmin.reduce(values)))
    if not largest > 0:  # all nothing or unknown
        return np.asarray(np.add.reduceat(values, first))
    power = math.ldexp(1.0, math.frexp(largest)[1] + size.bit_length() + 1) if largest < _HUGE else math.inf
    error = power * 2.0**-105 * size * size
    np.add(values, power, out=part)
    part -= power
    high = np.add.reduceat(part, first)
    np.subtract(values, part, out=part)
    low = np.add.reduceat(part, first)
    sums: Floats = high + (low - error)
    is_open = (sums != high + (low + error)) & ~(np.isnan(high) & (power < math.inf))
    for index in np.flatnonzero(is_open).tolist():
        sums[index] = _exact_sum(values[first[index] : end[index]])
    return sums


def _blocks(end: Ints) -> Iterator[tuple[int, int]]:
    """Cuts groups that end at `end` (m,) into runs of about _BLOCK_ROWS rows: from group, to group."""
    begin = row = 0
    while begin < len(end):
        stop = max(begin + 1, int(np.searchsorted(end, row + _BLOCK_ROWS, side="right")))
        yield begin, stop
        begin, row = stop, int(end[stop - 1])


def _exact_sum(values: Floats) -> float:
    try:
        return math.fsum(values.tolist())
    except OverflowError:  # absurd volumes near 1e308: infinite, as a plain sum would be
        return float(values.sum())


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
