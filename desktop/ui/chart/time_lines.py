"""Where days, weeks and sessions begin on a chart, and which hours lie outside regular trading."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from PySide6.QtCore import QRect
from PySide6.QtGui import QPainter

from desktop.domain.bars import Ints
from desktop.domain.market import Market
from desktop.domain.sessions import forex_week, new_york_date, stock_sessions
from desktop.domain.timeframe import DAY_MS, HOUR_MS, NEW_YORK, Timeframe
from desktop.ui import formatting
from desktop.ui.chart.rects import fill_rects
from desktop.ui.chart.slots import IndexSlots, SlotAxis
from desktop.ui.chart.time_options import TimeOptions
from desktop.ui.theme import Tokens, blend

LineKind = Literal["session", "day", "week"]
TimeLine = tuple[int, LineKind]  # a slot, or the device column of its left edge
Shade = tuple[int, int]  # slots or device columns, the second one exclusive

MIN_PX: Final = 60.0  # logical pixels between two lines of a kind
_RANK: Final[dict[LineKind, int]] = {"day": 0, "session": 1, "week": 2}
_SHADED_UP_TO_MS: Final = HOUR_MS  # longer bars hold regular and other hours
_DASH: Final = (2, 4)
_WEEK_SHARE: Final = 0.45  # of the secondary colour


@dataclass(frozen=True, slots=True)
class TimeMarks:
    """Lines at the left edges of slots, and shaded slots."""

    lines: tuple[TimeLine, ...] = ()
    shades: tuple[Shade, ...] = ()


def time_marks(
    starts: Ints,
    axis: SlotAxis,
    first_slot: int,
    last_slot: int,
    spacing: float,
    market: Market,
    timeframe: Timeframe,
    options: TimeOptions,
) -> TimeMarks:
    """The marks between two slots (inclusive) of a chart below a day a bar; longer bars have none.

    Lines stand where the next bar is the first of its day, week or session, never closer than MIN_PX logical pixels;
    spacing: logical pixels a slot.
    """
    if timeframe.fixed_ms is None or not len(starts) or last_slot < first_slot:
        return TimeMarks()
    from_ms, to_ms = axis.time_at(starts, first_slot - 1) + 1, axis.time_at(starts, last_slot + 1)
    if isinstance(axis, IndexSlots):  # what lies beyond the bars has no hours to be cut
        from_ms, to_ms = max(from_ms, int(starts[0])), min(to_ms, int(starts[-1]) + 1)
    if to_ms <= from_ms:
        return TimeMarks()
    slots = axis.slot_at_time(starts, to_ms) - axis.slot_at_time(starts, from_ms)
    week_px = slots * spacing * 7 * DAY_MS / (to_ms - from_ms)
    if week_px < MIN_PX:
        return TimeMarks()
    has_days = week_px >= MIN_PX * (7 if market is Market.CRYPTO else 5)
    found: dict[int, LineKind] = {}
    for at_ms, kind in _lines(from_ms, to_ms, market, timeframe, options, has_days=has_days):
        slot = axis.slot_at_time(starts, at_ms)
        if first_slot <= slot <= last_slot and (slot not in found or _RANK[kind] > _RANK[found[slot]]):
            found[slot] = kind
    shades: list[Shade] = []
    is_shaded = options.has_session_breaks and market is Market.STOCKS and has_days
    if is_shaded and timeframe.fixed_ms <= _SHADED_UP_TO_MS:
        for pre_ms, open_ms, close_ms, end_ms in stock_sessions(from_ms, to_ms):
            for begin_ms, stop_ms in ((pre_ms, open_ms), (close_ms, end_ms)):
                begin, stop = (axis.slot_at_time(starts, at_ms) for at_ms in (begin_ms, stop_ms))
                begin, stop = max(begin, first_slot), min(stop, last_slot + 1)
                if begin < stop and begin_ms < to_ms:
                    shades.append((begin, stop))
    return TimeMarks(tuple(sorted(found.items())), tuple(shades))


def _lines(
    from_ms: int, to_ms: int, market: Market, timeframe: Timeframe, options: TimeOptions, *, has_days: bool
) -> Iterator[tuple[int, LineKind]]:
    """Beginnings in [from_ms, to_ms). Session breaks take the place of day lines where a market has sessions."""
    zone = options.zone_for(market, timeframe)
    has_sessions = options.has_session_breaks and market is not Market.CRYPTO
    if has_days and has_sessions:
        yield from ((at_ms, "session") for at_ms in _sessions(from_ms, to_ms, market))
    elif has_days and options.has_day_lines:
        yield from ((at_ms, "day") for at_ms in _midnights(from_ms, to_ms, zone))
    if options.has_day_lines:
        yield from ((at_ms, "week") for at_ms in _weeks(from_ms, to_ms, market, zone))


def _sessions(from_ms: int, to_ms: int, market: Market) -> Iterator[int]:
    if market is Market.STOCKS:
        begins = [session[0] for session in stock_sessions(from_ms, to_ms)]
    else:
        begins = list(_clock(from_ms, to_ms, NEW_YORK, hour=17))
    yield from (at_ms for at_ms in begins if from_ms <= at_ms < to_ms)


def _weeks(from_ms: int, to_ms: int, market: Market, zone: dt.tzinfo) -> Iterator[int]:
    match market:
        case Market.FOREX:
            begin_ms, _ = forex_week(from_ms)
            while begin_ms < to_ms:
                if begin_ms >= from_ms:
                    yield begin_ms
                begin_ms, _ = forex_week(forex_week(begin_ms)[1])
        case Market.STOCKS:
            week = None
            for session in stock_sessions(from_ms - 5 * DAY_MS, to_ms):
                before, week = week, new_york_date(session[0]).isocalendar()[:2]
                if before is not None and week != before and from_ms <= session[0] < to_ms:
                    yield session[0]
        case _:
            yield from (at_ms for at_ms in _midnights(from_ms, to_ms, zone) if _weekday(at_ms, zone) == 0)


def _midnights(from_ms: int, to_ms: int, zone: dt.tzinfo) -> Iterator[int]:
    return _clock(from_ms, to_ms, zone, hour=0)


def _clock(from_ms: int, to_ms: int, zone: dt.tzinfo, hour: int) -> Iterator[int]:
    """Each day's moment at which the clock of a zone shows the hour, in [from_ms, to_ms)."""
    day, last = formatting.zoned(from_ms, zone).date(), formatting.zoned(to_ms, zone).date()
    while day <= last and day < dt.date.max:
        at_ms = int(dt.datetime(day.year, day.month, day.day, hour, tzinfo=zone).timestamp()) * 1000
        if from_ms <= at_ms < to_ms:
            yield at_ms
        day += dt.timedelta(days=1)


