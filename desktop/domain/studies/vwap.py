"""Volume-weighted average price since the beginning of the session, day or week."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from desktop.domain.bars import Bars, Floats
from desktop.domain.market import Market
from desktop.domain.studies.anchors import anchor_keys
from desktop.domain.studies.kernel import Carried
from desktop.domain.studies.sources import source_column


class Vwap(Carried):
    """Sum of price * volume over sum of volume since the anchor; NaN until something traded. Carries both sums.

    A bar's price is its vwap, or hlc3 where that is unknown; a bar of unknown volume does not count.
    """

    width = 3

    def __init__(self, anchor: str, market: Market) -> None:
        super().__init__(1)
        self._anchor = anchor
        self._market = market

    def whole(self, bars: Bars) -> tuple[Floats, ...]:
        turnover, volume = _turnover_and_volume(bars)
        keys = anchor_keys(bars.start_ms, self._anchor, self._market)
        # Each span is summed on its own: differences of one long sum would keep its rounding.
        bounds = np.flatnonzero(np.diff(keys, prepend=keys[:1] - 1, append=keys[-1:] + 1)).tolist()
        for begin, end in pairwise(bounds):
            for column in (turnover, volume):
                np.cumsum(column[begin:end], out=column[begin:end])
        average = np.divide(turnover, volume, out=np.full(len(bars), np.nan), where=volume > 0)
        return average, turnover, volume

    def steps(self, bars: Bars, first: int, columns: Floats) -> None:
        keys = anchor_keys(bars.start_ms[first - 1 :], self._anchor, self._market).tolist()
        added = zip(*(column.tolist() for column in _turnover_and_volume(bars.take(first, len(bars)))), strict=True)
        _, turnover, volume = columns[:, first - 1].tolist()
        for at, (more_turnover, more_volume) in enumerate(added, 1):
            if keys[at] != keys[at - 1]:
                turnover = volume = 0.0
            turnover += more_turnover
            volume += more_volume
            columns[:, first + at - 1] = (turnover / volume if volume > 0 else np.nan), turnover, volume


def _turnover_and_volume(bars: Bars) -> tuple[Floats, Floats]:
    price = np.where(np.isnan(bars.vwap), source_column(bars, "hlc3"), bars.vwap)
    volume = np.nan_to_num(bars.volume, nan=0.0)
    return price * volume, volume
