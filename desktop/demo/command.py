"""`candelabra feed-server`: serves the demo market or a recording in the vendor's protocol, on loopback alone."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import datetime as dt
import json
import logging
import os
import secrets
import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from desktop.domain.errors import BadInput

if TYPE_CHECKING:
    from desktop.demo.raw_server import RawOptions
    from desktop.demo.server import ServerOptions

_DEFAULT_SEED = 7


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the feed server to `parser`."""
    parser.add_argument("--port", type=int, default=0, metavar="N", help="port of REST (default: any free one)")
    parser.add_argument("--socket-port", type=int, default=0, metavar="N", help="port of the socket")
    parser.add_argument("--control-port", type=int, default=0, metavar="N", help="port of the control endpoint")
    parser.add_argument("--key", metavar="K", help="API key to ask for (default: a random one, printed)")
    parser.add_argument("--seed", type=int, default=_DEFAULT_SEED, metavar="N", help="which demo market (default 7)")
    parser.add_argument(
        "--recording", nargs="+", type=Path, metavar="FILE", help="serve recorded CSV files or what --record wrote"
    )
    parser.add_argument("--start", metavar="T", help="market time of the demo's start (default: now)")
    parser.add_argument("--from", dest="from_", metavar="T", help="where the live part of a recording begins")
    parser.add_argument("--speed", default="1", metavar="X", help="market seconds per second, 0 for paused, or max")
    parser.add_argument("--plan", choices=("free", "paid", "delayed"), default="paid", help="limits to apply")
    parser.add_argument("--calls-per-minute", type=int, metavar="N", help="refuse further calls with 429")
    parser.add_argument("--history-days", type=int, metavar="N", help="refuse older data with 403")
    parser.add_argument("--no-socket", action="store_true", help="a plan without the socket")
    parser.add_argument("--watch-stdin", action="store_true", help="end when standard input closes")


def run(arguments: argparse.Namespace) -> int:
    """Serves until it is told to end. Raises BadInput for arguments it cannot use."""
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr)
    options = read_options(arguments)
    try:
        asyncio.run(_serve(options, watches_stdin=arguments.watch_stdin))
    except OSError as error:
        raise BadInput(f"The feed server cannot listen: {error.strerror or error}.") from error
    except KeyboardInterrupt:
        pass
    return 0


def read_options(arguments: argparse.Namespace) -> ServerOptions | RawOptions:
    """What to serve, from the command line. Raises BadInput."""
    if arguments.recording and any(is_session(path) for path in arguments.recording):
        return _raw_options(arguments)
    from desktop.demo.plan import PLANS
    from desktop.demo.server import ServerOptions
    from desktop.demo.source import MarketSource

    source: MarketSource
    if arguments.recording:
        from desktop.demo.recording import Recording

        source = recording = Recording(arguments.recording)
        start_ms: float | None = recording.default_start_ms
        if arguments.from_ is not None:
            start_ms = min(max(moment_ms(arguments.from_), recording.first_ms), recording.end_ms)
    else:
        from desktop.demo.market import SyntheticMarket

        source = SyntheticMarket(arguments.seed)
        start = arguments.start or arguments.from_
        start_ms = None if start is None else moment_ms(start)
    plan = PLANS[arguments.plan]
    if arguments.calls_per_minute is not None:
        plan = replace(plan, calls_per_minute=arguments.calls_per_minute)
    if arguments.history_days is not None:
        plan = replace(plan, history_days=arguments.history_days)
    if arguments.no_socket:
        plan = replace(plan, has_socket=False)
    return ServerOptions(
        source,
        arguments.key or f"demo-{secrets.token_hex(16)}",
        start_ms,
        _speed(arguments.speed),
        plan,
        arguments.port,
        arguments.socket_port,
        arguments.control_port,
    )


def is_session(path: Path) -> bool:
    """Whether `--record` made this folder."""
    from desktop.data.recording_format import read_manifest

    try:
        return read_manifest(path) is not None
    except OSError:
        return False


def _raw_options(arguments: argparse.Namespace) -> RawOptions:
    from desktop.demo.raw_files import RawRecording
    from desktop.demo.raw_server import RawOptions

    if len(arguments.recording) > 1:
        raise BadInput("One recording of a session can be served at a time.")
    recording = RawRecording(arguments.recording[0])
    start_ms = None if arguments.from_ is None else moment_ms(arguments.from_)
    if start_ms is not None:
        start_ms = min(max(start_ms, recording.first_ms), recording.end_ms)
    return RawOptions(
        recording,
        arguments.key or f"demo-{secrets.token_hex(16)}",
        start_ms,
        _speed(arguments.speed),
        arguments.port,
        arguments.socket_port,
        arguments.control_port,
    )


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        speed = float(text.removesuffix("x"))
    except ValueError:
        speed = -1.0
    if not 0 <= speed <= 1e6:
        raise BadInput(f"“{text}” is not a speed.", next_step="Try 1, 60, 600 or max.")
    return speed


def moment_ms(text: str) -> int:
    """Unix ms of an ISO date, an ISO date-time (UTC when it names no zone) or a number of ms. Raises BadInput."""
    if text.isdigit():
        return int(text)
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(f"“{text}” is not a time.", next_step="Use 2022-01-30, 2022-01-30T12:00 or Unix ms.") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return round(moment.timestamp() * 1000)


async def _serve(options: ServerOptions | RawOptions, *, watches_stdin: bool) -> None:
    from desktop.demo.raw_server import RawOptions, serving_recording
    from desktop.demo.server import serving

    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, ended.set)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(ended.set))
    async with serving_recording(options) if isinstance(options, RawOptions) else serving(options) as server:
        print(json.dumps(server.line()), flush=True)
        if watches_stdin:
            threading.Thread(target=_wait_for_end_of_stdin, args=(loop, ended), daemon=True).start()
        await ended.wait()


def _wait_for_end_of_stdin(loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    with contextlib.suppress(OSError):
        while os.read(sys.stdin.fileno(), 4096):
            pass
    with contextlib.suppress(RuntimeError):  # the loop ended first
        loop.call_soon_threadsafe(ended.set)
