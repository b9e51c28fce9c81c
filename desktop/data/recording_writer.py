"""The thread that writes a recording: it masks, packs and appends what the loop hands over."""

from __future__ import annotations

import os
import queue
import re
import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from desktop.data.recording_folder import open_private, write_whole
from desktop.data.recording_format import (
    BODIES,
    CALLS,
    CONNECTIONS,
    FRAMES,
    PART,
    CallLine,
    ConnectionLine,
    FrameLine,
    PartFacts,
)
from desktop.data.redaction import MASK, forms_of

_FLUSH_S: Final = 0.5
_MOST_PENDING_BYTES: Final = 64 * 2**20
_LINE_BYTES: Final = 200  # counted for an item beside its content
_INLINE_BYTES: Final = 600
_SEARCHED_BYTES: Final = 256 * 1024  # at a time: other threads run in between
_SHORTEST_SECRET: Final = 8
_STATUS: Final = re.compile(rb'"ev"\s*:\s*"status"')
_GZIP: Final = zlib.MAX_WBITS + 16


class Answer(NamedTuple):
    """A call and its body."""

    line: CallLine
    body: bytes


class Frame(NamedTuple):
    """A frame in or out, before it is known which file it belongs to."""

    order: int
    ms: int
    wall_ms: int
    cluster: str
    connection: int
    content: bytes
    is_out: bool


Item = Answer | Frame | ConnectionLine | None  # None: the end


