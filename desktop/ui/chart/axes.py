"""Which labels stand on the price and time axes, and where. Pure; times on the clock of a zone."""

from __future__ import annotations

import bisect
import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from desktop.domain.bars import Ints
from desktop.domain.timeframe import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from desktop.ui import formatting
from desktop.ui.chart.geometry import Step, multiples, price_step
from desktop.ui.chart.slots import SlotAxis
from desktop.ui.formatting import PriceStyle

MIN_GAP: Final = 16.0  # logical pixels between two time labels
MIN_GRID_X: Final = 60.0
MIN_GRID_Y: Final = 40.0
_MAX_LABELS: Final = 400

_SECOND, _MINUTE, _DAY, _MONTH, _YEAR = range(5)  # weights: the heavier label wins


@dataclass(frozen=True, slots=True)
class PriceLabel:
    """A label of the price axis; `price` is exactly what the text says."""

    price: float
    text: str


@dataclass(frozen=True, slots=True)
class TimeLabel:
    """A label of the time axis at a slot; strong ones begin a longer unit. `when` is what the text says."""

    slot: int
    text: str
    is_strong: bool
    weight: int
    when: dt.datetime


def price_labels(
    bottom: float, top: float, height: float, font_height: float, style: PriceStyle, *, least_gap: float = MIN_GRID_Y
) -> tuple[list[PriceLabel], PriceStyle]:
    """Labels for [bottom, top] over `height` logical pixels, lowest first, no two alike; and the style they are in."""
    if not top > bottom:
        return [], style
    step = price_step(top - bottom, height, max(least_gap, 2.5 * font_height))
    style = axis_style(style, step)
    return [PriceLabel(float(value), _exact_text(value, style)) for value in multiples(bottom, top, step)], style


def axis_style(style: PriceStyle, step: Step) -> PriceStyle:
    """A ticker's style with as many decimals as the step needs; none for large prices in whole steps."""
    usual = 0 if style.is_large and step.decimals == 0 else style.decimals
    return replace(style, decimals=max(usual, step.decimals))


def _exact_text(value: Decimal, style: PriceStyle) -> str:
    return formatting.decimal_text(value, style.decimals, folds_zeros=style.folds_zeros)


@dataclass(frozen=True, slots=True)
class TimeStep:
    """A distance between time labels: so many of a unit, about `about_ms` long."""

    unit: str  # "s" within a day, "d" days, "m" months
    count: int
    about_ms: int

    @property
    def weight(self) -> int:
        if self.unit == "s":
            return _SECOND if self.count < 60 else _MINUTE
        return _DAY if self.unit == "d" else _MONTH


_WITHIN_DAY: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 14400, 21600, 43200)
_MONTH_MS: Final = 30 * DAY_MS
_STEPS: Final = (
    *(TimeStep("s", count, count * SECOND_MS) for count in _WITHIN_DAY),
    *(TimeStep("d", count, count * DAY_MS) for count in (1, 2, 4, 7, 14)),
    *(TimeStep("m", count, count * _MONTH_MS) for count in (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200)),
)


