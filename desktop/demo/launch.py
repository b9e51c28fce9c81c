"""Starts the feed server as a process of its own and reads where it listens."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

import msgspec

from desktop.domain.errors import BadResponse
from desktop.domain.world import World


class Endpoints(msgspec.Struct):
    """The one line a feed server prints when it is ready."""

    rest: str
    socket: str
    control: str
    key: str
    world: str


@dataclass
class FeedServer:
    """A running feed server; it ends when this process does, or by `close`."""

    process: subprocess.Popen[bytes]
    errors: IO[bytes]  # what it wrote to stderr

    async def endpoints(self) -> Endpoints:
        """Waits until it is ready. Raises BadResponse with what it said when it is not."""
        assert self.process.stdout is not None
        line = await asyncio.to_thread(self.process.stdout.readline)
        try:
            return msgspec.json.decode(line, type=Endpoints)
        except msgspec.MsgspecError:
            said = await asyncio.to_thread(self._last_words)
            raise BadResponse(f"The feed server did not start. {said}") from None

    def _last_words(self) -> str:
        self.process.kill()
        self.process.wait()
        self.errors.seek(0)
        lines = self.errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""

    def close(self) -> None:
        """Ends the process."""
        self.process.terminate()
        try:
            self.process.wait(2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.errors):
            if pipe is not None:
                pipe.close()


def world_of(endpoints: Endpoints) -> World:
    """The world a feed server serves."""
    return World(endpoints.world)


def start_feed_server(arguments: Sequence[str]) -> FeedServer:
    """Starts `candelabra feed-server` with `arguments`; returns at once."""
    program = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "desktop"]
    command = [*program, "feed-server", "--port", "0", "--watch-stdin", *arguments]
    errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed by FeedServer.close)
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
    return FeedServer(process, errors)
