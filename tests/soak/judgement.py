"""What a long run comes to: leaks, losses and bars that are not the market's, as sentences."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from tests.soak import samples as measured
from tests.soak.oracle import Correction, Findings, Row
from tests.soak.samples import Sample, Windows, within

MOST_GROWTH = 0.02  # of memory, between the two windows
LEAST_PER_S = 5_000  # events
MOST_LAG_MS = 2_000  # of trades behind the market, in the last window
_LONG_S = 900.0  # a shorter run says little about memory and rates


@dataclass(frozen=True, slots=True)
class Orders:
    """What to run. Times in seconds; `trace` frames of every allocation are remembered, 0 for none."""

    seconds: float
    drop_every_s: float
    sample_every_s: float
    out: Path
    least_drops: int = 1
    trace: int = 0


@dataclass
class Course:
    """What was seen of a run."""

    samples: list[Sample] = field(default_factory=list)
    reconnect_s: list[float] = field(default_factory=list)
    recovery_s: list[float] = field(default_factory=list)
    drops: int = 0
    dropped_ms: int = 0
    ended_ms: int = 0
    visits: int = 0
    connections: tuple[int, ...] = ()
    requests: int = 0
    corrections: list[Correction] = field(default_factory=list)
    charts: dict[str, dict[int, Row]] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)  # of the loop and the log
    grown: list[str] = field(default_factory=list)  # kinds of objects there are more of, with their numbers
    left: list[str] = field(default_factory=list)  # after closing: tasks, threads, handles that were not there before


class Summary(msgspec.Struct):
    """The judgement; `failures` is empty when all is well."""

    failures: list[str]
    seconds: float
    events: int
    events_per_s: float
    drops: int
    connections: list[int]
    visits: int
    corrections: int
    requests: int
    reconnect_s: dict[str, float]
    recovery_s: dict[str, float]
    lag_ms: dict[str, float]
    gap_ms: dict[str, float]
    growth: dict[str, float]  # 0.01 is 1 %
    at_rest: dict[str, tuple[int, int]]
    series: int
    bars: int
    wrong: list[str]
    grown: list[str]


def judge(orders: Orders, course: Course, findings: Findings) -> Summary:
    """What a run comes to. Memory and rate are judged in runs that are long enough to have them."""
    windows, samples = Windows.of(orders.seconds), course.samples
    growth = {name: measured.growth(samples, name, windows) for name in ("rss", "private", "blocks", "server_rss")}
    at_rest = {name: measured.at_rest(samples, name, windows) for name in ("tasks", "threads", "handles")}
    per_s = samples[-1].events / samples[-1].at_s
    failures = []
    if course.errors:
        failures.append(f"errors: {course.errors[:5]}")
    if course.notices:
        failures.append(f"notices: {course.notices}")
    if course.left:
        failures.append(f"left after closing: {course.left}")
    if not course.drops or min(course.connections, default=0) <= course.drops:
        failures.append(f"{course.drops} drops, sockets opened {course.connections} times")
    if findings.wrong:
        failures.append(f"{len(findings.wrong)} bars are wrong: {findings.wrong[:5]}")
    if not findings.bars:
        failures.append("no bar was compared")
    failures += [
        f"{name} at rest: {first}, in the end {last}" for name, (first, last) in at_rest.items() if last > first
    ]
    if orders.seconds >= _LONG_S:
        if growth["rss"] >= MOST_GROWTH:
            failures.append(f"memory grew by {growth['rss']:.1%}")
        if (lag_ms := statistics.median(sample.lag_ms for sample in within(samples, windows.last))) > MOST_LAG_MS:
            failures.append(f"{lag_ms:.0f} ms behind the market in the end")
        if per_s < LEAST_PER_S:
            failures.append(f"only {per_s:.0f} events/s")
    return Summary(
        failures=failures,
        seconds=samples[-1].at_s,
        events=samples[-1].events,
        events_per_s=per_s,
        drops=course.drops,
        connections=list(course.connections),
        visits=course.visits,
        corrections=len(course.corrections),
        requests=course.requests,
        reconnect_s=_spread(course.reconnect_s),
        recovery_s=_spread(course.recovery_s),
        lag_ms=_spread([sample.lag_ms for sample in samples]),
        gap_ms=_spread([sample.gap_ms for sample in samples]),
        growth=growth,
        at_rest=at_rest,
        series=findings.series,
        bars=findings.bars,
        wrong=findings.wrong[:100],
        grown=course.grown,
    )


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "worst": max(values)} if values else {}
