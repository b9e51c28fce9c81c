"""Recordings for tests: made by the real recorder, read by the real reader, and searched for secrets."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from desktop.data.recorder import Recorder, RecordingOrder
from desktop.demo.raw_files import RawRecording
from desktop.demo.raw_server import RawOptions, serving_recording
from desktop.demo.server import RunningServer

REPLAY_KEY = "replay-key-0123456789abcdef"
PLENTY_BYTES = 100_000_000


@asynccontextmanager
async def recording_to(
    folder: Path,
    now_ms: Callable[[], int],
    *,
    limit_bytes: int = PLENTY_BYTES,
    notices: list[str] | None = None,
    rest_base: str = "https://api.massive.com",
    world: str = "demo-0",
) -> AsyncIterator[Recorder]:
    """A recorder that is closed, and has written everything, after the context."""
    recorder = await Recorder.open(
        RecordingOrder(folder, limit_bytes),
        world=world,
        rest_base=rest_base,
        socket_base="wss://socket.massive.com",
        now_ms=now_ms,
        on_notice=(notices if notices is not None else []).append,
    )
    try:
        yield recorder
    finally:
        await recorder.aclose()


@asynccontextmanager
async def serving_folder(
    folder: Path, *, rate: float | None = 0.0, start_ms: float | None = None
) -> AsyncIterator[RunningServer]:
    """A feed server of the recording in this loop; its clock stands unless told otherwise."""
    async with serving_recording(RawOptions(RawRecording(folder), REPLAY_KEY, start_ms, rate)) as server:
        yield server


def contents(folder: Path) -> dict[str, bytes]:
    """Every file by its relative name; of gzip files what is inside, as far as it can be read."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            if path.suffix == ".gz":
                content = zlib.decompressobj(zlib.MAX_WBITS + 16).decompress(content)
            found[str(path.relative_to(folder))] = content
    return found
