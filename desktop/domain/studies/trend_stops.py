"""Overlays that follow a trend and change sides: Supertrend and parabolic SAR."""

from __future__ import annotations

from typing import Final

import numpy as np

from desktop.domain.bars import Bars, Floats
from desktop.domain.studies.kernel import Carried
from desktop.domain.studies.wilder import Atr

_LONG: Final = 1.0
_SHORT: Final = -1.0
_BLOCK: Final = 16_384  # bars as Python numbers at a time
_KEPT: Final = 512  # bars at the end whose state is held


class Supertrend(Carried):
    """Bands at hl2 ± factor * ATR (TA-Lib's) that only tighten, of which the one on the trend's side is shown.

    As TradingView's `ta.supertrend`: the upper band falls, or starts anew when the close before was above it, and the
    lower one likewise; the trend begins short and turns when the close passes the band on its side.
    Carries ATR, both bands and the trend.
    """

    width = 5

    def __init__(self, period: int, factor: float) -> None:
        super().__init__(period + 1)
        self._period = period
        self._factor = factor
        self._atr = Atr(period)

    def whole(self, bars: Bars) -> tuple[Floats, ...]:
        columns = np.full((self.width, len(bars)), np.nan)
        columns[1] = self._atr.whole(bars)[0]
        if len(bars) > self._period:
            first = self._period
            middle = (bars.high[first] + bars.low[first]) / 2
            reach = self._factor * columns[1, first]
            upper, lower = middle + reach, middle - reach
            columns[:, first] = upper, columns[1, first], upper, lower, _SHORT
            self._follow(bars, first + 1, columns)
        return tuple(columns)

    def steps(self, bars: Bars, first: int, columns: Floats) -> None:
        self._atr.steps(bars, first, columns[1:2])
        self._follow(bars, first, columns)

    def _follow(self, bars: Bars, first: int, columns: Floats) -> None:
        for begin in range(first, len(bars), _BLOCK):
            self._follow_block(bars.take(begin - 1, begin + _BLOCK), columns[:, begin - 1 : begin + _BLOCK])

    def _follow_block(self, bars: Bars, columns: Floats) -> None:
        """Bands and trend of all bars but the first, from those of the first."""
        middle = (bars.high[1:] + bars.low[1:]) / 2
        reach = self._factor * columns[1, 1:]
        closes = bars.close.tolist()
        upper, lower, trend = columns[2:, 0].tolist()
        rows = []
        for before, close, high_band, low_band in zip(
            closes, closes[1:], (middle + reach).tolist(), (middle - reach).tolist(), strict=False
        ):
            if high_band < upper or before > upper:
                upper = high_band
            if low_band > lower or before < lower:
                lower = low_band
            if trend > 0:
                if close < lower:
                    trend = _SHORT
            elif close > upper:
                trend = _LONG
            rows.append((upper, lower, trend))
        columns[2:, 1:] = np.array(rows).T
        columns[0, 1:] = np.where(columns[4, 1:] > 0, columns[3, 1:], columns[2, 1:])


class ParabolicSar(Carried):
    """TA-Lib's SAR. Carries trend, extreme point and acceleration, for the last bars only: the rest is NaN."""

    width = 4

    def __init__(self, acceleration: float, maximum: float) -> None:
        super().__init__(3)
        self._step = min(acceleration, maximum)
        self._maximum = maximum

    def whole(self, bars: Bars) -> tuple[Floats, ...]:
        import talib

        count = len(bars)
        columns = np.full((self.width, count), np.nan)
        columns[0] = talib.SAR(bars.high, bars.low, self._step, self._maximum)
        if count > 1:
            first = max(1, count - _KEPT)
            columns[1:, first] = self._state(bars.take(0, first + 1), columns[0, : first + 1])
            self._follow(bars, first + 1, columns)
        return tuple(columns)

    def steps(self, bars: Bars, first: int, columns: Floats) -> None:
        if np.isnan(columns[1, first - 1]):
            columns[:] = self.whole(bars)
        else:
            self._follow(bars, first, columns)

    def _follow(self, bars: Bars, first: int, columns: Floats) -> None:
        sar, trend, extreme, acceleration = columns[:, first - 1].tolist()
        highs, lows = bars.high[first - 2 :].tolist(), bars.low[first - 2 :].tolist()
        if first == 2:  # TA-Lib looks at the second bar twice here, and never at the first one
            highs[0], lows[0] = highs[1], lows[1]
        for index in range(first, len(bars)):
            at = index - first + 2
            high, low = highs[at], lows[at]
            sar += acceleration * (extreme - sar)
            if trend > 0:
                sar = min(sar, lows[at - 1], lows[at - 2])
                turns = low <= sar
            else:
                sar = max(sar, highs[at - 1], highs[at - 2])
                turns = high >= sar
            if turns:
                trend = -trend
                sar = max(extreme, highs[at - 1], high) if trend < 0 else min(extreme, lows[at - 1], low)
                extreme, acceleration = (high if trend > 0 else low), self._step
            elif (high > extreme) if trend > 0 else (low < extreme):
                extreme = high if trend > 0 else low
                acceleration = min(acceleration + self._step, self._maximum)
            columns[:, index] = sar, trend, extreme, acceleration

    def _state(self, bars: Bars, sar: Floats) -> tuple[float, float, float]:
        """Trend, extreme point and acceleration at the last of at least two bars, which TA-Lib keeps to itself.

        They follow from the values: below the low the trend is long, above the high short, and on a bar of one
        price which the value meets the trend has just turned.
        """
        high, low = bars.high, bars.low
        meets = (high == low) & (sar == low)
        trend = np.where(sar <= low, _LONG, _SHORT)
        fall, rise = low[0] - low[1], high[1] - high[0]
        meets[0], trend[0] = False, (_SHORT if fall > 0 and fall > rise else _LONG)
        known = np.maximum.accumulate(np.where(meets, 0, np.arange(len(bars))))
        turns = np.cumsum(meets)
        trend = trend[known] * np.where((turns - turns[known]) % 2, -1.0, 1.0)
        begin = max(1, int(np.flatnonzero(meets | (np.diff(trend, prepend=trend[:1]) != 0)).max(initial=1)))
        is_long = bool(trend[-1] > 0)
        reached = np.maximum.accumulate(high[begin:]) if is_long else np.minimum.accumulate(low[begin:])
        acceleration = self._step
        for _ in range(int(np.count_nonzero(np.diff(reached)))):
            if acceleration >= self._maximum:
                break
            acceleration = min(acceleration + self._step, self._maximum)
        return float(trend[-1]), float(reached[-1]), acceleration
