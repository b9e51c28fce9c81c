"""What every study must give: TA-Lib over the whole series, or its definition written out."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from zoneinfo import ZoneInfo

import numpy as np
import talib

from desktop.domain.bars import Bars, Floats
from desktop.domain.market import Market
from desktop.domain.studies.study import Study

NEW_YORK = ZoneInfo("America/New_York")


def price(bars: Bars, name: str) -> Floats:
    columns = {
        "hl2": (bars.high, bars.low),
        "hlc3": (bars.high, bars.low, bars.close),
        "ohlc4": (bars.open, bars.high, bars.low, bars.close),
    }.get(name)
    return getattr(bars, name) if columns is None else sum(columns) / len(columns)


def windows(values: Floats, period: int, give: Callable[[list[float]], float]) -> Floats:
    """`give` of each window's values."""
    result = np.full(len(values), np.nan)
    for end in range(period, len(values) + 1):
        result[end - 1] = give(values[end - period : end].tolist())
    return result


def mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)


def deviation(values: list[float]) -> float:
    middle = mean(values)
    return math.sqrt(math.fsum((value - middle) ** 2 for value in values) / len(values))


def expected(study: Study, bars: Bars, market: Market) -> tuple[Floats, ...]:
    """The outputs of `study`."""
    p = dict(study.params)
    high, low, close = bars.high, bars.low, bars.close
    values = price(bars, str(p.get("source", "close")))
    match study.kind:
        case "sma" | "ema" | "wma":
            return (getattr(talib, study.kind.upper())(values, p["period"]),)
        case "bollinger":
            middle = windows(values, p["period"], mean)
            reach = p["deviations"] * windows(values, p["period"], deviation)
            return middle, middle + reach, middle - reach
        case "volume_ma":
            return (windows(bars.volume, p["period"], mean),)
        case "ichimoku":
            short, middle, long = (
                (windows(high, p[name], max) + windows(low, p[name], min)) / 2
                for name in ("conversion", "base", "span")
            )
            return short, middle, (short + middle) / 2, long, close
        case "sar":
            return (talib.SAR(high, low, p["acceleration"], p["maximum"]),)
        case "supertrend":
            return (supertrend(bars, p["period"], p["factor"]),)
        case "vwap":
            return (vwap(bars, p["anchor"], market),)
        case "rsi":
            return (talib.RSI(values, p["period"]),)
        case "macd":
            return talib.MACD(values, p["fast"], p["slow"], p["signal"])
        case "stochastic":
            return talib.STOCH(high, low, close, p["length"], p["smooth"], 0, p["signal"], 0)
        case "atr":
            return (talib.ATR(high, low, close, p["period"]),)
        case "adx":
            columns = high, low, close
            return tuple(function(*columns, p["period"]) for function in (talib.ADX, talib.PLUS_DI, talib.MINUS_DI))
        case "obv":
            return (talib.OBV(close, np.nan_to_num(bars.volume, nan=0.0)),)
        case "cci":
            return (talib.CCI(high, low, close, p["period"]),)
        case "mfi":
            return (mfi(bars, p["period"]),)
    raise AssertionError(f"no reference for {study.kind}")


def mfi(bars: Bars, period: int) -> Floats:
    typical = price(bars, "hlc3").tolist()
    flows = [(math.nan, math.nan)]
    for before, now, volume in zip(typical, typical[1:], bars.volume[1:].tolist(), strict=False):
        flow = now * volume
        flows.append((flow * (now > before), flow * (now < before)))
    rising, falling = (windows(np.array(column), period, math.fsum) for column in zip(*flows, strict=True))
    total = rising + falling
    result = np.where(total > 0, 100 * rising / np.where(total > 0, total, 1), total)
    return result[: len(bars)]


def supertrend(bars: Bars, period: int, factor: float) -> Floats:
    """TradingView's `ta.supertrend`, bar by bar, with the trend remembered instead of told from equal bands."""
    atr = talib.ATR(bars.high, bars.low, bars.close, period)
    result = np.full(len(bars), np.nan)
    upper = lower = math.nan
    is_rising = False
    for i in range(period, len(bars)):
        middle = (bars.high[i] + bars.low[i]) / 2
        new_upper, new_lower = middle + factor * atr[i], middle - factor * atr[i]
        if i > period:
            before = bars.close[i - 1]
            new_lower = new_lower if new_lower > lower or before < lower else lower
            new_upper = new_upper if new_upper < upper or before > upper else upper
            is_rising = not bars.close[i] < new_lower if is_rising else bool(bars.close[i] > new_upper)
        upper, lower = new_upper, new_lower
        result[i] = lower if is_rising else upper
    return result


def vwap(bars: Bars, anchor: str, market: Market) -> Floats:
    result = np.full(len(bars), np.nan)
    turnover: list[float] = []
    volumes: list[float] = []
    held: object = None
    for i in range(len(bars)):
        bar = bars[i]
        key = anchor_of(bar.start_ms, anchor, market)
        if key != held:
            held, turnover, volumes = key, [], []
        if not math.isnan(bar.volume):
            at = (bar.high + bar.low + bar.close) / 3 if math.isnan(bar.vwap) else bar.vwap
            turnover.append(at * bar.volume)
            volumes.append(bar.volume)
        total = math.fsum(volumes)
        if total > 0:
            result[i] = math.fsum(turnover) / total
    return result


def anchor_of(start_ms: int, anchor: str, market: Market) -> object:
    utc = dt.datetime.fromtimestamp(start_ms / 1000, dt.UTC)
    new_york = utc.astimezone(NEW_YORK)
    local = new_york if market is Market.STOCKS else utc
    if anchor == "week":
        return local.isocalendar()[:2]
    if anchor == "day" or market is Market.CRYPTO:
        return local.date()
    if market is Market.FOREX:
        return new_york.date() + dt.timedelta(days=new_york.hour >= 17)
    is_open = local.time() >= dt.time(9, 30) and local.weekday() < 5
    return local.date(), is_open


def scale_of(study: Study, bars: Bars) -> float:
    """The size of what a study is the difference or quotient of, below which its digits mean nothing."""
    if study.entry.fixed_range is not None or study.kind == "cci":
        return 100.0
    column = bars.volume if study.kind in ("obv", "volume_ma") else bars.high
    return float(np.nanmax(np.abs(column), initial=0.0))


def assert_equal(study: Study, bars: Bars, got: tuple[Floats, ...], want: tuple[Floats, ...], what: str) -> None:
    """To 1e-9 relative; near zero to 1e-12 of `scale_of`. Unknown at the same bars."""
    assert len(got) == len(want)
    for name, left, right in zip(study.entry.output_names, got, want, strict=True):
        np.testing.assert_allclose(
            left, right, rtol=1e-9, atol=1e-12 * scale_of(study, bars), err_msg=f"{study.label} {name}, {what}"
        )
