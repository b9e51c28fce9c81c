"""The socket: the vendor's message flow and states, eviction, and that no event is lost or invented."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    ConnectionClosedError,
    ConnectionClosedOK,
    InvalidMessage,
    InvalidStatus,
)

from desktop.demo.plan import PAID, Plan
from desktop.demo.server import RunningServer
from desktop.domain.timeframe import ONE_MINUTE
from tests.helpers.feed_server import TEST_KEY, serving_source
from tests.helpers.steady_market import START_MS, SteadyMarket

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
NOW_MS = START_MS + HOUR_MS


@contextlib.asynccontextmanager
async def server_at(now_ms: int = NOW_MS, plan: Plan = PAID, rate: float | None = 0.0) -> AsyncIterator[RunningServer]:
    async with serving_source(SteadyMarket(), start_ms=now_ms, plan=plan, rate=rate) as server:
        yield server


@contextlib.asynccontextmanager
async def plain(server: RunningServer, cluster: str = "crypto") -> AsyncIterator[ClientConnection]:
    async with connect(f"{server.socket}/{cluster}", proxy=None, max_size=None, max_queue=None) as socket:
        assert await receive(socket) == [status("connected", "Connected Successfully")]
        yield socket


@contextlib.asynccontextmanager
async def subscribed(
    server: RunningServer, names: Sequence[str], cluster: str = "crypto"
) -> AsyncIterator[ClientConnection]:
    async with plain(server, cluster) as socket:
        assert await ask(socket, "auth", TEST_KEY) == [status("auth_success", "authenticated")]
        answers = await ask(socket, "subscribe", ",".join(names))
        assert answers == [status("success", f"subscribed to: {name}") for name in names]
        yield socket


async def receive(socket: ClientConnection) -> list[dict[str, Any]]:
    events = json.loads(await socket.recv())
    assert isinstance(events, list)
    return events


async def ask(socket: ClientConnection, action: str, params: str) -> list[dict[str, Any]]:
    await socket.send(json.dumps({"action": action, "params": params}))
    return await receive(socket)


async def take(socket: ClientConnection, count: int) -> list[dict[str, Any]]:
    """The next `count` events at least."""
    events: list[dict[str, Any]] = []
    while len(events) < count:
        events += await receive(socket)
    return events


async def control(server: RunningServer, path: str, body: object) -> Any:
    async with httpx.AsyncClient(base_url=server.control, trust_env=False) as client:
        answer = await client.post(path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()


def status(word: str, message: str) -> dict[str, str]:
    return {"ev": "status", "status": word, "message": message}


def test_every_row_of_the_subscription_table(run_async: Callable[..., Any]) -> None:
    async def scenario() -> None:
        plan = replace(PAID, denied_channels=frozenset({"XQ"}))
        async with server_at(plan=plan) as server, subscribed(server, ["XT.BTC-USD"]) as socket:
            assert await ask(socket, "subscribe", "XT.NO-SUCH") == [status("success", "subscribed to: XT.NO-SUCH")]
            # Silence: unknown channel, repeated subscription, what is not held; the next answer is of the last request.
            for action, params in (("subscribe", "ZZ.BTC-USD"), ("subscribe", "XT.BTC-USD"), ("unsubscribe", "XA.A-B")):
                await socket.send(json.dumps({"action": action, "params": params}))
            expected = [
                status("error", "not authorized"),
                status("success", "subscribed to: XA.BTC-USD"),
                status("success", "subscribed to: XA.ETH-USD"),
            ]
            assert await ask(socket, "subscribe", "XA.BTC-USD,XQ.BTC-USD,XA.ETH-USD") == expected
            assert await ask(socket, "unsubscribe", "XT.BTC-USD") == [status("success", "unsubscribed to: XT.BTC-USD")]
            server.clock.advance(MINUTE_MS)
            assert {event["ev"] for event in await take(socket, 2)} == {"XA"}

    run_async(scenario())


def test_a_wrong_key_and_a_plan_without_socket_end_without_close_frame(run_async: Callable[..., Any]) -> None:
    async def scenario() -> None:
        async with server_at() as server, plain(server) as socket:
            assert await ask(socket, "auth", "wrong") == [status("auth_failed", "authentication failed")]
            with pytest.raises(ConnectionClosedError) as closed:
                await socket.recv()
            assert (closed.value.rcvd, closed.value.sent) == (None, None)
        async with server_at(plan=replace(PAID, has_socket=False)) as server, plain(server, "stocks") as socket:
            (answer,) = await ask(socket, "auth", TEST_KEY)
            assert answer["status"] == "auth_failed"
            assert "doesn't include websocket access" in answer["message"]
            with pytest.raises(ConnectionClosedError):
                await socket.recv()
            assert server.stats.clusters["stocks"].authenticated == 0

    run_async(scenario())


def test_subscribing_before_authentication_is_refused(run_async: Callable[..., Any]) -> None:
    async def scenario() -> None:
        async with server_at() as server, plain(server) as socket:
            assert await ask(socket, "subscribe", "XT.BTC-USD") == [status("error", "not authorized")]
            await ask(socket, "auth", TEST_KEY)
            await socket.send("no json")
            assert (await receive(socket))[0]["status"] == "error"
            assert await ask(socket, "subscribe", "XA.BTC-USD") == [status("success", "subscribed to: XA.BTC-USD")]

    run_async(scenario())


def test_the_newcomer_evicts_the_older_connection_of_its_cluster_alone(run_async: Callable[..., Any]) -> None:
    async def scenario() -> None:
        async with (
            server_at() as server,
            subscribed(server, ["T.AAPL"], "stocks") as stocks,
            subscribed(server, ["XT.BTC-USD"]) as older,
            subscribed(server, ["XT.BTC-USD"]) as newer,
        ):
            (event,) = await receive(older)
            assert event["status"] == "max_connections"
            assert event["message"].startswith("Maximum number of websocket connections exceeded.")
            with pytest.raises(ConnectionClosed) as closed:
                await older.recv()
            assert closed.value.rcvd is not None
            assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1008, "max_connections")
            server.clock.advance(10_000)
            assert (await receive(newer))[0]["ev"] == "XT"
            assert (await receive(stocks))[0]["ev"] == "T"
            counts = server.stats.clusters["crypto"]
            assert (counts.total, counts.now, counts.most_at_once, counts.evicted) == (2, 1, 2, 1)

    run_async(scenario())


def test_unknown_clusters_are_not_there(run_async: Callable[..., Any]) -> None:
    async def scenario() -> None:
        async with server_at() as server:
            with pytest.raises(InvalidStatus, match="404"):
                await connect(f"{server.socket}/options", proxy=None)

    run_async(scenario())


def test_events_of_all_markets_have_the_vendors_fields(run_async: Callable[..., Any]) -> None:
    fields = {
        "crypto": {
            "XT": {"ev", "pair", "p", "t", "s", "c", "i", "x", "r"},
            "XQ": {"ev", "pair", "bp", "bs", "ap", "as", "t", "x", "r"},
            "XA": {"ev", "pair", "o", "c", "h", "l", "v", "s", "e", "vw", "z"},
            "XAS": {"ev", "pair", "o", "c", "h", "l", "v", "s", "e", "vw", "z"},
        },
        "stocks": {
            "T": {"ev", "sym", "i", "x", "p", "s", "c", "t", "q", "z"},
            "Q": {"ev", "sym", "bx", "bp", "bs", "ax", "ap", "as", "c", "i", "t", "q", "z"},
            "AM": {"ev", "sym", "v", "av", "op", "vw", "o", "c", "h", "l", "a", "z", "s", "e"},
            "A": {"ev", "sym", "v", "av", "op", "vw", "o", "c", "h", "l", "a", "z", "s", "e"},
        },
        "forex": {
            "C": {"ev", "p", "x", "a", "b", "t"},
            "CA": {"ev", "pair", "o", "c", "h", "l", "v", "s", "e"},
            "CAS": {"ev", "pair", "o", "c", "h", "l", "v", "s", "e"},
        },
    }
    symbols = {"crypto": "BTC-USD", "stocks": "BRK.A", "forex": "EUR/USD"}

    async def scenario() -> None:
        async with server_at() as server:
            for cluster, channels in fields.items():
                async with subscribed(server, [f"{name}.{symbols[cluster]}" for name in channels], cluster) as socket:
                    server.clock.advance(MINUTE_MS + 3_000)
                    seen: dict[str, set[str]] = {}
                    while len(seen) < len(channels):
                        for event in await receive(socket):
                            assert symbols[cluster] in (event.get("pair"), event.get("sym"), event.get("p"))
                            seen.setdefault(event["ev"], set(event))
                    assert seen == channels

    run_async(scenario())


def test_what_is_sent_is_what_rest_tells_afterwards(run_async: Callable[..., Any]) -> None:
    """120 market minutes at 3600x: no trade, second or minute is lost, doubled or out of order."""

    async def scenario() -> None:
        names = ["XT.BTC-USD", "XA.BTC-USD", "XAS.BTC-USD", "XA.THIN-USD"]
        async with server_at(rate=0.0) as server, subscribed(server, names) as socket:
            server.clock.set(rate=3600)
            seen: dict[str, list[Any]] = {"XT": [], "XAS": [], "XA": [], "thin": []}
            while len(seen["XA"]) < 120:
                for event in await receive(socket):
                    seen["thin" if event.get("pair") == "THIN-USD" else event["ev"]].append(event)
            source, to_ms = SteadyMarket(), NOW_MS + 120 * MINUTE_MS
            trades = source.trades("X:BTCUSD", NOW_MS, to_ms)
            assert [int(event["i"]) for event in seen["XT"]][: len(trades)] == trades.id.tolist()
            minutes = source.bars("X:BTCUSD", ONE_MINUTE, NOW_MS, to_ms, to_ms)
            assert [(e["s"], e["o"], e["h"], e["l"], e["c"], e["v"]) for e in seen["XA"]][:120] == list(
                zip(*(column.tolist() for column in (minutes.start_ms, *minutes.values()[:5])), strict=True)
            )
            assert [event["s"] for event in seen["XAS"]][: len(trades)] == [
                t - t % 1000 for t in trades.time_ms.tolist()
            ]
            assert [event["s"] for event in seen["thin"]][:2] == [NOW_MS, NOW_MS + HOUR_MS]

    run_async(scenario())


def test_stock_seconds_come_two_seconds_late(run_async: Callable[..., Any]) -> None:
    async def scenario() -> None:
        async with server_at() as server, subscribed(server, ["A.AAPL", "T.AAPL"], "stocks") as socket:
            server.clock.advance(7_999)  # the trade of :05, whose second ends at :06
            assert [event["ev"] for event in await receive(socket)] == ["T"]
            server.clock.advance(1)
            assert [(event["ev"], event["s"]) for event in await receive(socket)] == [("A", NOW_MS + 5_000)]

    run_async(scenario())


def test_wildcards_bring_every_ticker_of_the_channel(run_async: Callable[..., Any]) -> None:
    async def scenario() -> None:
        async with server_at() as server, subscribed(server, ["XA.*"]) as socket:
            server.clock.advance(MINUTE_MS)
            assert {event["pair"] for event in await take(socket, 3)} == {"BTC-USD", "ETH-USD", "THIN-USD"}

    run_async(scenario())


def test_nothing_is_replayed_after_a_drop_or_a_jump(run_async: Callable[..., Any]) -> None:
    async def scenario() -> None:
        async with server_at() as server:
            async with subscribed(server, ["XT.BTC-USD"]) as socket:
                server.clock.advance(10_000)
                assert len(await receive(socket)) == 1
            server.clock.advance(10 * MINUTE_MS)
            async with subscribed(server, ["XT.BTC-USD"]) as socket:
                server.clock.advance(10_000)
                (event,) = await receive(socket)
                assert event["t"] == NOW_MS + 10_000 + 10 * MINUTE_MS + 5_000
                server.clock.set(now_ms=NOW_MS + 5 * HOUR_MS)
                server.clock.advance(10_000)
                (event,) = await receive(socket)
                assert event["t"] >= NOW_MS + 5 * HOUR_MS

    run_async(scenario())


def test_as_fast_as_the_reader_reads(run_async: Callable[..., Any]) -> None:
    class Short(SteadyMarket):
        end_ms = NOW_MS + 48 * HOUR_MS

    async def scenario() -> None:
        async with (
            serving_source(Short(), start_ms=NOW_MS, rate=None) as server,
            subscribed(server, ["XT.BTC-USD", "XA.BTC-USD"]) as socket,
        ):
            assert server.clock.now_ms() < Short.end_ms
            events = await take(socket, 48 * 60 * 7)
            assert [event["s"] for event in events if event["ev"] == "XA"] == [
                NOW_MS + i * MINUTE_MS for i in range(48 * 60)
            ]
            times = [event.get("t") or event["e"] for event in events]
            assert times == sorted(times)
            state = server.clock.state()
            assert (state["ended"], state["speed"], state["rate"]) == (True, "max", 0.0)

    run_async(scenario())


@pytest.mark.parametrize("fault", ["socket_refuse", "socket_auth_failed", "socket_no_plan"])
def test_faults_at_the_door(run_async: Callable[..., Any], fault: str) -> None:
    async def scenario() -> None:
        async with server_at() as server:
            await control(server, "/faults", {"kind": fault, "count": 1, "cluster": "crypto"})
            if fault == "socket_refuse":
                with pytest.raises((InvalidMessage, OSError)):
                    await connect(f"{server.socket}/crypto", proxy=None)
            else:
                async with plain(server) as socket:
                    assert (await ask(socket, "auth", TEST_KEY))[0]["status"] == "auth_failed"
            async with subscribed(server, ["XT.BTC-USD"]):
                assert server.faults.rules == []

    run_async(scenario())


def test_faults_on_the_line(run_async: Callable[..., Any]) -> None:
    async def scenario() -> None:
        async with server_at() as server:
            for body in ({"kind": "socket_drop"}, {"kind": "socket_drop", "after_bytes": 25}):
                async with subscribed(server, ["XT.BTC-USD"]) as socket:
                    await control(server, "/faults", body)
                    server.clock.advance(10_000)
                    with pytest.raises(ConnectionClosedError):
                        await socket.recv()
            async with subscribed(server, ["XT.BTC-USD"]) as socket:
                await control(server, "/faults", {"kind": "socket_close"})
                with pytest.raises(ConnectionClosedOK, match="1001"):
                    await socket.recv()
            async with subscribed(server, ["XT.BTC-USD", "XA.BTC-USD"]) as socket:
                await control(server, "/faults", {"kind": "socket_malformed", "count": 1})
                server.clock.advance(10_000)
                with pytest.raises(json.JSONDecodeError):
                    await receive(socket)
                assert len(await receive(socket)) == 1
                await control(server, "/faults", {"kind": "socket_unknown", "count": 1})
                server.clock.advance(10_000)
                assert [event["ev"] for event in await receive(socket)] == ["ZZ", "XT", "XT"]
                await control(server, "/faults", {"kind": "socket_duplicate", "count": 1})
                server.clock.advance(10_000)
                assert await receive(socket) == await receive(socket)
                await control(server, "/faults", {"kind": "socket_reorder", "count": 1})
                server.clock.advance(30_000)
                times = [event.get("t") or event["e"] for event in await receive(socket)]
                assert len(times) == 4
                assert times == sorted(times, reverse=True)
                await control(server, "/faults", {"kind": "socket_evict"})
                assert (await receive(socket))[0]["status"] == "max_connections"

    run_async(scenario())


def test_a_stalled_connection_gives_no_sign_of_life(run_async: Callable[..., Any]) -> None:
    async def scenario() -> None:
        async with server_at() as server, subscribed(server, ["XT.BTC-USD"]) as socket:
            await control(server, "/faults", {"kind": "socket_stall"})
            server.clock.advance(MINUTE_MS)
            pong = await socket.ping()
            for waiting in (pong, socket.recv()):
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(waiting, 0.2)
            socket.transport.abort()

    run_async(scenario())


def test_a_correction_is_sent_again_and_served_by_rest(run_async: Callable[..., Any]) -> None:
    async def scenario() -> None:
        async with server_at() as server, subscribed(server, ["XA.BTC-USD"]) as socket:
            headers = {"Authorization": f"Bearer {TEST_KEY}"}
            async with httpx.AsyncClient(base_url=server.rest, headers=headers, trust_env=False) as client:

                async def bars(unit: str) -> list[dict[str, Any]]:
                    path = f"/v2/aggs/ticker/X:BTCUSD/range/1/{unit}/{START_MS}/{NOW_MS - 1}?limit=50000"
                    found: list[dict[str, Any]] = (await client.get(path)).json()["results"]
                    return found

                before, hour_before = await bars("minute"), await bars("hour")
                answer = await control(
                    server, "/faults", {"kind": "correction", "ticker": "X:BTCUSD", "minutes_back": 4, "factor": 2}
                )
                (event,) = await receive(socket)
                assert event["s"] == answer["bar"]["t"] == NOW_MS - 5 * MINUTE_MS
                after, hour_after = await bars("minute"), await bars("hour")
                (changed,) = [row for row, old in zip(after, before, strict=True) if row != old]
                assert (changed["t"], changed["h"], changed["h"]) == (event["s"], event["h"], before[55]["h"] * 2)
                assert hour_after[0]["h"] == changed["h"] > hour_before[0]["h"]

    run_async(scenario())


def test_the_flood_reaches_its_rate_and_keeps_to_the_subscribed(run_async: Callable[..., Any]) -> None:
    async def scenario() -> None:
        async with server_at() as server, subscribed(server, ["XT.BTC-USD", "XT.ETH-USD", "XA.BTC-USD"]) as socket:
            await control(server, "/flood", {"rate": 2_000, "per_frame": 10, "tickers": 1})
            events: list[dict[str, Any]] = []
            while len(events) < 1_000:
                frame = await receive(socket)
                assert len(frame) == 10
                events += frame
            assert {event["pair"] for event in events} == {"BTC-USD"}
            assert len({event["i"] for event in events}) == len(events)
            assert all(event["t"] == NOW_MS and event["p"] > 0 for event in events)
            server.clock.advance(MINUTE_MS)  # bars go on closing
            while not any(event["ev"] == "XA" for event in await receive(socket)):
                pass
            assert server.stats.flood["rate_reached"] > 0
            await control(server, "/flood", {"rate": 0})

    run_async(scenario())


def test_a_reader_that_does_not_read_is_cut_off(run_async: Callable[..., Any]) -> None:
    async def scenario() -> None:
        async with server_at() as server:
            socket = await connect(f"{server.socket}/crypto", proxy=None, max_queue=1)
            await socket.recv()
            await ask(socket, "auth", TEST_KEY)
            await ask(socket, "subscribe", "XT.*,XQ.*,XAS.*")
            socket.transport.pause_reading()
            while not server.stats.clusters["crypto"].cut_for_slowness:
                server.clock.advance(12 * HOUR_MS)
                await asyncio.sleep(0.01)
            socket.transport.abort()

    run_async(scenario())
