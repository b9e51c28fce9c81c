"""How soon data flow again after the socket was killed: 100 kills at random moments, 150 subscriptions each.

The feed server runs in a process of its own. Each round drops the crypto socket, half of the time after some bytes of
a frame, refuses connections for a random outage, and is then back. Measured is the time from the server being back
until every wanted subscription is confirmed and an event has arrived.

    python benchmarks/outages.py [--kills 100] [--longest 8] [--long 2]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from desktop.data.feed import Feed
from desktop.data.feed_state import FeedState, Phase
from desktop.demo.launch import start_feed_server
from desktop.demo.market import SyntheticMarket
from desktop.domain.market import Market


def control(url: str, method: str, body: dict[str, Any] | None = None) -> None:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url + "/faults", data, method=method), timeout=10) as answer:
        answer.read()


class Watch:
    """What the feed has said and delivered."""

    def __init__(self, wanted: set[str]) -> None:
        self.wanted = wanted
        self.state = FeedState()
        self.events = 0
        self.since_drop = 0

    def on_events(self, events: list[Any]) -> None:
        self.events += len(events)
        self.since_drop += len(events)

    def on_state(self, state: FeedState) -> None:
        if state.connections != self.state.connections:
            self.since_drop = 0
        self.state = state

    @property
    def is_whole(self) -> bool:
        is_up = self.state.phase is Phase.STREAMING and self.wanted <= self.state.confirmed
        return is_up and self.since_drop > 0

    async def until(self, whole: bool, limit_s: float) -> None:
        started = time.perf_counter()
        while self.is_whole is not whole:
            if time.perf_counter() - started > limit_s:
                raise SystemExit(f"waited {limit_s:.0f} s in vain: {self.state}")
            await asyncio.sleep(0.005)


async def measure(kills: int, longest_s: float, long_outages: int) -> None:
    rng = random.Random(6)
    rows = [row.ticker for row in SyntheticMarket(7).tickers() if row.market is Market.CRYPTO and row.currency == "USD"]
    symbols = [ticker[2:-3] + "-USD" for ticker in rows if ticker.endswith("USD")][:75]
    symbols[0] = "BTC-USD"
    wanted = {f"{channel}.{symbol}" for symbol in symbols for channel in ("XT", "XA")}
    server = start_feed_server(["--seed", "7"])
    try:
        ready = await server.endpoints()
        watch = Watch(wanted)
        feed = Feed(
            cluster="crypto", base=ready.socket, key=ready.key, on_events=watch.on_events, on_state=watch.on_state
        )
        feed.set_wanted(wanted)
        async with asyncio.TaskGroup() as group:
            run = group.create_task(feed.run())
            await watch.until(True, 20)
            times = [await kill(ready.control, watch, rng, rng.uniform(0, longest_s)) for _ in range(kills)]
            report(f"{kills} outages of 0 to {longest_s:.0f} s", times)
            if long_outages:
                long = [await kill(ready.control, watch, rng, rng.uniform(31, 45)) for _ in range(long_outages)]
                report(f"{long_outages} outages of 31 to 45 s", long)
            run.cancel()
    finally:
        server.close()


async def kill(url: str, watch: Watch, rng: random.Random, outage_s: float) -> float:
    await asyncio.sleep(rng.uniform(0, 0.4))
    drop: dict[str, Any] = {"kind": "socket_drop", "cluster": "crypto"}
    if rng.random() < 0.5:
        drop["after_bytes"] = rng.randrange(1, 400)
    await asyncio.to_thread(control, url, "POST", {"kind": "socket_refuse", "cluster": "crypto"})
    await asyncio.to_thread(control, url, "POST", drop)
    await watch.until(False, 10)
    await asyncio.sleep(outage_s)
    await asyncio.to_thread(control, url, "DELETE")
    back = time.perf_counter()
    await watch.until(True, 60)
    return time.perf_counter() - back


def report(name: str, times: list[float]) -> None:
    print(
        f"{name}: delivering again after median {statistics.median(times):.2f} s, "
        f"worst {max(times):.2f} s; over 5 s: {sum(t > 5 for t in times)}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--longest", type=float, default=8.0)
    parser.add_argument("--long", type=int, default=2)
    arguments = parser.parse_args()
    asyncio.run(measure(arguments.kills, arguments.longest, arguments.long))


if __name__ == "__main__":
    main()
