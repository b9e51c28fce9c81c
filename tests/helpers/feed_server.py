"""Feed servers for tests: in a process of their own, or inside the running event loop.

    from tests.helpers.feed_server import feed_servers, serving_source  # noqa: F401 (fixture `feed_server`)

`feed_server(...)` starts a process and gives a `ServerProcess`; `serving_source(source, start_ms=…)` is a context in
this loop with a `RunningServer` (clock, faults and stats at hand). A small source whose values can be told in advance
is `tests.helpers.steady_market.SteadyMarket`.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from desktop.demo.plan import PAID, Plan
from desktop.demo.server import RunningServer, ServerOptions, serving
from desktop.demo.source import MarketSource

PROJECT = Path(__file__).resolve().parents[2]
TEST_KEY = "test-key-0123456789abcdef"
_PATIENCE_S = 30


@dataclass
class ServerProcess:
    """A feed server in its own process."""

    process: subprocess.Popen[bytes]
    rest: str
    socket: str
    control_url: str
    key: str
    world: str

    def control(self, method: str, path: str, body: object | None = None) -> Any:
        """Calls the control endpoint: `control("POST", "/clock", {"rate": 60})`."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.control_url + path, data, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=_PATIENCE_S) as response:
            return json.load(response)

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(_PATIENCE_S)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


def start_server(arguments: Sequence[str] = (), *, module: str = "desktop.demo") -> ServerProcess:
    """Starts `python -m module` with `arguments` and waits until it listens; the caller closes it."""
    command = [sys.executable, "-m", module, "--key", TEST_KEY, "--watch-stdin", *arguments]
    process = subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "the feed server ended before it was ready"
    ready = json.loads(line)
    return ServerProcess(process, ready["rest"], ready["socket"], ready["control"], ready["key"], ready["world"])


@pytest.fixture(name="feed_server")
def feed_servers() -> Iterator[Callable[..., ServerProcess]]:
    """Starts feed servers: `feed_server("--seed", "7", "--speed", "60")`; all end with the test."""
    with contextlib.ExitStack() as stack:

        def start(*arguments: object) -> ServerProcess:
            server = start_server([str(argument) for argument in arguments])
            stack.callback(server.close)
            return server

        yield start


@contextlib.asynccontextmanager
async def serving_source(
    source: MarketSource,
    *,
    start_ms: float,
    rate: float | None = 0.0,
    plan: Plan = PAID,
    key: str = TEST_KEY,
    rest_port: int = 0,
    socket_port: int = 0,
) -> AsyncIterator[RunningServer]:
    """A feed server in the running loop; its clock stands still until the test moves it (`server.clock.advance`)."""
    options = ServerOptions(source, key, start_ms, rate, plan, rest_port, socket_port)
    async with serving(options) as server:
        yield server
