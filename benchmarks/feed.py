"""Decoding and receiving against the vendor's own client: same frames, same server, rounds in turn. Trust the ratios.

    python -m benchmarks.feed [--rounds 3] [--seconds 2] [--paced 100000]

One line per case. `x` is how many times the official client's events/s; the median of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from massive import WebSocketClient
from massive.websocket.models import Market as OfficialMarket
from massive.websocket.models import parse
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.protocol import State

from desktop.data.feed import Feed
from desktop.data.wire_socket import Event, FrameDecoder

KEY = "benchmark-key-0123456789"
SIZES = (1, 10, 100)
_SYMBOLS = 200
_FRAMES_PER_WRITE = 64
_WRITE_BUFFER_BYTES = 1 << 20


def event(number: int) -> dict[str, Any]:
    """Six trades, three quotes and a bar in ten, over 200 pairs, as the vendor writes them."""
    pair = f"C{number * 7 % _SYMBOLS:03d}-USD"
    ms = 1_700_000_000_000 + number
    price = round(100 + number * 0.37 % 50, 2)
    match number % 10:
        case 0 | 1 | 2 | 3 | 4 | 5:
            return {
                "ev": "XT",
                "pair": pair,
                "p": price,
                "t": ms,
                "s": 0.01616617,
                "c": [2],
                "i": str(ms),
                "x": 3,
                "r": ms,
            }
        case 6 | 7 | 8:
            return {"ev": "XQ", "pair": pair, "bp": price, "bs": 0.48, "ap": price, "as": 0.6, "t": ms, "x": 1, "r": ms}
        case _:
            bar = {"v": 951.6112, "vw": price, "z": 73, "o": price, "c": price, "h": price, "l": price}
            return {"ev": "XA", "pair": pair, **bar, "s": ms - ms % 60_000, "e": ms - ms % 60_000 + 60_000}


def frames(size: int) -> list[bytes]:
    """Frames of `size` events, about a thousand events in all."""
    count = max(20, 1000 // size)
    return [
        json.dumps([event(n * size + k) for k in range(size)], separators=(",", ":")).encode() for n in range(count)
    ]


# decoding


def rate(decode: Callable[[bytes], Any], work: list[bytes], size: int, seconds: float) -> float:
    """Events/s of one decoder."""
    count, began_s = 0, time.perf_counter()
    while time.perf_counter() - began_s < seconds:
        for frame in work:
            decode(frame)
        count += len(work)
    return count * size / (time.perf_counter() - began_s)


def bench_decoding(rounds: int, seconds: float) -> None:
    logger = logging.getLogger("official")
    ours = FrameDecoder().decode

    def official(frame: bytes) -> Any:
        return parse(json.loads(frame), logger, OfficialMarket.Crypto)

    for size in SIZES:
        work = frames(size)
        pairs = [(rate(official, work, size, seconds / 4), rate(ours, work, size, seconds / 4)) for _ in range(rounds)]
        report("decode", size, pairs)


def report(what: str, size: int, pairs: list[tuple[float, float]], more: str = "") -> None:
    ratio = statistics.median(ours / official for official, ours in pairs)
    official, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
    rates = f"official {official / 1e3:5.0f} k/s, ours {ours / 1e3:5.0f} k/s"
    print(f"{what:8} {size:4} a frame: {rates} = {ratio:5.1f}x{more}", flush=True)


# receiving


async def flood(connection: ServerConnection, size: int, per_s: float) -> None:
    """Greets like the vendor, then sends: as fast as it is taken (`per_s` 0), or so many events/s."""
    await connection.send('[{"ev":"status","status":"connected","message":"Connected Successfully"}]')
    await connection.recv()
    await connection.send('[{"ev":"status","status":"auth_success","message":"authenticated"}]')
    await connection.recv()
    wire = [Frame(Opcode.TEXT, frame).serialize(mask=False) for frame in frames(size)]
    per_write = _FRAMES_PER_WRITE if not per_s else max(1, int(per_s / size / 200))
    blobs = [b"".join(wire[(n + k) % len(wire)] for k in range(per_write)) for n in range(0, len(wire), 7)]
    transport = connection.transport
    began_s, sent = time.perf_counter(), 0
    while connection.state is State.OPEN:
        transport.write(blobs[sent % len(blobs)])
        sent += 1
        while transport.get_write_buffer_size() > _WRITE_BUFFER_BYTES:
            await asyncio.sleep(0.0005)
        if per_s:
            await asyncio.sleep(max(0.0, began_s + sent * per_write * size / per_s - time.perf_counter()))
        else:
            await asyncio.sleep(0)


async def run_server() -> None:
    """Serves `/SIZE/PER_S/crypto` until its standard input closes; prints its port."""

    async def handler(connection: ServerConnection) -> None:
        assert connection.request is not None
        size, per_s = connection.request.path.split("/")[1:3]
        with contextlib.suppress(ConnectionClosed):
            await flood(connection, int(size), float(per_s))

    async with serve(handler, "127.0.0.1", 0, compression=None, ping_interval=None, close_timeout=0.1) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.to_thread(sys.stdin.read)


@dataclass(slots=True)
class Received:
    """What one client managed. gap_ms: longest time in which a 1 ms heartbeat on its loop did not come."""

    events: int = 0
    wall_s: float = 0.0
    cpu_s: float = 0.0
    gap_ms: float = 0.0
    lag_s: float = 0.0
    is_over: bool = False

    @property
    def per_s(self) -> float:
        return self.events / self.wall_s


async def measure(received: Received, client: Any, seconds: float) -> None:
    """Runs a client's coroutine, counting only after its first events."""
    task = asyncio.ensure_future(client)
    while not received.events:
        await asyncio.sleep(0.001)
    received.events = 0
    began_s, cpu_s = time.perf_counter(), time.process_time()
    last_s = began_s
    while (now_s := time.perf_counter()) - began_s < seconds:
        received.gap_ms = max(received.gap_ms, (now_s - last_s) * 1000)
        last_s = now_s
        await asyncio.sleep(0.001)
    received.wall_s, received.cpu_s = now_s - began_s, time.process_time() - cpu_s
    received.is_over = True
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def official_client(port: int, size: int, per_s: float, seconds: float) -> Received:
    received = Received()
    client = WebSocketClient(
        KEY, feed=f"127.0.0.1:{port}/{size}/{per_s}", market="crypto", secure=False, subscriptions=["XT.*"]
    )

    async def take(messages: list[Any]) -> None:
        received.events += len(messages)
        if received.is_over:  # under a flood its wait_for swallows every cancellation (CPython 3.11)
            raise asyncio.CancelledError

    await measure(received, client.connect(take), seconds)
    return received


