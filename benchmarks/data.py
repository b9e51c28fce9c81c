"""The data path against its peers: decoding, storing, rolling up, and a cached chart from the choice to the pixels.

Every table is interleaved and says medians; ratios are of one run. Peers: the vendor's client (`massive`), Parquet with
zstd through pyarrow, numpy's bare reduceat.

    python benchmarks/data.py [--rounds 9] [--only decode,loop,read,append,rollup,chart]
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["QT_API"] = "pyside6"
os.environ["PYQTGRAPH_QT_LIB"] = "PySide6"
os.environ["CANDELABRA_NO_KEYRING"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import msgspec
import numpy as np
import pyarrow
from massive.rest.models import Agg
from pyarrow import parquet
from PySide6.QtWidgets import QApplication
from qasync import QEventLoop

from desktop.assembly import Source, open_data_layer
from desktop.data import wire
from desktop.data.api_key import ApiKeys
from desktop.data.folders import Folders
from desktop.data.rate_limit import Limiter
from desktop.data.rest import RestClient
from desktop.data.store import Store
from desktop.domain.aggregation import roll_up
from desktop.domain.bars import VALUE_COLUMNS, Bars, BarSeries
from desktop.domain.coverage import Covered
from desktop.domain.market import Market
from desktop.domain.settings import Settings
from desktop.domain.timeframe import HOUR_MS, MINUTE_MS, ONE_HOUR, ONE_MINUTE, Timeframe
from desktop.domain.world import VENDOR
from desktop.services.keys import Keys
from desktop.services.notices import Notices
from desktop.services.preferences import Preferences
from desktop.session import Desk, open_session
from desktop.ui.chart.chart_widget import ChartWidget

PAGE_BARS = 50_000
MILLION = 1_000_000
TICKER = "X:BTCUSD"
FOREVER = (0, 1 << 50)
BODY_SERVER = """
import socketserver, sys
body = open(sys.argv[1], "rb").read()
head = b"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body)
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        while self.rfile.readline():
            while self.rfile.readline().strip():
                pass
            self.wfile.write(head + body)
