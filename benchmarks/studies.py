"""Studies: computing a million bars anew, and what a tick costs at a thousand and at a million bars.

A tick goes the way it goes in a chart: into the store of bars, then through ten studies; every tenth opens a new bar.
Rounds take turns, figures are medians of processor time. Fails when a tick of a million bars costs more than twice one
of a thousand.

    python benchmarks/studies.py [--rounds 9] [--ticks 500]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from desktop.domain.bars import Bar, Bars, BarSeries
from desktop.domain.market import Market
from desktop.domain.studies.registry import STUDIES
from desktop.domain.studies.series import StudySeries, compute
from desktop.domain.studies.study import Study

MILLION = 1_000_000
SIZES = (1_000, 100_000, MILLION)
MINUTE = 60_000
LIMIT = 2.0
# Five overlays and five panes, what recurs and what has a window.
TEN = ("sma", "ema", "bollinger", "vwap", "sar", "rsi", "macd", "stochastic", "atr", "adx")


def walk(count: int) -> Bars:
    random = np.random.default_rng(4)
    close = np.round(30_000 * np.exp(np.cumsum(random.normal(size=count)) * 5e-4), 2)
    opened = np.concatenate([close[:1], close[:-1]])
    reach = np.round(np.abs(random.normal(size=(2, count))) * 10, 2)
    high, low = np.maximum(opened, close) + reach[0], np.minimum(opened, close) - reach[1]
    volume = random.lognormal(size=count)
    starts = 1_600_000_000_000 + MINUTE * np.arange(count, dtype=np.int64)
    return Bars(starts, opened, high, low, close, volume, (high + low) / 2, np.ones(count))


class Live:
    """A store of bars with studies that follow it."""

    def __init__(self, bars: Bars, kinds: Sequence[str]) -> None:
        self._bars = BarSeries(bars)
        self._series = [StudySeries(Study.of(kind), Market.CRYPTO) for kind in kinds]
        for series in self._series:
            series.reset(self._bars.bars)
        self._random = np.random.default_rng(5)
        self._turn = 0

    def ticks(self, count: int) -> float:
        """Microseconds a tick."""
        spent = 0
        for move in (self._random.normal(size=count) * 5).tolist():
            self._turn += 1
            last = self._bars.bars[len(self._bars) - 1]
            close = last.close + move
            opens = self._turn % 10 == 0
            bar = Bar(
                last.start_ms + MINUTE * opens,
                last.close if opens else last.open,
                max(last.close if opens else last.high, close),
                min(last.close if opens else last.low, close),
                close,
                1.0 if opens else last.volume + 0.1,
                close,
                1.0,
            )
            begin = time.thread_time_ns()
            change = self._bars.upsert(bar)
            bars = self._bars.bars
            for series in self._series:
                series.changed(bars, change.first_index)
            spent += time.thread_time_ns() - begin
        return spent / count / 1000


def timed(work: Callable[[], object]) -> float:
    """Milliseconds of processor."""
    begin = time.thread_time_ns()
    work()
    return (time.thread_time_ns() - begin) / 1e6


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    print(f"\n{title}\n")
    print("| " + " | ".join(head) + " |")
    print("|" + " --- |" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--ticks", type=int, default=500)
    options = parser.parse_args()
    bars = walk(MILLION)
    kinds = [entry.kind for entry in STUDIES]

    def whole(names: Sequence[str]) -> None:
        for kind in names:
            compute(Study.of(kind), bars, Market.CRYPTO)

    whole(kinds)
    contenders: dict[str, Callable[[], object]] = {"numpy.cumsum": lambda: np.cumsum(bars.close)}
    contenders |= {kind: lambda kind=kind: whole([kind]) for kind in kinds}
    contenders["ten studies"] = lambda: whole(TEN)
    full: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(options.rounds):
        for name, work in contenders.items():
            full[name].append(timed(work))

    groups: dict[str, Sequence[str]] = {kind: [kind] for kind in kinds} | {"ten studies": TEN}
    ticks: dict[str, dict[int, list[float]]] = {name: {size: [] for size in SIZES} for name in groups}
    for name, members in groups.items():
        lives = {size: Live(bars.take(MILLION - size, MILLION), members) for size in SIZES}
        for live in lives.values():
            live.ticks(50)
        for _ in range(options.rounds):
            for size, live in lives.items():
                ticks[name][size].append(live.ticks(options.ticks))

    base = statistics.median(full["numpy.cumsum"])
    rows, worst = [], 0.0
    for name, times in full.items():
        row = [name, f"{statistics.median(times):.1f} ms", f"{statistics.median(times) / base:.1f}"]
        if name in ticks:
            costs = [statistics.median(ticks[name][size]) for size in SIZES]
            ratio = costs[-1] / costs[0]
            worst = max(worst, ratio)
            row += [*(f"{cost:.1f} us" for cost in costs), f"{ratio:.2f}"]
        else:
            row += ["", "", "", ""]
        rows.append(row)
    head = ["", "a million bars anew", "x cumsum", *(f"tick at {size:,}" for size in SIZES), "million : thousand"]
    table(f"Studies, medians of {options.rounds}", head, rows)
    print(f"\nTen studies: {', '.join(TEN)}. Greatest ratio {worst:.2f}, allowed {LIMIT}.")
    return int(worst > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
