"""A recorded session is served as it was heard: the real client records a real server, and asks the recording."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import reduce
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from desktop.data.feed import BackoffOptions, Feed, FeedOptions, Phase
from desktop.data.feed_socket import SocketOpener
from desktop.data.rate_limit import Limiter, Priority
from desktop.data.recorder import Recorder
from desktop.data.rest import RestClient, RestOptions
from desktop.data.wire import decode_bars
from desktop.data.wire_socket import Event
from desktop.demo.server import RunningServer
from desktop.domain.bars import Bars
from desktop.domain.errors import BadResponse, MarketError, Unauthorized
from desktop.domain.market import Market
from desktop.domain.timeframe import HOUR_MS, MINUTE_MS, ONE_DAY, ONE_MINUTE
from tests.helpers.feed_server import serving_source
from tests.helpers.recording import REPLAY_KEY, recording_to, serving_folder
from tests.helpers.steady_market import START_MS, SteadyMarket
from tests.services.live_desk import until

NOW_MS = START_MS + 6 * HOUR_MS
BTC, ETH = "X:BTCUSD", "X:ETHUSD"
SLOWLY = RestOptions(backoff_s=0.001, read_timeout_s=0.5)
QUICK = FeedOptions(backoff=BackoffOptions(drop_first_s=0.001, drop_most_s=0.01, fail_first_s=0.01, fail_most_s=0.02))
Run = Callable[..., Any]


def client(server: RunningServer, recorder: Recorder | None = None, *, key: str | None = None) -> RestClient:
    limiter = Limiter(calls_per_minute=None, calls_per_second=1000)
    return RestClient(
        base=server.rest, key=key or server.key, limiter=limiter, world=None, options=SLOWLY, recorder=recorder
    )


@asynccontextmanager
async def recorded(folder: Path, now_ms: int = NOW_MS) -> AsyncIterator[tuple[RunningServer, RestClient, Recorder]]:
    """A server of the steady market whose clock stands at `now_ms`, and a client that records."""
    async with (
        serving_source(SteadyMarket(), start_ms=now_ms) as server,
        recording_to(folder, server.clock.now_ms, rest_base=server.rest) as recorder,
        client(server, recorder) as rest,
    ):
        yield server, rest, recorder


async def raw(server: RunningServer, path: str, **params: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, base_url=server.rest) as plain:
        return await plain.get(path, params=params or None, headers={"Authorization": f"Bearer {server.key}"})


async def control(server: RunningServer, path: str, body: object = None) -> Any:
    async with httpx.AsyncClient(trust_env=False, base_url=server.control) as plain:
        answer = await (plain.get(path) if body is None else plain.post(path, json=body))
        assert answer.status_code == 200, answer.text
        return answer.json()


async def minutes(rest: RestClient, from_ms: int, to_ms: int, ticker: str = BTC, **options: Any) -> Bars:
    bars = Bars.empty()
    async for page in rest.bars_pages(ticker, ONE_MINUTE, from_ms, to_ms, **options):
        bars = bars.merged(page.bars)
    return bars


def same(one: Bars, other: Bars) -> bool:
    columns = zip([one.start_ms, *one.values()], [other.start_ms, *other.values()], strict=True)
    return all(np.array_equal(a, b, equal_nan=True) for a, b in columns)


def test_the_same_call_gets_the_same_body(run_async: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with recorded(tmp_path / "report") as (server, rest, _):
            path = f"/v2/aggs/ticker/{BTC}/range/1/minute/{START_MS}/{START_MS + HOUR_MS - 1}"
            params = {"adjusted": "true", "sort": "asc", "limit": "50000"}
            before = (await raw(server, path, **params)).content
            await minutes(rest, START_MS, START_MS + HOUR_MS)
            status = (await raw(server, "/v1/marketstatus/now")).content
            await rest.market_status()
        async with serving_folder(tmp_path / "report") as replay:
            assert (await raw(replay, path, **params)).content == before
            answer = await raw(replay, "/v1/marketstatus/now")
            assert answer.content == status
            assert answer.headers["x-candelabra-world"] == replay.world
            assert replay.world.startswith("replay-")
            async with client(replay, key="another-key-0123456789") as stranger:
                with pytest.raises(Unauthorized):
                    await stranger.market_status()

    run_async(scenario())


def test_pages_lead_to_the_replay_and_not_to_where_they_were_recorded(run_async: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with recorded(tmp_path / "report") as (_, rest, _recorder):
            path = f"/v2/aggs/ticker/{BTC}/range/1/minute/{START_MS}/{NOW_MS}"
            url: str | None = path
            followed: set[str] = set()
            params: Any = {"adjusted": "true", "sort": "asc", "limit": "100"}
            while url is not None:
                page = await rest.ask(path, params, json.loads, Priority.SCREEN, "bars")
                url = page.get("next_url")
                if url is not None:
                    path, params = rest.following(url, followed)
            assert len(followed) >= 3
        async with serving_folder(tmp_path / "report") as replay, client(replay) as again:
            got = await minutes(again, START_MS, NOW_MS + 1)
            pages = [page async for page in again.tickers_pages(market=Market.CRYPTO, place=Priority.SEARCH)]
            assert [row.ticker for row in pages[0]] == [BTC]
        async with serving_source(SteadyMarket(), start_ms=NOW_MS) as server, client(server) as fresh:
            assert same(got, await minutes(fresh, START_MS, NOW_MS + 1))

    run_async(scenario())


def test_other_ranges_are_put_together_from_what_was_answered(run_async: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with recorded(tmp_path / "report") as (_, rest, _recorder):
            await minutes(rest, START_MS, START_MS + 2 * HOUR_MS)
            await minutes(rest, START_MS + 90 * MINUTE_MS, START_MS + 3 * HOUR_MS)
            from_ms, to_ms = START_MS + 13 * MINUTE_MS, START_MS + 170 * MINUTE_MS
            expected = (await rest.bars_page(ETH, ONE_MINUTE, from_ms, to_ms)).bars  # another ticker, the same prices
        async with serving_folder(tmp_path / "report") as replay, client(replay) as again:
            assert same(await minutes(again, from_ms, to_ms), expected)
            assert same(await minutes(again, from_ms, to_ms, adjusted=True), expected)
            small = [page async for page in paged(replay, from_ms, to_ms, 50)]
            assert [len(page) for page in small] == [50, 50, 50, 7]
            assert same(reduce(Bars.merged, small), expected)
            counts = (await control(replay, "/stats"))["recording"]
            assert counts["composed"] >= 6
            assert counts["partly_recorded"] == 0

    run_async(scenario())


async def paged(server: RunningServer, from_ms: int, to_ms: int, limit: int) -> AsyncIterator[Bars]:
    url: str | None = f"/v2/aggs/ticker/{BTC}/range/1/minute/{from_ms}/{to_ms - 1}?limit={limit}&sort=asc"
    while url is not None:
        page = decode_bars((await raw(server, url)).content)
        url = page.next_url
        yield page.rows


def test_bars_are_those_known_at_the_time_that_is_asked(run_async: Run, tmp_path: Path) -> None:
    """A minute that was corrected later has its first prices until then; one that was forming is whole when over."""
    minute_ms = NOW_MS - 5 * MINUTE_MS

    async def scenario() -> None:
        async with recorded(tmp_path / "report", NOW_MS + 25_000) as (server, rest, _):
            begun = await minutes(rest, NOW_MS - HOUR_MS, NOW_MS + MINUTE_MS)
            server.clock.advance(10 * MINUTE_MS)
            await control(server, "/faults", {"kind": "correction", "ticker": BTC, "minutes_back": 14, "factor": 2.0})
            ended = await minutes(rest, NOW_MS - HOUR_MS, NOW_MS + 10 * MINUTE_MS)
        assert ended.between(minute_ms, minute_ms + 1).close == 2 * begun.between(minute_ms, minute_ms + 1).close
        async with serving_folder(tmp_path / "report") as replay, client(replay) as again:
            replay.clock.set(now_ms=NOW_MS + 55_000)
            early = await minutes(again, NOW_MS - 50 * MINUTE_MS, NOW_MS + MINUTE_MS)
            assert same(early, begun.between(NOW_MS - 50 * MINUTE_MS, NOW_MS + MINUTE_MS))
            replay.clock.set(now_ms=NOW_MS + 5 * MINUTE_MS)  # between the two calls
            between = await minutes(again, NOW_MS - 50 * MINUTE_MS, NOW_MS + MINUTE_MS)
            assert between.between(minute_ms, minute_ms + 1).close == begun.between(minute_ms, minute_ms + 1).close
            assert same(between.between(NOW_MS, NOW_MS + 1), ended.between(NOW_MS, NOW_MS + 1)), "whole, not as begun"
            replay.clock.set(now_ms=NOW_MS + 11 * MINUTE_MS)
            late = await minutes(again, NOW_MS - 50 * MINUTE_MS, NOW_MS + MINUTE_MS)
            assert same(late, ended.between(NOW_MS - 50 * MINUTE_MS, NOW_MS + MINUTE_MS))

    run_async(scenario())


def test_what_is_not_in_the_recording_is_said_and_counted(run_async: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with recorded(tmp_path / "report") as (_, rest, _recorder):
            await minutes(rest, START_MS, START_MS + HOUR_MS)
        async with serving_folder(tmp_path / "report") as replay, client(replay) as again:
            answer = await raw(replay, "/v1/last/crypto/BTC/USD")
            assert answer.status_code == 404
            assert answer.json()["error"] == "not in the recording: /v1/last/crypto/BTC/USD"
            with pytest.raises(BadResponse, match="not in the recording"):
                await minutes(again, START_MS, START_MS + HOUR_MS, ETH)
            with pytest.raises(BadResponse, match="not in the recording"):
                await again.bars_page(BTC, ONE_DAY, START_MS, NOW_MS)
            with pytest.raises(BadResponse, match="not in the recording"):
                await minutes(again, START_MS + 3 * HOUR_MS, START_MS + 4 * HOUR_MS)
            await minutes(again, START_MS + 30 * MINUTE_MS, START_MS + 4 * HOUR_MS)
            counts = (await control(replay, "/stats"))["recording"]
            assert sum(counts["missing"].values()) == 4
            assert counts["missing"]["/v1/last/crypto/BTC/USD"] == 1

    run_async(scenario())


def test_failures_come_once_each_in_their_order(run_async: Run, tmp_path: Path) -> None:
    faults: tuple[dict[str, object], ...] = (
        {"kind": "server_error", "count": 1},
        {"kind": "drop", "count": 1},
        {"kind": "too_many_requests", "retry_after_s": 0, "count": 1},
        {"kind": "stall", "count": 1},
    )

    async def scenario() -> None:
        async with recorded(tmp_path / "report") as (server, rest, _):
            for fault in faults:
                await control(server, "/faults", {**fault, "path": "aggs"})
            expected = await minutes(rest, START_MS, START_MS + HOUR_MS)
            with pytest.raises(MarketError):
                await rest.bars_page("X:NONE-SUCH/..", ONE_MINUTE, START_MS, NOW_MS)
        async with serving_folder(tmp_path / "report") as replay, client(replay) as again:
            path = f"/v2/aggs/ticker/{BTC}/range/1/minute/{START_MS}/{START_MS + HOUR_MS - 1}"
            assert (await raw(replay, path)).status_code == 503
            with pytest.raises(httpx.RemoteProtocolError):
                await raw(replay, path)
            refused = await raw(replay, path)
            assert (refused.status_code, refused.headers["retry-after"]) == (429, "0")
            with pytest.raises(httpx.ReadTimeout):
                await rest_once(replay, path)
            assert same(await minutes(again, START_MS, START_MS + HOUR_MS), expected)
            assert (await control(replay, "/stats"))["recording"]["failures"] == 4
        async with serving_folder(tmp_path / "report") as replay, client(replay) as again:
            assert same(await minutes(again, START_MS, START_MS + HOUR_MS), expected), "retried as it was"

    run_async(scenario())


async def rest_once(server: RunningServer, path: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, base_url=server.rest, timeout=0.3) as plain:
        return await plain.get(path, headers={"Authorization": f"Bearer {server.key}"})


def test_snapshots_and_catalogue_are_put_together_by_ticker(run_async: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with recorded(tmp_path / "report") as (server, rest, _):
            first = await rest.snapshots(Market.CRYPTO, [BTC, ETH])
            server.clock.advance(HOUR_MS)
            second = await rest.snapshots(Market.CRYPTO, [BTC])
            row = await rest.overview(ETH)
        async with serving_folder(tmp_path / "report") as replay, client(replay) as again:
            assert await again.snapshots(Market.CRYPTO, [ETH]) == [first[1]]
            assert await again.snapshots(Market.CRYPTO, [BTC, ETH]) == first
            replay.clock.set(now_ms=NOW_MS + 2 * HOUR_MS)
            assert await again.snapshots(Market.CRYPTO, [ETH, BTC, "X:NOUSD"]) == [first[1], second[0]]
            assert await again.overview(ETH) == row
            found = [page async for page in again.tickers_pages(search="ether", place=Priority.SEARCH)]
            assert [info.ticker for info in found[0]] == [ETH]

    run_async(scenario())


class Listener:
    """A running feed and what it heard."""

    def __init__(self, server: RunningServer, recorder: Recorder | None = None, *, key: str | None = None) -> None:
        self.events: list[Event] = []
        self.feed = Feed(
            cluster="crypto",
            base=server.socket,
            key=key or server.key,
            on_events=self.events.extend,
            on_state=lambda _state: None,
            options=QUICK,
            recorder=recorder,
        )


@asynccontextmanager
async def listening(listener: Listener, wanted: Sequence[str] = ("XT.BTC-USD", "XA.BTC-USD")) -> AsyncIterator[None]:
    listener.feed.set_wanted(wanted)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(listener.feed.run())
        yield
        task.cancel()


async def record_drop(folder: Path) -> list[Event]:
    """Two minutes, a cut, and three more; the answer is what the client heard."""
    async with recorded(folder) as (server, _, recorder):
        listener = Listener(server, recorder)
        async with listening(listener):
            await until(lambda: len(listener.feed.state.confirmed) == 2, "subscribed")
            for count in (14, 21):
                server.clock.advance(MINUTE_MS if count == 14 else 90_000)
                await until(lambda count=count: len(listener.events) >= count - 7, "heard")
            heard = len(listener.events)
            await control(server, "/faults", {"kind": "socket_drop"})
            await until(lambda: listener.feed.state.connections == 2, "back again")
            await until(lambda: len(listener.feed.state.confirmed) == 2, "subscribed again")
            server.clock.advance(3 * MINUTE_MS)
            await until(lambda: len(listener.events) >= heard + 21, "heard on")
    return listener.events


def test_frames_and_losses_come_at_their_times(run_async: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        expected = await record_drop(tmp_path / "report")
        async with serving_folder(tmp_path / "report") as replay:
            listener = Listener(replay)
            async with listening(listener):
                await until(lambda: len(listener.feed.state.confirmed) == 2, "subscribed")
                assert listener.events == []
                replay.clock.advance(MINUTE_MS)
                await until(lambda: len(listener.events) == 7, "the first minute")
                replay.clock.advance(100_000)
                await until(lambda: listener.feed.state.connections == 2, "the loss")
                replay.clock.advance(10 * MINUTE_MS)
                await until(lambda: len(listener.events) == len(expected), "the rest")
            assert listener.events == expected
            assert replay.stats.clusters["crypto"].total == 2

    run_async(scenario())


def test_at_the_fastest_speed_nothing_is_lost(run_async: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        expected = await record_drop(tmp_path / "report")
        async with serving_folder(tmp_path / "report", rate=None) as replay:
            listener = Listener(replay)
            async with listening(listener):
                await until(lambda: len(listener.events) == len(expected), "all events")
                await until(lambda: replay.clock.has_ended, "the end")
            assert listener.events == expected

    run_async(scenario())


def test_the_stream_completes_what_rest_was_not_asked(run_async: Run, tmp_path: Path) -> None:
    """Minutes that were only heard are in REST answers too, the forming one with its trades so far."""

    async def scenario() -> None:
        async with recorded(tmp_path / "report") as (server, rest, recorder):
            listener = Listener(server, recorder)
            async with listening(listener):
                await until(lambda: len(listener.feed.state.confirmed) == 2, "subscribed")
                await minutes(rest, NOW_MS - HOUR_MS, NOW_MS + MINUTE_MS)
                server.clock.advance(3 * MINUTE_MS + 30_000)
                await until(lambda: len(listener.events) == 24, "heard")
            async with client(server) as other:
                expected = await minutes(other, NOW_MS, NOW_MS + 4 * MINUTE_MS)
            prices = (expected.open, expected.high, expected.low, expected.close, expected.volume)
        async with serving_folder(tmp_path / "report") as replay, client(replay) as again:
            await control(replay, "/clock", {"advance_ms": 3 * MINUTE_MS + 30_000})
            got = Bars.empty()
            for _ in range(500):  # until the frames have been read
                got = await minutes(again, NOW_MS, NOW_MS + 4 * MINUTE_MS)
                if len(got) == 4 and got.volume[-1] == 3:
                    break
                await asyncio.sleep(0.01)
            assert np.array_equal((got.open, got.high, got.low, got.close, got.volume), prices)

    run_async(scenario())


def test_a_refused_key_and_an_unreachable_server_are_replayed(run_async: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with recorded(tmp_path / "refused") as (server, _rest, recorder):
            await control(server, "/faults", {"kind": "socket_no_plan"})
            listener = Listener(server, recorder)
            async with listening(listener):
                await until(lambda: listener.feed.state.phase is Phase.REFUSED, "refused")
                sentence = listener.feed.state.sentence
        async with recorded(tmp_path / "away") as (server, _rest, recorder):
            await control(server, "/faults", {"kind": "socket_refuse"})
            listener = Listener(server, recorder)
            async with listening(listener):
                await until(lambda: listener.feed.state.phase is Phase.WAITING, "in vain")
        async with serving_folder(tmp_path / "refused") as replay:
            listener = Listener(replay)
            async with listening(listener):
                await until(lambda: listener.feed.state.phase is Phase.REFUSED, "refused again")
                assert listener.feed.state.sentence == sentence
        async with serving_folder(tmp_path / "away") as replay:
            with pytest.raises((InvalidMessage, InvalidStatus, ConnectionError)):
                async with connect(f"{replay.socket}/crypto", proxy=None):
                    pass

    run_async(scenario())


def test_subscriptions_are_answered_as_far_as_they_were_recorded(run_async: Run, tmp_path: Path) -> None:
    async def ask(socket: ClientConnection, action: str, params: str) -> list[str]:
        await socket.send(json.dumps({"action": action, "params": params}))
        return [event["message"] for event in json.loads(await socket.recv())]

    async def scenario() -> None:
        await record_drop(tmp_path / "report")
        async with (
            serving_folder(tmp_path / "report") as replay,
            connect(f"{replay.socket}/crypto", proxy=None) as socket,
        ):
            assert "connected" in str(await socket.recv())
            assert await ask(socket, "subscribe", "XT.BTC-USD") == ["not authorized"]
            assert await ask(socket, "auth", REPLAY_KEY) == ["authenticated"]
            await socket.send(json.dumps({"action": "subscribe", "params": "XT.ETH-USD"}))  # silence
            assert await ask(socket, "subscribe", "XA.BTC-USD,XT.NO-USD") == ["subscribed to: XA.BTC-USD"]
            assert await ask(socket, "unsubscribe", "XA.BTC-USD") == ["unsubscribed to: XA.BTC-USD"]
        async with (
            serving_folder(tmp_path / "report") as replay,
            connect(f"{replay.socket}/crypto", proxy=None) as socket,
        ):
            await socket.recv()
            assert await ask(socket, "auth", "wrong") == ["authentication failed"]
            with pytest.raises(ConnectionClosed):
                await socket.recv()

    run_async(scenario())


def test_the_clock_waits_for_the_first_client(run_async: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with recorded(tmp_path / "report") as (server, rest, _):
            await rest.market_status()
            server.clock.advance(HOUR_MS)
            await rest.market_status()
        async with serving_folder(tmp_path / "report", rate=1.0) as replay:
            assert (replay.clock.flow, replay.clock.now_ms()) == (0.0, NOW_MS)
            assert (await control(replay, "/world"))["world"] == replay.world
            assert replay.clock.flow == 0.0
            assert (await control(replay, "/clock"))["rate"] == 1.0
            await control(replay, "/clock", {"now_ms": NOW_MS + 2 * HOUR_MS})
            assert (await control(replay, "/clock"))["ended"]

    run_async(scenario())


def test_the_clock_waits_where_the_socket_was_opened(run_async: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        expected = await record_drop(tmp_path / "report")
        async with serving_folder(tmp_path / "report", rate=100_000.0) as replay:
            for _ in range(3):
                await raw(replay, "/v1/marketstatus/now")  # starts the clock, of which a second would be a day
            assert replay.clock.now_ms() == NOW_MS
            listener = Listener(replay)
            async with listening(listener):
                await until(lambda: replay.clock.has_ended and replay.clock.end_ms != NOW_MS, "the end")
            assert replay.clock.now_ms() == NOW_MS + 5 * MINUTE_MS + 30_001
            assert listener.events == expected[: len(listener.events)]

    run_async(scenario())


def test_without_a_recorder_the_connection_is_the_librarys_own(run_async: Run) -> None:
    """What is not recorded pays nothing for it."""

    async def scenario() -> None:
        async with serving_source(SteadyMarket(), start_ms=NOW_MS) as server:
            opener = SocketOpener(server.socket, "crypto", FeedOptions())
            connection = await opener.open()
            assert type(connection) is ClientConnection
            await opener.close(connection)

    run_async(scenario())


def test_a_recording_names_no_file_outside_of_itself(run_async: Run, tmp_path: Path) -> None:
    (tmp_path / "secret.gz").write_bytes(b"not to be read")

    async def scenario() -> None:
        async with recorded(tmp_path / "report") as (_, rest, _recorder):
            await rest.grouped_daily(Market.CRYPTO, dt.date(2024, 3, 1))
            await minutes(rest, START_MS, START_MS + HOUR_MS)
        (calls,) = (tmp_path / "report").rglob("calls.jsonl")
        calls.write_text(re.sub(r'"file":"[^"]*"', '"file":"../../../secret.gz"', calls.read_text()))
        async with serving_folder(tmp_path / "report") as replay:
            path = f"/v2/aggs/ticker/{BTC}/range/1/minute/{START_MS}/{START_MS + HOUR_MS - 1}"
            assert b"not to be read" not in (await raw(replay, path)).content

    run_async(scenario())
