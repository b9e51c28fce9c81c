"""Studies with Wilder's smoothing, value += (x - value) / period: RSI, ATR, ADX."""

from __future__ import annotations

import numpy as np

from desktop.domain.bars import Bars, Floats
from desktop.domain.studies.kernel import Carried
from desktop.domain.studies.sources import source_column


class Rsi(Carried):
    """TA-Lib's RSI in 0..100. Carries the mean gain and the mean loss."""

    width = 3

    def __init__(self, source: str, period: int) -> None:
        super().__init__(period + 1)
        self._source = source
        self._period = period

    def whole(self, bars: Bars) -> tuple[Floats, ...]:
        import talib

        values = source_column(bars, self._source)
        change = np.diff(values, prepend=np.nan)
        gain = smoothed(np.maximum(change, 0.0), self._period, self._period)
        loss = smoothed(np.maximum(-change, 0.0), self._period, self._period)
        return talib.RSI(values, self._period), gain, loss

    def steps(self, bars: Bars, first: int, columns: Floats) -> None:
        values = source_column(bars.take(first - 1, len(bars)), self._source).tolist()
        gain, loss = columns[1:, first - 1].tolist()
        for index in range(first, len(bars)):
            change = values[index - first + 1] - values[index - first]
            gain += (max(change, 0.0) - gain) / self._period
            loss += (max(-change, 0.0) - loss) / self._period
            total = gain + loss
            columns[:, index] = (100 * (gain / total) if total > 0 else 0.0), gain, loss


class Atr(Carried):
    """TA-Lib's ATR. Every value is the state of the next."""

    width = 1

    def __init__(self, period: int) -> None:
        super().__init__(period + 1)
        self._period = period

    def whole(self, bars: Bars) -> tuple[Floats]:
        import talib

        return (talib.ATR(bars.high, bars.low, bars.close, self._period),)

    def steps(self, bars: Bars, first: int, columns: Floats) -> None:
        value = float(columns[0, first - 1])
        for index, true_range in enumerate(true_ranges(bars, first), first):
            value = (value * (self._period - 1) + true_range) / self._period
            columns[0, index] = value


class Adx(Carried):
    """TA-Lib's ADX, PLUS_DI and MINUS_DI in 0..100. Carries the smoothed movements and the true range, as sums."""

    width = 6

    def __init__(self, period: int) -> None:
        super().__init__(2 * period)
        self._period = period

    def whole(self, bars: Bars) -> tuple[Floats, ...]:
        import talib

        period = self._period
        high, low, close = bars.high, bars.low, bars.close
        true_range = smoothed(talib.TRANGE(high, low, close), period - 1, period) * period
        return (
            talib.ADX(high, low, close, period),
            talib.PLUS_DI(high, low, close, period),
            talib.MINUS_DI(high, low, close, period),
            talib.PLUS_DM(high, low, period),
            talib.MINUS_DM(high, low, period),
            true_range,
        )

    def steps(self, bars: Bars, first: int, columns: Floats) -> None:
        period = self._period
        highs, lows = bars.high[first - 1 :].tolist(), bars.low[first - 1 :].tolist()
        adx, _, _, plus, minus, total = columns[:, first - 1].tolist()
        for index, true_range in enumerate(true_ranges(bars, first), first):
            at = index - first + 1
            rise, fall = highs[at] - highs[at - 1], lows[at - 1] - lows[at]
            plus += (rise if rise > 0 and rise > fall else 0.0) - plus / period
            minus += (fall if fall > 0 and fall > rise else 0.0) - minus / period
            total += true_range - total / period
            plus_di = minus_di = 0.0
            if total > 0:
                plus_di, minus_di = 100 * (plus / total), 100 * (minus / total)
                both = plus_di + minus_di
                if both > 0:
                    adx = (adx * (period - 1) + 100 * (abs(plus_di - minus_di) / both)) / period
            columns[:, index] = adx, plus_di, minus_di, plus, minus, total


def smoothed(values: Floats, seed_index: int, period: int) -> Floats:
    """Wilder's smoothing from `seed_index` on, which is sum(values[1 : seed_index + 1]) / period; NaN before.

    TA-Lib's EMA of 2 * period - 1 has just this gain; its first window is filled with the seed.
    """
    import talib

    result = np.full(len(values), np.nan)
    if len(values) > seed_index:
        seed = values[1 : seed_index + 1].sum() / period
        length = 2 * period - 1
        led = np.concatenate([np.full(length, seed), values[seed_index + 1 :]])
        result[seed_index:] = talib.EMA(led, length)[length - 1 :]
        result[seed_index] = seed
    return result


def true_ranges(bars: Bars, first: int) -> list[float]:
    """Of the bars from `first` on, which is above zero."""
    high, low, before = bars.high[first:], bars.low[first:], bars.close[first - 1 : -1]
    ranges: list[float] = np.maximum(np.maximum(high - low, np.abs(high - before)), np.abs(low - before)).tolist()
    return ranges
