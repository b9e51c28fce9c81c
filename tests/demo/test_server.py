"""The feed server as a process: its ready line, its clock, its end; and determinism."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from desktop.domain.errors import BadInput
from tests.helpers.feed_server import (  # noqa: F401 (fixture)
    PROJECT,
    TEST_KEY,
    ServerProcess,
    feed_servers,
    serving_source,
    start_server,
)
from tests.helpers.steady_market import START_MS, SteadyMarket

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
BARS = "t,o,h,l,c,v\n" + "".join(
    f"{START_MS + i * MINUTE_MS},{i + 1},{i + 3},{i + 0.5},{i + 2},{i}.25\n" for i in range(180)
)


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    file = tmp_path / "X_BTCUSD_1m.csv"
    file.write_text(BARS)
    return file


def get(server: ServerProcess, path: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {server.key}"}
    return httpx.get(server.rest + path, headers=headers, trust_env=False, timeout=30)


def test_says_where_it_listens_and_ends_with_its_parent(
    feed_server: Callable[..., ServerProcess], recorded: Path
) -> None:
    server = feed_server("--recording", recorded)
    assert server.key == TEST_KEY
    assert server.world.startswith("replay-")
    for url in (server.rest, server.socket, server.control_url):
        assert "//127.0.0.1:" in url
    answer = get(server, "/v1/marketstatus/now")
    assert answer.headers["X-Candelabra-World"] == server.world
    assert answer.headers["X-Candelabra-Control"] == server.control_url
    assert server.control("GET", "/world")["rest"] == server.rest
    assert server.process.stdin is not None
    server.process.stdin.close()
    assert server.process.wait(10) == 0


def test_sigterm_ends_it_cleanly_with_clients_connected(recorded: Path) -> None:
    server = start_server(["--recording", str(recorded)])

    async def scenario() -> int:
        async with connect(server.socket + "/crypto", proxy=None) as ws:
            await ws.recv()
            server.process.send_signal(signal.SIGTERM)
            return await asyncio.to_thread(server.process.wait, 10)

    try:
        assert asyncio.run(scenario()) == 0
    finally:
        server.close()


def test_the_clock_can_be_set_paused_moved_and_stops_at_the_end(
    feed_server: Callable[..., ServerProcess], recorded: Path
) -> None:
    server = feed_server("--recording", recorded, "--from", START_MS + HOUR_MS, "--speed", "0")
    assert server.control("GET", "/clock")["now_ms"] == START_MS + HOUR_MS
    assert server.control("POST", "/clock", {"advance_ms": 1500})["now_ms"] == START_MS + HOUR_MS + 1500
    state = server.control("POST", "/clock", {"now_ms": START_MS + 9 * HOUR_MS, "rate": 60})
    assert (state["now_ms"], state["ended"], state["rate"]) == (START_MS + 3 * HOUR_MS, True, 0.0)
    state = server.control("POST", "/clock", {"now_ms": START_MS, "rate": 60, "paused": True})
    assert (state["now_ms"], state["paused"], state["rate"], state["speed"]) == (START_MS, True, 0.0, 60.0)
    with pytest.raises(Exception, match="400"):
        server.control("POST", "/clock", {"rate": -1})


def test_a_recording_that_cannot_be_served_is_one_sentence(tmp_path: Path) -> None:
    from desktop.demo.recording import Recording

    for name, content, sentence in (
        ("notes.csv", "t\n1\n", "not named like a recording"),
        ("X_BTCUSD_1m.csv", "t,o,h,l\n1,2,3,4\n", "no column 'c'"),
        ("X_BTCUSD_5m.csv", "t,o,h,l,c,v\n1,2,3,4,x,5\n", "not a recording"),
        ("X_BTCUSD_1m.csv.gz", "not gzip", "cannot be read"),
        ("X_BTCUSD_1h.csv", "t,o,h,l,c,v\n", "holds no rows"),
    ):
        (tmp_path / name).write_text(content)
        with pytest.raises(BadInput, match=sentence):
            Recording([tmp_path / name])
    with pytest.raises(BadInput, match="cannot be read"):
        Recording([tmp_path / "X_GONEUSD_1m.csv"])


PATHS = (
    f"/v2/aggs/ticker/X:BTCUSD/range/1/minute/{START_MS}/{START_MS + HOUR_MS}?limit=50000&sort=asc",
    "/v2/aggs/ticker/X:ETHUSD/range/1/hour/2024-03-01/2024-03-02?limit=100",
    "/v3/reference/tickers?search=bit",
    "/v2/snapshot/locale/global/markets/crypto/tickers",
    "/v3/trades/X:BTC-USD?limit=7",
    "/v1/indicators/ema/X:BTCUSD?timespan=minute&window=5",
    "/v1/marketstatus/now",
)


def minutes_of(symbol: str, events: list[Any]) -> list[int]:
    """Where in `events` the minute bars of a symbol stand."""
    return [index for index, event in enumerate(events) if event["ev"] == "XA" and event["pair"] == symbol]


def test_same_moment_same_bytes(run_async: Callable[..., Any]) -> None:
    async def bodies() -> list[bytes]:
        async with serving_source(SteadyMarket(), start_ms=START_MS + 5 * HOUR_MS, rest_port=0) as server:
            base = server.rest.encode()
            headers = {"Authorization": f"Bearer {server.key}"}
            async with httpx.AsyncClient(base_url=server.rest, headers=headers, trust_env=False) as client:
                answers = [await client.get(path) for path in PATHS]
            return [answer.content.replace(base, b"") + answer.headers["X-Request-Id"].encode() for answer in answers]

    assert run_async(bodies()) == run_async(bodies())


def test_same_span_same_events(run_async: Callable[..., Any]) -> None:
    async def events() -> list[Any]:
        async with (
            serving_source(SteadyMarket(), start_ms=START_MS + HOUR_MS) as server,
            connect(server.socket + "/crypto", proxy=None) as ws,
        ):
            await ws.recv()
            await ws.send(json.dumps({"action": "auth", "params": server.key}))
            await ws.recv()
            await ws.send(json.dumps({"action": "subscribe", "params": "XT.*,XA.BTC-USD,XAS.ETH-USD,XQ.BTC-USD"}))
            await ws.recv()
            server.clock.advance(10 * MINUTE_MS)
            seen: list[Any] = []
            while len(closes := minutes_of("BTC-USD", seen)) < 10:
                seen += json.loads(await ws.recv())
            return seen[: closes[9] + 1]  # how many events a frame holds depends on the moment

    first = run_async(events())
    assert first == run_async(events())
    assert {event["ev"] for event in first} == {"XT", "XA", "XAS", "XQ"}


DEMO_PATHS = (
    "/v2/aggs/ticker/X:BTCUSD/range/1/minute/2026-03-02/2026-03-03?limit=50000&sort=asc",
    "/v2/aggs/ticker/AAPL/range/1/day/2024-01-01/2026-03-03?limit=50000&sort=asc",
    "/v2/aggs/grouped/locale/global/market/crypto/2026-03-02",
    "/v3/snapshot?ticker.any_of=X:BTCUSD,X:DOGEUSD,AAPL,C:EURUSD&limit=250",
    "/v3/trades/X:ETH-USD?limit=500",
    "/v3/reference/tickers?limit=1000",
)


def test_the_demo_market_is_the_same_in_every_process(
    feed_server: Callable[..., ServerProcess], run_async: Callable[..., Any]
) -> None:
    """Byte for byte over REST, event for event over the socket, for equal virtual times."""

    async def events(server: ServerProcess) -> list[Any]:
        async with connect(server.socket + "/crypto", proxy=None, max_queue=None) as ws:
            await ws.recv()
            for action, params in (("auth", server.key), ("subscribe", "XT.BTC-USD,XQ.ETH-USD,XAS.BTC-USD,XA.*")):
                await ws.send(json.dumps({"action": action, "params": params}))
                await ws.recv()
            await asyncio.to_thread(server.control, "POST", "/clock", {"advance_ms": 2 * MINUTE_MS})
            seen: list[Any] = []
            while len(closes := minutes_of("BTC-USD", seen)) < 2:
                seen += json.loads(await ws.recv())
            return seen[: closes[1] + 1]  # how many events a frame holds depends on the moment

    answers, streams = [], []
    for _ in range(2):
        server = feed_server("--seed", "11", "--start", "2026-03-03T15:00:00", "--speed", "0")
        assert server.world == "demo-11"
        bodies = [get(server, path).content for path in DEMO_PATHS]
        answers.append([body.replace(server.rest.encode(), b"") for body in bodies])
        streams.append(run_async(events(server)))
    assert answers[0] == answers[1]
    assert len(answers[0][0]) > 100_000
    assert streams[0] == streams[1]
    assert {event["ev"] for event in streams[0]} == {"XT", "XQ", "XAS", "XA"}


def test_arguments_that_cannot_be_used_are_one_sentence(recorded: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for arguments, sentence in (
            (["--port", port], "cannot listen"),
            (["--speed", "fast"], "is not a speed"),
            (["--from", "yesterday"], "is not a time"),
            (["--recording", "gone.csv"], "not named like a recording"),
        ):
            command = [sys.executable, "-m", "desktop.demo", "--recording", str(recorded), *arguments]
            ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=30, check=False)
            assert (ended.returncode, ended.stdout) == (2, "")
            assert sentence in ended.stderr
            assert len(ended.stderr.strip().splitlines()) == 1


def test_options_become_a_plan_and_a_clock(feed_server: Callable[..., ServerProcess], recorded: Path) -> None:
    options = ("--calls-per-minute", "2", "--no-socket", "--speed", "max", "--from", "2024-03-01T01:00")
    server = feed_server("--recording", recorded, *options)
    assert [get(server, "/v1/marketstatus/now").status_code for _ in range(3)] == [200, 200, 429]
    state = server.control("GET", "/clock")
    assert (state["now_ms"], state["speed"], state["rate"]) == (START_MS + HOUR_MS, "max", 0.0)

    async def refusal() -> Any:
        async with connect(server.socket + "/stocks", proxy=None) as ws:
            await ws.recv()
            await ws.send(json.dumps({"action": "auth", "params": server.key}))
            return json.loads(await ws.recv())[0]

    assert asyncio.run(refusal())["status"] == "auth_failed"
