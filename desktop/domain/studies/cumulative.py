"""MACD and OBV: what recurs by exponential averages of its own, and what only adds up."""

from __future__ import annotations

import numpy as np

from desktop.domain.bars import Bars, Floats
from desktop.domain.studies.kernel import Carried
from desktop.domain.studies.sources import source_column


class Macd(Carried):
    """MACD, signal and histogram: TA-Lib's MACD. Carries the fast and the slow average.

    Both averages are taken from their own EMA, begun where TA-Lib's MACD begins them: the fast one late, so that both
    give their first value at the same bar.
    """

    width = 5

    def __init__(self, source: str, fast: int, slow: int, signal: int) -> None:
        self._fast, self._slow = sorted((fast, slow))
        self._signal = signal
        super().__init__(self._slow + signal - 1)
        self._source = source

    def whole(self, bars: Bars) -> tuple[Floats, ...]:
        import talib

        values = source_column(bars, self._source)
        first = self._slow - 1
        macd, signal, histogram = talib.MACD(values, self._fast, self._slow, self._signal)
        fast = np.full(len(values), np.nan)
        if len(values) > first:
            fast[first:] = talib.EMA(values[self._slow - self._fast :], self._fast)[self._fast - 1 :]
        return macd, signal, histogram, fast, talib.EMA(values, self._slow)

    def steps(self, bars: Bars, first: int, columns: Floats) -> None:
        gains = [2 / (period + 1) for period in (self._fast, self._slow, self._signal)]
        _, signal, _, fast, slow = columns[:, first - 1].tolist()
        for index, x in enumerate(source_column(bars.take(first, len(bars)), self._source).tolist(), first):
            fast = (x - fast) * gains[0] + fast
            slow = (x - slow) * gains[1] + slow
            macd = fast - slow
            signal = (macd - signal) * gains[2] + signal
            columns[:, index] = macd, signal, macd - signal, fast, slow


class Obv(Carried):
    """TA-Lib's OBV; a bar of unknown volume adds nothing. Every value is the state of the next."""

    width = 1

    def __init__(self) -> None:
        super().__init__(1)

    def whole(self, bars: Bars) -> tuple[Floats]:
        import talib

        return (talib.OBV(bars.close, np.nan_to_num(bars.volume, nan=0.0)),)

    def steps(self, bars: Bars, first: int, columns: Floats) -> None:
        closes = bars.close[first - 1 :].tolist()
        value = float(columns[0, first - 1])
        for at, volume in enumerate(np.nan_to_num(bars.volume[first:], nan=0.0).tolist(), 1):
            if closes[at] > closes[at - 1]:
                value += volume
            elif closes[at] < closes[at - 1]:
                value -= volume
            columns[0, first + at - 1] = value
