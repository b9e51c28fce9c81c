"""The REST client over real sockets: what it asks, what it stands, and what it says when it cannot."""

from __future__ import annotations

import asyncio
import datetime as dt
import gzip
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

from desktop.data.rate_limit import Limiter, Priority
from desktop.data.rest import BARS_PER_PAGE, RestClient, RestOptions, one_call_ms
from desktop.domain.bars import VALUE_COLUMNS, Bars
from desktop.domain.errors import (
    BadInput,
    BadResponse,
    MarketError,
    NotInPlan,
    Offline,
    RateLimited,
    Unauthorized,
    UnknownTicker,
    WrongWorld,
)
from desktop.domain.market import Market
from desktop.domain.sessions import is_open
from desktop.domain.timeframe import HOUR_MS, ONE_DAY, ONE_HOUR, ONE_MINUTE, ONE_SECOND
from desktop.domain.world import VENDOR, World, demo_world
from tests.data.small_vendor import KEY, Reply, SmallVendor, json_reply

MINUTE = 60_000
HTML = Reply(502, b"<html><h1>Bad Gateway</h1></html>", {"Content-Type": "text/html"})


def minutes(count: int, first_ms: int = 0) -> Bars:
    values = np.random.default_rng(4).random((len(VALUE_COLUMNS), count))
    return Bars(first_ms + np.arange(count) * MINUTE, *values)


