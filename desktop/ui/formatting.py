"""Prices, changes, volumes, times and durations as text. Pure; never exponents, never float noise."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final

import numpy as np

from desktop.domain.bars import Floats
from desktop.domain.market import Market
from desktop.domain.timeframe import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

MINUS: Final = "\u2212"
DASH: Final = "\u2013"
NOTHING: Final = "—"
_SUBSCRIPTS: Final = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_FOLDED_BELOW: Final = Decimal("0.0001")
_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_THREE_DIGITS: Final = Context(prec=3, rounding=ROUND_HALF_UP)
_SAMPLE: Final = 200  # closes that decide a ticker's precision


@dataclass(frozen=True, slots=True)
class PriceStyle:
    """How one ticker's prices are written: digits after the point, and whether leading zeros fold."""

    decimals: int = 2
    folds_zeros: bool = False
    is_large: bool = False  # from 10,000 up, where an axis of whole steps needs no decimals

    def text(self, price: float | None) -> str:
        """`64,231.50`, `0.0₅1234`; a dash for None and NaN."""
        if price is None or not math.isfinite(price):
            return NOTHING
        return decimal_text(Decimal(repr(float(price))), self.decimals, folds_zeros=self.folds_zeros)

    def change(self, difference: float | None) -> str:
        """The same with its sign: `+131.50`, `−0.0₅12`."""
        if difference is None or not math.isfinite(difference):
            return NOTHING
        size = self.text(abs(difference))
        if not any(digit in size for digit in "123456789"):
            return "0" if self.folds_zeros else size
        return (MINUS if difference < 0 else "+") + size


def price_decimals(price: float, market: Market, currency: str = "") -> int:
    """Digits after the point a price of this size is written with."""
    size = abs(price)
    if market is Market.FOREX:
        return 3 if currency.upper() == "JPY" else 5
    if market is Market.STOCKS:
        return 4 if 0.0001 <= size < 1 else (2 if size >= 1 or size == 0 else _four_digits(size))
    if not math.isfinite(size) or size >= 100 or size == 0:
        return 2
    for floor, decimals in ((1.0, 4), (0.01, 5), (0.0001, 7)):
        if size >= floor:
            return decimals
    return _four_digits(size)


def price_style(price: float | None, market: Market, currency: str = "") -> PriceStyle:
    """The style for prices around `price`."""
    size = abs(price) if price is not None and math.isfinite(price) else 1_000.0
    decimals = price_decimals(size, market, currency)
    return PriceStyle(decimals, folds_zeros=0 < size < float(_FOLDED_BELOW), is_large=size >= 10_000)


def style_of_closes(closes: Floats, market: Market, currency: str = "") -> PriceStyle:
    """One style for a ticker, from the median of its last 200 closes (n,), so that it does not flicker."""
    sample = closes[-_SAMPLE:]
    sample = sample[np.isfinite(sample)]
    return price_style(float(np.median(sample)) if len(sample) else None, market, currency)


def decimal_text(value: Decimal, decimals: int, *, folds_zeros: bool = False) -> str:
    """`value` rounded half up to `decimals`, thousands separated, U+2212 for minus, long zeros as a subscript."""
    rounded = value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP) if decimals < 60 else value
    sign = MINUS if rounded < 0 else ""
    size = abs(rounded)
    if folds_zeros and 0 < size < _FOLDED_BELOW:
        digits = f"{size:f}".split(".")[1]
        zeros = len(digits) - len(digits.lstrip("0"))
        return f"{sign}0.0{str(zeros).translate(_SUBSCRIPTS)}{digits[zeros:]}"
    return f"{sign}{size:,f}"


def percent(value: float | None) -> str:
    """`+2.50 %`; a dash when unknown."""
    if value is None or not math.isfinite(value):
        return NOTHING
    return signed_percent(Decimal(repr(float(value))), 2)


def signed_percent(value: Decimal, decimals: int) -> str:
    """`+2.50 %`, `−0.125 %`; nothing has no sign."""
    size = decimal_text(abs(value), decimals)
    if not any(digit in size for digit in "123456789"):
        return f"{size} %"
    return f"{MINUS if value < 0 else '+'}{size} %"


