"""What a long run is judged by: a sample of this process every so often, and what a row of them says."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import math
import os
import statistics
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_MB = 1 << 20
_QT_PAINTER = "Thread (pooled)"  # come and go: Qt ends them half a minute after their last work


@dataclass(frozen=True, slots=True)
class Sample:
    """The process at `at_s` seconds since the run began; sizes in bytes, times in ms, rates since the sample before."""

    at_s: float
    rss: int
    private: int  # not shared with any file or process
    blocks: int  # Python's own allocations that are alive
    tasks: int
    threads: int
    handles: int
    cache: int
    wal: int
    events: int
    events_per_s: float
    lag_ms: float  # of trades behind the market: the median since the sample before
    longest_lag_ms: float
    gap_ms: float  # longest time in which a 10 ms timer on the loop did not come
    drops: int
    charts_live: int
    server_rss: int


def rss_of(process: int | None = None) -> int:
    """Resident bytes of a process; of this one by default."""
    with open(f"/proc/{process or 'self'}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * _PAGE_BYTES


def private_bytes() -> int:
    """Resident bytes of this process that nothing else holds."""
    with open("/proc/self/smaps_rollup", encoding="ascii") as file:
        sizes = dict(line.split()[:2] for line in file if line.startswith("Private_"))
    return 1024 * (int(sizes["Private_Clean:"]) + int(sizes["Private_Dirty:"]))


def handles() -> Counter[str]:
    """Open file handles by what they are: `socket`, `pipe`, `anon_inode`, or a file's path; without Qt's painters'."""
    found: Counter[str] = Counter()
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except FileNotFoundError:  # the listing's own
            continue
        found[target.split(":[")[0]] += 1
    found["anon_inode"] -= native_threads()[_QT_PAINTER]  # each waits on an eventfd
    return +found


def native_threads() -> Counter[str]:
    """All threads of the process by the name the system has for them."""
    found: Counter[str] = Counter()
    for task in os.listdir("/proc/self/task"):
        with contextlib.suppress(OSError), open(f"/proc/self/task/{task}/comm", encoding="utf-8") as file:
            found[file.read().strip()] += 1
    return found


def thread_names() -> Counter[str]:
    """Threads by name without their numbers, those of C libraries as `other`; without Qt's painters."""
    names = Counter(thread.name.rstrip("0123456789").rstrip("_-") for thread in threading.enumerate())
    native = native_threads()
    names["other"] = native.total() - native[_QT_PAINTER] - names.total()
    return +names


def task_names() -> Counter[str]:
    """Tasks by the function they run."""
    return Counter(
        getattr(task.get_coro(), "__qualname__", task.get_name()) for task in asyncio.all_tasks() if not task.done()
    )


def size_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def write_csv(path: Path, samples: Sequence[Sample]) -> None:
    """One row each, with a heading."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Sample)])
        writer.writeheader()
        writer.writerows(asdict(sample) for sample in samples)


@dataclass(frozen=True, slots=True)
class Windows:
    """Two stretches of a run that are compared: one after the start has settled, one at the end."""

    first: tuple[float, float]
    last: tuple[float, float]

    @classmethod
    def of(cls, seconds: float) -> Windows:
        """Of a run of 30 minutes: minutes 5 to 8, and the last 3."""
        settled_s, length_s = min(300.0, seconds / 6), min(180.0, seconds / 4)
        return cls((settled_s, settled_s + length_s), (seconds - length_s, math.inf))


def within(samples: Sequence[Sample], window: tuple[float, float]) -> list[Sample]:
    return [sample for sample in samples if window[0] <= sample.at_s <= window[1]]


def growth(samples: Sequence[Sample], name: str, windows: Windows) -> float:
    """How much larger the median of a field is in the last window than in the first: 0.02 is 2 %."""
    first, last = (
        statistics.median(getattr(sample, name) for sample in within(samples, window))
        for window in (windows.first, windows.last)
    )
    return last / first - 1 if first else 0.0


def at_rest(samples: Sequence[Sample], name: str, windows: Windows) -> tuple[int, int]:
    """The smallest value of a count in the first and the last window while every chart was live.

    What is open for a moment does not show in it; what is missing during an outage does not count.
    """
    whole = [sample for sample in samples if sample.charts_live == samples[0].charts_live]
    first, last = (
        within(whole, window) or [end]
        for window, end in zip((windows.first, windows.last), (whole[0], whole[-1]), strict=True)
    )
    return min(getattr(sample, name) for sample in first), min(getattr(sample, name) for sample in last)


def table(samples: Sequence[Sample], rows: int = 12) -> str:
    """Some of the samples, evenly chosen, as text."""
    chosen = samples[:: max(1, -(-len(samples) // rows))]
    if samples and chosen[-1] is not samples[-1]:
        chosen = [*chosen, samples[-1]]
    lines = ["    at s  rss MB  priv MB   blocks tasks thr fds cache MB wal MB   ev/s lag ms (max) gap ms drops live"]
    lines += [
        f"{s.at_s:8.0f} {s.rss / _MB:7.1f} {s.private / _MB:8.1f} {s.blocks:8} {s.tasks:5} {s.threads:3} {s.handles:3} "
        f"{s.cache / _MB:8.2f} {s.wal / _MB:6.2f} {s.events_per_s:6.0f} {s.lag_ms:6.0f} {s.longest_lag_ms:5.0f} "
        f"{s.gap_ms:6.0f} {s.drops:5} {s.charts_live:4}"
        for s in chosen
    ]
    return "\n".join(lines)
