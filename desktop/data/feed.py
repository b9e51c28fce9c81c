"""One live connection to one cluster: it connects, authenticates, subscribes, and comes back after every loss."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from desktop.data.feed_backoff import Backoff
from desktop.data.feed_failures import (
    CONNECT_ERRORS,
    Failure,
    failure_of_base,
    failure_of_error,
    failure_of_status,
    no_live_data,
)
from desktop.data.feed_keepalive import Keepalive
from desktop.data.feed_ledger import Ledger
from desktop.data.feed_reader import BatchReader
from desktop.data.feed_socket import SocketOpener
from desktop.data.feed_state import BackoffOptions, FeedOptions, FeedState, Phase
from desktop.data.recorder import Recorder
from desktop.data.wire_socket import Event, FrameDecoder, StatusEvent

__all__ = ["BackoffOptions", "Event", "Feed", "FeedOptions", "FeedState", "Phase"]

_logger = logging.getLogger(__name__)


class Feed:
    """A connection that is kept up for as long as `run` runs.

    `on_events` gets data events in batches, in the order they came, once per turn of the loop; `on_state` gets every
    new FeedState. Both are called on the loop's thread and must not block. The wanted set may change at any time,
    while down included. The key is sent in the auth message only.
    """

    def __init__(
        self,
        *,
        cluster: str,
        base: str,
        key: str,
        on_events: Callable[[list[Event]], None],
        on_state: Callable[[FeedState], None],
        options: FeedOptions | None = None,
        rng: random.Random | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        recorder: Recorder | None = None,
    ) -> None:
        self.cluster = cluster
        self._base = base.rstrip("/")
        self._key = key
        self._on_events = on_events
        self._on_state = on_state
        self._options = options or FeedOptions()
        self._monotonic = monotonic
        self._recorder = recorder
        self._backoff = Backoff(self._options.backoff, rng or random.Random())
        self._ledger = Ledger(self._options.answer_timeout_s)
        self._decoder = FrameDecoder()
        self._state = FeedState()
        self._changed = asyncio.Event()  # the wanted set or the answers to it
        self._retry = asyncio.Event()
        self._is_restarting = False
        self._connection: ClientConnection | None = None
        self._reader: BatchReader | None = None  # of the last connection that stood
        self._keepalive: Keepalive | None = None
        self._usual_open_s: float | None = None  # what the last connection took to stand

    @property
    def state(self) -> FeedState:
        """The state as of now, `last_received_monotonic` included, which alone is not announced."""
        return replace(self._state, last_received_monotonic=self._last_received_s())

    def set_wanted(self, subscriptions: Collection[str]) -> None:
        """Replaces the wanted set: `{"XT.BTC-USD", "XA.BTC-USD"}`. Only differences go over the wire."""
        self._ledger.want(subscriptions)
        self._changed.set()

    def set_key(self, key: str) -> None:
        """Uses another key: at once after a refusal, else from the next connection on."""
        self._key = key
        self.retry_now()

    def retry_now(self) -> None:
        """Ends a wait or a refusal; does nothing to a connection that works."""
        self._backoff.clear()
        self._retry.set()

    def restart(self) -> None:
        """Drops the connection, if any, and connects at once: after a wake-up or a change of network."""
        self._is_restarting = True
        self.retry_now()
        if self._connection is not None:
            self._connection.transport.abort()

    async def run(self) -> None:
        """Keeps the connection up until cancelled; after a refusal it waits for `retry_now` or `set_key`."""
        opener = SocketOpener(self._base, self.cluster, self._options, self._recorder)
        try:
            while True:
                await self._until_wanted()
                self._is_restarting = False
                self._retry.clear()
                failure = failure_of_base(self._base) or await self._session(opener)
                if not self._is_restarting:
                    await self._wait_after(failure)
        finally:
            self._publish(phase=Phase.IDLE, retry_at_monotonic=None)

    async def _until_wanted(self) -> None:
        while not self._ledger.wanted:
            self._publish(phase=Phase.IDLE, sentence=None, action=None, retry_at_monotonic=None, reason="")
            self._changed.clear()
            await self._changed.wait()

    async def _wait_after(self, failure: Failure) -> None:
        """Until the next attempt is due, or somebody asks for it."""
        level = logging.WARNING if failure.is_final else logging.INFO
        _logger.log(level, "%s feed: %s", self.cluster, failure.reason)
        delay_s = None if failure.is_final else self._delay_after(failure)
        self._publish(
            phase=Phase.REFUSED if delay_s is None else Phase.WAITING,
            sentence=failure.sentence,
            action=failure.action,
            reason=failure.reason,
            retry_at_monotonic=None if delay_s is None else self._monotonic() + delay_s,
        )
        try:
            async with asyncio.timeout(delay_s):
                await self._retry.wait()
        except TimeoutError:
            return

    def _delay_after(self, failure: Failure) -> float:
        now_s = self._monotonic()
        if (reader := self._reader) is not None and failure.retry_after_s is None:
            up_s = now_s - reader.began_s
            if reader.events or up_s >= self._options.backoff.stable_s:
                return self._backoff.after_drop(now_s, up_s=up_s)
        return self._backoff.after_failure(now_s, retry_after_s=failure.retry_after_s)

    async def _session(self, opener: SocketOpener) -> Failure:
        """One connection from the first packet to its end."""
        self._reader = self._keepalive = None
        self._publish(phase=Phase.CONNECTING, action=None, retry_at_monotonic=None)
        began_s = self._monotonic()
        try:
            async with asyncio.timeout(self._open_timeout_s(began_s)):
                self._connection = connection = await opener.open()
                self._publish(phase=Phase.AUTHENTICATING)
                failure = await self._authenticate(connection)
            if failure is None:
                self._usual_open_s = self._monotonic() - began_s
                failure = await self._stream(connection)
        except CONNECT_ERRORS as error:
            failure = failure_of_error(error)
        finally:
            closing, self._connection = self._connection, None
            if closing is not None:
                await opener.close(closing)
        return failure

    def _open_timeout_s(self, now_s: float) -> float:
        """Shorter while an outage is young, so that a hung attempt does not delay being back; never too tight."""
        options = self._options
        if self._usual_open_s is None or not self._backoff.is_short_outage(now_s):
            return options.open_timeout_s
        return min(options.open_timeout_s, max(options.short_open_timeout_s, 4 * self._usual_open_s))

    async def _authenticate(self, connection: ClientConnection) -> Failure | None:
        """Waits for `connected`, sends the key, waits for `auth_success`; a Failure when the server refuses."""
        is_sent = False
        while True:
            self._decoder.decode(await connection.recv(decode=False))
            for status in self._decoder.take_statuses():
                if (failure := failure_of_status(status, self._base, self.cluster)) is not None:
                    return failure
                if status.status == "auth_success":
                    return None
                if status.status == "error" and "not authorized" in status.message.lower():
                    return no_live_data(self._base, self.cluster)
                if status.status == "connected" and not is_sent:
                    is_sent = True
                    await _send(connection, "auth", self._key)

    async def _stream(self, connection: ClientConnection) -> Failure:
        """From `auth_success` to the end of the connection."""
        reader = self._reader = BatchReader(self._decoder, self._on_events, self._monotonic, self._options.turn_s)
        keepalive = self._keepalive = Keepalive(connection, reader, self._options, self._monotonic)
        self._ledger.reset()
        connections = self._state.connections + 1
        self._publish(phase=Phase.STREAMING, sentence=None, action=None, reason="", connections=connections)
        _logger.info("%s feed: streaming", self.cluster)
        async with asyncio.TaskGroup() as group:
            helpers = [
                group.create_task(self._keep_subscribed(connection), name=f"{self.cluster} subscriptions"),
                group.create_task(keepalive.watch(), name=f"{self.cluster} keepalive"),
                group.create_task(self._announce(), name=f"{self.cluster} counts"),
            ]
            failure = await self._read(connection, reader)
            for helper in helpers:
                helper.cancel()
        self._keepalive = None
        self._announce_counts()
        self._publish(confirmed=frozenset(), refused=frozenset())
        return failure

    async def _read(self, connection: ClientConnection, reader: BatchReader) -> Failure:
        """Reads until the connection ends, or the server says something that ends it."""
        try:
            return await reader.read(connection, self._on_status)
        except ConnectionClosed as error:
            return failure_of_error(error)

    def _on_status(self, status: StatusEvent) -> Failure | None:
        if (failure := failure_of_status(status, self._base, self.cluster)) is not None:
            return failure
        if status.status in ("success", "error"):
            if self._ledger.answered(status, self._monotonic()):
                self._changed.set()
        else:
            _logger.info("%s feed: server says %.40r: %.200r", self.cluster, status.status, status.message)
        return None

    async def _keep_subscribed(self, connection: ClientConnection) -> None:
        """Sends differences between wanted and asked for, gives up on what is not answered, announces both."""
        loop = asyncio.get_running_loop()
        ledger = self._ledger
        while True:
            self._changed.clear()
            try:
                await self._send_each(connection, "unsubscribe", ledger.take_unwanted())
                await self._send_each(connection, "subscribe", ledger.take_missing(self._monotonic()))
            except ConnectionClosed:
                return  # the reader notices too, and knows why
            ledger.expire(self._monotonic())
            is_in_part = ledger.is_unauthorized and bool(ledger.refused)
            sentence = "Some live data are not in this key's plan." if is_in_part else None
            self._publish(confirmed=ledger.confirmed, refused=ledger.refused, sentence=sentence)
            alarm = None
            if (deadline_s := ledger.next_deadline_s) is not None:
                alarm = loop.call_later(max(0.0, deadline_s - self._monotonic()), self._changed.set)
            try:
                await self._changed.wait()
            finally:
                if alarm is not None:
                    alarm.cancel()

    async def _send_each(self, connection: ClientConnection, action: str, subscriptions: list[str]) -> None:
        size = self._options.subscriptions_per_message
        for begin in range(0, len(subscriptions), size):
            await _send(connection, action, ",".join(subscriptions[begin : begin + size]))

    async def _announce(self) -> None:
        while True:
            await asyncio.sleep(self._options.publish_every_s)
            self._announce_counts()

    def _announce_counts(self) -> None:
        malformed, before = self._decoder.malformed, self._state.malformed
        if malformed > before and (not before or len(str(malformed)) > len(str(before))):  # at 1, 10, 100, …
            _logger.warning("%s feed: %d unreadable events skipped so far", self.cluster, malformed)
        lag_s = 0.0 if self._keepalive is None else self._keepalive.lag_s
        self._publish(malformed=malformed, unknown=self._decoder.unknown, lag_s=lag_s)

    def _last_received_s(self) -> float | None:
        if self._keepalive is not None:
            return self._keepalive.last_sign_s
        if self._reader is not None and self._reader.last_received_s is not None:
            return self._reader.last_received_s
        return self._state.last_received_monotonic

    def _publish(self, **changes: Any) -> None:
        state = replace(self._state, **changes)
        if state != self._state:
            self._state = replace(state, last_received_monotonic=self._last_received_s())
            self._on_state(self._state)


async def _send(connection: ClientConnection, action: str, params: str) -> None:
    await connection.send(msgspec.json.encode({"action": action, "params": params}).decode())
