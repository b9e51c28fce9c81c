"""Reads frames as fast as they come and hands their events on in batches, leaving the loop to others in between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal, Protocol, TypeVar

from desktop.data.wire_socket import Event, FrameDecoder, StatusEvent

_FEWEST_EVENTS = 64
_MOST_EVENTS = 8192
_Last = TypeVar("_Last")


class FrameSource(Protocol):
    """The part of a websockets connection the reader needs."""

    async def recv(self, decode: Literal[False]) -> bytes: ...


class BatchReader:
    """One connection's reader. A turn of the loop decodes what is there, up to `turn_s` of work, then delivers once.

    How many events make a turn follows from what decoding and delivering cost so far, so that a slow consumer gets
    smaller batches, not a blocked loop.
    """

    def __init__(
        self,
        decoder: FrameDecoder,
        on_events: Callable[[list[Event]], None],
        monotonic: Callable[[], float],
        turn_s: float,
    ) -> None:
        self._decoder = decoder
        self._on_events = on_events
        self._monotonic = monotonic
        self._turn_s = turn_s
        self._batch: list[Event] = []
        self._turn_began_s: float | None = None
        self._decoded_s = 0.0  # spent on decoding in this turn
        self._most_events = 512
        self.began_s = monotonic()
        self.events = 0
        self.last_received_s: float | None = None

    async def read(self, source: FrameSource, on_status: Callable[[StatusEvent], _Last | None]) -> _Last:
        """Reads until `on_status` answers something, and gives that. Raises what `recv` raises.

        Everything read is delivered before it ends.
        """
        loop = asyncio.get_running_loop()
        decoder, recv, monotonic = self._decoder, source.recv, self._monotonic
        try:
            while True:
                frame = await recv(False)
                now_s = monotonic()
                self.last_received_s = now_s
                if self._turn_began_s is None:
                    self._turn_began_s = now_s
                    loop.call_soon(self._end_turn)  # runs as soon as the next frame has to be waited for
                self._batch += decoder.decode(frame)
                for status in decoder.take_statuses():
                    if (last := on_status(status)) is not None:
                        return last
                self._decoded_s = monotonic() - self._turn_began_s
                if len(self._batch) >= self._most_events or self._decoded_s >= self._turn_s:
                    await asyncio.sleep(0)
        finally:
            self._deliver()

    def _end_turn(self) -> None:
        count = len(self._batch)
        began_s = self._monotonic()
        self._turn_began_s = None
        try:
            self._deliver()
        finally:
            if count >= _FEWEST_EVENTS:
                spent_s = self._decoded_s + self._monotonic() - began_s
                fitting = int(count * self._turn_s / max(spent_s, 1e-6))
                aim = (self._most_events + fitting) // 2
                self._most_events = min(_MOST_EVENTS, max(_FEWEST_EVENTS, aim))

    def _deliver(self) -> None:
        if self._batch:
            batch, self._batch = self._batch, []
            self.events += len(batch)
            self._on_events(batch)
