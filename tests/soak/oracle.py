"""The cache file against the market: every bar the cache claims to have, compared with what REST says of it now.

Reads the file with plain SQL and asks the feed server over plain HTTP: nothing here is shared with what it checks.
"""

from __future__ import annotations

import contextlib
import json
import math
import sqlite3
import urllib.request
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.helpers.feed_server import ServerProcess

Row = tuple[float | None, ...]  # open, high, low, close, volume, vwap, trades
_UNITS = {"1s": ("second", 1_000), "1m": ("minute", 60_000), "1h": ("hour", 3_600_000), "1D": ("day", 86_400_000)}
_SETTLE_MS = {"X:": 300_000, "C:": 300_000}
_SETTLE_STOCKS_MS = 960_000
_CLOCK_GRACE_MS = 2_000  # the application knows the server's clock about as well as that


@dataclass(frozen=True, slots=True)
class Correction:
    """A minute bar that the market changed at `at_ms`."""

    ticker: str
    minute_ms: int
    at_ms: int


@dataclass
class Findings:
    """How much was compared, and what did not fit."""

    series: int = 0
    bars: int = 0
    wrong: list[str] = field(default_factory=list)


class Market:
    """Bars as the feed server gives them, kept."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self.now_ms = int(server.control("GET", "/clock")["now_ms"])
        self._held: dict[tuple[str, str], dict[int, Row]] = {}

    def bars(self, ticker: str, timeframe: str) -> dict[int, Row]:
        """All bars of a base timeframe by their start."""
        key = ticker, timeframe
        if key not in self._held:
            self._held[key] = dict(self._pages(ticker, _UNITS[timeframe][0]))
        return self._held[key]

    def _pages(self, ticker: str, unit: str) -> Iterator[tuple[int, Row]]:
        url: str | None = (
            f"{self._server.rest}/v2/aggs/ticker/{ticker}/range/1/{unit}/0/{self.now_ms}?sort=asc&limit=50000"
        )
        while url is not None:
            request = urllib.request.Request(url, headers={"Authorization": f"Bearer {self._server.key}"})
            with self._opener.open(request, timeout=60) as response:
                body = json.load(response)
            for row in body.get("results", []):
                yield row["t"], tuple(row.get(name) for name in ("o", "h", "l", "c", "v", "vw", "n"))
            url = body.get("next_url")


def check_cache(path: Path, market: Market, corrections: Collection[Correction] = ()) -> Findings:
    """Every series of the cache at `path`, whose application is closed.

    Bars that were not settled when they were fetched may lack a correction that came later; nothing else may differ.
    """
    findings = Findings()
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        if connection.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
            findings.wrong.append("integrity_check")
        for series_id, ticker, timeframe in connection.execute("SELECT id, ticker, timeframe FROM series").fetchall():
            covered = connection.execute(
                "SELECT start_ms, end_ms, fetched_ms FROM coverage WHERE series_id = ? ORDER BY start_ms", (series_id,)
            ).fetchall()
            stored = {
                row[0]: row[1:]
                for row in connection.execute(
                    "SELECT start_ms, open, high, low, close, volume, vwap, trades FROM bar"
                    " WHERE ticker = ? AND timeframe = ?",
                    (ticker, timeframe),
                )
            }
            ours = [correction for correction in corrections if correction.ticker == ticker]
            real = market.bars(ticker, timeframe)
            check_series(f"{ticker} {timeframe}", stored, covered, real, ours, findings)
    return findings


def check_series(
    name: str,
    stored: dict[int, Row],
    covered: list[tuple[int, int, int]],
    real: dict[int, Row],
    corrections: list[Correction],
    findings: Findings,
) -> None:
    """The rows stored of a series (`ticker timeframe`) in its covered ranges (start, end, fetched)."""
    length_ms = _UNITS[name.rsplit(" ", 1)[1]][1]
    settle_ms = _SETTLE_MS.get(name[:2], _SETTLE_STOCKS_MS)
    findings.series += 1
    for start_ms, end_ms, fetched_ms in covered:
        excused = {
            at
            for at in stored
            for correction in corrections
            if at <= correction.minute_ms < at + length_ms
            and at + length_ms > fetched_ms - settle_ms
            and correction.at_ms > fetched_ms - _CLOCK_GRACE_MS
        }
        # What was not over when it was fetched is nobody's final word.
        closed_ms = min(end_ms, fetched_ms - _CLOCK_GRACE_MS - length_ms + 1)
        ours = {at: row for at, row in stored.items() if start_ms <= at < closed_ms}
        theirs = {at: row for at, row in real.items() if start_ms <= at < closed_ms}
        findings.bars += len(theirs)
        findings.wrong += [f"{name} {at}: not in the cache" for at in sorted(theirs.keys() - ours.keys())]
        findings.wrong += [f"{name} {at}: invented" for at in sorted(ours.keys() - theirs.keys())]
        findings.wrong += [
            f"{name} {at}: {ours[at]}, the market has {theirs[at]}"
            for at in sorted(ours.keys() & theirs.keys())
            if ours[at] != theirs[at] and at not in excused
        ]


def holes(path: Path, ticker: str, from_ms: int, to_ms: int) -> list[tuple[int, int]]:
    """The parts of [from_ms, to_ms) that the cache does not claim to have 1-minute bars of."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        covered = connection.execute(
            "SELECT start_ms, min(end_ms, fetched_ms) FROM coverage JOIN series ON series.id = series_id"
            " WHERE ticker = ? AND timeframe = '1m' ORDER BY start_ms",
            (ticker,),
        ).fetchall()
    answer = []
    for start_ms, end_ms in covered:
        if start_ms > from_ms and from_ms < to_ms:
            answer.append((from_ms, min(start_ms, to_ms)))
        from_ms = max(from_ms, end_ms)
    if from_ms < to_ms:
        answer.append((from_ms, to_ms))
    return answer


def check_chart(
    name: str, shown: dict[int, Row], length_ms: int, to_ms: int, minutes: dict[int, Row], findings: Findings
) -> None:
    """The closed bars of a chart, whose buckets lie whole before `to_ms`, against minutes of the market added up."""
    buckets: dict[int, list[Row]] = {}
    for at, row in sorted(minutes.items()):
        start_ms = at - at % length_ms
        if start_ms + length_ms <= to_ms:
            buckets.setdefault(start_ms, []).append(row)
    findings.series += 1
    for start_ms, parts in buckets.items():
        findings.bars += 1
        opens, highs, lows, closes, volumes = list(zip(*parts, strict=True))[:5]
        real = (opens[0], max(highs), min(lows), closes[-1], math.fsum(volumes))
        if (ours := shown.get(start_ms, ())[:5]) != real:
            findings.wrong.append(f"chart {name} {start_ms}: {ours}, the market has {real}")
    invented = [start_ms for start_ms in shown if start_ms not in buckets and start_ms + length_ms <= to_ms]
    findings.wrong += [f"chart {name} {start_ms}: invented" for start_ms in sorted(invented)]
