"""The line between two processes of one user on one machine: frames of msgpack over a Unix socket or loopback.

The one who asks says `Ask` once and then listens; closing the line is how it stops the work. No key ever crosses.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import msgspec
import numpy as np

from desktop.domain.bars import VALUE_COLUMNS, Bars
from desktop.domain.errors import BadInput

T = TypeVar("T")

_log = logging.getLogger(__name__)

PROTOCOL: Final = 1
_LARGEST_FRAME = 4 * 2**20
_READ_AHEAD = 2**20
_UNREAD_AT_MOST = 16 * 2**20  # bytes a reader may be behind
_BARS_PER_BLOCK = 4096
_CLOSE_S = 2.0
_BAR_BYTES = 8 * (1 + len(VALUE_COLUMNS))


class Ask(msgspec.Struct, frozen=True, tag=True):
    """The first frame: what is to be done. `token` stands in the owner's lock file."""

    protocol: int
    version: str
    token: str
    job: str
    arguments: dict[str, Any]


class Accepted(msgspec.Struct, frozen=True, tag=True):
    """The owner works on it."""


class Alive(msgspec.Struct, frozen=True, tag=True):
    """Nothing to say, still at work."""


class Leaving(msgspec.Struct, frozen=True, tag=True):
    """The owner gives the folder up: whoever wants the rest goes on without it."""


class Done(msgspec.Struct, frozen=True, tag=True):
    """All was said."""


class Failed(msgspec.Struct, frozen=True, tag=True):
    """An expected failure: the name of its class and its sentence."""

    kind: str
    sentence: str


class BarsBlock(msgspec.Struct, frozen=True, tag=True):
    """Some bars, column by column: int64 starts, then float64 values in the order of VALUE_COLUMNS."""

    columns: bytes
    is_last: bool = False

    @property
    def bars(self) -> Bars:
        count = len(self.columns) // _BAR_BYTES
        starts = np.frombuffer(self.columns, np.int64, count)
        values = np.frombuffer(self.columns, np.float64, offset=8 * count).reshape(len(VALUE_COLUMNS), count)
        return Bars(starts, *values)


class Text(msgspec.Struct, frozen=True, tag=True):
    """For standard output as it is."""

    text: str


class Said(msgspec.Struct, frozen=True, tag=True):
    """A sentence for the person who waits."""

    sentence: str


class Rows(msgspec.Struct, frozen=True, tag=True):
    """Rows of a table."""

    rows: list[list[str]]


class Progress(msgspec.Struct, frozen=True, tag=True):
    """How far a fill is: what was fetched so far; `wait_s` until the plan allows the next call."""

    ticker: str
    bars: int = 0
    calls: int = 0
    wait_s: float = 0.0
    is_complete: bool = False


Output = BarsBlock | Text | Said | Rows | Progress
Message = Ask | Accepted | Alive | Leaving | Done | Failed | Output


class Outlet(Protocol):
    """Where the work puts what it has to say: a printer, or a line to one."""

    async def send(self, output: Output) -> None:
        """Waits while the reader is behind."""

    def post(self, output: Output) -> None:
        """Does not wait."""


def as_request(arguments: dict[str, Any], kind: type[T]) -> T:
    """The arguments of an `Ask` as the struct they were made from. Raises BadInput."""
    try:
        return msgspec.convert(arguments, kind)
    except msgspec.ValidationError as error:
        raise BadInput(f"The running Candelabra does not understand this: {error}.") from error


async def send_bars(bars: Bars, outlet: Outlet) -> None:
    """Sends bars in blocks, in their order, at least one; a block is a fraction of a frame of the screen's work."""
    count = len(bars)
    for begin in range(0, max(count, 1), _BARS_PER_BLOCK):
        end = min(begin + _BARS_PER_BLOCK, count)
        block = bars.take(begin, end)
        columns = (block.start_ms, *block.values())
        await outlet.send(BarsBlock(b"".join(column.tobytes() for column in columns), is_last=end == count))
        await asyncio.sleep(0)


class Channel:
    """One end of the line."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(Message)
        self.is_overrun = False  # something was dropped because the reader is too far behind

    async def send(self, message: Message) -> None:
        """Waits while the other end is behind; does nothing when it is gone."""
        self._write(message)
        with contextlib.suppress(ConnectionError):
            await self._writer.drain()

    def post(self, message: Message) -> None:
        """Never waits; once the other end is too far behind, all is dropped: see `is_overrun`."""
        self.is_overrun = self.is_overrun or self.unread_bytes > _UNREAD_AT_MOST
        if not self.is_overrun:
            self._write(message)

    @property
    def unread_bytes(self) -> int:
        """What the other end has not taken yet, beyond the system's own buffer."""
        return self._writer.transport.get_write_buffer_size()

    async def receive(self) -> Message | None:
        """The next message; None when the other end is gone or does not speak this protocol."""
        try:
            size = int.from_bytes(await self._reader.readexactly(4), "little")
            if size > _LARGEST_FRAME:
                _log.warning("a frame of %d bytes ends the local channel", size)
                return None
            return self._decoder.decode(await self._reader.readexactly(size))
        except msgspec.MsgspecError as error:
            _log.warning("an unreadable frame ends the local channel: %s", error)
        except (asyncio.IncompleteReadError, OSError):
            pass
        return None

    async def aclose(self) -> None:
        """Sends what is waiting, within two seconds, and closes."""
        self._writer.close()
        try:
            async with asyncio.timeout(_CLOSE_S):
                await self._writer.wait_closed()
        except (TimeoutError, OSError):
            self._writer.transport.abort()

    def _write(self, message: Message) -> None:
        if self._writer.is_closing():
            return
        body = self._encoder.encode(message)
        assert len(body) <= _LARGEST_FRAME, f"a {type(message).__name__} of {len(body)} bytes"
        self._writer.write(len(body).to_bytes(4, "little"))
        self._writer.write(body)


async def connect(address: str) -> Channel:
    """A line to the owner that listens at `address`. Raises OSError."""
    kind, _, place = address.partition(":")
    if kind == "unix" and sys.platform != "win32":
        return Channel(*await asyncio.open_unix_connection(place, limit=_READ_AHEAD))
    host, _, port = place.rpartition(":")
    return Channel(*await asyncio.open_connection(host, int(port), limit=_READ_AHEAD))


async def listen(path: Path, on_client: Callable[[Channel], None]) -> tuple[asyncio.Server, str]:
    """Listens at the Unix socket `path`, or on loopback where there are none; answers the server and its address.

    Only the owner of the folder may call it: what a killed owner left at `path` is removed. Raises OSError.
    """

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        on_client(Channel(reader, writer))

    if sys.platform == "win32":
        server = await asyncio.start_server(accept, "127.0.0.1", 0, limit=_READ_AHEAD)
        return server, f"tcp:127.0.0.1:{server.sockets[0].getsockname()[1]}"
    await asyncio.to_thread(path.unlink, missing_ok=True)
    server = await asyncio.start_unix_server(accept, path, limit=_READ_AHEAD)
    await asyncio.to_thread(path.chmod, 0o600)
    return server, f"unix:{path}"


def new_token() -> str:
    """Opens the line to those who can read the owner's lock file."""
    return secrets.token_urlsafe(16)
