"""The feed against a scripted vendor over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
import random
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from desktop.data.feed import BackoffOptions, Feed, FeedOptions, FeedState, Phase
from desktop.data.wire_socket import Event
from tests.helpers.cutting_proxy import CuttingProxy
from tests.helpers.socket_script import KEY, ScriptedVendor, frame, http_answer, status, trade

QUICK = FeedOptions(
    backoff=BackoffOptions(drop_first_s=0.001, drop_most_s=0.01, fail_first_s=0.002, fail_most_s=0.02),
    open_timeout_s=5.0,
    close_timeout_s=0.2,
    answer_timeout_s=5.0,
    publish_every_s=0.02,
)
BTC = "XT.BTC-USD"
ETH = "XT.ETH-USD"

RunAsync = Callable[[Coroutine[Any, Any, Any]], Any]


class Client:
    """A running feed with everything it said."""

    def __init__(self, base: str, *, key: str = KEY, options: FeedOptions = QUICK) -> None:
        self.events: list[Event] = []
        self.batches = 0
        self.states: list[FeedState] = []
        self.fails_once = False
        self._something = asyncio.Event()
        self.feed = Feed(
            cluster="crypto",
            base=base,
            key=key,
            on_events=self._on_events,
            on_state=self._on_state,
            options=options,
            rng=random.Random(1),
        )

    def _on_events(self, events: list[Event]) -> None:
        self._something.set()
        if self.fails_once:
            self.fails_once = False
            raise RuntimeError("a bug in a listener")
        self.events += events
        self.batches += 1

    def _on_state(self, state: FeedState) -> None:
        self.states.append(state)
        self._something.set()

    @property
    def state(self) -> FeedState:
        return self.feed.state

    @property
    def phases(self) -> list[Phase]:
        return [state.phase for state in self.states]

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._something.clear()
            await self._something.wait()

    def delivered(self) -> set[str]:
        return {f"XT.{event.symbol}" for event in self.events}


@contextlib.asynccontextmanager
async def running(base: str, *wanted: str, key: str = KEY, options: FeedOptions = QUICK) -> AsyncIterator[Client]:
    """A feed that wants something, running until the block ends; its own errors fail the test."""
    client = Client(base, key=key, options=options)
    client.feed.set_wanted(wanted)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(client.feed.run())
        yield client
        task.cancel()


def test_greets_then_authenticates_then_subscribes(run_async: RunAsync) -> None:
    async def scenario() -> None:
        async with ScriptedVendor() as vendor, running(vendor.base, BTC, ETH) as client:
            await client.until(lambda: client.state.confirmed == {BTC, ETH} and len(client.events) == 2)
            assert vendor.messages() == [("auth", KEY), ("subscribe", f"{BTC},{ETH}")]
            phases = [phase for n, phase in enumerate(client.phases) if phase not in client.phases[:n]]
            assert phases == [Phase.CONNECTING, Phase.AUTHENTICATING, Phase.STREAMING]
            assert client.state.connections == 1
            assert client.state.last_received_monotonic is not None
        assert client.state.phase is Phase.IDLE

    run_async(scenario())


def test_connects_only_when_something_is_wanted(run_async: RunAsync) -> None:
    async def scenario() -> None:
        async with ScriptedVendor() as vendor, running(vendor.base) as client:
            await asyncio.sleep(0)
            assert client.state.phase is Phase.IDLE
            assert vendor.attempts == 0
            client.feed.set_wanted({BTC})
            await client.until(lambda: client.state.confirmed == {BTC})

    run_async(scenario())


def test_sends_only_differences_in_messages_of_a_hundred(run_async: RunAsync) -> None:
    async def scenario() -> None:
        many = {f"XT.C{n:03d}-USD" for n in range(250)}
        async with ScriptedVendor() as vendor, running(vendor.base, *many) as client:
            await client.until(lambda: client.state.confirmed == many)
            sizes = [len(params.split(",")) for action, params in vendor.messages() if action == "subscribe"]
            assert sizes == [100, 100, 50]
            before = len(vendor.log)
            client.feed.set_wanted(many)
            client.feed.set_wanted((many - {"XT.C000-USD"}) | {BTC})
            await client.until(lambda: BTC in client.state.confirmed)
            assert vendor.messages()[before:] == [("unsubscribe", "XT.C000-USD"), ("subscribe", BTC)]
            assert client.state.confirmed == (many - {"XT.C000-USD"}) | {BTC}

    run_async(scenario())


def test_what_is_wanted_while_down_is_subscribed_after(run_async: RunAsync) -> None:
    async def scenario() -> None:
        async with ScriptedVendor() as vendor, running(vendor.base, BTC) as client:
            await client.until(lambda: client.state.confirmed == {BTC})
            await vendor.stop()
            await client.until(lambda: client.state.phase is Phase.WAITING)
            assert client.state.confirmed == frozenset()
            client.feed.set_wanted({ETH})
            await vendor.start()
            await client.until(lambda: client.state.confirmed == {ETH} and ETH in client.delivered())
            assert vendor.messages(2) == [("auth", KEY), ("subscribe", ETH)]

    run_async(scenario())


def test_many_drops_lose_no_subscription(run_async: RunAsync) -> None:
    async def scenario() -> None:
        wanted = {f"XT.C{n}-USD" for n in range(7)}
        async with ScriptedVendor() as vendor, running(vendor.base, *wanted) as client:
            for _ in range(30):
                await client.until(lambda: client.delivered() == wanted and client.state.confirmed == wanted)
                client.events.clear()
                vendor.drop()
            await client.until(lambda: client.delivered() == wanted)
            assert client.state.connections == 31

    run_async(scenario())


@pytest.mark.parametrize("is_reset", [False, True])
def test_a_cut_at_any_byte_is_survived(run_async: RunAsync, is_reset: bool) -> None:
    async def scenario() -> None:
        async with ScriptedVendor() as vendor:
            async with (
                CuttingProxy(vendor.port, []) as whole,
                running(f"ws://127.0.0.1:{whole.port}", BTC, ETH) as client,
            ):
                await client.until(lambda: client.delivered() == {BTC, ETH})
                length = whole.passed[0]
            plan: list[int | None] = list(range(1, length, 3))
            async with (
                CuttingProxy(vendor.port, plan, is_reset=is_reset) as proxy,
                running(f"ws://127.0.0.1:{proxy.port}", BTC, ETH) as client,
            ):
                await client.until(lambda: len(proxy.passed) > len(plan))
                client.events.clear()
                await client.until(lambda: client.state.confirmed == {BTC, ETH} and client.delivered() == {BTC, ETH})
                assert client.state.malformed == 0
                assert len(plan) > 100

    run_async(scenario())


def test_silence_in_the_handshake_times_out(run_async: RunAsync) -> None:
    async def scenario() -> None:
        options = FeedOptions(backoff=QUICK.backoff, open_timeout_s=0.1)
        async with (
            ScriptedVendor() as vendor,
            CuttingProxy(vendor.port, [40, None], is_silent=True) as proxy,
            running(f"ws://127.0.0.1:{proxy.port}", BTC, options=options) as client,
        ):
            await client.until(lambda: client.state.confirmed == {BTC})
            assert "timed out" in [state.reason for state in client.states]

    run_async(scenario())


def test_a_server_that_greets_nobody_times_out(run_async: RunAsync) -> None:
    async def scenario() -> None:
        options = FeedOptions(backoff=QUICK.backoff, open_timeout_s=0.1)
        async with ScriptedVendor() as vendor:
            vendor.greeting = []
            async with running(vendor.base, BTC, options=options) as client:
                await client.until(lambda: client.state.reason == "timed out")
                assert vendor.messages() == []

    run_async(scenario())


def test_a_silent_peer_is_noticed_by_missing_pongs(run_async: RunAsync) -> None:
    async def scenario() -> None:
        options = FeedOptions(backoff=QUICK.backoff, ping_interval_s=0.05, pong_timeout_s=0.1)
        async with ScriptedVendor() as vendor:
            async with CuttingProxy(vendor.port, []) as whole, running(f"ws://127.0.0.1:{whole.port}", BTC) as client:
                await client.until(lambda: client.delivered() == {BTC})
                length = whole.passed[0]
            async with (
                CuttingProxy(vendor.port, [length], is_silent=True) as proxy,
                running(f"ws://127.0.0.1:{proxy.port}", BTC, options=options) as client,
            ):
                await client.until(lambda: client.state.connections == 2)
                await client.until(lambda: client.state.confirmed == {BTC})

    run_async(scenario())


def test_a_quiet_connection_with_pongs_stays(run_async: RunAsync) -> None:
    async def scenario() -> None:
        options = FeedOptions(backoff=QUICK.backoff, ping_interval_s=0.01, pong_timeout_s=5, publish_every_s=0.01)
        async with ScriptedVendor() as vendor, running(vendor.base, BTC, options=options) as client:
            await client.until(lambda: client.delivered() == {BTC})
            first = client.state.last_received_monotonic
            assert first is not None
            await vendor.until(lambda: vendor.pings >= 5)
            assert (client.state.last_received_monotonic or 0.0) > first
            assert client.state.connections == 1

    run_async(scenario())


@pytest.mark.parametrize(
    ("prepare", "reason", "action"),
    [
        (
            lambda v: setattr(v, "auth_answer", [status("auth_failed", "authentication failed")]),
            "auth_failed",
            "enter_key",
        ),
        (
            lambda v: setattr(v, "auth_answer", [status("auth_failed", "Your plan doesn't include websocket access.")]),
            "not in plan",
            "retry",
        ),
        (lambda v: setattr(v, "auth_answer", [status("error", "not authorized")]), "not in plan", "retry"),
        (lambda v: setattr(v, "auth_answer", [status("max_connections", "exceeded")]), "max_connections", "retry"),
    ],
)
def test_a_refusal_is_final_until_a_person_acts(
    run_async: RunAsync, prepare: Callable[[ScriptedVendor], None], reason: str, action: str
) -> None:
    async def scenario() -> None:
        async with ScriptedVendor() as vendor:
            right_answer = vendor.auth_answer
            prepare(vendor)
            async with running(vendor.base, BTC) as client:
                await client.until(lambda: client.state.phase is Phase.REFUSED)
                assert (client.state.reason, client.state.action) == (reason, action)
                assert client.state.sentence
                assert client.state.retry_at_monotonic is None
                await vendor.until(lambda: not vendor.connections)
                vendor.auth_answer = right_answer
                assert vendor.attempts == 1
                client.feed.retry_now()
                await client.until(lambda: client.state.confirmed == {BTC})
                assert (client.state.sentence, client.state.action, vendor.attempts) == (None, None, 2)

    run_async(scenario())


def test_a_wrong_key_is_refused_once_and_another_key_works(run_async: RunAsync) -> None:
    async def scenario() -> None:
        async with ScriptedVendor() as vendor, running(vendor.base, BTC, key="wrong-key-0123456789") as client:
            await client.until(lambda: client.state.phase is Phase.REFUSED)
            assert client.state.action == "enter_key"
            client.feed.set_key(KEY)
            await client.until(lambda: client.state.confirmed == {BTC})
            assert vendor.attempts == 2

    run_async(scenario())


@pytest.mark.parametrize("how", ["status", "close"])
def test_eviction_while_streaming_is_final(run_async: RunAsync, how: str) -> None:
    async def scenario() -> None:
        async with ScriptedVendor() as vendor, running(vendor.base, BTC) as client:
            await client.until(lambda: client.delivered() == {BTC})
            if how == "status":
                await vendor.send(
                    trade(1), status("max_connections", "Maximum number of websocket connections exceeded.")
                )
            else:
                await vendor.send(trade(1))
                await vendor.connections[-1].close(1008, "max_connections")
            await client.until(lambda: client.state.phase is Phase.REFUSED)
            assert [event.price for event in client.events] == [100, 101]
            assert (client.state.action, vendor.attempts) == ("retry", 1)

    run_async(scenario())


def test_a_normal_close_is_a_loss_too(run_async: RunAsync) -> None:
    async def scenario() -> None:
        async with ScriptedVendor() as vendor, running(vendor.base, BTC) as client:
            await client.until(lambda: client.state.confirmed == {BTC})
            await vendor.connections[-1].close(1000)
            await client.until(lambda: client.state.connections == 2 and client.state.confirmed == {BTC})
            assert "closed with code 1000" in [state.reason for state in client.states]

    run_async(scenario())


def test_subscriptions_outside_the_plan_are_named(run_async: RunAsync) -> None:
    async def scenario() -> None:
        options = FeedOptions(backoff=QUICK.backoff, answer_timeout_s=0.05)
        async with ScriptedVendor() as vendor:
            vendor.unauthorized = {"XQ.BTC-USD"}
            async with running(vendor.base, BTC, "XQ.BTC-USD", options=options) as client:
                await client.until(lambda: bool(client.state.refused))
                assert client.state.confirmed == {BTC}
                assert client.state.refused == {"XQ.BTC-USD"}
                assert client.state.phase is Phase.STREAMING
                assert client.state.sentence == "Some live data are not in this key's plan."
                client.feed.set_wanted({BTC})
                await client.until(lambda: not client.state.refused)
                assert client.state.sentence is None

    run_async(scenario())


def test_a_channel_without_any_answer_counts_as_refused_until_it_comes(run_async: RunAsync) -> None:
    async def scenario() -> None:
        options = FeedOptions(backoff=QUICK.backoff, answer_timeout_s=0.05)
        async with ScriptedVendor() as vendor:
            vendor.unanswered = {"ZZ.BTC-USD"}
            async with running(vendor.base, BTC, "ZZ.BTC-USD", options=options) as client:
                await client.until(lambda: client.state.refused == {"ZZ.BTC-USD"})
                assert client.state.sentence is None
                await vendor.send(status("success", "subscribed to: ZZ.BTC-USD"))
                await client.until(lambda: client.state.confirmed == {BTC, "ZZ.BTC-USD"})
                assert client.state.refused == frozenset()

    run_async(scenario())


def test_a_busy_server_is_obeyed(run_async: RunAsync) -> None:
    async def scenario() -> None:
        async with ScriptedVendor() as vendor:
            vendor.answer_http = lambda: http_answer(HTTPStatus.TOO_MANY_REQUESTS, Retry_After="40")
            async with running(vendor.base, BTC) as client:
                await client.until(lambda: client.state.phase is Phase.WAITING)
                now_s = asyncio.get_running_loop().time()
                assert client.state.reason == "HTTP 429"
                assert client.state.retry_at_monotonic is not None
                assert client.state.retry_at_monotonic - now_s > 35
                vendor.answer_http = lambda: None
                client.feed.retry_now()
                await client.until(lambda: client.state.confirmed == {BTC})

    run_async(scenario())


@pytest.mark.parametrize("code", [HTTPStatus.UNAUTHORIZED, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.NOT_FOUND])
def test_an_http_error_is_tried_again(run_async: RunAsync, code: HTTPStatus) -> None:
    async def scenario() -> None:
        async with ScriptedVendor() as vendor:
            vendor.answer_http = lambda: http_answer(code) if vendor.attempts < 4 else None
            async with running(vendor.base, BTC) as client:
                await client.until(lambda: client.state.confirmed == {BTC})
                assert f"HTTP {code}" in [state.reason for state in client.states]

    run_async(scenario())


def test_a_redirect_is_not_followed(run_async: RunAsync) -> None:
    async def scenario() -> None:
        async with ScriptedVendor() as other, ScriptedVendor() as vendor:
            vendor.answer_http = lambda: http_answer(HTTPStatus.FOUND, Location=f"{other.base}/crypto")
            async with running(vendor.base, BTC) as client:
                await vendor.until(lambda: vendor.attempts >= 3)
                await client.until(lambda: client.state.reason == "HTTP 302")
            assert other.attempts == 0

    run_async(scenario())


@pytest.mark.parametrize("base", ["ws://example.com", "http://127.0.0.1", "nonsense", "wss://", "ws://[", "ws://h:x"])
def test_an_unsafe_or_bad_address_is_refused_without_a_connection(run_async: RunAsync, base: str) -> None:
    async def scenario() -> None:
        async with running(base, BTC) as client:
            await client.until(lambda: client.state.phase is Phase.REFUSED)
            assert client.state.sentence

    run_async(scenario())


def test_a_certificate_that_cannot_be_verified_is_final_and_nothing_is_sent(
    run_async: RunAsync, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with (
            ScriptedVendor(self_signed(tmp_path)) as vendor,
            running(f"wss://localhost:{vendor.port}", BTC) as client,
        ):
            await client.until(lambda: client.state.phase is Phase.REFUSED)
            assert client.state.reason.startswith("certificate")
            assert client.state.action == "retry"
            assert (vendor.attempts, vendor.log) == (0, [])

    run_async(scenario())


def self_signed(folder: Path) -> ssl.SSLContext:
    """A server's TLS context that nobody trusts."""
    x509 = pytest.importorskip("cryptography.x509", reason="the keyring needs it on Linux only")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    begin = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, begin, begin + dt.timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def test_a_hundred_thousand_garbage_frames_do_no_harm(run_async: RunAsync, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "desktop")
    kinds: list[str | bytes] = ["{", '[{"ev":"XT"}]', b"\xff\xfe", '[{"ev":"XT","pair":"B-U","p":NaN,"s":1,"t":1}]']

    async def scenario() -> None:
        async with ScriptedVendor() as vendor, running(vendor.base, BTC) as client:
            await client.until(lambda: client.state.confirmed == {BTC})
            connection = vendor.connections[-1]
            for n in range(100_000):
                await connection.send(kinds[n % 4])
            await connection.send(frame({"ev": "ZZ"}, trade(1)))
            await client.until(lambda: len(client.events) == 2)
            await client.until(lambda: client.state.malformed == 100_000)
            assert (client.state.unknown, client.state.connections) == (1, 1)

    run_async(scenario())
    assert 1 <= len(caplog.records) <= 10


