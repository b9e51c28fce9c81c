"""Market status: which markets are open, and the coming holidays."""

from __future__ import annotations

import datetime as dt
from typing import Final

from desktop.demo.rest_call import Call
from desktop.demo.wire import encode
from desktop.domain.holidays import early_closes, stock_holidays
from desktop.domain.sessions import is_forex_open, new_york_date, session_kind, stock_session
from desktop.domain.timeframe import NEW_YORK, new_york_midnight_ms

_WORDS: Final = {"pre": "extended-hours", "regular": "open", "post": "extended-hours", "closed": "closed"}
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_UPCOMING_DAYS: Final = 365


def now(call: Call) -> bytes:
    """`/v1/marketstatus/now`: no envelope."""
    kind = session_kind(call.now_ms)
    word = _WORDS[kind]
    local = (_EPOCH + dt.timedelta(milliseconds=call.now_ms)).astimezone(NEW_YORK)
    return encode(
        {
            "market": word,
            "earlyHours": kind == "pre",
            "afterHours": kind == "post",
            "serverTime": local.isoformat(timespec="seconds"),
            "exchanges": {"nyse": word, "nasdaq": word, "otc": word},
            "currencies": {"fx": "open" if is_forex_open(call.now_ms) else "closed", "crypto": "open"},
        }
    )


def upcoming(call: Call) -> bytes:
    """`/v1/marketstatus/upcoming`: a bare array; `open` and `close` only for early closes."""
    today = new_york_date(call.now_ms)
    last = today + dt.timedelta(days=_UPCOMING_DAYS)
    rows = []
    for year in (today.year, today.year + 1):
        days = [(day, name, False) for day, name in stock_holidays(year).items()]
        days += [(day, name, True) for day, name in early_closes(year).items()]
        for day, name, is_early in sorted(days):
            if not today <= day <= last:
                continue
            for exchange in ("NYSE", "NASDAQ"):
                row = {"date": day.isoformat(), "exchange": exchange, "name": name}
                row["status"] = "early-close" if is_early else "closed"
                session = stock_session(day)
                if is_early and session is not None:
                    row["open"], row["close"] = _iso(session[1]), _iso(session[2])
                rows.append(row)
    return encode(rows)


def market_word(call: Call, market: str) -> str:
    """`market_status` of the unified snapshot."""
    if market == "crypto":
        return "open"
    if market == "fx":
        return "open" if is_forex_open(call.now_ms) else "closed"
    return {"pre": "early_trading", "regular": "open", "post": "late_trading", "closed": "closed"}[
        session_kind(call.now_ms)
    ]


def stock_reset_ms(now_ms: int) -> int:
    """Start of the New York day whose values stock snapshots show: they reset at 03:30 New York."""
    day = new_york_date(now_ms - (3 * 60 + 30) * 60_000)
    return new_york_midnight_ms(day)


def _iso(time_ms: int) -> str:
    return (_EPOCH + dt.timedelta(milliseconds=time_ms)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
