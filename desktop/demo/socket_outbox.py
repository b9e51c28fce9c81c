"""What is sent to one socket connection: bounded, and able to stop or break off in the middle."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from websockets.asyncio.server import ServerConnection
from websockets.frames import Close, Frame, Opcode
from websockets.protocol import State

from desktop.demo.stats import ClusterStats

LARGEST_BUFFER: Final = 16 << 20  # bytes a slow consumer may be behind before it is cut off


def text_frame(payload: bytes) -> bytes:
    """The bytes on the wire of one text message from a server."""
    return Frame(Opcode.TEXT, payload).serialize(mask=False)


def _close_frame(code: int, reason: str) -> bytes:
    return Frame(Opcode.CLOSE, Close(code, reason).serialize()).serialize(mask=False)


_PING: Final = Frame(Opcode.PING, b"").serialize(mask=False)


class Outbox:
    """Writes whole frames to a connection without waiting.

    Frames go to the transport directly: a server's frames need no mask and no per-frame task switch, so one core
    sends 100,000 events a second. Nothing is written once the connection closes.
    """

    def __init__(self, connection: ServerConnection, stats: ClusterStats) -> None:
        self._connection = connection
        self._stats = stats
        self._is_stalled = False
        self._left_before_drop: int | None = None

    @property
    def is_open(self) -> bool:
        return self._connection.state is State.OPEN and not self._connection.transport.is_closing()

    @property
    def buffered(self) -> int:
        """Bytes written that the peer has not taken yet."""
        return self._connection.transport.get_write_buffer_size()

    def send(self, payload: bytes, events: int) -> None:
        """Sends one message with `events` events."""
        self.send_frames((text_frame(payload),), events)

    def send_frames(self, frames: Iterable[bytes], events: int) -> None:
        """Sends finished frames with `events` events in all; cuts the connection when its reader is too slow."""
        if self._is_stalled or not self.is_open:
            return
        listed = list(frames)
        data = b"".join(listed)
        if self._left_before_drop is not None:
            if len(data) >= self._left_before_drop:
                self._connection.transport.write(data[: self._left_before_drop])
                self.drop()
                return
            self._left_before_drop -= len(data)
        if self.buffered > LARGEST_BUFFER:
            self._stats.cut_for_slowness += 1
            self.drop()
            return
        self._connection.transport.write(data)
        self._stats.frames += len(listed)
        self._stats.events += events
        self._stats.bytes += len(data)

    def ping(self) -> None:
        if self.is_open and not self._is_stalled:
            self._connection.transport.write(_PING)

    def close(self, code: int, reason: str) -> None:
        """Says good-bye and nothing more: the peer's answer ends the connection, as the protocol has it."""
        if self.is_open and not self._is_stalled:
            self._connection.transport.write(_close_frame(code, reason))
            self._is_stalled = True

    def hang_up(self, code: int | None = None, reason: str = "") -> None:
        """Ends the TCP connection after what was written; without a `code` no close frame is sent."""
        if code is not None and self.is_open:
            self._connection.transport.write(_close_frame(code, reason))
        self._connection.transport.close()

    def drop(self, after_bytes: int = 0) -> None:
        """Cuts the connection now, or in the middle of the frame after `after_bytes` more."""
        if after_bytes > 0:
            self._left_before_drop = after_bytes
            return
        self._connection.transport.abort()

    def stall(self) -> None:
        """Sends and reads nothing any more, not even pings; the connection stays open."""
        self._is_stalled = True
        self._connection.transport.pause_reading()
