"""Reads a recording of a session (docs/recording.md): calls and connections whole, frames in order and piece by piece.

A recording whose program was killed is as good as any other: a torn last line or gzip end is left out.
"""

from __future__ import annotations

import contextlib
import hashlib
import heapq
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import msgspec

from desktop.data.recording_format import (
    BODIES,
    CALLS,
    CONNECTIONS,
    FORMAT,
    FRAMES,
    MANIFEST,
    PART,
    PART_PREFIX,
    CallLine,
    ConnectionLine,
    FrameLine,
    PartFacts,
    read_manifest,
)
from desktop.domain.errors import BadInput
from desktop.domain.world import World

T = TypeVar("T")
SocketLine = ConnectionLine | FrameLine
_READ_BYTES: Final = 256 * 1024
_LARGEST_BODY: Final = 256 * 2**20
_LONGEST_LINE: Final = 64 * 2**20
_GZIP: Final = zlib.MAX_WBITS + 16


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One call and where its body lies. `base_path`: what the recorded address had before the vendor's own paths."""

    line: CallLine
    bodies: Path
    base_path: str

    def body(self) -> bytes:
        """The body as it came; what a damaged file still gives."""
        if self.line.file is None:
            return (self.line.text or "").encode()
        name = Path(self.line.file).name  # a recording may come from anywhere: it names no file outside of itself
        content = bytearray()
        with contextlib.suppress(OSError):
            for piece in _unpacked(self.bodies / name):
                content += piece
                if len(content) > _LARGEST_BODY:
                    break
        return bytes(content)


@dataclass(frozen=True, slots=True)
class Part:
    """One run that was recorded; `number` counts from 1."""

    number: int
    folder: Path
    facts: PartFacts


class RawRecording:
    """A folder that `--record` wrote. Of several worlds in it the one that was recorded last is served."""

    def __init__(self, folder: Path) -> None:
        """Raises BadInput with a sentence."""
        try:
            self._open(folder)
        except OSError as error:
            raise BadInput(f"The recording {folder} cannot be read ({error.strerror}).") from error

    def _open(self, folder: Path) -> None:
        manifest = read_manifest(folder)
        if manifest is None:
            raise BadInput(f"{folder} is no recording.")
        if manifest.format != FORMAT:
            raise BadInput(f"{folder} is a recording of another version of Candelabra.")
        parts = [part for path in sorted(folder.glob(f"{PART_PREFIX}*")) if (part := _part(path)) is not None]
        if not parts:
            raise BadInput(f"The recording {folder} holds nothing yet.")
        world = parts[-1].facts.world
        self.parts = [part for part in parts if part.facts.world == world]
        self.calls: list[RecordedCall] = []
        self.connections: list[tuple[Part, ConnectionLine]] = []
        digest = hashlib.sha256((folder / MANIFEST).read_bytes())
        for part in self.parts:
            base_path = urlsplit(part.facts.rest_base).path.rstrip("/")
            for call in _lines(part.folder / CALLS, CallLine):
                self.calls.append(RecordedCall(call, part.folder / BODIES, base_path))
            self.connections += [(part, line) for line in _lines(part.folder / CONNECTIONS, ConnectionLine)]
            # An extended recording is another world: what was not known before may be known now.
            digest.update(f"{part.folder.name} {_size(part.folder / CALLS)} {_size(part.folder / FRAMES)}".encode())
        self.calls.sort(key=lambda call: call.line.received_ms)
        self.world = World(f"replay-{digest.hexdigest()[:8]}")
        self.first_ms, self.end_ms = self._extent()

    def _extent(self) -> tuple[int, int]:
        """From when the first part began to after the last thing that is recorded."""
        starts = [part.facts.started_ms for part in self.parts]
        ends = [part.facts.ended_ms for part in self.parts if part.facts.ended_ms is not None]
        ends += [call.line.received_ms for call in self.calls]
        ends += [line.ms for _, line in self.connections]
        for part in self.parts:
            if part.facts.ended_ms is None:  # it was killed: the last frame tells
                ends += [line.ms for line in _frames(part)]
        return min(starts), max([*ends, *starts]) + 1

    def socket_lines(self) -> Iterator[tuple[Part, SocketLine]]:
        """Frames and what happened to connections, in the order of their times; each part's in their own order."""
        lined = [
            heapq.merge(self._conversation(part), _frames(part), key=lambda line: line.order) for part in self.parts
        ]
        timed = [_in_time(part, lines) for part, lines in zip(self.parts, lined, strict=True)]
        for _, part, line in heapq.merge(*timed, key=lambda item: item[0]):
            yield part, line

    def _conversation(self, part: Part) -> Iterator[SocketLine]:
        return (line for own, line in self.connections if own is part)


def lines_of_calls(folder: Path) -> Iterator[CallLine]:
    """The calls of a recording part by part, read as they are taken. Raises OSError."""
    for part in sorted(folder.glob(f"{PART_PREFIX}*")):
        yield from _lines(part / CALLS, CallLine)


def _in_time(part: Part, lines: Iterator[SocketLine]) -> Iterator[tuple[int, Part, SocketLine]]:
    """With times that never go back, also where the recorded clock was set back."""
    latest_ms = 0
    for line in lines:
        latest_ms = max(latest_ms, line.ms)
        yield latest_ms, part, line


def _part(folder: Path) -> Part | None:
    digits = folder.name.removeprefix(PART_PREFIX)
    try:
        facts = msgspec.json.decode((folder / PART).read_bytes(), type=PartFacts)
    except (FileNotFoundError, NotADirectoryError, msgspec.MsgspecError):
        return None
    return Part(int(digits), folder, facts) if digits.isdecimal() else None


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _lines(path: Path, kind: type[T]) -> Iterator[T]:
    if path.exists():
        yield from _decoded(_pieces(path), kind)


def _frames(part: Part) -> Iterator[FrameLine]:
    path = part.folder / FRAMES
    if path.exists():
        yield from _decoded(_unpacked(path), FrameLine)


def _decoded(pieces: Iterator[bytes], kind: type[T]) -> Iterator[T]:
    decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(kind)
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            try:
                yield decoder.decode(line)
            except msgspec.MsgspecError:
                continue  # a line that was damaged costs itself
        if len(rest) > _LONGEST_LINE:
            rest = b""


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_READ_BYTES):
            yield piece


def _unpacked(path: Path) -> Iterator[bytes]:
    """What is inside of a gzip file, up to where it is torn."""
    unpacker = zlib.decompressobj(_GZIP)
    for piece in _pieces(path):
        while piece:
            try:
                content = unpacker.decompress(piece, _READ_BYTES)
            except zlib.error:
                return
            if content:
                yield content
            piece = unpacker.unconsumed_tail
    with contextlib.suppress(zlib.error):
        yield unpacker.flush()