server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
"""


def minutes(count: int, end_ms: int = 1_760_000_040_000) -> Bars:
    """A walk in cents, complete, ending at `end_ms`."""
    rng = np.random.default_rng(7)
    close = np.round(60_000 + np.cumsum(rng.normal(0, 5, count)), 2)
    opened = np.append(close[0], close[:-1])
    high = np.round(np.maximum(opened, close) + rng.random(count) * 3, 2)
    low = np.round(np.minimum(opened, close) - rng.random(count) * 3, 2)
    start_ms = end_ms - end_ms % MINUTE_MS - MINUTE_MS * np.arange(count, 0, -1, dtype=np.int64)
    volume, vwap = np.round(rng.lognormal(0, 1, count), 8), np.round((high + low) / 2, 4)
    return Bars(start_ms, opened, high, low, close, volume, vwap, rng.integers(1, 900, count).astype(np.float64))


def rows_of(bars: Bars) -> list[dict[str, float]]:
    columns = [column.tolist() for column in (bars.volume, bars.vwap, bars.open, bars.close, bars.high, bars.low)]
    trades = bars.trades.astype(int).tolist()
    names = ("v", "vw", "o", "c", "h", "l", "t", "n")
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, bars.start_ms.tolist(), trades, strict=True)]


def json_body(bars: Bars) -> bytes:
    head = {"ticker": TICKER, "queryCount": len(bars), "resultsCount": len(bars), "adjusted": True}
    document = {**head, "results": rows_of(bars), "status": "OK", "request_id": "6a7e466379af0a71039d60cc78e72282"}
    return json.dumps(document, separators=(",", ":")).encode()


def csv_body(bars: Bars) -> bytes:
    rows = rows_of(bars)
    return "\n".join([",".join(rows[0]), *(",".join(map(repr, row.values())) for row in rows)]).encode()


def official(body: bytes) -> list[Agg]:
    """What get_aggs does with a body."""
    return [Agg.from_dict(row) for row in json.loads(body.decode("utf-8"))["results"]]


def official_columns(body: bytes) -> list[Any]:
    names = ("timestamp", "open", "high", "low", "close", "volume", "vwap", "transactions")
    aggs = official(body)
    return [np.fromiter((getattr(agg, name) for agg in aggs), np.float64, len(aggs)) for name in names]


def csv_columns(body: bytes) -> Any:
    """The columns of a CSV body without checking anything."""
    head, _, rows = body.partition(b"\n")
    values = msgspec.json.decode(b"[" + rows.replace(b"\n", b",") + b"]", type=list[float])
    return np.ascontiguousarray(np.array(values).reshape(-1, head.count(b",") + 1).T)


class Times:
    """What contenders took by the clock, and of processor time, which other programs do not lengthen."""

    def __init__(self) -> None:
        self._taken: dict[str, list[tuple[float, float]]] = {}

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        begin = time.perf_counter(), time.process_time()
        yield
        taken = time.perf_counter() - begin[0], time.process_time() - begin[1]
        self._taken.setdefault(name, []).append(taken)

    def table(self, title: str) -> None:
        """Medians, and how many times faster than the first contender."""
        print(f"\n{title}")
        medians = {name: np.median(taken, axis=0) * 1000 for name, taken in self._taken.items()}
        reference = next(iter(medians.values()))
        print(f"  {'':<38} {'clock':>12} {'processor':>20}")
        for name, (clock, own) in medians.items():
            print(
                f"  {name:<38} {clock:>9.2f} ms {reference[0] / clock:>5.2f}x"
                f" {own:>9.2f} ms {reference[1] / own:>5.2f}x"
            )


def race(rounds: int, contenders: dict[str, Callable[[], object]]) -> Times:
    """Each in turn; the answers are thrown away outside the timing."""
    times = Times()
    for _ in range(rounds):
        for name, run in contenders.items():
            with times.of(name):
                answer = run()
            del answer
    return times


def peak_mb(run: Callable[[], object]) -> float:
    tracemalloc.start()
    try:
        answer = run()
        peak = tracemalloc.get_traced_memory()[1] / 2**20
        del answer
        return peak
    finally:
        tracemalloc.stop()


def decode(rounds: int) -> None:
    page = minutes(PAGE_BARS)
    body, csv = json_body(page), csv_body(page)
    race(
        rounds,
        {
            "the vendor's client": lambda: official(body),
            "the vendor's client and numpy columns": lambda: official_columns(body),
            "decode_bars": lambda: wire.decode_bars(body),
            "the same bars as CSV, unchecked": lambda: csv_columns(csv),
        },
    ).table(f"decoding {PAGE_BARS:,} bars, {len(body) / 1e6:.1f} MB of JSON (x faster than the vendor's client)")
    peaks = {"vendor's client": lambda: official(body), "decode_bars": lambda: wire.decode_bars(body)}
    print("  peak memory beyond the body:", ", ".join(f"{name} {peak_mb(run):.1f} MB" for name, run in peaks.items()))
    sizes = {"JSON": body, "CSV": csv}
    for name, content in sizes.items():
        print(f"  {name}: {len(content) / 1e6:.2f} MB, gzip {len(gzip.compress(content, 6)) / 1e6:.2f} MB")


async def loop_blocks(rounds: int) -> None:
    """Longest time between two turns of a heartbeat, with and without pages being fetched and decoded."""
    page = minutes(PAGE_BARS)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "body").write_bytes(json_body(page))
        command = [sys.executable, "-c", BODY_SERVER, str(Path(folder) / "body")]
        server = await asyncio.to_thread(subprocess.Popen, command, stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            base = f"http://127.0.0.1:{int(server.stdout.readline())}"
            limiter = Limiter(calls_per_minute=None)
            async with RestClient(base=base, key="k" * 32, limiter=limiter, world=None) as rest:
                begin_ms, end_ms = int(page.start_ms[0]), int(page.start_ms[-1]) + MINUTE_MS

                async def load() -> None:
                    found = await rest.bars_page(TICKER, ONE_MINUTE, begin_ms, end_ms)
                    assert len(found.bars) == PAGE_BARS

                await load()
                busy, idle, taken = [], [], list[float]()
                for _ in range(rounds):
                    begin = time.perf_counter()
                    busy.append(await longest_gap_ms(load()))
                    taken.append(time.perf_counter() - begin)
                    idle.append(await longest_gap_ms(asyncio.sleep(taken[-1])))
        finally:
            server.kill()
            server.wait()
    print(f"\nlongest block of the loop while a page is fetched and decoded ({statistics.median(taken) * 1000:.0f} ms)")
    for name, gaps in (("with", busy), ("without", idle)):
        clock, own = zip(*gaps, strict=True)
        print(
            f"  {name:<8} median of {rounds}: {statistics.median(clock):5.1f} ms by the clock, "
            f"{statistics.median(own):4.1f} ms of the thread's own time (worst {max(clock):.1f} and {max(own):.1f})"
        )


async def longest_gap_ms(work: Any) -> tuple[float, float]:
    """By the clock, which other programs on the machine lengthen, and by the time the loop's thread itself ran."""
    longest, is_done = (0.0, 0.0), False

    async def beat() -> None:
        nonlocal longest
        last = time.perf_counter(), time.thread_time()
        while not is_done:
            await asyncio.sleep(0)
            now = time.perf_counter(), time.thread_time()
            longest = max(longest[0], now[0] - last[0]), max(longest[1], now[1] - last[1])
            last = now

    async with asyncio.TaskGroup() as group:
        group.create_task(beat())
        await work
        is_done = True
    return longest[0] * 1000, longest[1] * 1000