def test_a_frame_too_large_ends_the_connection_only(run_async: RunAsync) -> None:
    async def scenario() -> None:
        options = FeedOptions(backoff=QUICK.backoff, max_frame_bytes=2000)
        async with ScriptedVendor() as vendor, running(vendor.base, BTC, options=options) as client:
            await client.until(lambda: client.state.confirmed == {BTC})
            await vendor.connections[-1].send("x" * 5000)
            await client.until(lambda: client.state.connections == 2 and client.state.confirmed == {BTC})

    run_async(scenario())


def test_a_slow_consumer_gets_every_event_in_order_and_leaves_turns_to_others(run_async: RunAsync) -> None:
    async def scenario() -> None:
        count = 30_000
        turns = 0

        async def others() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        async with ScriptedVendor() as vendor, running(vendor.base, BTC) as client:
            await client.until(lambda: client.state.confirmed == {BTC} and len(client.events) == 1)
            client.batches = 0
            async with asyncio.TaskGroup() as group:
                counting = group.create_task(others())
                for begin in range(1, count + 1, 10):
                    await vendor.send(*(trade(n) for n in range(begin, begin + 10)))
                await client.until(lambda: len(client.events) == count + 1)
                counting.cancel()
            assert [event.price - 100 for event in client.events] == list(range(count + 1))
            assert turns >= client.batches > 3

    run_async(scenario())


