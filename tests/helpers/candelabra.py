"""Candelabra as processes beside a feed server, as a person starts them: windows offscreen, and commands."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.helpers.feed_server import PROJECT, ServerProcess

_PATIENCE_S = 40.0


def wait_until(condition: Callable[[], object], what: str, limit_s: float = _PATIENCE_S) -> None:
    """Waits until `condition` holds; fails the test with `what` after the limit."""
    deadline_s = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline_s, f"waited in vain until {what}"
        threading.Event().wait(0.03)


@dataclass
class Machine:
    """One user's machine: a feed server, a data folder and the processes started here; all end with `close`."""

    server: ServerProcess
    folder: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, *arguments: object, folder: Path | None = None) -> subprocess.Popen[str]:
        """`candelabra ARGUMENTS` with the server's addresses and key."""
        addresses = ("--rest-base", self.server.rest, "--socket-base", self.server.socket)
        places = (*addresses, "--data-dir", str(folder or self.folder))
        process = subprocess.Popen(
            [sys.executable, "-m", "desktop", *map(str, arguments), *places],
            cwd=PROJECT,
            env={
                **os.environ,
                "MASSIVE_API_KEY": self.server.key,
                "CANDELABRA_NO_KEYRING": "1",
                "QT_QPA_PLATFORM": "offscreen",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def run(self, *arguments: object, folder: Path | None = None) -> tuple[int, str, str]:
        """Exit code, standard output and standard error of a command."""
        process = self.start(*arguments, folder=folder)
        said, errors = process.communicate(timeout=90)
        return process.returncode, said, errors

    def window(self, *arguments: object) -> subprocess.Popen[str]:
        """A window whose crypto socket is open."""
        before = self.stats()["authenticated"]
        process = self.start(*arguments)
        wait_until(lambda: process.poll() is not None or self.stats()["authenticated"] > before, "the window is live")
        assert process.poll() is None, process.communicate()
        return process

    def stats(self, cluster: str = "crypto") -> dict[str, Any]:
        """The server's counts of a cluster."""
        counts: dict[str, Any] = self.server.control("GET", "/stats")["clusters"][cluster]
        return counts

    def requests(self, part: str = "") -> int:
        """Requests whose path holds `part`."""
        counts = self.server.control("GET", "/stats")["requests"]
        return sum(count for path, count in counts.items() if part in path)

    def close(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.wait(_PATIENCE_S)
            for pipe in (process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()


@contextlib.contextmanager
def machine(server: ServerProcess, folder: Path) -> Iterator[Machine]:
    """A machine whose processes end with the context."""
    made = Machine(server, folder)
    try:
        yield made
    finally:
        made.close()