async def filled(path: Path, bars: Bars) -> Store:
    store = await Store.open(path, VENDOR, on_event=print)
    span = Covered(int(bars.start_ms[0]), int(bars.start_ms[-1]) + MINUTE_MS, int(bars.start_ms[-1]) + HOUR_MS)
    await store.put_bars(TICKER, ONE_MINUTE, True, bars, span)
    return store


async def read(rounds: int) -> None:
    bars = minutes(MILLION)
    with tempfile.TemporaryDirectory() as folder:
        path, flat = Path(folder) / "cache.sqlite", Path(folder) / "bars.parquet"
        await (await filled(path, bars)).aclose()
        columns = {"start_ms": bars.start_ms, **dict(zip(VALUE_COLUMNS, bars.values(), strict=True))}
        parquet.write_table(pyarrow.table(columns), flat, compression="zstd")
        times = Times()
        async with await Store.open(path, VENDOR, on_event=print) as store:
            for _ in range(rounds):
                with times.of("Parquet, zstd, by pyarrow"):
                    arrays = [column.to_numpy() for column in parquet.read_table(flat).columns]
                del arrays
                pyarrow.default_memory_pool().release_unused()  # both begin with memory fresh from the system
                with times.of("the store"):
                    found = await store.bars(TICKER, ONE_MINUTE, True, *FOREVER)
                assert len(found) == MILLION
                del found
        times.table("reading 1,000,000 bars of 8 columns into arrays (x faster than Parquet)")
        for name, file in (("store", path), ("Parquet", flat)):
            print(f"  {name}: {file.stat().st_size / MILLION:.1f} bytes a bar")