def arrow(change: float | None) -> str:
    """▲ for up, ▼ for down, nothing otherwise: colour is never the only sign."""
    if change is None or not math.isfinite(change) or change == 0:
        return ""
    return "▲" if change > 0 else "▼"


def signed_volume(value: float | None) -> str:
    """As `volume` writes it, for a quantity that can be negative: `−13.4`."""
    text = volume(value)
    return MINUS + text if value is not None and value < 0 else text


def volume(value: float | None) -> str:
    """Three significant digits: `0.0345`, `812`, `812 K`, `1.00 M`; a dash when unknown."""
    if value is None or not math.isfinite(value):
        return NOTHING
    size = Decimal(repr(abs(float(value))))
    for unit in ("", " K", " M", " B"):
        if size < Decimal("999.5"):
            return _three_digits(size) + unit
        size /= 1000
    return _three_digits(size) + " T"


def countdown(left_ms: int) -> str:
    """`mm:ss`, `h:mm:ss` or `2 d 04 h`; never below zero."""
    seconds = max(0, -(-left_ms // SECOND_MS))
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    if days:
        return f"{days} d {hours:02} h"
    return clock_text(seconds) if hours else f"{rest // 60:02}:{rest % 60:02}"


def clock_text(seconds: int) -> str:
    """A length of time as `mm:ss` or `h:mm:ss`."""
    minutes, second = divmod(max(0, seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute:02}:{second:02}"


def age(passed_ms: int | None) -> str:
    """How long ago: `0.3 s`, `42 s`, `3 m`, `5 h`, `2 d`; a dash when unknown."""
    if passed_ms is None:
        return NOTHING
    passed_ms = max(0, passed_ms)
    if passed_ms < 10 * SECOND_MS:
        return f"{passed_ms // 100 / 10:.1f} s"
    for limit_ms, unit_ms, unit in ((MINUTE_MS, SECOND_MS, "s"), (HOUR_MS, MINUTE_MS, "m"), (DAY_MS, HOUR_MS, "h")):
        if passed_ms < limit_ms:
            return f"{passed_ms // unit_ms} {unit}"
    return f"{passed_ms // DAY_MS} d"


def zoned(time_ms: int, zone: dt.tzinfo = dt.UTC) -> dt.datetime:
    """A Unix ms time on the clock of a zone; times out of the calendar's reach are clamped to it."""
    return dt.datetime.fromtimestamp(min(max(time_ms, -62_135_510_400_000), 253_402_214_400_000) / 1000, zone)


def bar_time(time_ms: int, *, has_time: bool, has_seconds: bool = False, zone: dt.tzinfo = dt.UTC) -> str:
    """`Mon 03 Mar '26 14:03`; without the time of day for bars of a day and longer."""
    when = zoned(time_ms, zone)
    date = f"{_WEEKDAYS[when.weekday()]} {when.day:02} {MONTHS[when.month - 1]} '{when.year % 100:02}"
    if not has_time:
        return date
    return f"{date} {when:%H:%M:%S}" if has_seconds else f"{date} {when:%H:%M}"


def moment(time_ms: int, zone: dt.tzinfo = dt.UTC) -> str:
    """`Tue 03 Mar '26 14:03:17.7 UTC`, to the tenth of a second."""
    text = bar_time(time_ms, has_time=True, has_seconds=True, zone=zone)
    return f"{text}.{time_ms // 100 % 10} {zone_name(time_ms, zone)}"


def day_label(when: dt.datetime) -> str:
    """`Mon 3`."""
    return f"{_WEEKDAYS[when.weekday()]} {when.day}"


def zone_name(time_ms: int, zone: dt.tzinfo = dt.UTC) -> str:
    """`UTC`, `UTC+1`, `UTC−3:30`: the offset in force at that time."""
    offset = zoned(time_ms, zone).utcoffset() or dt.timedelta()
    minutes = round(offset.total_seconds() / 60)
    if minutes == 0:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'+' if minutes > 0 else MINUS}{hours}" + (f":{rest:02}" if rest else "")


def _four_digits(size: float) -> int:
    return min(50, 3 - Decimal(repr(size)).adjusted())


def _three_digits(size: Decimal) -> str:
    if size == 0:
        return "0"
    size = _THREE_DIGITS.plus(size)
    return decimal_text(size, max(0, 2 - size.adjusted()), folds_zeros=True)