def time_labels(
    starts: Ints,
    axis: SlotAxis,
    first_slot: int,
    last_slot: int,
    spacing: float,
    width_of: Callable[[str], float],
    zone: dt.tzinfo = dt.UTC,
) -> list[TimeLabel]:
    """Labels for the slots from `first_slot` to `last_slot`, left to right, none overlapping.

    spacing: logical pixels a slot; width_of: the width of a text in logical pixels.
    """
    from_ms = axis.time_at(starts, first_slot - 1) + 1  # what begins in a gap is named at the first bar after it
    to_ms = axis.time_at(starts, last_slot + 1)
    slots = last_slot + 1 - first_slot
    if slots <= 0 or to_ms <= from_ms:
        return []
    gap = max(MIN_GRID_X, width_of("00:00:00") if axis.unit_ms < MINUTE_MS else 0.0, width_of("Mon 30")) + MIN_GAP
    slot_ms = axis.typical_ms(starts, first_slot, last_slot)
    step = _step_for(gap / spacing * slot_ms, axis.unit_ms)
    if step.unit != "s":  # closed hours count once a step is longer than a day
        average_ms = (to_ms - from_ms) / slots
        step = _step_for(gap / spacing * average_ms, max(axis.unit_ms, DAY_MS))
    late_ms = max(slot_ms, step.about_ms // 4)
    found: dict[int, TimeLabel] = {}
    for when, weight in _boundaries(step, from_ms, to_ms, zone):
        at_ms = _ms(when)
        if at_ms < from_ms:
            continue
        slot = axis.slot_at_time(starts, at_ms)
        if not first_slot <= slot <= last_slot:
            continue
        if slot in found and found[slot].weight > weight:
            continue
        begins_ms = axis.time_at(starts, slot)
        if begins_ms > at_ms:  # there is no bar at the boundary itself
            if weight < _DAY and begins_ms - at_ms >= late_ms:
                continue
            when = _own(when, weight, formatting.zoned(begins_ms, zone), zone)
        found[slot] = TimeLabel(slot, _text(when, weight, step.unit), weight > step.weight, weight, when)
    return _without_overlap(list(found.values()), spacing, width_of)


def _own(boundary: dt.datetime, weight: int, begins: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    """The unit of a weight that the first bar after a boundary lies in: Monday, where Saturday has no bars."""
    if weight < _DAY:
        return boundary
    month = 1 if weight == _YEAR else begins.month
    day = dt.date(begins.year, month, 1 if weight >= _MONTH else begins.day)
    return formatting.zoned(_at_ms(day, 0, zone), zone)


def _step_for(least_ms: float, slot_ms: int) -> TimeStep:
    """The smallest step at least `least_ms` long; never finer than the bars are."""
    for step in _STEPS:
        if step.about_ms >= least_ms and step.about_ms >= min(slot_ms, DAY_MS):
            return step
    return _STEPS[-1]


def _boundaries(step: TimeStep, from_ms: int, to_ms: int, zone: dt.tzinfo) -> Iterator[tuple[dt.datetime, int]]:
    """Where a step's units begin in [from_ms, to_ms), with the weight of the longest unit that begins there too."""
    first, last = formatting.zoned(from_ms, zone), formatting.zoned(to_ms, zone)
    if step.unit == "m":
        yield from _months(step.count, first, last, zone)
        return
    if step.unit == "s":
        yield from _times(step.count, from_ms, to_ms, zone)
        return
    day = first.date()
    while day <= last.date():
        weight = _DAY if day.day > 1 else _month_weight(day.month)
        is_wanted = (day.day - 1) % step.count == 0 and (step.count == 1 or day.day + step.count // 2 <= 31)
        at = formatting.zoned(_at_ms(day, 0, zone), zone)
        if (is_wanted or weight > _DAY) and at.date() == day:  # a zone that crossed the date line left out a day
            yield at, weight
        if day == dt.date.max:
            return
        day += dt.timedelta(days=1)


def _months(count: int, first: dt.datetime, last: dt.datetime, zone: dt.tzinfo) -> Iterator[tuple[dt.datetime, int]]:
    index = (first.year * 12 + first.month - 1) // count * count
    while index <= min(last.year * 12 + last.month - 1, 9999 * 12):
        year, month = divmod(index, 12)
        if year >= 1:
            yield formatting.zoned(_at_ms(dt.date(year, month + 1, 1), 0, zone), zone), _month_weight(month + 1)
        index += count


def _times(count_s: int, from_ms: int, to_ms: int, zone: dt.tzinfo) -> Iterator[tuple[dt.datetime, int]]:
    """Every `count_s` seconds on the zone's clock; hours a clock leaves out or shows twice come once."""
    day = formatting.zoned(from_ms, zone).date()
    last_ms = None
    while True:
        midnight_ms = _at_ms(day, 0, zone)
        if midnight_ms >= to_ms:
            return
        reach_ms = 2 * HOUR_MS  # a clock may be put forward or back by this much within the day
        begin_s = max(0, (from_ms - midnight_ms - reach_ms) // SECOND_MS // count_s * count_s)
        for second in range(begin_s, 86_400, count_s):
            at_ms = _at_ms(day, second, zone)
            if at_ms >= to_ms:
                return
            when = formatting.zoned(at_ms, zone)
            is_said = _second_of_day(when) == second or second == 0  # a day may begin at 01:00
            if at_ms < from_ms or (last_ms is not None and at_ms <= last_ms) or not is_said:
                continue
            last_ms = at_ms
            if second == 0:
                weight = _DAY if when.day > 1 else _month_weight(when.month)
            else:
                weight = _MINUTE if second % 60 == 0 else _SECOND
            yield when, weight
        day += dt.timedelta(days=1)


def _at_ms(day: dt.date, second: int, zone: dt.tzinfo) -> int:
    wall = dt.datetime(day.year, day.month, day.day, second // 3600, second // 60 % 60, second % 60, tzinfo=zone)
    return _ms(wall)


def _ms(when: dt.datetime) -> int:
    return int(when.timestamp()) * 1000


def _second_of_day(when: dt.datetime) -> int:
    return when.hour * 3600 + when.minute * 60 + when.second


def _month_weight(month: int) -> int:
    return _YEAR if month == 1 else _MONTH


def _text(when: dt.datetime, weight: int, unit: str) -> str:
    if unit == "s" and weight in (_DAY, _MONTH, _YEAR):
        return formatting.day_label(when)  # the month stands in the crosshair label
    match weight:
        case 0:
            return f"{when:%H:%M:%S}"
        case 1:
            return f"{when:%H:%M}"
        case 2:
            return str(when.day)
        case 3:
            return formatting.MONTHS[when.month - 1]
        case _:
            return str(when.year)


def _without_overlap(labels: list[TimeLabel], spacing: float, width_of: Callable[[str], float]) -> list[TimeLabel]:
    """The heavier labels first, then what still has room, in order of slot."""
    taken: list[tuple[float, float]] = []
    kept: list[TimeLabel] = []
    for label in sorted(labels, key=lambda label: (-label.weight, label.slot))[:_MAX_LABELS]:
        middle, half = (label.slot + 0.5) * spacing, width_of(label.text) / 2
        half = max(half, MIN_GRID_X / 2 - MIN_GAP / 2)
        begin, end = middle - half, middle + half
        place = bisect.bisect(taken, (begin, end))
        fits_left = place == 0 or taken[place - 1][1] + MIN_GAP <= begin
        fits_right = place == len(taken) or end + MIN_GAP <= taken[place][0]
        if fits_left and fits_right:
            taken.insert(place, (begin, end))
            kept.append(label)
    return sorted(kept, key=lambda label: label.slot)


def has_time_of_day(unit_ms: int) -> bool:
    """Whether a bar this long needs the time of day to be named."""
    return unit_ms < DAY_MS


def has_seconds(unit_ms: int) -> bool:
    return unit_ms < MINUTE_MS
