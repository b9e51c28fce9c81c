"""Points in time as people type them: dates, clock times, and how long ago."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from desktop.domain.errors import BadInput

_AGO: Final = re.compile(r"-\s*(\d{1,6})\s*(mo|[smhdwMyY])[a-z]*")
_CLOCK: Final = re.compile(r"(\d{1,2}):(\d{2})")
_FIXED: Final = {"s": "seconds", "m": "minutes", "h": "hours"}  # lengths of time
_DAYS: Final = {"d": 1, "w": 7}  # the calendar's: the clock reads the same
_MONTHS: Final = {"mo": 1, "M": 1, "y": 12, "Y": 12}
_WORDS: Final = {"today": 0, "yesterday": 1}
_HINT: Final = "Try 2024-03-01, 2024-03-01 14:00, -30d or yesterday."


def parse_moment(text: str, now_ms: int, zone: dt.tzinfo) -> int:
    """Unix ms of `2024-03-01`, `2024-03-01 14:00`, `14:00`, `now`, `today`, `yesterday 9:30`, `-30d`, `-6h`, `-2w`,
    `-3mo`, `-1y`, on the clock of a zone; a date alone is its midnight. `m` is minutes and `M` months.

    A clock time that a day does not have is the one an hour later, of two equal ones it is the first.
    Raises BadInput.
    """
    text = text.strip()
    now = dt.datetime.fromtimestamp(now_ms / 1000, zone)
    try:
        moment = _ago(text, now) or _word(text.casefold(), now) or _date(text, zone)
        if moment is None:
            raise BadInput(f"“{text}” is not a date or time.", next_step=_HINT)
        found_ms = round(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        raise BadInput(f"“{text}” is not in the calendar.", next_step=_HINT) from None
    if found_ms < 0:
        raise BadInput(f"“{text}” is before 1970.", next_step=_HINT)
    return found_ms


def _ago(text: str, now: dt.datetime) -> dt.datetime | None:
    match = _AGO.fullmatch(text) or _AGO.fullmatch(text.casefold())
    if match is None:
        return None
    count, unit = int(match[1]), match[2]
    if unit in _FIXED:
        passed = dt.timedelta(**{_FIXED[unit]: count})
        return (now.astimezone(dt.UTC) - passed).astimezone(now.tzinfo)
    if unit in _DAYS:
        return now - dt.timedelta(days=count * _DAYS[unit])
    months = now.year * 12 + now.month - 1 - count * _MONTHS[unit]
    year, month = divmod(months, 12)
    last_day = ((dt.date(year, month + 1, 28) + dt.timedelta(days=4)).replace(day=1) - dt.timedelta(days=1)).day
    return now.replace(year=year, month=month + 1, day=min(now.day, last_day))


def _word(text: str, now: dt.datetime) -> dt.datetime | None:
    """`now`, `14:00`, `yesterday`, `yesterday 14:00`."""
    if text == "now":
        return now
    word, _, clock = text.partition(" ")
    if word not in _WORDS:
        word, clock = "today", text
    elif not clock:
        clock = "0:00"
    match = _CLOCK.fullmatch(clock.strip())
    if match is None:
        return None
    day = now.date() - dt.timedelta(days=_WORDS[word])
    return dt.datetime.combine(day, dt.time(int(match[1]), int(match[2])), now.tzinfo)


def _date(text: str, zone: dt.tzinfo) -> dt.datetime | None:
    """An ISO date or date-time; one with an offset of its own keeps it."""
    text = re.sub(r"^(\d{4})[/.](\d{1,2})[/.](\d{1,2})", _dashed, text)
    text = re.sub(r"^(\d{4}-\d{2})$", r"\1-01", text)
    text = re.sub(r"[ T](\d):", r" 0\1:", text)
    if not re.match(r"\d{4}-", text):
        return None
    moment = dt.datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)


def _dashed(match: re.Match[str]) -> str:
    year, month, day = match.groups()
    return f"{year}-{month:0>2}-{day:0>2}"