async def our_client(port: int, size: int, per_s: float, seconds: float) -> Received:
    """Does more than the official one is asked to: keeps the newest event of each pair and kind."""
    received = Received()
    newest: dict[tuple[str, str], Event] = {}

    def take(events: list[Event]) -> None:
        for item in events:
            newest[item.symbol, item.kind] = item
        received.events += len(events)

    feed = Feed(
        cluster="crypto",
        base=f"ws://127.0.0.1:{port}/{size}/{per_s}",
        key=KEY,
        on_events=take,
        on_state=lambda state: None,
    )
    feed.set_wanted({"XT.*"})
    await measure(received, feed.run(), seconds)
    received.lag_s = feed.state.lag_s
    return received


def bench_receiving(port: int, rounds: int, seconds: float) -> None:
    for size in SIZES:
        pairs, gaps = [], []
        for _ in range(rounds):
            official = asyncio.run(official_client(port, size, 0, seconds))
            ours = asyncio.run(our_client(port, size, 0, seconds))
            pairs.append((official.per_s, ours.per_s))
            gaps.append((official.gap_ms, ours.gap_ms))
        longest = " / ".join(f"{max(column):.0f}" for column in zip(*gaps, strict=True))
        report("flood", size, pairs, f", longest loop gap {longest} ms")


def bench_paced(port: int, per_s: float, seconds: float) -> None:
    for size in SIZES:
        for name, client in (("official", official_client), ("ours", our_client)):
            received = asyncio.run(client(port, size, per_s, seconds))
            print(
                f"paced    {size:4} a frame: {name:8} {received.per_s / 1e3:5.0f} of {per_s / 1e3:.0f} k/s, "
                f"{received.cpu_s / received.wall_s:4.0%} of a core, longest loop gap {received.gap_ms:.0f} ms"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--paced", type=float, default=100_000, help="events/s of the paced part")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(run_server())
        return
    bench_decoding(options.rounds, options.seconds)
    command = [sys.executable, "-m", "benchmarks.feed", "--serve"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        try:
            bench_receiving(port, options.rounds, options.seconds)
            bench_paced(port, options.paced, options.seconds)
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
