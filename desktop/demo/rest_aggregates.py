"""Aggregates: bars of any length with the vendor's paging, the previous day, and a whole market's day."""

from __future__ import annotations

import base64
import datetime as dt
from dataclasses import dataclass
from typing import Final

import numpy as np

from desktop.demo.market_splits import unadjusted
from desktop.demo.plan import utc_date
from desktop.demo.rest_call import Call, bad_parameter, day_span, moment, not_found, timeframe_not_in_plan
from desktop.demo.windows import UNITS, Windows
from desktop.demo.wire import aggregate_rows, encode, encode_with_rows
from desktop.domain.aggregation import grouped
from desktop.domain.bars import Bars
from desktop.domain.market import Market, market_of
from desktop.domain.sessions import new_york_date, stock_session
from desktop.domain.timeframe import DAY_MS, ONE_DAY, Timeframe

LARGEST_LIMIT: Final = 50_000
_DEFAULT_LIMIT: Final = 5_000
_LARGEST_MULTIPLIER: Final = {"day": 3660, "week": 522, "month": 120, "quarter": 40, "year": 10}
_SEARCH_BACK_DAYS: Final = 10  # for the previous day with a bar
_MARKETS: Final = {"crypto": Market.CRYPTO, "fx": Market.FOREX, "stocks": Market.STOCKS}


@dataclass(frozen=True, slots=True)
class Page:
    """Whole bars of one page; `base_count` base bars were read; `rest_ms` is where the next page starts (or ends)."""

    bars: Bars
    base_count: int
    rest_ms: int | None


def range_of_bars(call: Call, ticker: str, multiplier: str, unit: str, from_: str, to: str) -> bytes:
    """`/v2/aggs/ticker/{ticker}/range/{multiplier}/{timespan}/{from}/{to}`"""
    if unit not in UNITS:
        raise bad_parameter(f"The parameter 'timespan' must be one of {', '.join(UNITS)}")
    if not multiplier.isdigit() or not 1 <= int(multiplier) <= _LARGEST_MULTIPLIER.get(unit, 100_000):
        raise bad_parameter("The parameter 'multiplier' must be a positive integer that fits the timespan")
    is_adjusted = call.flag("adjusted", True)
    is_descending = call.choice("sort", ("asc", "desc"), "asc") == "desc"
    limit = call.integer("limit", _DEFAULT_LIMIT, 1, LARGEST_LIMIT)
    market = market_of(ticker)
    from_ms, to_ms = moment(from_, market)[0], moment(to, market)[1]
    if to_ms < from_ms:
        raise bad_parameter("The parameter 'to' cannot be a time that occurs before 'from'")
    head = {"ticker": ticker, "queryCount": 0, "resultsCount": 0, "adjusted": is_adjusted, "status": call.status}
    row = call.catalog.find(ticker)
    known = row.ticker if row is not None else ticker
    # What lies before 1970 or in the future is empty, and need not be cut into windows.
    from_ms, newest_ms = max(0, from_ms), call.now_ms + DAY_MS
    if from_ms > newest_ms:
        return encode({**head, "request_id": call.request_id})
    windows = Windows.snapped(unit, int(multiplier), market, from_ms, max(from_ms, min(to_ms, newest_ms)))
    page = read_page(call, known, windows, limit, is_descending=is_descending, is_adjusted=is_adjusted)
    head |= {"queryCount": page.base_count, "resultsCount": len(page.bars), "request_id": call.request_id}
    if not len(page.bars):
        return encode(head)
    head["count"] = len(page.bars)
    if page.rest_ms is not None:
        first, last = (from_, str(page.rest_ms - 1)) if is_descending else (str(page.rest_ms), to)
        head["next_url"] = _next_url(call, f"{ticker}/range/{multiplier}/{unit}/{first}/{last}", limit, is_descending)
    rows = aggregate_rows(page.bars)
    return encode_with_rows(head, rows[::-1] if is_descending else rows)


def read_page(
    call: Call, ticker: str, windows: Windows, limit: int, *, is_descending: bool = False, is_adjusted: bool = True
) -> Page:
    """One page of at most `limit` base bars; a bar that the limit cut in two is left to the next page.

    The bar a page begins with is always served whole, so that every page gets on. Raises Refusal for a window that
    the plan does not include.
    """
    from_ms, to_ms = _within_plan(call, windows.start_ms, windows.end_ms)
    from_ms = max(from_ms, call.source.first_ms - DAY_MS)
    base, finest = windows.stored_base, call.source.finest(ticker)
    if finest.typical_ms > base.typical_ms:
        base = finest
    if not windows.is_built_from(base):
        return Page(Bars.empty(), 0, None)
    stored = _stored(call, ticker, base, from_ms, to_ms, limit + 1, is_descending)
    starts = windows.starts(stored.start_ms)
    rest_ms: int | None = None
    if len(stored) > limit:
        cut = int(starts[0 if is_descending else limit])  # the window of the bar beyond the limit
        after_ms = windows.next_start(cut)
        begin, end = np.searchsorted(starts, [cut, after_ms])
        rest_ms = after_ms if is_descending else cut
        kept = stored.take(int(end), len(stored)) if is_descending else stored.take(0, int(begin))
        if not len(kept):
            kept = call.source.bars(ticker, base, max(cut, from_ms), min(after_ms, to_ms), call.now_ms)
            rest_ms = cut if is_descending else after_ms
            rest_ms = rest_ms if from_ms < rest_ms < to_ms else None
        stored = kept
        starts = windows.starts(stored.start_ms)
    if not is_adjusted:
        stored = unadjusted(stored, call.source.splits(ticker), call.now_ms)
    return Page(grouped(stored, starts), len(stored), rest_ms)


