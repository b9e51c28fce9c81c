"""Studies over an exact window: Bollinger, volume average, Ichimoku, stochastic, CCI, MFI."""

from __future__ import annotations

import numpy as np

from desktop.domain.bars import Bars, Floats
from desktop.domain.studies.kernel import Windowed
from desktop.domain.studies.rolling import rolling_sum
from desktop.domain.studies.sources import source_column


def bollinger(source: str, period: int, deviations: float) -> Windowed:
    """Middle, upper, lower: TA-Lib's BBANDS, mean and population standard deviation of the window."""

    def compute(bars: Bars) -> tuple[Floats, ...]:
        import talib

        upper, middle, lower = talib.BBANDS(source_column(bars, source), period, deviations, deviations)
        return middle, upper, lower

    return Windowed(3, period - 1, compute)


def volume_average(period: int) -> Windowed:
    """Mean volume of the window, NaN while it has a bar of unknown volume. By numpy, see `rolling`."""
    return Windowed(1, period - 1, lambda bars: (rolling_sum(bars.volume, period) / period,))


def ichimoku(conversion: int, base: int, span: int) -> Windowed:
    """Conversion, base, leading span A, leading span B, lagging: TA-Lib's MIDPRICE and the close, all undisplaced."""

    def compute(bars: Bars) -> tuple[Floats, ...]:
        import talib

        short, middle, long = (talib.MIDPRICE(bars.high, bars.low, period) for period in (conversion, base, span))
        return short, middle, (short + middle) / 2, long, bars.close

    return Windowed(5, max(conversion, base, span) - 1, compute)


def stochastic(fast: int, smooth: int, signal: int) -> Windowed:
    """%K (smoothed) and %D in 0..100: TA-Lib's STOCH with simple averages; 0 where the window has no range."""

    def compute(bars: Bars) -> tuple[Floats, ...]:
        import talib

        k, d = talib.STOCH(bars.high, bars.low, bars.close, fastk_period=fast, slowk_period=smooth, slowd_period=signal)
        return k, d

    return Windowed(2, fast + smooth + signal - 3, compute)


def cci(period: int) -> Windowed:
    """TA-Lib's CCI. Its ring of `period` values decides the order of the sums, hence the alignment."""

    def compute(bars: Bars) -> tuple[Floats]:
        import talib

        return (talib.CCI(bars.high, bars.low, bars.close, period),)

    return Windowed(1, period - 1, compute, align=period)


def mfi(period: int) -> Windowed:
    """100 * rising flow / all flow of the window, flow = typical price * volume; 0 where nothing flowed.

    TA-Lib's MFI, by numpy, see `rolling`. NaN while the window has a bar of unknown volume.
    """

    def compute(bars: Bars) -> tuple[Floats]:
        typical = source_column(bars, "hlc3")
        rise = np.diff(typical, prepend=np.nan)
        flow = typical * bars.volume
        rising = rolling_sum(np.where(rise > 0, flow, 0 * flow)[1:], period)
        falling = rolling_sum(np.where(rise < 0, flow, 0 * flow)[1:], period)
        total = rising + falling
        ratio = np.divide(rising, total, out=np.where(np.isnan(total), np.nan, 0.0), where=total > 0)
        return (np.concatenate([np.full(min(1, len(bars)), np.nan), 100 * ratio]),)

    return Windowed(1, period, compute)