async def append(_rounds: int) -> None:
    print("\nappending one live bar and committing, through the store's thread")
    for count in (1_000, 100_000, 5 * MILLION):
        with tempfile.TemporaryDirectory() as folder:
            bars = minutes(count)
            async with await filled(Path(folder) / "cache.sqlite", bars) as store:
                last_ms, taken = int(bars.start_ms[-1]), []
                for number in range(2000):  # some seconds' worth of updates a minute, then the next minute
                    start_ms = last_ms + MINUTE_MS * (1 + number // 20)
                    one = Bars(np.array([start_ms]), *np.full((len(VALUE_COLUMNS), 1), 60_000.0 + number))
                    begin = time.perf_counter()
                    await store.put_bars(TICKER, ONE_MINUTE, True, one, None)
                    taken.append((time.perf_counter() - begin) * 1e6)
            taken.sort()
            print(f"  after {count:>9,} bars: median {taken[1000]:.0f} us, 95 of 100 below {taken[1900]:.0f} us")


def rollup(rounds: int) -> None:
    bars = minutes(MILLION)
    buckets = bars.start_ms // HOUR_MS
    first = np.flatnonzero(np.append(True, buckets[1:] != buckets[:-1]))
    last = np.append(first[1:], MILLION) - 1

    def bare() -> object:
        return (
            bars.open[first],
            np.maximum.reduceat(bars.high, first),
            np.minimum.reduceat(bars.low, first),
            bars.close[last],
            np.add.reduceat(bars.volume, first),
            np.add.reduceat(bars.vwap * bars.volume, first),
            np.add.reduceat(bars.trades, first),
        )

    def with_buckets() -> object:
        starts = bars.start_ms - bars.start_ms % HOUR_MS
        return np.flatnonzero(np.append(True, starts[1:] != starts[:-1])), bare()

    race(
        rounds * 3,
        {
            "bare reduceat": bare,
            "bare reduceat, buckets found as well": with_buckets,
            "roll_up": lambda: roll_up(bars, ONE_HOUR, Market.CRYPTO),
            "roll_up of a stock": lambda: roll_up(bars, ONE_HOUR, Market.STOCKS),
        },
    ).table("rolling 1,000,000 1m bars up to 1h, volume summed exactly (x of bare reduceat's speed)")
    volumes, ends = bars.volume.tolist(), (last + 1).tolist()
    exact = [math.fsum(volumes[a:b]) for a, b in zip(first.tolist(), ends, strict=True)]
    assert roll_up(bars, ONE_HOUR, Market.CRYPTO).volume.tolist() == exact


async def chart(rounds: int) -> None:
    """The whole path in the real window, offline, so that nothing but the cache takes part."""
    shown = 100_000
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncExitStack() as stack:
            folders = Folders.open(Path(folder))
            source = Source("https://api.massive.com", "wss://socket.massive.com", None, VENDOR, is_offline=True)
            notices = Notices()
            api_keys = ApiKeys()
            preferences = Preferences(folders.settings, Settings(), notices)
            desk = Desk(notices, preferences, Keys(api_keys, await api_keys.load(), lambda _key: None))
            layer = await stack.enter_async_context(open_data_layer(source, folders, print))
            bars = minutes(5 * shown, layer.clock.now_ms())
            span = Covered(int(bars.start_ms[0]), int(bars.start_ms[-1]) + MINUTE_MS, layer.clock.now_ms())
            await layer.store.put_bars(TICKER, ONE_MINUTE, True, bars, span)
            session = await open_session(stack, layer, desk, lambda _action: None)
            session.window.resize(1600, 900)
            session.window.show()
            session.chart._first_bars = shown
            surface = session.window.findChild(ChartWidget)
            assert surface is not None
            print(f"\na cached chart of {shown:,} bars in a window of 1600 x 900: from ticker chosen to pixels")
            for text in ("1m", "5m"):
                await chart_row(layer, session, surface, Timeframe.parse(text), shown, rounds)


async def chart_row(
    layer: Any, session: Any, surface: ChartWidget, timeframe: Timeframe, shown: int, rounds: int
) -> None:
    begin_ms = layer.clock.now_ms() - shown * timeframe.typical_ms
    parts: dict[str, list[float]] = {"whole path": [], "read": [], "roll up": [], "merge": [], "paint": []}
    for _ in range(rounds):
        painted = asyncio.Event()

        def look(painted: asyncio.Event = painted) -> None:
            if len(session.chart.series) > shown - 10:
                painted.set()

        surface.frame_painted.connect(look)
        begin = time.perf_counter()
        session.chart.show(TICKER, timeframe)
        await painted.wait()
        parts["whole path"].append(time.perf_counter() - begin)
        surface.frame_painted.disconnect(look)
        begin = time.perf_counter()
        base = await layer.store.bars(TICKER, ONE_MINUTE, True, begin_ms, 1 << 50)
        parts["read"].append(time.perf_counter() - begin)
        begin = time.perf_counter()
        rolled = roll_up(base, timeframe, Market.CRYPTO) if timeframe != ONE_MINUTE else base
        parts["roll up"].append(time.perf_counter() - begin)
        begin = time.perf_counter()
        BarSeries(rolled)
        parts["merge"].append(time.perf_counter() - begin)
        begin = time.perf_counter()
        surface.paint_now()
        parts["paint"].append(time.perf_counter() - begin)
    medians = {name: statistics.median(taken) * 1000 for name, taken in parts.items()}
    whole = medians.pop("whole path")
    split = ", ".join(f"{name} {ms:.1f}" for name, ms in medians.items())
    rest = whole - sum(medians.values())
    print(f"  {timeframe}: {whole:.1f} ms; of it {split}, turns of the loop and the rest {rest:.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", default="decode,loop,read,append,rollup,chart")
    arguments = parser.parse_args()
    app = QApplication([])
    app.setQuitOnLastWindowClosed(False)
    parts: dict[str, Callable[[int], Any]] = {"loop": loop_blocks, "read": read, "append": append, "chart": chart}
    for name in arguments.only.split(","):
        if name in ("decode", "rollup"):
            {"decode": decode, "rollup": rollup}[name](arguments.rounds)
            continue
        with asyncio.Runner(loop_factory=lambda: QEventLoop(app)) as runner:
            runner.run(parts[name](arguments.rounds))


if __name__ == "__main__":
    main()
