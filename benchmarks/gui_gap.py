"""The window under a flood of trades: longest gap of the GUI's event loop, memory, nothing dropped.

Starts the feed server in a process of its own and the real application window offscreen, subscribed to 200 tickers,
with a live chart on one of them. For 1, 10 and 100 events a frame at 10,000 events/s, then 100,000 events/s at 10 a
frame, it prints the loop's gaps, the events received against those sent, memory and the application's CPU share. The
vendor's own client follows on the same server, in a process of its own, as the peer.

    python benchmarks/gui_gap.py [--seconds 60]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["QT_API"] = "pyside6"
os.environ["PYQTGRAPH_QT_LIB"] = "PySide6"
os.environ["CANDELABRA_NO_KEYRING"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication
from qasync import QEventLoop

from desktop.assembly import Source, open_data_layer
from desktop.data.api_key import ApiKeys
from desktop.data.folders import Folders
from desktop.demo.launch import start_feed_server, world_of
from desktop.domain.market import Market
from desktop.domain.settings import Plan, Settings
from desktop.domain.timeframe import Timeframe
from desktop.services.keys import Keys
from desktop.services.live import Channel
from desktop.services.notices import Notices
from desktop.services.preferences import Preferences
from desktop.session import Desk, open_session

TICKERS = 200
OFFICIAL = """
import sys, time, json
from massive import WebSocketClient
base, key, seconds, symbols = sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4].split(",")
counts = [0]; started = [None]
def handle(messages):
    now = time.perf_counter()
    if started[0] is None: started[0] = now
    counts[0] += len(messages)
    if now - started[0] > seconds:
        print(json.dumps({"events": counts[0], "seconds": now - started[0]}), flush=True)
        import os; os._exit(0)
client = WebSocketClient(api_key=key, feed=base.split("://")[1], market="crypto", secure=False,
                         subscriptions=["XT." + s for s in symbols])
client.run(handle)
"""


def control(url: str, path: str, body: dict[str, Any] | None = None, method: str | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read() or b"null")


class GapWatch:
    """Longest times between two turns of the GUI's event loop, by a 1 ms precise timer."""

    def __init__(self) -> None:
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(1)
        self._timer.timeout.connect(self._on_turn)
        self.gaps_ms: list[float] = []
        self._last_s = 0.0

    def start(self) -> None:
        self.gaps_ms.clear()
        self._last_s = time.perf_counter()
        self._timer.start()

    def stop(self) -> list[float]:
        self._timer.stop()
        return sorted(self.gaps_ms)

    def _on_turn(self) -> None:
        now_s = time.perf_counter()
        self.gaps_ms.append((now_s - self._last_s) * 1000)
        self._last_s = now_s


def memory_mb() -> float:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20


async def measure(app: QApplication, seconds: float) -> None:
    server = start_feed_server(["--seed", "7"])
    try:
        async with AsyncExitStack() as stack:
            ready = await server.endpoints()
            folders = Folders.open(Path(stack.enter_context(tempfile.TemporaryDirectory())))
            source = Source(ready.rest, ready.socket, ready.key, world_of(ready), ready.control, Plan.PAID)
            notices = Notices()
            preferences = Preferences(folders.settings, Settings(), notices)
            api_keys = ApiKeys()
            desk = Desk(notices, preferences, Keys(api_keys, await api_keys.load(), lambda _key: None))
            layer = await stack.enter_async_context(open_data_layer(source, folders, print))
            session = await open_session(stack, layer, desk, lambda _action: None)
            session.window.resize(1600, 900)
            session.window.show()
            session.chart.show("X:BTCUSD", Timeframe.parse("1m"))
            while not session.chart.status.live_events:
                await asyncio.sleep(0.05)
            await layer.market_data.refresh_tickers(Market.CRYPTO)
            rows = await layer.market_data.tickers(Market.CRYPTO)
            names = ["X:BTCUSD", *[row.ticker for row in rows if row.ticker != "X:BTCUSD"][: TICKERS - 1]]
            subscriptions = [session.live.listen(name, [Channel.TRADE]) for name in names]
            await asyncio.sleep(2)
            print(f"subscribed to {len(names)} tickers; {seconds:.0f} s a row")
            print(
                f"{'asked/s':>9} {'a frame':>7} {'sent':>9} {'received':>9} {'gap max':>8} {'p99.9':>7} "
                f"{'p50':>6} {'CPU':>5} {'RSS MB':>15}  lag"
            )
            watch = GapWatch()
            for rate, per_frame in ((10_000, 1), (10_000, 10), (10_000, 100), (100_000, 10)):
                await row(session, ready.control, watch, rate, per_frame, seconds)
            for subscription in subscriptions:
                subscription.close()
        await official(ready.socket, ready.key, ready.control, names, min(seconds, 10))
    finally:
        server.close()


async def row(session: Any, url: str, watch: GapWatch, rate: int, per_frame: int, seconds: float) -> None:
    before = await asyncio.to_thread(control, url, "/stats")
    received = session.live.events
    await asyncio.to_thread(control, url, "/flood", {"rate": rate, "per_frame": per_frame, "tickers": TICKERS})
    await asyncio.sleep(1)
    watch.start()
    cpu, rss = time.process_time(), memory_mb()
    lag = 0.0
    started = time.perf_counter()
    while time.perf_counter() - started < seconds:
        await asyncio.sleep(0.5)
        lag = max(lag, session.live.lag_ms)
    cpu = (time.process_time() - cpu) / (time.perf_counter() - started)
    gaps = watch.stop()
    await asyncio.to_thread(control, url, "/flood", {"rate": 0})
    await asyncio.sleep(3)  # what is on its way arrives
    after = await asyncio.to_thread(control, url, "/stats")
    sent = events_sent(after) - events_sent(before)
    got = session.live.events - received
    print(
        f"{rate:>9,} {per_frame:>7} {sent:>9,} {got:>9,} {gaps[-1]:>6.1f}ms {gaps[int(len(gaps) * 0.999)]:>5.1f}ms "
        f"{gaps[len(gaps) // 2]:>4.1f}ms {cpu:>4.0%} {rss:>6.0f} -> {memory_mb():>4.0f}  {lag / 1000:.1f} s",
        flush=True,
    )


def events_sent(stats: dict[str, Any]) -> int:
    return sum(int(cluster["events"]) for cluster in stats["clusters"].values())


async def official(socket: str, key: str, url: str, names: list[str], seconds: float) -> None:
    symbols = ",".join(name[2:-3] + "-" + name[-3:] for name in names)
    await asyncio.to_thread(control, url, "/flood", {"rate": 100_000, "per_frame": 10, "tickers": TICKERS})
    process = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", OFFICIAL, socket, key, str(seconds), symbols],
        capture_output=True,
        text=True,
        timeout=120,
    )
    if not process.stdout:
        print(process.stderr[-500:])
        return
    counted = json.loads(process.stdout)
    print(
        f"the vendor's client, no window, 100,000/s offered at 10 a frame: "
        f"{counted['events'] / counted['seconds']:,.0f} events/s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    arguments = parser.parse_args()
    app = QApplication([])
    app.setQuitOnLastWindowClosed(False)
    with asyncio.Runner(loop_factory=lambda: QEventLoop(app)) as runner:
        runner.run(measure(app, arguments.seconds))


if __name__ == "__main__":
    main()
