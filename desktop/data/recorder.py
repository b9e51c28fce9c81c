"""Records what the server says, REST bodies and socket frames as they came, without the key (docs/recording.md)."""

from __future__ import annotations

import asyncio
import contextlib
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Final, Self
from urllib.parse import urlsplit, urlunsplit

from desktop import __version__
from desktop.data.recording_folder import RecordingOrder, make_part
from desktop.data.recording_format import CallLine, ConnectionKind, ConnectionLine, PartFacts
from desktop.data.recording_writer import Answer, Frame, RecordingWriter
from desktop.domain.errors import CacheError

__all__ = ["CallRecord", "ConnectionRecord", "Recorder", "RecordingOrder"]

_HEADERS: Final = ("content-type", "date", "retry-after", "x-request-id", "link")


class Recorder:
    """The loop's side of a recording: takes notes in microseconds, the writing is a thread's.

    now_ms: the market's time. Once recording has stopped (disk full, limit reached) everything goes on without it.
    """

    def __init__(self, writer: RecordingWriter, now_ms: Callable[[], int]) -> None:
        """Use `open`."""
        self._writer = writer
        self._now_ms = now_ms
        self._order = count(1)
        self._connections = count(1)

    @classmethod
    async def open(
        cls,
        order: RecordingOrder,
        *,
        world: str,
        rest_base: str,
        socket_base: str,
        now_ms: Callable[[], int],
        on_notice: Callable[[str], None],
    ) -> Self:
        """Begins a part of the recording. Raises BadInput or CacheError; `on_notice` gets a sentence when it stops."""
        loop = asyncio.get_running_loop()
        facts = PartFacts(
            application=__version__,
            system=f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
            world=world,
            rest_base=_plain(rest_base),
            socket_base=_plain(socket_base),
            started_ms=now_ms(),
            started_wall_ms=_wall_ms(),
        )

        def on_stop(sentence: str) -> None:
            with contextlib.suppress(RuntimeError):  # the loop ended first
                loop.call_soon_threadsafe(on_notice, sentence)

        def begin() -> RecordingWriter:
            part, held_bytes = make_part(order.folder)
            try:
                return RecordingWriter(part, facts, order.limit_bytes - held_bytes, on_stop)
            except OSError as error:
                raise CacheError(f"Nothing can be recorded in {part} ({error.strerror}).") from error

        return cls(await asyncio.to_thread(begin), now_ms)

    def hide(self, secret: str | None) -> None:
        """Keeps this text out of the recording from now on."""
        if secret:
            self._writer.hide(secret)

    def call(self, path: str, params: Mapping[str, str]) -> CallRecord:
        """A call that is sent now."""
        query = tuple((name, value) for name, value in params.items() if name.lower() != "apikey")
        return CallRecord(self, self._now_ms(), _wall_ms(), path, query)

    def connection(self, cluster: str) -> ConnectionRecord:
        """A socket connection that is attempted now."""
        return ConnectionRecord(self, cluster, next(self._connections))

    async def aclose(self) -> None:
        """Writes what waits."""
        await asyncio.to_thread(self._writer.close, self._now_ms(), _wall_ms())

    def put_call(self, line: CallLine, body: bytes = b"") -> None:
        self._writer.put(Answer(line, body))

    def put_frame(self, cluster: str, connection: int, content: bytes, *, is_out: bool) -> None:
        order = next(self._order)
        self._writer.put(Frame(order, self._now_ms(), _wall_ms(), cluster, connection, content, is_out))

    def put_event(
        self,
        cluster: str,
        connection: int,
        kind: ConnectionKind,
        *,
        code: int | None = None,
        reason: str | None = None,
        is_ours: bool = False,
    ) -> None:
        head = (next(self._order), self._now_ms(), _wall_ms(), cluster, connection)
        self._writer.put(ConnectionLine(*head, kind=kind, code=code, reason=reason, is_ours=is_ours))

    @property
    def now_ms(self) -> int:
        return self._now_ms()


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One attempt at a call, from when it was sent; one of the two ends it."""

    recorder: Recorder
    sent_ms: int
    wall_ms: int
    path: str
    query: tuple[tuple[str, str], ...]

    def answered(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        kept = {name: headers[name] for name in _HEADERS if name in headers}
        self.recorder.put_call(self._line(status=status, headers=kept), body)

    def failed(self, error: Exception) -> None:
        self.recorder.put_call(self._line(failure=type(error).__name__))

    def _line(
        self, *, status: int | None = None, headers: dict[str, str] | None = None, failure: str | None = None
    ) -> CallLine:
        return CallLine(
            sent_ms=self.sent_ms,
            received_ms=self.recorder.now_ms,
            wall_ms=self.wall_ms,
            path=self.path,
            query=self.query,
            status=status,
            headers=headers or {},
            failure=failure,
        )


@dataclass(frozen=True, slots=True)
class ConnectionRecord:
    """One socket connection: opened or failed, then frames, then closed."""

    recorder: Recorder
    cluster: str
    number: int

    def opened(self) -> None:
        self.recorder.put_event(self.cluster, self.number, "open")

    def failed(self, error: BaseException, status: int | None) -> None:
        self.recorder.put_event(self.cluster, self.number, "failed", code=status, reason=type(error).__name__)

    def received(self, frame: str | bytes) -> None:
        content = frame.encode() if isinstance(frame, str) else frame
        self.recorder.put_frame(self.cluster, self.number, content, is_out=False)

    def sent(self, message: str) -> None:
        self.recorder.put_frame(self.cluster, self.number, message.encode(), is_out=True)

    def closed(self, code: int | None, reason: str | None, *, is_ours: bool) -> None:
        self.recorder.put_event(self.cluster, self.number, "closed", code=code, reason=reason or None, is_ours=is_ours)


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


def _plain(base: str) -> str:
    """An address without whatever could be secret in it."""
    parts = urlsplit(base)
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    return urlunsplit((parts.scheme, f"[{host}]{port}" if ":" in host else host + port, parts.path, "", ""))
