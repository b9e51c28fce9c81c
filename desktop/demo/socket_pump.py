"""Moves events from the source to the sockets as the clock passes them: in time order, none lost, none twice."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Final

from desktop.demo.clock import VirtualClock
from desktop.demo.faults import Faults
from desktop.demo.socket_cluster import Cluster, Subscriber
from desktop.demo.socket_streams import Event, Stream, in_time_order
from desktop.demo.source import MarketSource
from desktop.demo.wire import frame

TICK_S: Final = 0.05  # unless told otherwise
_EVENTS_PER_FRAME: Final = 100
_CHUNK_MS: Final = 60_000  # of market time that a stream is filled with at once, at the speed of reality
_FIRST_CHUNK_MS: Final = 5_000  # so that many new streams all begin soon
_FILL_BUDGET_S: Final = 0.02  # the worker's longest turn: REST answers wait behind it
_PING_EVERY_S: Final = 20.0
_SETTLE_S: Final = 0.3  # without time flowing: subscriptions come in batches, all of them start together
_STEPPED_BACKLOG: Final = 256 << 10  # bytes a reader may be behind before the next step
_UNKNOWN_EVENTS: Final = (b'{"ev":"ZZ","pair":"BTC-USD","p":1}', b'{"ev":"XT","pair":7,"p":"high"}')
_BROKEN_FRAME: Final = b'[{"ev":"XT","pair":"BTC-USD","p":12.5,'


@dataclass
class Pump:
    """Feeds all clusters. What one market moment brings is a function of source, subscriptions and span alone."""

    source: MarketSource
    clock: VirtualClock
    clusters: Sequence[Cluster]
    faults: Faults
    worker: Executor
    delay_ms: int = 0  # of the plan
    tick_s: float = TICK_S
    muted: set[str] = field(default_factory=set)  # channels a flood speaks on instead
    _streams: dict[tuple[str, str], Stream] = field(default_factory=dict)
    _seen_changes: tuple[int, ...] = ()
    _seen_jumps: int = 0
    _changed_s: float = 0.0
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Works until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_filled())
            group.create_task(self._keep_sending())
            group.create_task(self._keep_alive())

    @property
    def now_ms(self) -> int:
        return self.clock.now_ms() - self.delay_ms

    async def _keep_sending(self) -> None:
        while True:
            self.follow_subscriptions()
            if self.clock.is_stepped and not self.clock.is_paused:
                await self._step()
            else:
                self._send_until(min(self.now_ms, self._horizon_ms()))
                await asyncio.sleep(self.tick_s)

    async def _step(self) -> None:
        """One step of the fastest replay: everything that is made goes out, then the readers take it."""
        has_settled = time.monotonic() - self._changed_s >= _SETTLE_S
        has_backlog = any(s.outbox.buffered > _STEPPED_BACKLOG for cluster in self.clusters for s in cluster.streaming)
        horizon_ms = self._horizon_ms()
        is_due = self._streams and has_settled and not has_backlog and horizon_ms > self.now_ms
        if not is_due or self.clock.has_ended:
            await asyncio.sleep(self.tick_s / 10)
            if self._streams and self.clock.has_ended:
                self._send_until(min(self.now_ms, horizon_ms))
            return
        self.clock.advance_to(horizon_ms + self.delay_ms)
        self._send_until(min(self.now_ms, horizon_ms))
        self._wake.set()
        await asyncio.sleep(0)

    def _horizon_ms(self) -> int:
        """The last moment for which all streams have their events; far when there are none."""
        return min((stream.filled_to_ms for stream in self._streams.values()), default=1 << 62) - 1

    def follow_subscriptions(self) -> None:
        """Makes streams for what is newly wanted, from now on; forgets those nobody wants, and all after a jump."""
        if self.clock.jumps != self._seen_jumps:
            self._seen_jumps = self.clock.jumps
            self._streams.clear()
            self._seen_changes = ()
        changes = tuple(cluster.changes for cluster in self.clusters)
        if changes == self._seen_changes:
            return
        self._seen_changes = changes
        self._changed_s = time.monotonic()
        streams: dict[tuple[str, str], Stream] = {}
        now_ms = self.now_ms + 1
        for cluster in self.clusters:
            for channel, symbol, row in cluster.wanted_rows():
                stream = self._streams.get((channel, symbol))
                if stream is None:
                    stream = Stream(self.source, channel, cluster.channels[channel], symbol, row, now_ms)
                streams[channel, symbol] = stream
        self._streams = streams
        self._wake.set()

    async def _keep_filled(self) -> None:
        """Keeps every stream half a chunk or more ahead of the clock."""
        loop = asyncio.get_running_loop()
        while True:
            chunk_ms = self._chunk_ms()
            due_ms = self.now_ms + chunk_ms // 2
            due = sorted(
                (stream for stream in self._streams.values() if stream.filled_to_ms <= due_ms),
                key=lambda stream: stream.filled_to_ms,
            )
            if due:
                first_ms = chunk_ms if self.clock.is_stepped else chunk_ms * _FIRST_CHUNK_MS // _CHUNK_MS
                await loop.run_in_executor(self.worker, _fill, due, chunk_ms, first_ms)
                continue
            self._wake.clear()
            try:
                async with asyncio.timeout(self.tick_s):
                    await self._wake.wait()
            except TimeoutError:
                continue

    def _chunk_ms(self) -> int:
        if self.clock.is_stepped:
            return 10 * _CHUNK_MS
        return _CHUNK_MS * max(1, math.ceil(self.clock.rate / 30))

    def _send_until(self, until_ms: int) -> None:
        ready: dict[tuple[str, str], list[Event]] = {}
        for key, stream in self._streams.items():
            if stream.pending and stream.pending[0][0] <= until_ms:
                events = stream.take(until_ms)
                if stream.channel not in self.muted:
                    ready[key] = events
        if not ready:
            return
        for cluster in self.clusters:
            for subscriber in cluster.streaming:
                lists = [
                    events
                    for (channel, symbol), events in ready.items()
                    if channel in cluster.channels and subscriber.wants(channel, symbol)
                ]
                if lists:
                    self._send(cluster, subscriber, in_time_order(lists))

    def _send(self, cluster: Cluster, subscriber: Subscriber, events: list[bytes]) -> None:
        for at in range(0, len(events), _EVENTS_PER_FRAME):
            part = events[at : at + _EVENTS_PER_FRAME]
            if self.faults.rules:
                part = self._spoilt(cluster, subscriber, part)
            if part:
                subscriber.outbox.send(frame(part), len(part))

    def _spoilt(self, cluster: Cluster, subscriber: Subscriber, events: list[bytes]) -> list[bytes]:
        """Lets the faults in force strike one frame; the answer is what it holds then."""
        name = cluster.name
        if self.faults.take(("socket_drop",), cluster=name) is not None:
            subscriber.outbox.drop()
            return []
        if self.faults.take(("socket_malformed",), cluster=name) is not None:
            subscriber.outbox.send(_BROKEN_FRAME, 0)
        if self.faults.take(("socket_duplicate",), cluster=name) is not None:
            subscriber.outbox.send(frame(events), len(events))
        if self.faults.take(("socket_reorder",), cluster=name) is not None:
            events = events[::-1]
        if self.faults.take(("socket_unknown",), cluster=name) is not None:
            events = [*_UNKNOWN_EVENTS, *events]
        if (late := self.faults.take(("socket_late",), cluster=name)) is not None:
            asyncio.get_running_loop().call_later(late.late_s, subscriber.outbox.send, frame(events), len(events))
            return []
        return events

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(_PING_EVERY_S)
            for cluster in self.clusters:
                for subscriber in cluster.subscribers:
                    subscriber.outbox.ping()


def _fill(streams: Sequence[Stream], chunk_ms: int, first_ms: int) -> None:
    """Fills the streams that are furthest behind, for as long as a turn may take; runs in the worker."""
    until_s = time.monotonic() + _FILL_BUDGET_S
    for stream in streams:
        stream.fill(stream.filled_to_ms + (chunk_ms if stream.is_begun else first_ms))
        if time.monotonic() > until_s:
            return
