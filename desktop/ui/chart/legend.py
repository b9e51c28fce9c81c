"""What the legend says, as runs of text with a role each; and the same bar in one sentence for a screen reader."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import Literal

from desktop.domain.bars import Bar
from desktop.domain.freshness import Freshness
from desktop.domain.market import TickerInfo
from desktop.domain.timeframe import Timeframe
from desktop.services.chart_status import BarState, ChartStatus
from desktop.services.live_end import BarOrigin
from desktop.ui import formatting
from desktop.ui.chart.axes import has_seconds, has_time_of_day
from desktop.ui.formatting import PriceStyle
from desktop.ui.freshness_text import freshness_text

Role = Literal["title", "name", "text", "secondary", "up", "down", "neutral", "warning", "world", "dot"]
SEPARATOR = " · "


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of a line; the text of a `dot` is the freshness it shows, of `world` a filled label.

    A `name` gives way where the line has too little room.
    """

    text: str
    role: Role


def title_line(
    ticker: str, info: TickerInfo | None, timeframe: Timeframe, status: ChartStatus, now_ms: int, *, has_bars: bool
) -> list[Run]:
    """`X:BTCUSD · Bitcoin – US Dollar · 15m · Massive · ● LIVE 0.3 s`; nothing is fresh or old where nothing is."""
    runs = [Run(ticker, "title")]
    if info is not None and info.name and info.name != ticker:
        runs.append(Run(SEPARATOR + info.name, "name"))
    runs.append(Run(f"{SEPARATOR}{timeframe}{SEPARATOR}", "text"))
    is_world = status.source.isupper()
    runs.append(Run(status.source, "world" if is_world else "text"))
    if not has_bars:
        return runs
    runs += [Run(SEPARATOR, "text"), Run(status.freshness.value, "dot")]
    text = freshness_text(status.freshness, status.age_ms(now_ms))
    runs.append(Run(f" {text}", _freshness_role(status.freshness)))
    return runs


def values_line(
    bar: Bar, previous_close: float, style: PriceStyle, state: BarState, origin: BarOrigin, *, is_short: bool = False
) -> list[Run]:
    """`O 64,100.00 H … L … C … +131.50 (+0.21 %) V 812 K · bar settled, REST`; short: the close and its change."""
    direction = _direction(bar, previous_close)
    runs: list[Run] = []
    prices = (("O", bar.open), ("H", bar.high), ("L", bar.low), ("C", bar.close))
    for letter, price in prices[3:] if is_short else prices:
        runs += [Run(f"{letter} ", "secondary"), Run(f"{style.text(price)}  ", direction)]
    if math.isfinite(previous_close) and previous_close:
        change = bar.close - previous_close
        pct = formatting.percent(change / previous_close * 100)
        sign: Role = "neutral" if change == 0 else ("up" if change > 0 else "down")
        runs.append(Run(f"{style.change(change)} ({pct})  ", sign))
    if is_short:
        return runs
    runs += [Run("V ", "secondary"), Run(formatting.volume(bar.volume), "text")]
    runs.append(Run(f"{SEPARATOR}bar {state}, {origin}", "secondary"))
    return runs


def spoken(
    ticker: str,
    timeframe: Timeframe,
    bar: Bar | None,
    style: PriceStyle,
    state: str,
    zone: dt.tzinfo,
) -> str:
    """The bar in focus as a sentence; `state` includes where it comes from."""
    if bar is None:
        return f"{ticker}, {timeframe}: no bar"
    when = bar_time(bar.start_ms, timeframe, zone)
    prices = ", ".join(
        f"{word} {style.text(price)}"
        for word, price in (("open", bar.open), ("high", bar.high), ("low", bar.low), ("close", bar.close))
    )
    return f"{ticker}, {timeframe}, {when}: {prices}, volume {formatting.volume(bar.volume)}, {state}"


def bar_time(start_ms: int, timeframe: Timeframe, zone: dt.tzinfo) -> str:
    """The start of a bar with its zone, as the crosshair shows it."""
    unit_ms = timeframe.typical_ms
    has_time = has_time_of_day(unit_ms)
    text = formatting.bar_time(start_ms, has_time=has_time, has_seconds=has_seconds(unit_ms), zone=zone)
    return f"{text} {formatting.zone_name(start_ms, zone)}" if has_time else text


def _direction(bar: Bar, previous_close: float) -> Role:
    before = bar.open if bar.close != bar.open else previous_close
    if not math.isfinite(before) or bar.close == before:
        return "neutral"
    return "up" if bar.close > before else "down"


def direction_of(bar: Bar, previous_close: float) -> Literal[-1, 0, 1]:
    """1 up, -1 down, 0 neither."""
    role = _direction(bar, previous_close)
    return 1 if role == "up" else (-1 if role == "down" else 0)


def _freshness_role(freshness: Freshness) -> Role:
    if freshness in (Freshness.STALE, Freshness.DELAYED):
        return "warning"
    return "text" if freshness is Freshness.LIVE else "secondary"
