"""Aggregates out of a recording: bars of overlapping answers, as they were known at a moment.

A replay asks for other ranges than the recorded program did, because its own “now” is another. Of each bar the truest
word is taken: of the answers so far the last that came after the bar had closed; else the stream's minute bar; else
the first later answer; and for a bar that is not over the last that was known of it.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self
from urllib.parse import unquote

from desktop.data.wire import decode_bars
from desktop.demo.raw_files import RecordedCall, lines_of_calls
from desktop.demo.raw_tail import StreamTail
from desktop.demo.rest_aggregates import LARGEST_LIMIT
from desktop.demo.rest_call import Refusal, moment, read_cursor
from desktop.demo.wire import aggregate_rows, encode_with_rows
from desktop.domain.bars import Bar, Bars
from desktop.domain.coverage import gaps
from desktop.domain.errors import BadResponse
from desktop.domain.market import market_of
from desktop.domain.timeframe import DAY_MS, ONE_MINUTE, Span, Timeframe, bucket_end, bucket_start

_PATH: Final = re.compile(r"/v2/aggs/ticker/([^/]+)/range/(\d{1,5})/([a-z]+)/([^/]+)/([^/]+)")
_SPANS: Final = {span.value: span for span in Span}
_EARLY_MS: Final = 5_000  # so far ahead an answer may be taken for a bar that is not over: it holds what is to come
_SLACK_MS: Final = 300_000  # after an answer, in which a bar that is not there was not yet asked for


@dataclass(frozen=True, slots=True)
class SeriesName:
    """What answers of one endpoint have in common."""

    ticker: str
    timeframe: Timeframe
    is_adjusted: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """One call for bars of starts in [from_ms, to_ms]."""

    series: SeriesName
    from_ms: int
    to_ms: int
    limit: int
    is_descending: bool

    @classmethod
    def read(cls, path: str, query: Mapping[str, str]) -> Self | None:
        """None for any other call, or one the vendor would refuse."""
        match = _PATH.fullmatch(path)
        if match is None or match[3] not in _SPANS or int(match[2]) < 1:
            return None
        ticker, market = match[1], market_of(match[1])
        try:
            params = {**query, **read_cursor(query["cursor"])} if "cursor" in query else dict(query)
            from_ms, to_ms = moment(match[4], market)[0], moment(match[5], market)[1]
        except Refusal:
            return None
        limit = params.get("limit", "")
        return cls(
            SeriesName(ticker, Timeframe(int(match[2]), _SPANS[match[3]]), params.get("adjusted") != "false"),
            from_ms,
            to_ms,
            min(max(int(limit), 1), LARGEST_LIMIT) if limit.isdecimal() else LARGEST_LIMIT,
            params.get("sort") == "desc",
        )


@dataclass(frozen=True, slots=True)
class _Known:
    """One recorded answer. `partial`: the bar that was not over when it was given, if any."""

    asked_ms: int
    received_ms: int
    from_ms: int
    to_ms: int  # inclusive
    whole: Bars
    partial: Bars
    is_delayed: bool


class RecordedSeries:
    """All that was answered about one series."""

    def __init__(self, name: SeriesName, calls: Sequence[tuple[RecordedCall, Asked]]) -> None:
        """`calls`: successful ones in the order of their answers."""
        self.name = name
        self.unreadable: list[RecordedCall] = []  # said 200, but is not what it should be
        self._market = market_of(name.ticker)
        self._known: list[_Known] = []
        for call, asked in calls:
            try:
                page = decode_bars(call.body())
            except BadResponse:
                self.unreadable.append(call)
                continue
            line, bars, to_ms = call.line, page.rows, asked.to_ms
            if page.next_url is not None and len(bars) and not asked.is_descending:
                to_ms = bucket_end(int(bars.start_ms[-1]), name.timeframe, self._market) - 1
            end = len(bars)
            while end and bucket_end(int(bars.start_ms[end - 1]), name.timeframe, self._market) > line.received_ms:
                end -= 1
            parts = (bars.take(0, end), bars.take(end, len(bars)))
            self._known.append(
                _Known(line.sent_ms, line.received_ms, asked.from_ms, to_ms, *parts, is_delayed=page.is_delayed)
            )

    def bars(self, asked: Asked, now_ms: int, tail: StreamTail) -> Bars | None:
        """What was known at `now_ms` of the range, and what later answers told of bars that had closed by then.

        None when nothing in the recording is about this range.
        """
        from_ms, end_ms = asked.from_ms, min(asked.to_ms, now_ms) + 1
        known = [
            one
            for one in self._known
            if one.from_ms < end_ms and min(one.to_ms, one.received_ms) + _SLACK_MS >= from_ms
        ]
        minutes = tail.minutes(self.name.ticker, from_ms, end_ms) if self.name.timeframe == ONE_MINUTE else Bars.empty()
        if not known and not len(minutes):
            return None
        past = [one for one in known if one.received_ms <= now_ms]
        future = [one for one in reversed(known) if one.received_ms > now_ms]
        forming_ms = bucket_start(now_ms, self.name.timeframe, self._market)
        layers = [
            *(one.partial for one in future if one.asked_ms <= now_ms + _EARLY_MS),
            *(one.partial for one in past),
            *(one.whole.between(from_ms, forming_ms) for one in future),
            minutes,
            *(one.whole for one in past),
        ]
        bars = Bars.empty()
        for layer in layers:
            bars = bars.merged(layer.between(from_ms, end_ms))
        if self.name.timeframe == ONE_MINUTE and from_ms <= forming_ms < end_ms:
            bars = bars.merged(self._forming(forming_ms, past, tail))
        return bars

    def _forming(self, start_ms: int, past: Sequence[_Known], tail: StreamTail) -> Bars:
        held: Bar | None = None
        held_ms = start_ms - 1
        for one in past:
            if one.asked_ms >= start_ms:
                held_ms = (one.asked_ms + one.received_ms) // 2
                found = one.partial.between(start_ms, start_ms + 1)
                held = found[0] if len(found) else held
        bar = tail.forming(self.name.ticker, start_ms, held, held_ms)
        return Bars.empty() if bar is None else Bars.from_rows([bar])

    def is_partly_recorded(self, asked: Asked, now_ms: int) -> bool:
        """Whether something between was never asked for: it is answered as if nothing had been traded."""
        held = [(one.from_ms, min(one.to_ms, one.received_ms) + 1) for one in self._known]
        return bool(gaps(held, asked.from_ms, min(asked.to_ms, now_ms, max((end for _, end in held), default=0))))

    @property
    def is_delayed(self) -> bool:
        return any(one.is_delayed for one in self._known)


def first_view(folder: Path) -> tuple[str, Timeframe] | None:
    """The chart that a recorded session opened with, as its calls tell: the first bars shorter than a day, else any."""
    view = None
    for line in lines_of_calls(folder):
        if (asked := Asked.read(unquote(line.path), dict(line.query))) is not None:
            view = view or (asked.series.ticker, asked.series.timeframe)
            if asked.series.timeframe.typical_ms < DAY_MS:
                return asked.series.ticker, asked.series.timeframe
    return view


def page_of(bars: Bars, asked: Asked, path: str, base: str, request_id: str, *, is_delayed: bool) -> bytes:
    """One page of an answer in the vendor's form; `path` is what was asked for."""
    name = asked.series
    next_url = None
    if len(bars) > asked.limit:
        *head, first, last = path.split("/")
        if asked.is_descending:
            bars = bars.take(len(bars) - asked.limit, len(bars))
            last = str(int(bars.start_ms[0]) - 1)
        else:
            first = str(int(bars.start_ms[asked.limit]))
            bars = bars.take(0, asked.limit)
        query = f"limit={asked.limit}&sort={'desc' if asked.is_descending else 'asc'}"
        query += "" if name.is_adjusted else "&adjusted=false"
        cursor = base64.urlsafe_b64encode(query.encode()).decode().rstrip("=")
        next_url = f"{base}{'/'.join((*head, first, last))}?cursor={cursor}"
    rows = aggregate_rows(bars)
    answer: dict[str, object] = {"ticker": name.ticker, "queryCount": len(bars), "resultsCount": len(bars)}
    answer |= {"adjusted": name.is_adjusted, "status": "DELAYED" if is_delayed else "OK", "request_id": request_id}
    if next_url is not None:
        answer["next_url"] = next_url
    return encode_with_rows(answer, rows[::-1] if asked.is_descending else rows)