def _stored(
    call: Call, ticker: str, base: Timeframe, from_ms: int, to_ms: int, count: int, is_descending: bool
) -> Bars:
    """The first (or last) `count` base bars of the range, read in spans that grow where bars are sparse."""
    to_ms = min(to_ms, call.now_ms + 1)
    span_ms = base.typical_ms * count
    found = Bars.empty()
    low, high = from_ms, to_ms
    while len(found) < count and low < high:
        if is_descending:
            part = call.source.bars(ticker, base, max(low, high - span_ms), high, call.now_ms)
            found, high = part.merged(found), high - span_ms
        else:
            part = call.source.bars(ticker, base, low, min(high, low + span_ms), call.now_ms)
            found, low = found.merged(part), low + span_ms
        span_ms *= 4
    return found.take(max(0, len(found) - count), len(found)) if is_descending else found.take(0, count)


def _within_plan(call: Call, from_ms: int, to_ms: int) -> tuple[int, int]:
    """The part of the range the plan includes. Raises Refusal when that is nothing, or when the plan cuts nothing."""
    oldest_ms, newest_ms = call.plan.span(call.now_ms)
    if to_ms <= oldest_ms or from_ms >= newest_ms:
        raise timeframe_not_in_plan()
    if from_ms < oldest_ms and not call.plan.cuts_history:
        raise timeframe_not_in_plan()
    return max(from_ms, oldest_ms), min(to_ms, newest_ms)


def _next_url(call: Call, path: str, limit: int, is_descending: bool) -> str:
    query = f"limit={limit}&sort={'desc' if is_descending else 'asc'}"
    if not call.flag("adjusted", True):
        query = f"adjusted=false&{query}"
    cursor = base64.urlsafe_b64encode(query.encode()).decode().rstrip("=")
    return f"{call.base}/v2/aggs/ticker/{path}?cursor={cursor}"


def previous_day(call: Call, ticker: str) -> bytes:
    """`/v2/aggs/ticker/{ticker}/prev`: the last finished day with a bar; `t` is its end."""
    market = market_of(ticker)
    is_adjusted = call.flag("adjusted", True)
    row = call.catalog.find(ticker)
    head = {"ticker": ticker, "queryCount": 0, "resultsCount": 0, "adjusted": is_adjusted, "status": call.status}
    head["request_id"] = call.request_id
    bars = previous_days(call, row.ticker if row else ticker, market)
    if not len(bars):
        return encode(head)
    last = bars.take(len(bars) - 1, len(bars))
    if not is_adjusted:
        last = unadjusted(last, call.source.splits(ticker), call.now_ms)
    rows = aggregate_rows(last, [ticker])
    rows[0].t = day_end_ms(int(last.start_ms[0]), market)
    head |= {"queryCount": 1, "resultsCount": 1, "count": 1}
    return encode_with_rows(head, rows)


def previous_days(call: Call, ticker: str, market: Market) -> Bars:
    """Daily bars of the last days before today (UTC; New York for stocks)."""
    day = new_york_date(call.now_ms) if market is Market.STOCKS else utc_date(call.now_ms)
    today_ms = day_span(day, market)[0]
    return call.source.bars(ticker, ONE_DAY, today_ms - _SEARCH_BACK_DAYS * DAY_MS, today_ms, call.now_ms)


def day_end_ms(start_ms: int, market: Market) -> int:
    """The `t` of a daily bar where the vendor gives its end: 16:00 New York for stocks, the day's last ms else."""
    if market is not Market.STOCKS:
        return start_ms + DAY_MS - 1
    session = stock_session(new_york_date(start_ms))
    return session[2] if session is not None else start_ms + DAY_MS - 1


def grouped_daily(call: Call, locale: str, market_name: str, date: str) -> bytes:
    """`/v2/aggs/grouped/locale/{locale}/market/{market}/{date}`: one bar of every ticker that traded."""
    market = _MARKETS.get(market_name)
    if market is None or (locale == "us") != (market is Market.STOCKS):
        raise not_found("Market not found.")
    try:
        day = dt.date.fromisoformat(date)
    except ValueError:
        raise bad_parameter(f"Could not parse the date '{date}'") from None
    from_ms, last_ms = day_span(day, market)
    _within_plan(call, from_ms, last_ms + 1)
    is_adjusted = call.flag("adjusted", True)
    tickers, found = [], []
    for row in call.catalog.of_market(market):
        bars = call.source.bars(row.ticker, ONE_DAY, from_ms, last_ms + 1, call.now_ms)
        if len(bars):
            tickers.append(row.ticker)
            found.append(bars if is_adjusted else unadjusted(bars, call.source.splits(row.ticker), call.now_ms))
    head = {"queryCount": len(found), "resultsCount": len(found), "adjusted": is_adjusted, "status": call.status}
    head["request_id"] = call.request_id
    rows = [aggregate_rows(bars, [ticker])[0] for bars, ticker in zip(found, tickers, strict=True)]
    for fields in rows:
        fields.t = day_end_ms(fields.t, market)
    if rows:
        head["count"] = len(rows)
    return encode_with_rows(head, rows)
