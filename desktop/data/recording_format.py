"""How a recording lies on the disk: names of its files and the lines in them (docs/recording.md).

Times are Unix ms: `ms` on the market's clock, `wall_ms` on this machine's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import msgspec
from msgspec import Struct

FORMAT: Final = 1
KIND: Final = "candelabra recording"
MANIFEST: Final = "manifest.json"
PART_PREFIX: Final = "part-"
PART: Final = "part.json"
CALLS: Final = "calls.jsonl"
BODIES: Final = "bodies"
CONNECTIONS: Final = "connections.jsonl"
FRAMES: Final = "frames.jsonl.gz"

ConnectionKind = Literal["open", "failed", "out", "status", "closed"]


class Manifest(Struct, frozen=True):
    """What tells a recording from any other folder. `id`: random, of this folder."""

    kind: str
    format: int
    id: str


class PartFacts(Struct, frozen=True):
    """One run of the application on one world; `ended_*` are None when it was killed."""

    application: str
    system: str
    world: str
    rest_base: str
    socket_base: str
    started_ms: int
    started_wall_ms: int
    ended_ms: int | None = None
    ended_wall_ms: int | None = None
    stopped: str | None = None  # why recording ended before the run did


class CallLine(Struct, frozen=True, omit_defaults=True):
    """One attempt at a REST call: answered (`status`) or not (`failure`, the kind of error)."""

    sent_ms: int
    received_ms: int
    wall_ms: int  # when it was sent
    path: str
    query: tuple[tuple[str, str], ...] = ()
    method: str = "GET"
    status: int | None = None
    headers: dict[str, str] = {}
    text: str | None = None  # a small body
    file: str | None = None  # name of a larger one in `bodies`, gzip
    failure: str | None = None


class ConnectionLine(Struct, frozen=True, omit_defaults=True):
    """What happened to a socket connection. `order` counts lines of both files of a part."""

    order: int
    ms: int
    wall_ms: int
    cluster: str
    connection: int  # counted from 1 in each part
    kind: ConnectionKind
    text: str | None = None  # out, status
    code: int | None = None  # closed: of the close frame; failed: HTTP status
    reason: str | None = None  # closed: of the close frame; failed: the kind of error
    is_ours: bool = False  # closed from this side


class FrameLine(Struct, frozen=True, omit_defaults=True):
    """A received frame: `text`, or `raw` (in base64) where it is not UTF-8."""

    order: int
    ms: int
    wall_ms: int
    cluster: str
    connection: int
    text: str | None = None
    raw: bytes | None = None

    @property
    def content(self) -> bytes:
        """The frame as it came."""
        return self.raw or (self.text or "").encode()


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a recording; None when the folder is none. Raises OSError."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (FileNotFoundError, NotADirectoryError, msgspec.MsgspecError):
        return None
    return manifest if manifest.kind == KIND else None
