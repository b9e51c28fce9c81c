"""Sums over a sliding window that keep no memory of what left it.

A running sum that adds what comes in and subtracts what goes out, as TA-Lib's do, keeps the rounding of the greatest
value it ever held, and never recovers from an unknown one. Here every window is the sum of an end of one block and a
beginning of the next (van Herk), so it knows its own values only.
"""

from __future__ import annotations

import numpy as np

from desktop.domain.bars import Floats


def rolling_sum(values: Floats, period: int) -> Floats:
    """Sum of each value and the `period` - 1 before it, shape (n,); NaN where there are fewer or one is NaN."""
    if len(values) < period:
        return np.full(len(values), np.nan)
    blocks = _blocks(values, period)
    return _joined(_ends(blocks), np.cumsum(blocks, axis=1).ravel(), len(values), period)


def _blocks(values: Floats, period: int) -> Floats:
    padded = np.zeros(-(-len(values) // period) * period)
    padded[: len(values)] = values
    return padded.reshape(-1, period)


def _ends(blocks: Floats) -> Floats:
    """For each position the sum from there to the end of its block."""
    return np.cumsum(blocks[:, ::-1], axis=1)[:, ::-1].ravel()


def _joined(ends: Floats, begins: Floats, count: int, period: int) -> Floats:
    """Window sums: `ends` at the window's first value, and `begins` at its last one unless that is the same block."""
    sums = np.full(count, np.nan)
    window = sums[period - 1 :]
    window[:] = ends[: len(window)]
    others = begins[period - 1 : count].copy()
    others[::period] = 0.0
    window += others
    return sums
