"""Technical indicators over served bars: SMA, EMA, RSI and MACD."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from desktop.demo.market_splits import unadjusted
from desktop.demo.rest_call import Call, bad_parameter
from desktop.demo.windows import Windows
from desktop.demo.wire import aggregate_rows, encode
from desktop.domain.aggregation import grouped
from desktop.domain.bars import Bars, Floats
from desktop.domain.market import market_of
from desktop.domain.timeframe import DAY_MS, HOUR_MS, MINUTE_MS

_UNITS_MS: Final = {
    "minute": MINUTE_MS,
    "hour": HOUR_MS,
    "day": DAY_MS,
    "week": 7 * DAY_MS,
    "month": 31 * DAY_MS,
    "quarter": 92 * DAY_MS,
    "year": 366 * DAY_MS,
}
_WARM_UP_WINDOWS: Final = 10  # an EMA has forgotten its seed to 1e-8 after ten windows
_MOST_BARS: Final = 20_000


def indicator(call: Call, name: str, ticker: str) -> bytes:
    """`/v1/indicators/{sma|ema|rsi|macd}/{ticker}`"""
    unit = call.choice("timespan", tuple(_UNITS_MS), "day")
    series = call.choice("series_type", ("open", "high", "low", "close"), "close")
    limit = call.integer("limit", 10, 1, 5000)
    is_descending = call.choice("order", ("asc", "desc"), "desc") == "desc"
    windows = _lengths(call, name)
    row = call.catalog.find(ticker)
    market = market_of(ticker)
    low, high = call.time_range("timestamp", market)
    high = min(high, call.now_ms + 1)
    bars = _underlying(call, row.ticker if row else ticker, unit, low, high, limit, max(windows), is_descending)
    values = _values(name, getattr(bars, series), windows)
    rows = [
        {"timestamp": start_ms, **fields}
        for start_ms, fields in zip(bars.start_ms.tolist(), values, strict=True)
        if fields and low <= start_ms < high
    ]
    if is_descending:
        rows.reverse()
    first_ms, last_ms = (int(bars.start_ms[0]), int(bars.start_ms[-1])) if len(bars) else (0, 0)
    path = f"/v2/aggs/ticker/{ticker}/range/1/{unit}/{first_ms}/{last_ms}"
    underlying: dict[str, Any] = {"url": f"{call.base}{path}?limit={_MOST_BARS}&sort=asc"}
    if call.flag("expand_underlying", False):
        underlying["aggregates"] = aggregate_rows(bars)
    results: dict[str, Any] = {"underlying": underlying}
    body: dict[str, Any] = {"status": call.status, "request_id": call.request_id, "results": results}
    if page := rows[:limit]:
        results["values"] = page
    if len(rows) > limit:
        bound = "timestamp.lt" if is_descending else "timestamp.gt"
        body["next_url"] = call.next_url({**call.params, bound: str(page[-1]["timestamp"])})
    return encode(body)


def _lengths(call: Call, name: str) -> tuple[int, ...]:
    if name != "macd":
        return (call.integer("window", 14 if name == "rsi" else 50, 1, 500),)
    short, long = call.integer("short_window", 12, 1, 500), call.integer("long_window", 26, 1, 500)
    if short >= long:
        raise bad_parameter("The parameter 'short_window' must be smaller than 'long_window'")
    return short, long, call.integer("signal_window", 9, 1, 500)


def _underlying(
    call: Call, ticker: str, unit: str, low: int, high: int, limit: int, window: int, is_descending: bool
) -> Bars:
    """Bars of one unit that reach far enough back to be independent of where they begin."""
    warm_up = window * _WARM_UP_WINDOWS
    unit_ms = _UNITS_MS[unit]
    oldest_ms = call.source.first_ms
    # Markets are closed up to three quarters of the time: ask for more, take what is needed.
    if is_descending:
        from_ms = max(oldest_ms, low - warm_up * unit_ms, high - 4 * (limit + 1 + warm_up) * unit_ms)
    else:
        from_ms = max(oldest_ms, low - 4 * warm_up * unit_ms)
    windows = Windows.snapped(unit, 1, market_of(ticker), max(0, from_ms), max(0, high - 1))
    bars = call.source.bars(ticker, windows.stored_base, windows.start_ms, windows.end_ms, call.now_ms)
    if not call.flag("adjusted", True):
        bars = unadjusted(bars, call.source.splits(ticker), call.now_ms)
    bars = grouped(bars, windows.starts(bars.start_ms))
    return bars.take(0, _MOST_BARS) if not is_descending else bars.take(max(0, len(bars) - _MOST_BARS), len(bars))


def _values(name: str, prices: Floats, windows: tuple[int, ...]) -> list[dict[str, float]]:
    if name == "macd":
        line = ema(prices, windows[0]) - ema(prices, windows[1])
        signal = ema(line, windows[2])
        rows = zip(line.tolist(), signal.tolist(), (line - signal).tolist(), strict=True)
        return [{} if math.isnan(one[1]) else {"value": one[0], "signal": one[1], "histogram": one[2]} for one in rows]
    column = {"sma": sma, "ema": ema, "rsi": rsi}[name](prices, windows[0])
    return [{} if math.isnan(value) else {"value": value} for value in column.tolist()]


def sma(prices: Floats, window: int) -> Floats:
    """Mean of the last `window` prices; prices (n,) oldest first, NaN for the first window - 1."""
    answer = np.full(len(prices), np.nan)
    if len(prices) >= window:
        answer[window - 1 :] = np.lib.stride_tricks.sliding_window_view(prices, window).mean(axis=1)
    return answer


def ema(prices: Floats, window: int) -> Floats:
    """Exponential mean with weight 2/(window + 1), begun with the mean of the first `window` known prices."""
    answer = np.full(len(prices), np.nan)
    known = np.flatnonzero(~np.isnan(prices))
    if len(known) < window:
        return answer
    first = int(known[0]) + window - 1
    value = float(prices[first - window + 1 : first + 1].mean())
    answer[first] = value
    weight = 2 / (window + 1)
    for index in range(first + 1, len(prices)):
        value += weight * (float(prices[index]) - value)
        answer[index] = value
    return answer


def rsi(prices: Floats, window: int) -> Floats:
    """Wilder's RSI in percent; NaN for the first `window`. Source: Wilder 1978."""
    answer = np.full(len(prices), np.nan)
    if len(prices) <= window:
        return answer
    moves = np.diff(prices)
    gains, losses = np.maximum(moves, 0).tolist(), np.maximum(-moves, 0).tolist()
    gain, loss = sum(gains[:window]) / window, sum(losses[:window]) / window
    for index in range(window, len(prices)):
        if index > window:
            gain += (gains[index - 1] - gain) / window
            loss += (losses[index - 1] - loss) / window
        answer[index] = 100.0 if loss == 0 else 100 - 100 / (1 + gain / loss)
    return answer