def _weekday(at_ms: int, zone: dt.tzinfo) -> int:
    return formatting.zoned(at_ms, zone).weekday()


# --- painting --------------------------------------------------------------------------------------------------


def paint_shades(painter: QPainter, shades: tuple[Shade, ...], tokens: Tokens, box: QRect) -> None:
    """Shades over the height of a box. Device columns."""
    rects = [(first, box.top(), stop - 1, box.bottom()) for first, stop in shades]
    fill_rects(painter, np.array(rects, np.int32).reshape(-1, 4), tokens.shade)


def paint_lines(painter: QPainter, lines: tuple[TimeLine, ...], tokens: Tokens, thick: int, box: QRect) -> None:
    """Lines over the height of a box, `thick` device pixels wide. Device columns."""
    on, off = _DASH[0] * thick, _DASH[1] * thick
    tops = range(box.top(), box.bottom() + 1, on + off)
    rects: dict[LineKind, list[tuple[int, int, int, int]]] = {"day": [], "session": [], "week": []}
    for x, kind in lines:
        if kind == "session":
            rects[kind] += [(x, top, x + thick - 1, min(top + on - 1, box.bottom())) for top in tops]
        else:
            rects[kind].append((x, box.top(), x + thick - 1, box.bottom()))
    edge = tokens.grid if tokens.has_dotted_grid else tokens.line  # strong lines are for axes there
    colours: dict[LineKind, str] = {
        "day": edge,
        "session": edge,
        "week": blend(tokens.secondary, tokens.chart, _WEEK_SHARE),
    }
    for kind, listed in rects.items():
        fill_rects(painter, np.array(listed, np.int32).reshape(-1, 4), colours[kind])