class Waits(list[float]):
    """Stands in for sleeping between attempts: notes how long it would have been."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


@asynccontextmanager
async def connected(
    vendor: SmallVendor, *, limiter: Limiter | None = None, **options: Any
) -> AsyncIterator[RestClient]:
    options.setdefault("world", None)
    options.setdefault("key", KEY)
    options.setdefault("base", vendor.base)
    limiter = limiter or Limiter(calls_per_minute=None, calls_per_second=10_000)
    async with RestClient(limiter=limiter, sleep=options.pop("sleep", Waits()), **options) as client:
        yield client


def test_the_key_is_in_the_header_and_nowhere_else(run_async) -> None:
    async def scenario() -> None:
        async with SmallVendor() as vendor, connected(vendor) as client:
            vendor.minutes["X:BTCUSD"] = minutes(300)
            vendor.now_ms = 1000 * MINUTE
            vendor.page_bars = 100
            pages = [page async for page in client.bars_pages("X:BTCUSD", ONE_MINUTE, 0, 1000 * MINUTE)]
            assert [len(page.bars) for page in pages] == [100, 100, 100]
            assert (
                vendor.asked[0]
                == f"/v2/aggs/ticker/X:BTCUSD/range/1/minute/0/{1000 * MINUTE - 1}?adjusted=true&sort=asc&limit=50000"
            )
            assert not any(KEY in asked for asked in vendor.asked)
            assert {headers["authorization"] for headers in vendor.headers} == {f"Bearer {KEY}"}
            found = pages[0].bars.merged(pages[1].bars).merged(pages[2].bars)
            np.testing.assert_array_equal(found.close, minutes(300).close)

    run_async(scenario())


def page_to(next_url: str) -> Reply:
    return json_reply({"status": "OK", "results": [{"t": 0, "o": 1, "h": 1, "l": 1, "c": 1}], "next_url": next_url})


@pytest.mark.parametrize(
    ("next_url", "words"),
    [
        ("http://evil.example/v2/aggs?cursor=1", "another machine"),
        ("https://127.0.0.1/v2/aggs?cursor=1", "another machine"),
        ("file:///etc/passwd", "another machine"),
    ],
)
def test_the_next_page_is_followed_on_our_own_host_only(run_async, next_url: str, words: str) -> None:
    async def scenario() -> None:
        async with SmallVendor() as vendor, connected(vendor) as client:
            vendor.faults.append(page_to(next_url))
            with pytest.raises(BadResponse, match=words):
                async for _page in client.bars_pages("X:BTCUSD", ONE_MINUTE, 0, MINUTE):
                    pass
            assert len(vendor.asked) == 1

    run_async(scenario())


def test_a_key_in_the_next_page_is_dropped_and_a_circle_is_noticed(run_async) -> None:
    async def scenario() -> None:
        async with SmallVendor() as vendor, connected(vendor) as client:
            circle = f"{vendor.base}/v2/aggs/ticker/X:BTCUSD/range/1/minute/5/6?cursor=bGltaXQ9Mg&apiKey={KEY}"
            vendor.faults.extend([page_to(circle)] * 5)
            with pytest.raises(BadResponse, match="circle"):
                async for _page in client.bars_pages("X:BTCUSD", ONE_MINUTE, 0, MINUTE):
                    pass
            assert vendor.asked[1:] == ["/v2/aggs/ticker/X:BTCUSD/range/1/minute/5/6?cursor=bGltaXQ9Mg"]

    run_async(scenario())


FINAL = [
    (json_reply({"status": "ERROR", "error": "Unknown API Key"}, 401), Unauthorized, "does not accept"),
    (json_reply({"status": "NOT_AUTHORIZED", "message": "You are not entitled to this data."}, 403), NotInPlan, "plan"),
    (json_reply({"message": "Your plan doesn't include this data timeframe."}, 403), NotInPlan, "of this time"),
    (json_reply({"status": "NOT_FOUND", "message": "no"}, 404), UnknownTicker, "no ticker “X:BTCUSD”"),
    (Reply(404, b"404 page not found"), BadResponse, "status 404"),
    (json_reply({"error": "bad 'from'"}, 400), BadResponse, "It said: bad 'from'"),
    (Reply(302, b"", {"Location": "http://127.0.0.1:1/"}), BadResponse, "another address"),
    (Reply(200, b"<!doctype html><title>Sign in</title>"), BadResponse, "web page"),
    (Reply(200, b'{"status":"OK","results":[{"t":1,"o":'), BadResponse, "cut off"),
    (Reply(200, b"", {}), BadResponse, "empty"),
    (Reply(200, b"not gzip", {"Content-Encoding": "gzip"}), BadResponse, "garbled"),
    (Reply(403, b"<html>Forbidden</html>"), BadResponse, "web page"),
]


@pytest.mark.parametrize(("reply", "kind", "words"), FINAL)
def test_what_will_not_get_better_is_said_at_once(run_async, reply: Reply, kind: type[MarketError], words: str) -> None:
    async def scenario() -> None:
        async with SmallVendor() as vendor, connected(vendor) as client:
            vendor.faults.append(reply)
            with pytest.raises(kind, match=words) as caught:
                await client.bars_page("X:BTCUSD", ONE_MINUTE, 0, MINUTE)
            assert len(vendor.asked) == 1
            assert str(caught.value).endswith((".", "'from'"))
            await asyncio.sleep(0)  # the loop closes what httpx leaves behind of a garbled body

    run_async(scenario())


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (HTML, BadResponse, "web page instead of market data .status 502"),
        (json_reply({"error": "boom"}, 500), BadResponse, "problem of its own .status 500"),
        (Reply(200, b"x" * 500, cut_after=100), Offline, "was cut"),
    ],
)
def test_what_may_pass_is_tried_four_times(run_async, reply: Reply, kind: type[MarketError], words: str) -> None:
    async def scenario() -> None:
        waits = Waits()
        async with SmallVendor() as vendor, connected(vendor, sleep=waits) as client:
            vendor.faults.extend([reply] * 3)
            assert len((await client.bars_page("X:BTCUSD", ONE_MINUTE, 0, MINUTE)).bars) == 0
            assert len(vendor.asked) == 4
            assert all(low <= wait <= 2 * low for wait, low in zip(waits, (0.25, 0.5, 1.0), strict=True))
            vendor.faults.extend([reply] * 4)
            with pytest.raises(kind, match=words):
                await client.bars_page("X:BTCUSD", ONE_MINUTE, 0, MINUTE)
            assert len(vendor.asked) == 8
            assert client.limiter.usage().last_minute == 8

    run_async(scenario())


def test_a_refused_connection_and_a_silent_server(run_async) -> None:
    async def scenario() -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            base = f"http://127.0.0.1:{unused.getsockname()[1]}"
        async with SmallVendor() as vendor:
            async with connected(vendor, base=base) as client:
                with pytest.raises(Offline, match="refuses connections"):
                    await client.market_status()
            async with connected(vendor, options=RestOptions(read_timeout_s=0.05, attempts=2)) as client:
                vendor.faults.extend([Reply(stalls=True)] * 2)
                with pytest.raises(Offline, match="does not answer in time"):
                    await client.market_status()

    run_async(scenario())


def test_429_pauses_everything_and_is_tried_again(run_async) -> None:
    async def scenario() -> None:
        pauses: list[float] = []
        paused = asyncio.Event()

        def on_pause(seconds: float) -> None:
            pauses.append(seconds)
            if seconds > 1:
                paused.set()

        async with SmallVendor() as vendor, connected(vendor, on_pause=on_pause) as client:
            refused = json_reply({"status": "ERROR", "error": "exceeded"}, 429, **{"Retry-After": "0.02"})
            vendor.faults.extend([refused] * 3)
            await client.bars_page("X:BTCUSD", ONE_MINUTE, 0, MINUTE)
            assert pauses == [0.02] * 3
            assert len(vendor.asked) == 4
            vendor.faults.extend([Reply(429, b"", {"Retry-After": "0"})] * 4)
            with pytest.raises(RateLimited):
                await client.bars_page("X:BTCUSD", ONE_MINUTE, 0, MINUTE)
            in_an_hour = (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=100)).strftime("%a, %d %b %Y %H:%M:%S GMT")
            vendor.faults.append(Reply(429, b"", {"Retry-After": in_an_hour}))
            waiting = asyncio.create_task(client.bars_page("X:BTCUSD", ONE_MINUTE, 0, MINUTE))
            await paused.wait()
            assert 95 < client.limiter.usage().pause_s <= 100
            waiting.cancel()
            await asyncio.wait([waiting])

    run_async(scenario())


def test_after_a_refused_key_nothing_is_sent_until_another_comes(run_async) -> None:
    async def scenario() -> None:
        async with SmallVendor() as vendor, connected(vendor, key="wrong-key-0123456789") as client:
            for _ in range(3):
                with pytest.raises(Unauthorized):
                    await client.bars_page("X:BTCUSD", ONE_MINUTE, 0, MINUTE)
            assert len(vendor.asked) == 1
            client.use_key(KEY)
            await client.bars_page("X:BTCUSD", ONE_MINUTE, 0, MINUTE)
            client.use_key(None)
            with pytest.raises(Unauthorized, match="no API key"):
                await client.bars_page("X:BTCUSD", ONE_MINUTE, 0, MINUTE)
            assert len(vendor.asked) == 2

    run_async(scenario())


def test_an_endpoint_not_in_the_plan_is_remembered(run_async) -> None:
    async def scenario() -> None:
        async with SmallVendor() as vendor, connected(vendor) as client:
            vendor.faults.append(json_reply({"message": "You are not entitled to this data."}, 403))
            for _ in range(3):
                with pytest.raises(NotInPlan):
                    await client.snapshots(Market.CRYPTO, ["X:BTCUSD"])
            assert len(vendor.asked) == 1
            assert len(await client.snapshots(Market.FOREX, ["C:EURUSD"])) == 1
            client.check_again()
            (snapshot,) = await client.snapshots(Market.CRYPTO, ["X:BTCUSD"])
            assert snapshot.last == 5.5

    run_async(scenario())


@pytest.mark.parametrize(
    ("served", "expected"),
    [("demo-7", VENDOR), (None, demo_world(7)), ("demo-8", demo_world(7)), ("Bad World!", demo_world(7))],
)
def test_data_of_another_world_are_refused(run_async, served: str | None, expected: World) -> None:
    async def scenario() -> None:
        async with SmallVendor(served) as vendor, connected(vendor, world=expected) as client:
            with pytest.raises(WrongWorld):
                await client.bars_page("X:BTCUSD", ONE_MINUTE, 0, MINUTE)
        async with SmallVendor("demo-7") as vendor, connected(vendor, world=demo_world(7)) as client:
            await client.bars_page("X:BTCUSD", ONE_MINUTE, 0, MINUTE)
            assert client.served_world == demo_world(7)
            vendor.faults.append(Reply(502, b"<html>proxy</html>"))
            vendor.faults[0].headers["X-Candelabra-World"] = ""
            await client.bars_page("X:BTCUSD", ONE_MINUTE, 0, MINUTE)

    run_async(scenario())


def test_identical_calls_are_shared_and_survive_the_one_who_began(run_async) -> None:
    async def scenario() -> None:
        async with SmallVendor() as vendor, connected(vendor) as client:
            vendor.minutes["X:BTCUSD"], vendor.now_ms = minutes(5), 1000 * MINUTE
            vendor.gate = asyncio.Event()
            calls = [asyncio.create_task(client.bars_page("X:BTCUSD", ONE_MINUTE, 0, 9 * MINUTE)) for _ in range(5)]
            await vendor.arrived.wait()
            vendor.gate.set()
            assert [len(page.bars) for page in await asyncio.gather(*calls)] == [5] * 5
            assert len(vendor.asked) == 1
            vendor.gate, vendor.arrived = asyncio.Event(), asyncio.Event()
            calls = [asyncio.create_task(client.bars_page("X:BTCUSD", ONE_MINUTE, 0, 9 * MINUTE)) for _ in range(3)]
            await vendor.arrived.wait()
            calls[0].cancel()
            vendor.gate.set()
            answers = await asyncio.gather(*calls, return_exceptions=True)
            assert isinstance(answers[0], asyncio.CancelledError)
            assert [len(page.bars) for page in answers[1:]] == [5, 5]
            assert len(vendor.asked) == 3

    run_async(scenario())


def test_a_shared_call_moves_up_to_whoever_needs_it_first(run_async) -> None:
    async def scenario() -> None:
        limiter = Limiter(calls_per_minute=None, concurrency=1)
        async with SmallVendor() as vendor, connected(vendor, limiter=limiter) as client:
            async with limiter.slot(Priority.SCREEN):
                async with asyncio.TaskGroup() as group:
                    group.create_task(client.bars_page("A", ONE_MINUTE, 0, MINUTE, place=Priority.BACKFILL))
                    group.create_task(client.bars_page("B", ONE_MINUTE, 0, MINUTE, place=Priority.GAP))
                    await asyncio.sleep(0)
                    group.create_task(client.bars_page("A", ONE_MINUTE, 0, MINUTE, place=Priority.SCREEN))
                    await asyncio.sleep(0)
                    limiter._running -= 1
                    limiter._let_go()
                    await vendor.arrived.wait()
                limiter._running += 1
            assert [asked.split("/")[4] for asked in vendor.asked] == ["A", "B"]

    run_async(scenario())


def test_a_large_body_does_not_hold_the_loop(run_async) -> None:
    async def scenario() -> None:
        async with SmallVendor() as vendor, connected(vendor) as client:
            body = (
                b'{"status":"OK","results":['
                + b",".join(
                    b'{"v":%d.5,"vw":1.25,"o":1.5,"c":2.5,"h":3.5,"l":1.125,"t":%d,"n":3}' % (at, at * MINUTE)
                    for at in range(50_000)
                )
                + b"]}"
            )
            vendor.faults.append(Reply(200, gzip.compress(body, 1), {"Content-Encoding": "gzip"}))
            page = await client.bars_page("X:BTCUSD", ONE_MINUTE, 0, 1 << 50)
            assert len(page.bars) == 50_000
            assert page.bars[49_999].volume == 49_999.5

    run_async(scenario())


@pytest.mark.parametrize("base", ["http://api.massive.com", "ftp://127.0.0.1", "nonsense", "http://127.evil.com"])
def test_an_address_without_encryption_is_refused(base: str) -> None:
    with pytest.raises(BadInput):
        RestClient(base=base, key=KEY, limiter=Limiter(calls_per_minute=5), world=VENDOR)


@pytest.mark.parametrize("key", ["with newline\n", "ключ", "two words"])
def test_a_key_no_header_can_carry_is_refused_without_saying_it(key: str) -> None:
    with pytest.raises(BadInput) as caught:
        RestClient(base="http://127.0.0.1:1", key=key, limiter=Limiter(calls_per_minute=5), world=None)
    assert key.strip() not in str(caught.value)


@pytest.mark.parametrize("ticker", ["", "..", "X BTC", "A/../../B?c", "A#b", "x" * 60])
def test_an_impossible_ticker_is_never_sent(run_async, ticker: str) -> None:
    async def scenario() -> None:
        async with SmallVendor() as vendor, connected(vendor) as client:
            with pytest.raises(UnknownTicker):
                await client.overview(ticker)
            assert vendor.asked == []

    run_async(scenario())


@pytest.mark.parametrize("market", list(Market))
def test_one_call_gives_its_span_in_the_busiest_weeks_and_is_well_used(market: Market) -> None:
    spring_2025 = range(1_741_500_000_000 // HOUR_MS, 1_741_500_000_000 // HOUR_MS + 24 * 150)
    traded = np.cumsum([0, *(60 * is_open(market, hour * HOUR_MS) for hour in spring_2025)])
    hours = one_call_ms(ONE_MINUTE, market) // HOUR_MS
    busiest = int((traded[hours:] - traded[:-hours]).max())
    assert 0.9 * BARS_PER_PAGE < busiest <= BARS_PER_PAGE
    assert one_call_ms(ONE_HOUR, market) == one_call_ms(ONE_MINUTE, market)  # hours are made of minutes
    assert one_call_ms(ONE_SECOND, market) == BARS_PER_PAGE * 1000
    assert one_call_ms(ONE_DAY, market) == BARS_PER_PAGE * 24 * HOUR_MS