def test_qts_loop_serves_a_flood_and_a_drop_as_well(on_qt_loop: RunAsync) -> None:
    async def scenario() -> None:
        async with ScriptedVendor() as vendor, running(vendor.base, BTC) as client:
            await client.until(lambda: client.state.confirmed == {BTC} and len(client.events) == 1)
            for begin in range(1, 10_001, 10):
                await vendor.send(*(trade(n) for n in range(begin, begin + 10)))
            await client.until(lambda: len(client.events) == 10_001)
            assert [event.price - 100 for event in client.events] == list(range(10_001))
            vendor.drop()
            await client.until(lambda: client.state.connections == 2 and client.state.confirmed == {BTC})

    on_qt_loop(scenario())


def test_a_failing_consumer_does_not_end_the_feed(run_async: RunAsync) -> None:
    async def scenario() -> None:
        errors: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: errors.append(context))
        async with ScriptedVendor() as vendor, running(vendor.base, BTC) as client:
            await client.until(lambda: client.state.confirmed == {BTC} and len(client.events) == 1)
            client.fails_once = True
            await vendor.send(trade(1))
            await client.until(lambda: not client.fails_once)
            await vendor.send(trade(2))
            await client.until(lambda: len(client.events) == 2)
            assert [str(context["exception"]) for context in errors] == ["a bug in a listener"]

    run_async(scenario())