class RecordingWriter:
    """Writes one part. `put` never blocks; when the disk is full, too slow or the limit reached, it stops for good.

    `on_stop` gets a sentence then, on the writer's thread.
    """

    def __init__(self, part: Path, facts: PartFacts, room_bytes: int, on_stop: Callable[[str], None]) -> None:
        """Opens the files. Raises OSError."""
        self._part = part
        self._facts = facts
        self._room_bytes = room_bytes
        self._on_stop = on_stop
        self._forms: tuple[bytes, ...] = ()
        self._queue: queue.SimpleQueue[Item] = queue.SimpleQueue()
        self._put_bytes = self._taken_bytes = 0  # each is written by one thread alone
        self._bodies = 0
        self._packer = zlib.compressobj(6, zlib.DEFLATED, _GZIP)
        self._is_packed = True  # nothing waits in the packer
        self.is_stopped = False
        write_whole(part / PART, msgspec.json.format(msgspec.json.encode(facts)))
        self._calls, self._connections, self._frames = (
            open_private(part / name) for name in (CALLS, CONNECTIONS, FRAMES)
        )
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def hide(self, secret: str) -> None:
        """This text is masked in everything written from now on, in all forms it could travel in."""
        if len(secret) >= _SHORTEST_SECRET:
            self._forms = tuple(sorted({*self._forms, *(form.encode() for form in forms_of(secret))}, key=len))[::-1]

    def put(self, item: Answer | Frame | ConnectionLine) -> None:
        """Hands one item over, from the loop's thread."""
        if self.is_stopped:
            return
        self._put_bytes += _weight(item)
        if self._put_bytes - self._taken_bytes > _MOST_PENDING_BYTES:
            self._stop("The disk is too slow to record on; recording has stopped.")
        self._queue.put(item)

    def close(self, ended_ms: int, ended_wall_ms: int) -> None:
        """Writes what waits, and the end's time. Blocks until that is done."""
        self._queue.put(None)
        self._thread.join()
        facts = msgspec.structs.replace(self._facts, ended_ms=ended_ms, ended_wall_ms=ended_wall_ms)
        try:
            write_whole(self._part / PART, msgspec.json.format(msgspec.json.encode(facts)))
        except OSError:
            return  # a full disk; the part is whole without it

    def _stop(self, sentence: str) -> None:
        if not self.is_stopped:
            self.is_stopped = True
            self._facts = msgspec.structs.replace(self._facts, stopped=sentence)
            self._on_stop(sentence)

    def _run(self) -> None:
        flushed_s = time.monotonic()
        try:
            while True:
                try:
                    item = self._queue.get(timeout=None if self._is_packed else _FLUSH_S)
                except queue.Empty:
                    self._flush()
                    continue
                if item is None:
                    break
                self._taken_bytes += _weight(item)
                if self.is_stopped:
                    continue
                self._write(item)
                if not self._is_packed and time.monotonic() - flushed_s >= _FLUSH_S:
                    self._flush()
                    flushed_s = time.monotonic()
            self._append(self._frames, self._packer.flush(zlib.Z_FINISH))
        except OSError as error:
            self._stop(f"Recording has stopped: its folder cannot be written ({error.strerror}).")
        finally:
            for descriptor in (self._calls, self._connections, self._frames):
                os.close(descriptor)

    def _write(self, item: Answer | Frame | ConnectionLine) -> None:
        if isinstance(item, Answer):
            self._write_answer(item)
        elif isinstance(item, ConnectionLine):
            self._append_line(self._connections, item)
        else:
            self._write_frame(item)
        if self._room_bytes < 0:
            self._stop("The recording has reached its size limit; nothing more is recorded.")

    def _write_answer(self, answer: Answer) -> None:
        body, line = self._masked(answer.body), answer.line
        if line.status is not None:
            text = _text(body) if len(body) <= _INLINE_BYTES else None
            if text is not None:
                line = msgspec.structs.replace(line, text=text)
            else:
                self._bodies += 1
                line = msgspec.structs.replace(line, file=f"{self._bodies:06}.gz")
                self._write_body(self._part / BODIES / f"{self._bodies:06}.gz", body)
        # The body first: a line never names a file that is not there in full.
        self._append_line(self._calls, line)

    def _write_body(self, path: Path, body: bytes) -> None:
        packer = zlib.compressobj(6, zlib.DEFLATED, _GZIP)
        content = packer.compress(body) + packer.flush()
        descriptor = open_private(path)
        try:
            self._append(descriptor, content)
        finally:
            os.close(descriptor)

    def _write_frame(self, frame: Frame) -> None:
        content = self._without_key(frame.content) if frame.is_out else frame.content
        content = self._masked(content)
        text = _text(content)
        head = frame[:5]
        if frame.is_out or (text is not None and _STATUS.search(content)):
            self._append_line(
                self._connections, ConnectionLine(*head, kind="out" if frame.is_out else "status", text=text)
            )
            return
        line = FrameLine(*head, text=text, raw=content if text is None else None)
        packed = self._packer.compress(msgspec.json.encode(line) + b"\n")
        self._is_packed = False
        if packed:
            self._append(self._frames, packed)

    def _flush(self) -> None:
        self._append(self._frames, self._packer.flush(zlib.Z_SYNC_FLUSH))
        self._is_packed = True

    def _append_line(self, descriptor: int, line: CallLine | ConnectionLine) -> None:
        self._append(descriptor, self._masked(msgspec.json.encode(line)) + b"\n")

    def _append(self, descriptor: int, content: bytes) -> None:
        self._room_bytes -= len(content)
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]

    def _without_key(self, message: bytes) -> bytes:
        """An outgoing message; what an auth message carries is masked whatever it is, and wherever it comes again."""
        try:
            fields = msgspec.json.decode(message)
        except msgspec.MsgspecError:
            return message
        if not isinstance(fields, dict) or fields.get("action") != "auth":
            return message
        self.hide(str(fields.get("params", "")))
        return msgspec.json.encode({**fields, "params": MASK})

    def _masked(self, content: bytes) -> bytes:
        for form in self._forms:
            if _holds(content, form):
                content = content.replace(form, MASK.encode())
        return content


def _weight(item: Answer | Frame | ConnectionLine) -> int:
    match item:
        case Answer():
            return len(item.body) + _LINE_BYTES
        case Frame():
            return len(item.content) + _LINE_BYTES
    return _LINE_BYTES


def _holds(content: bytes, form: bytes) -> bool:
    """Whether `form` is in `content`, searched in pieces because a search holds the interpreter."""
    return any(
        content.find(form, begin, begin + _SEARCHED_BYTES + len(form) - 1) >= 0
        for begin in range(0, len(content), _SEARCHED_BYTES)
    )


def _text(content: bytes) -> str | None:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None
