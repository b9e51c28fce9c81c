"""All studies. To add one: an entry here, and a kernel when TA-Lib's function is not enough."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from desktop.domain.errors import BadInput
from desktop.domain.studies import cumulative, trend_stops, wilder, windowed
from desktop.domain.studies import moving_averages as averages
from desktop.domain.studies.entry import Plot, StudyEntry, anchor, factor, line, period, source
from desktop.domain.studies.vwap import Vwap

OVERLAYS: Final = (
    StudyEntry(
        "sma",
        "Simple moving average",
        "SMA",
        "overlay",
        parameters=(period(20, minimum=1), source()),
        output_names=("average",),
        plots=(line("average", "Average", colour="first"),),
        kernel=lambda p, _: averages.sma(p.text("source"), p.whole("period")),
    ),
    StudyEntry(
        "ema",
        "Exponential moving average",
        "EMA",
        "overlay",
        parameters=(period(20, minimum=1), source()),
        output_names=("average",),
        plots=(line("average", "Average", colour="second"),),
        kernel=lambda p, _: averages.Ema(p.text("source"), p.whole("period")),
    ),
    StudyEntry(
        "wma",
        "Weighted moving average",
        "WMA",
        "overlay",
        parameters=(period(20, minimum=1), source()),
        output_names=("average",),
        plots=(line("average", "Average", colour="third"),),
        kernel=lambda p, _: averages.wma(p.text("source"), p.whole("period")),
    ),
    StudyEntry(
        "bollinger",
        "Bollinger bands",
        "BB",
        "overlay",
        parameters=(period(20), factor("deviations", "Deviations", 2.0, 10.0, 0.1), source()),
        output_names=("middle", "upper", "lower"),
        plots=(
            Plot("band", "Band", "band", "first", (2, 1)),
            line("middle", "Middle", 0, "second"),
        ),
        kernel=lambda p, _: windowed.bollinger(p.text("source"), p.whole("period"), p.number("deviations")),
    ),
    StudyEntry(
        "vwap",
        "Volume-weighted average price",
        "VWAP",
        "overlay",
        parameters=(anchor(),),
        output_names=("average",),
        plots=(line("average", "Average", colour="fourth"),),
        kernel=lambda p, market: Vwap(p.text("anchor"), market),
    ),
    StudyEntry(
        "volume_ma",
        "Volume average",
        "Vol MA",
        "overlay",
        parameters=(period(20, minimum=1),),
        output_names=("average",),
        plots=(line("average", "Average", colour="second"),),
        kernel=lambda p, _: windowed.volume_average(p.whole("period")),
        axis="volume",
    ),
    StudyEntry(
        "ichimoku",
        "Ichimoku cloud",
        "Ichimoku",
        "overlay",
        parameters=(
            period(9, name="conversion", label="Conversion"),
            period(26, name="base", label="Base"),
            period(52, name="span", label="Span B"),
            period(26, name="displacement", label="Displacement", minimum=1),
        ),
        output_names=("conversion", "base", "span_a", "span_b", "lagging"),
        plots=(
            Plot("cloud", "Cloud", "cloud", "trend", (2, 3), shift="displacement"),
            line("conversion", "Conversion", 0, "first"),
            line("base", "Base", 1, "second"),
            Plot("lagging", "Lagging", "line", "muted", (4,), shift="displacement", shift_sign=-1),
        ),
        kernel=lambda p, _: windowed.ichimoku(p.whole("conversion"), p.whole("base"), p.whole("span")),
    ),
    StudyEntry(
        "sar",
        "Parabolic SAR",
        "SAR",
        "overlay",
        parameters=(
            factor("acceleration", "Acceleration", 0.02, 1.0, 0.005),
            factor("maximum", "Maximum", 0.2, 1.0, 0.01),
        ),
        output_names=("stop",),
        plots=(Plot("stop", "Stop", "dots", "trend", (0,)),),
        kernel=lambda p, _: trend_stops.ParabolicSar(p.number("acceleration"), p.number("maximum")),
    ),
    StudyEntry(
        "supertrend",
        "Supertrend",
        "Supertrend",
        "overlay",
        parameters=(period(10, minimum=1), factor("factor", "Factor", 3.0, 20.0, 0.1)),
        output_names=("stop",),
        plots=(Plot("stop", "Stop", "line", "trend", (0,)),),
        kernel=lambda p, _: trend_stops.Supertrend(p.whole("period"), p.number("factor")),
    ),
)

PANES: Final = (
    StudyEntry(
        "rsi",
        "Relative strength index",
        "RSI",
        "pane",
        parameters=(period(14), source()),
        output_names=("rsi",),
        plots=(line("rsi", "RSI"),),
        kernel=lambda p, _: wilder.Rsi(p.text("source"), p.whole("period")),
        axis="own",
        levels=(30, 70),
        fixed_range=(0, 100),
    ),
    StudyEntry(
        "macd",
        "Moving average convergence divergence",
        "MACD",
        "pane",
        parameters=(
            period(12, name="fast", label="Fast"),
            period(26, name="slow", label="Slow"),
            period(9, name="signal", label="Signal", minimum=1),
            source(),
        ),
        output_names=("macd", "signal", "histogram"),
        plots=(
            Plot("histogram", "Histogram", "histogram", "trend", (2,)),
            line("macd", "MACD", 0, "first"),
            line("signal", "Signal", 1, "second"),
        ),
        kernel=lambda p, _: cumulative.Macd(p.text("source"), p.whole("fast"), p.whole("slow"), p.whole("signal")),
        axis="own",
        levels=(0,),
    ),
    StudyEntry(
        "stochastic",
        "Stochastic",
        "Stoch",
        "pane",
        parameters=(
            period(14, name="length", label="%K length", minimum=1),
            period(3, name="smooth", label="%K smoothing", minimum=1),
            period(3, name="signal", label="%D smoothing", minimum=1),
        ),
        output_names=("k", "d"),
        plots=(line("k", "%K", 0, "first"), line("d", "%D", 1, "second")),
        kernel=lambda p, _: windowed.stochastic(p.whole("length"), p.whole("smooth"), p.whole("signal")),
        axis="own",
        levels=(20, 80),
        fixed_range=(0, 100),
    ),
    StudyEntry(
        "atr",
        "Average true range",
        "ATR",
        "pane",
        parameters=(period(14, minimum=1),),
        output_names=("atr",),
        plots=(line("atr", "ATR"),),
        kernel=lambda p, _: wilder.Atr(p.whole("period")),
        axis="own",
    ),
    StudyEntry(
        "adx",
        "Average directional index",
        "ADX",
        "pane",
        parameters=(period(14),),
        output_names=("adx", "plus_di", "minus_di"),
        plots=(
            line("adx", "ADX", 0, "first"),
            line("plus_di", "+DI", 1, "up"),
            line("minus_di", "−DI", 2, "down"),
        ),
        kernel=lambda p, _: wilder.Adx(p.whole("period")),
        axis="own",
        levels=(25,),
        fixed_range=(0, 100),
    ),
    StudyEntry(
        "obv",
        "On-balance volume",
        "OBV",
        "pane",
        parameters=(),
        output_names=("obv",),
        plots=(line("obv", "OBV"),),
        kernel=lambda _, __: cumulative.Obv(),
        axis="own",
    ),
    StudyEntry(
        "cci",
        "Commodity channel index",
        "CCI",
        "pane",
        parameters=(period(20),),
        output_names=("cci",),
        plots=(line("cci", "CCI"),),
        kernel=lambda p, _: windowed.cci(p.whole("period")),
        axis="own",
        levels=(-100, 100),
    ),
    StudyEntry(
        "mfi",
        "Money flow index",
        "MFI",
        "pane",
        parameters=(period(14),),
        output_names=("mfi",),
        plots=(line("mfi", "MFI"),),
        kernel=lambda p, _: windowed.mfi(p.whole("period")),
        axis="own",
        levels=(20, 80),
        fixed_range=(0, 100),
    ),
)

STUDIES: Final = OVERLAYS + PANES
_BY_KIND: Final = MappingProxyType({entry.kind: entry for entry in STUDIES})


def entry_of(kind: str) -> StudyEntry:
    """Raises BadInput when no study is called that."""
    entry = _BY_KIND.get(kind)
    if entry is None:
        raise BadInput(f"There is no study called “{kind}”.", next_step=f"Known are {', '.join(_BY_KIND)}.")
    return entry