def test_restart_comes_back_at_once(run_async: RunAsync) -> None:
    async def scenario() -> None:
        slow = BackoffOptions(drop_first_s=500, drop_most_s=500, fail_first_s=500, fail_most_s=500)
        async with ScriptedVendor() as vendor, running(vendor.base, BTC, options=FeedOptions(backoff=slow)) as client:
            await client.until(lambda: client.state.confirmed == {BTC})
            client.feed.restart()
            await client.until(lambda: client.state.connections == 2 and client.state.confirmed == {BTC})
            assert Phase.WAITING not in client.phases

    run_async(scenario())


@pytest.mark.parametrize("moment", list(Phase))
def test_cancelling_at_any_moment_leaves_nothing(run_async: RunAsync, moment: Phase) -> None:
    async def scenario() -> None:
        async with ScriptedVendor() as vendor:
            if moment is Phase.AUTHENTICATING:
                vendor.greeting = []
            elif moment is Phase.REFUSED:
                vendor.auth_answer = [status("auth_failed", "authentication failed")]
            elif moment is Phase.WAITING:
                await vendor.stop()
            wanted = [] if moment is Phase.IDLE else [BTC]
            slow = FeedOptions(backoff=BackoffOptions(fail_first_s=500, short_most_s=500))
            async with running(vendor.base, *wanted, options=slow) as client:
                await client.until(lambda: moment is Phase.IDLE or moment in client.phases)
            assert client.state.phase is Phase.IDLE
            await vendor.until(lambda: not vendor.connections)

    run_async(scenario())  # the fixture fails the test on any task left


def test_the_key_is_in_no_log_even_at_debug(run_async: RunAsync, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("websockets", "websockets.client"):
        logging.getLogger(name).setLevel(logging.DEBUG)

    async def scenario() -> None:
        async with ScriptedVendor() as vendor, running(vendor.base, BTC, key="canary-key-0123456789") as client:
            await client.until(lambda: client.state.phase is Phase.REFUSED)
            assert "canary" not in repr(client.states)

    try:
        run_async(scenario())
    finally:
        logging.getLogger("websockets").setLevel(logging.NOTSET)
    mine = [record for record in caplog.records if not record.name.startswith("websockets.server")]
    assert mine
    assert not [record for record in mine if "canary" in record.getMessage()]
