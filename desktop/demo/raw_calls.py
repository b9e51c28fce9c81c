"""REST answers out of a recording: as they were recorded, else put together from what was, else refused by name."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlencode

from desktop.demo.http import Request, Response, Sabotage
from desktop.demo.raw_bars import Asked, RecordedSeries, SeriesName, page_of
from desktop.demo.raw_files import RecordedCall
from desktop.demo.raw_lists import Lists
from desktop.demo.raw_tail import StreamTail
from desktop.demo.wire import encode

_EARLY_MS: Final = 1_000  # a replay may ask a little before the recorded program did
_FRESH_MS: Final = 2_000  # so long an answer is given as it came; later what the stream said is added
_RETRIED_MS: Final = 30_000  # so long a failure waits for the call that met it
_ANSWERED: Final = ("content-type", "retry-after", "x-request-id")
_TIMEOUTS: Final = ("ReadTimeout", "WriteTimeout", "PoolTimeout", "ConnectTimeout")
_NEXT_URL: Final = rb'("next_url"\s*:\s*")https?://[^/"]+'

Query = tuple[tuple[str, str], ...]
Key = SeriesName | tuple[str, Query]


@dataclass
class RawCounts:
    """How the calls were answered; `missing` by path."""

    as_recorded: int = 0
    composed: int = 0
    partly_recorded: int = 0  # of the composed: a stretch was never asked for
    failures: int = 0  # recorded ones, repeated
    missing: Counter[str] = field(default_factory=Counter)


@dataclass
class _Line:
    """The calls that are alike, in the order they were sent."""

    calls: list[RecordedCall] = field(default_factory=list)
    served: set[int] = field(default_factory=set)  # failures that were repeated, by index


class RawAnswers:
    """Answers calls at a market time; works on files, so it is called in a worker thread, one call at a time.

    Failures that pass (429, 5xx, no answer) come once each, in their order, at their time, to whatever call is like
    the one that met them. Anything else goes by the question alone.
    """

    def __init__(self, calls: Sequence[RecordedCall], tail: StreamTail) -> None:
        self.counts = RawCounts()
        self._tail = tail
        self._lists = Lists(calls)
        self._exact: dict[tuple[str, Query], list[RecordedCall]] = {}
        self._lines: dict[Key, _Line] = {}
        self._asked: dict[SeriesName, list[tuple[RecordedCall, Asked]]] = {}
        self._series: dict[SeriesName, RecordedSeries] = {}
        for call in calls:
            path, query = unquote(call.line.path), _sorted(call.line.query)
            asked = Asked.read(path, dict(query))
            line = self._lines.setdefault(asked.series if asked is not None else (path, query), _Line())
            line.calls.append(call)
            if not _is_passing(call):
                self._exact.setdefault((path, query), []).append(call)
                if asked is not None:
                    self._asked.setdefault(asked.series, []).append((call, asked))
        for line in self._lines.values():
            line.calls.sort(key=lambda call: call.line.sent_ms)

    def answer(self, request: Request, now_ms: int, base: str) -> Response:
        """The answer at a market time; `base` is the address this is served at."""
        query = _sorted(pair for pair in request.query if pair[0].lower() != "apikey")
        asked = Asked.read(request.path, dict(query))
        key: Key = (request.path, query) if asked is None else asked.series
        series = None if asked is None else self._series_of(asked.series)
        if (failure := self._due_failure(key, now_ms)) is not None:
            self.counts.failures += 1
            return _as_recorded(failure, base)
        unreadable = () if series is None else series.unreadable
        alike = [call for call in self._exact.get((request.path, query), ()) if call not in unreadable]
        exact = _known_at(alike, now_ms)
        if exact is not None and (asked is None or _is_current(exact, asked, now_ms)):
            self.counts.as_recorded += 1
            return _as_recorded(exact, base)
        if asked is not None and series is not None:
            bars = series.bars(asked, now_ms, self._tail)
            if bars is not None:
                self.counts.composed += 1
                self.counts.partly_recorded += series.is_partly_recorded(asked, now_ms)
                path = request.target.partition("?")[0]
                request_id = _request_id(request.path, query, now_ms)
                return Response(200, page_of(bars, asked, path, base, request_id, is_delayed=series.is_delayed))
            refused = [
                call for call, other in self._asked[asked.series] if call.line.status != 200 and _meet(asked, other)
            ]
            exact = exact or _known_at(refused, now_ms)
            if exact is not None:
                self.counts.as_recorded += 1
                return _as_recorded(exact, base)
        if asked is None and (body := self._lists.compose(request.path, dict(query), now_ms)) is not None:
            self.counts.composed += 1
            return Response(200, body)
        return self._missing(request.path, query, is_series=asked is not None)

    def _series_of(self, name: SeriesName) -> RecordedSeries | None:
        """Made when it is first asked for; what it cannot read is a failure like others."""
        if name in self._series or name not in self._asked:
            return self._series.get(name)
        good = [(call, asked) for call, asked in self._asked[name] if call.line.status == 200]
        series = self._series[name] = RecordedSeries(name, good)
        return series

    def _due_failure(self, key: Key, now_ms: int) -> RecordedCall | None:
        line = self._lines.get(key)
        if line is None:
            return None
        unreadable = self._series[key].unreadable if isinstance(key, SeriesName) and key in self._series else []
        calls = line.calls
        failing = [_is_passing(call) or call in unreadable for call in calls]
        begun = sum(call.line.sent_ms <= now_ms + _EARLY_MS for call in calls)
        first = (
            0
            if begun == 0
            else next((at for at in range(begun) if calls[at].line.sent_ms >= now_ms - _RETRIED_MS), begun)
        )
        for at in range(first, max(begun, 1)):
            if failing[at] and at not in line.served:
                line.served.add(at)
                return calls[at]
        if 0 < begun < len(calls) and failing[begun - 1] and failing[begun]:
            return calls[begun - 1]  # in the middle of an outage
        return None

    def _missing(self, path: str, query: Query, *, is_series: bool) -> Response:
        self.counts.missing[path] += 1
        text = path + (f"?{urlencode(query)}" if query else "")
        body = {"status": "ERROR", "request_id": _request_id(path, query, 0), "error": f"not in the recording: {text}"}
        # To clients of the vendor 404 means an unknown ticker: of a known one a stretch is not recorded.
        return Response(400 if is_series else 404, encode(body))


def _sorted(pairs: Iterable[tuple[str, str]]) -> Query:
    return tuple(sorted(pairs))


def _is_passing(call: RecordedCall) -> bool:
    """Whether the same call may well have been answered a moment later."""
    status = call.line.status
    return status is None or status == 429 or status >= 500


def _known_at(calls: Sequence[RecordedCall], now_ms: int) -> RecordedCall | None:
    """The latest of the answers so far; before any, the first."""
    past = [call for call in calls if call.line.received_ms <= now_ms]
    return past[-1] if past else next(iter(calls), None)


def _is_current(call: RecordedCall, asked: Asked, now_ms: int) -> bool:
    """Whether an answer about this very range is still all there is to say about it."""
    return asked.to_ms < call.line.sent_ms or now_ms <= call.line.received_ms + _FRESH_MS


def _meet(asked: Asked, other: Asked) -> bool:
    return asked.from_ms <= other.to_ms and other.from_ms <= asked.to_ms


def _request_id(path: str, query: Query, now_ms: int) -> str:
    return hashlib.blake2b(f"{path}?{urlencode(query)} {now_ms}".encode(), digest_size=16).hexdigest()


def _as_recorded(call: RecordedCall, base: str) -> Response:
    line = call.line
    if line.status is None:
        # A refused connection cannot be told from a cut one by a server that has accepted it.
        is_stalled = line.failure in _TIMEOUTS
        return Response(200, sabotage=Sabotage(is_stalled=True) if is_stalled else Sabotage(drop_after_bytes=0))
    kept: Mapping[str, str] = {name: line.headers[name] for name in _ANSWERED if name in line.headers}
    content_type = kept.get("content-type", "application/json")
    headers = {name: value for name, value in kept.items() if name != "content-type"}
    # The next page is asked for here, not where it was recorded.
    pattern = _NEXT_URL + b"(?:" + re.escape(call.base_path.encode()) + b"(?=/))?"
    body = re.sub(pattern, rb"\1" + base.encode(), call.body())
    return Response(line.status, body, content_type, headers)
