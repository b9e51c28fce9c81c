"""The long run of the live path: 5,000 events a second, all sockets dropped again and again, everything counted.

    QT_QPA_PLATFORM=offscreen python -m tests.soak.run --seconds 1800 --out /tmp/soak

The application is this process, the market another one. Writes samples.csv and summary.json into the folder, prints a
table, and ends with 1 when something leaked, was lost or is not what the market has.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import shutil
import statistics
import sys
import time
import tracemalloc
from collections import Counter
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["QT_API"] = "pyside6"
os.environ["PYQTGRAPH_QT_LIB"] = "PySide6"
os.environ["CANDELABRA_NO_KEYRING"] = "1"

import msgspec
from PySide6.QtWidgets import QApplication, QWidget
from qasync import QEventLoop

from desktop.domain.timeframe import MINUTE_MS, Timeframe
from tests.helpers.feed_server import ServerProcess, start_server
from tests.helpers.window_desk import cache_file
from tests.soak import samples as measured
from tests.soak.dense_market import OPENED_MS
from tests.soak.desk import FOLLOWED, Load, loaded_desk, shown, stop
from tests.soak.judgement import Course, Orders, Summary, judge
from tests.soak.oracle import Findings, Market, check_cache, check_chart, holes
from tests.soak.samples import Sample, Windows

_BEGIN_MS = OPENED_MS + 90 * MINUTE_MS + 45_000  # a minute closes after 15 s
_CALM_S = 5.0  # without faults at the end: what was ordered last has arrived
_LOOK_S = 0.2
_ENDING_S = 10.0
_QASYNC_WORKER = "_QThreadWorker"
_CORRECTED_MS = 10_000  # before the end a chart has a correction


class _Errors(logging.Handler):
    def __init__(self, sink: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._sink = sink

    def emit(self, record: logging.LogRecord) -> None:
        self._sink.append(record.getMessage())


class _Sampler:
    """Takes samples of a run; each asks the server's process too."""

    def __init__(self, load: Load, cache: Path, server: ServerProcess) -> None:
        self._load, self._cache, self._server = load, cache, server
        self._began_s = self._last_s = time.monotonic()
        self._first = self._events = load.desk.session.live.events

    def take(self) -> Sample:
        load, now_s = self._load, time.monotonic()
        events, passed_s = load.desk.session.live.events, now_s - self._last_s
        lags, load.lags_ms = load.lags_ms or [0], []
        gap_ms, load.gap_ms = load.gap_ms, 0.0
        per_s = (events - self._events) / passed_s
        self._events, self._last_s = events, now_s
        return Sample(
            at_s=now_s - self._began_s,
            rss=measured.rss_of(),
            private=measured.private_bytes(),
            blocks=sys.getallocatedblocks(),
            tasks=measured.task_names().total(),
            threads=measured.thread_names().total(),
            handles=measured.handles().total(),
            cache=measured.size_of(self._cache),
            wal=measured.size_of(self._cache.with_name(self._cache.name + "-wal")),
            events=events - self._first,
            events_per_s=per_s,
            lag_ms=statistics.median(lags),
            longest_lag_ms=max(lags),
            gap_ms=gap_ms,
            drops=load.drops,
            charts_live=load.charts_live,
            server_rss=measured.rss_of(self._server.process.pid),
        )


async def _drive(server: ServerProcess, orders: Orders, folder: Path, course: Course) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: course.errors.append(str(context)))
    windows = Windows.of(orders.seconds)
    async with loaded_desk(server, folder) as load:
        load.gap_ms = 0.0
        sampler = _Sampler(load, cache_file(folder, server.world), server)
        course.samples.append(sampler.take())
        faults = [
            asyncio.create_task(load.drop_every(orders.drop_every_s)),
            asyncio.create_task(load.correct_every(orders.drop_every_s * 1.3)),
        ]
        use = [
            asyncio.create_task(load.use_window(orders.drop_every_s * 0.7)),
            asyncio.create_task(load.watch_loop()),
        ]
        kinds: Counter[str] | None = None
        trace: tracemalloc.Snapshot | None = None
        until_s = time.monotonic() + orders.seconds - _CALM_S
        while faults or time.monotonic() < until_s:
            left_s = until_s - time.monotonic()
            await asyncio.sleep(min(orders.sample_every_s, max(_LOOK_S, left_s)))
            course.samples.append(sampler.take())
            if faults and time.monotonic() >= until_s and load.drops >= orders.least_drops:
                await stop(faults)
                faults, until_s = [], time.monotonic() + _CALM_S
            for task in (*faults, *use):
                if task.done():
                    task.result()
            if kinds is None and course.samples[-1].at_s >= windows.first[1]:
                kinds = _kinds()
                if orders.trace:
                    trace = tracemalloc.take_snapshot()
        course.grown = _more(kinds or Counter(), _kinds())
        if trace is not None:
            _print_growth(trace, tracemalloc.take_snapshot())
        await stop(use)
        await load.until_caught_up()
        course.samples.append(sampler.take())
        course.ended_ms = load.desk.layer.clock.now_ms()
        course.charts = shown(load)
        course.reconnect_s = load.reconnect_s
        course.recovery_s, course.drops, course.dropped_ms = load.recovery_s, load.drops, load.dropped_ms
        course.corrections, course.visits, course.connections = load.corrections, load.visits, load.connections
        course.notices = load.desk.notice_texts
    course.left = [f"task {task.get_name()}" for task in asyncio.all_tasks() - {asyncio.current_task()}]


