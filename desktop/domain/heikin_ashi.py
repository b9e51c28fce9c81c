"""Heikin-Ashi bars: averages drawn as candles. They are synthetic: no price of theirs was ever traded."""

from __future__ import annotations

import numpy as np

from desktop.domain.bars import Bars, Floats

_HALVINGS = 64  # a bar so many back counts for less than the last digit


class HeikinAshi:
    """The Heikin-Ashi bars of a growing series; a change costs what it concerns, not the whole history.

    Close is the mean of open, high, low and close; open the mean of open and close of the Heikin-Ashi bar before (of
    the first bar: of its own open and close); high and low include both.
    """

    def __init__(self) -> None:
        self._columns = np.empty((4, 0))
        self._count = 0

    def update(self, bars: Bars, first_index: int = 0) -> None:
        """The series is `bars` now; those before `first_index` are as they were."""
        self._reserve(len(bars))
        first = min(first_index, self._count)
        self._count = len(bars)
        part = bars.take(first, len(bars))
        if not len(part):
            return
        opens, highs, lows, closes = (column[first : self._count] for column in self._columns)
        closes[:] = (part.open + part.high + part.low + part.close) / 4
        before = (part.open[0] + part.close[0]) / 2
        if first:
            before = (self._columns[0, first - 1] + self._columns[3, first - 1]) / 2
        opens[:] = _halved_means(closes, float(before))
        np.maximum(part.high, np.maximum(opens, closes), out=highs)
        np.minimum(part.low, np.minimum(opens, closes), out=lows)

    def of(self, bars: Bars) -> Bars:
        """The Heikin-Ashi bars over the times and volumes of `bars`, as updated last; views."""
        opens, highs, lows, closes = self._columns[:, : self._count]
        return Bars(bars.start_ms, opens, highs, lows, closes, bars.volume, bars.vwap, bars.trades)

    def _reserve(self, count: int) -> None:
        if count > self._columns.shape[1]:
            room = np.empty((4, count + count // 8 + 64))
            room[:, : self._count] = self._columns[:, : self._count]
            self._columns = room


def _halved_means(closes: Floats, first: float) -> Floats:
    """y[0] = first; y[i] = (y[i-1] + closes[i-1]) / 2, by doubling: each step looks twice as far back."""
    if len(closes) < _HALVINGS:
        answer = np.empty(len(closes))
        for index in range(len(closes)):
            answer[index] = first
            first = (first + closes[index]) / 2
        return answer
    # Before the first close stands the first value for ever, which leaves it as it is.
    sums = np.concatenate((np.full(_HALVINGS, first), closes[:-1]))
    reach = 1
    while reach < _HALVINGS:
        sums[reach:] = sums[reach:] + np.ldexp(sums[:-reach], -reach)
        reach *= 2
    return sums[_HALVINGS - 1 :] / 2 if len(closes) else closes
