"""Tells a dead connection from a quiet one, and how far behind a busy one is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from desktop.data.feed_reader import BatchReader
from desktop.data.feed_state import FeedOptions

_BUSY_EVENTS_PER_S = 2_000  # from here on the delay is measured more often
_BUSY_PING_S = 2.0
_LAG_WORTH_SAYING_S = 0.5


class Keepalive:
    """The pings of one connection.

    A pong queues behind all data that are on the way, so the time it takes bounds the lag of what is being read.
    """

    def __init__(
        self, connection: ClientConnection, reader: BatchReader, options: FeedOptions, monotonic: Callable[[], float]
    ) -> None:
        self._connection = connection
        self._reader = reader
        self._options = options
        self._monotonic = monotonic
        self._sent_s: float | None = None  # of a ping without a pong yet
        self._round_trip_s = 0.0
        self._last_pong_s = monotonic()

    @property
    def last_sign_s(self) -> float:
        """When anything was last received: data, status or pong; at first when it was opened."""
        return max(self._last_pong_s, self._reader.last_received_s or 0.0)

    @property
    def lag_s(self) -> float:
        """At most how far behind the reader is; 0 where it is not worth a word."""
        outstanding_s = 0.0 if self._sent_s is None else self._monotonic() - self._sent_s
        lag_s = max(self._round_trip_s, outstanding_s)
        return round(lag_s, 1) if lag_s >= _LAG_WORTH_SAYING_S else 0.0

    async def watch(self) -> None:
        """Runs until the connection ends; ends it when neither pong nor data arrive for the pong's time limit."""
        longest_pause_s = pause_s = self._options.ping_interval_s
        while True:
            seen = self._reader.events
            await asyncio.sleep(pause_s)
            is_busy = self._reader.events - seen > _BUSY_EVENTS_PER_S * pause_s
            pause_s = min(_BUSY_PING_S, longest_pause_s) if is_busy else longest_pause_s
            try:
                if not await self._ping():
                    self._connection.transport.abort()
                    return
            except ConnectionClosed:
                return  # the reader notices too, and knows why

    async def _ping(self) -> bool:
        """Whether the peer is alive."""
        self._sent_s = asked_s = self._monotonic()
        pong = await self._connection.ping()
        while not await self._arrives(pong):
            if self.last_sign_s <= asked_s:
                return False
            asked_s = self._monotonic()  # data still come, so only the pong is late: a reader far behind
        self._last_pong_s = self._monotonic()
        self._round_trip_s, self._sent_s = self._last_pong_s - self._sent_s, None
        return True

    async def _arrives(self, pong: Awaitable[float]) -> bool:
        try:
            async with asyncio.timeout(self._options.pong_timeout_s):
                await asyncio.shield(pong)
        except TimeoutError:
            return False
        return True