def _kinds() -> Counter[str]:
    gc.collect()
    return Counter(f"{type(held).__module__}.{type(held).__qualname__}" for held in gc.get_objects())


def _more(before: Counter[str], after: Counter[str]) -> list[str]:
    return [f"{name} {before[name]} -> {before[name] + more}" for name, more in (after - before).most_common(15)]


def _print_growth(before: tracemalloc.Snapshot, after: tracemalloc.Snapshot) -> None:
    for line in after.compare_to(before, "traceback")[:25]:
        sys.stdout.write("\n".join([str(line), *line.traceback.format(), ""]))


def run(orders: Orders) -> Summary:
    """The whole of it, in a process that has nothing else to do. Raises what the run itself could not bear."""
    folder = orders.out / "data"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    app = QApplication.instance() or QApplication([sys.argv[0]])
    assert isinstance(app, QApplication)
    app.setQuitOnLastWindowClosed(False)
    course = Course()
    logging.getLogger().addHandler(_Errors(course.errors))
    server = start_server(["--start", str(_BEGIN_MS)], module="tests.soak.server")
    try:
        _warm_up(app)
        before = _held()
        if orders.trace:
            tracemalloc.start(orders.trace)
        try:
            with asyncio.Runner(loop_factory=lambda: QEventLoop(app)) as runner:
                runner.run(_drive(server, orders, folder, course))
        finally:
            measured.write_csv(orders.out / "samples.csv", course.samples)
            (orders.out / "table.txt").write_text(measured.table(course.samples) + "\n", "utf-8")
        gc.collect()
        course.left += [f"{name} ({more} more)" for name, more in (_held() - before).items()]
        course.requests = int(server.control("GET", "/stats")["requests_total"])
        findings = _compare(server, cache_file(folder, server.world), course)
    finally:
        server.close()
    summary = judge(orders, course, findings)
    (orders.out / "summary.json").write_bytes(msgspec.json.format(msgspec.json.encode(summary), indent=1))
    return summary


def _warm_up(app: QApplication) -> None:
    """What Qt and Python open once and keep for the life of the process is not the session's."""

    async def show_something() -> None:
        widget = QWidget()
        widget.show()
        await asyncio.to_thread(gc.collect)
        widget.close()

    with asyncio.Runner(loop_factory=lambda: QEventLoop(app)) as runner:
        runner.run(show_something())


def _held() -> Counter[str]:
    """Threads and handles that are there while nothing goes on."""
    until_s = time.monotonic() + _ENDING_S
    while measured.native_threads()[_QASYNC_WORKER] and time.monotonic() < until_s:
        time.sleep(0.01)  # they end soon after their loop
    threads = Counter({f"thread {name}": count for name, count in measured.thread_names().items()})
    return threads + Counter({f"handle {name}": count for name, count in measured.handles().items()})


def _compare(server: ServerProcess, cache: Path, course: Course) -> Findings:
    market = Market(server)
    findings = check_cache(cache, market, course.corrections)
    for ticker, timeframe in FOLLOWED:
        if timeframe == "1m":
            missing = holes(cache, ticker, OPENED_MS, course.dropped_ms)
            findings.wrong += [f"{ticker} 1m: the cache has no word on {part}" for part in missing]
    for name, bars in course.charts.items():
        _, ticker, timeframe = name.split()
        length_ms = Timeframe.parse(timeframe).typical_ms
        to_ms = course.ended_ms - _CORRECTED_MS
        check_chart(name, bars, length_ms, to_ms, market.bars(ticker, "1m"), findings)
    return findings


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=1800.0)
    parser.add_argument("--drop-every", type=float, default=20.0)
    parser.add_argument("--least-drops", type=int, default=1, help="goes on beyond its time until there were so many")
    parser.add_argument("--sample-every", type=float, default=10.0)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--trace", type=int, default=0, metavar="FRAMES", help="say where memory grew; slow")
    arguments = parser.parse_args()
    orders = Orders(
        arguments.seconds,
        arguments.drop_every,
        arguments.sample_every,
        arguments.out,
        arguments.least_drops,
        arguments.trace,
    )
    summary = run(orders)
    sys.stdout.write((orders.out / "table.txt").read_text("utf-8") + (orders.out / "summary.json").read_text("utf-8"))
    return 1 if summary.failures else 0


if __name__ == "__main__":
    sys.exit(main())
