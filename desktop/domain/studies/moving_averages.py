"""Simple, exponential and weighted moving averages."""

from __future__ import annotations

from desktop.domain.bars import Bars, Floats
from desktop.domain.studies.kernel import Carried, Windowed
from desktop.domain.studies.sources import source_column


def sma(source: str, period: int) -> Windowed:
    """TA-Lib's SMA."""

    def compute(bars: Bars) -> tuple[Floats]:
        import talib

        return (talib.SMA(source_column(bars, source), period),)

    return Windowed(1, period - 1, compute)


def wma(source: str, period: int) -> Windowed:
    """TA-Lib's WMA: weights 1 to `period`, the last bar's the greatest."""

    def compute(bars: Bars) -> tuple[Floats]:
        import talib

        return (talib.WMA(source_column(bars, source), period),)

    return Windowed(1, period - 1, compute)


class Ema(Carried):
    """TA-Lib's EMA: begins with the mean of the first `period` values. Every value is the state of the next."""

    width = 1

    def __init__(self, source: str, period: int) -> None:
        super().__init__(period)
        self._source = source
        self._period = period

    def whole(self, bars: Bars) -> tuple[Floats]:
        import talib

        return (talib.EMA(source_column(bars, self._source), self._period),)

    def steps(self, bars: Bars, first: int, columns: Floats) -> None:
        gain = 2 / (self._period + 1)
        value = float(columns[0, first - 1])
        for index, x in enumerate(source_column(bars.take(first, len(bars)), self._source).tolist(), first):
            value = (x - value) * gain + value
            columns[0, index] = value
