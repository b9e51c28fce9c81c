"""The API key is where it must be, in the Authorization header and the auth message, and nowhere else.

The real application and the real commands run through faults with a key that is easy to find again, logging all they
can; then everything they wrote is searched for it in every form it could have taken.
"""

from __future__ import annotations

import base64
import json
import os
import sqlite3
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from tests.helpers.feed_server import PROJECT, ServerProcess, start_server

CANARY = "Can4ry_Key-For-The_Grep-Zx9Q7"
# No key, so it must be refused; but somebody may have typed their key and more, so it is nobody's business either.
ODD_CANARY = 'Odd~"C4nary"/+%&=?>>>???Zx9'
Fault = dict[str, object]
REST_FAULTS: tuple[Fault, ...] = (
    {"kind": "html", "count": 2},
    {"kind": "html", "status": 200, "count": 1},
    {"kind": "too_many_requests", "retry_after_s": 0, "count": 2},
    {"kind": "truncated", "count": 1},
    {"kind": "garbage", "count": 1},
    {"kind": "drop", "after_bytes": 100, "count": 1},
    {"kind": "server_error", "count": 1},
)
LATER_FAULTS: tuple[Fault, ...] = (
    {"kind": "socket_malformed", "count": 20},
    {"kind": "socket_unknown", "count": 20},
    {"kind": "socket_duplicate", "count": 5},
    {"kind": "socket_drop"},
    {"kind": "socket_refuse", "count": 1},
    {"kind": "refuse", "count": 1},
    {"kind": "socket_evict"},
)


def forms_of(key: str) -> dict[str, bytes]:
    """The key as it could have been written; base64 wherever it may lie in a longer text."""
    content = key.encode()
    forms = {
        "raw": content,
        "quoted": quote(key, safe="").encode(),
        "quoted, slashes kept": quote(key).encode(),
        "quoted as a form": quote_plus(key).encode(),
        "JSON": json.dumps(key)[1:-1].encode(),
        "JSON in JSON": json.dumps(json.dumps(key))[1:-1].strip('\\"').encode(),
        "repr": repr(key)[1:-1].encode(),
        "UTF-16": key.encode("utf-16-le"),
        "hex": content.hex().encode(),
    }
    for lead in range(3):
        padded = bytes(lead) + content + bytes(-(lead + len(content)) % 3)
        begin, end = -(-lead * 8 // 6), (lead + len(content)) * 8 // 6
        forms[f"base64 at {lead}"] = base64.b64encode(padded)[begin:end]
        forms[f"base64url at {lead}"] = base64.urlsafe_b64encode(padded)[begin:end]
    return forms


def hits(where: str, content: bytes) -> list[str]:
    """In which forms the key is in there."""
    content = content.lower()
    return [
        f"{where}: {name}"
        for canary in (CANARY, ODD_CANARY)
        for name, form in forms_of(canary).items()
        if form.lower() in content
    ]


def hits_below(folder: Path) -> list[str]:
    """Every file: names, contents, and values of SQLite tables (a long value may be split over pages)."""
    found: list[str] = []
    for path in sorted(folder.rglob("*")):
        found += hits(f"name {path}", os.fsencode(path))
        if not path.is_file():
            continue
        content = path.read_bytes()
        found += hits(str(path), content)
        if path.suffix == ".gz":
            found += hits(f"inside {path}", zlib.decompressobj(zlib.MAX_WBITS + 16).decompress(content))
        if content.startswith(b"SQLite format 3\0"):
            with closing(sqlite3.connect(path)) as connection:
                found += hits(f"dump of {path}", "\n".join(connection.iterdump()).encode(errors="replace"))
    return found


@pytest.fixture
def server() -> Iterator[ServerProcess]:
    server = start_server(["--seed", "7", "--key", CANARY])
    yield server
    server.close()


def run(server: ServerProcess, folder: Path, *arguments: str, key: str = CANARY) -> subprocess.CompletedProcess[bytes]:
    """The application as a person starts it, the key in the environment."""
    bases = ("--rest-base", server.rest, "--socket-base", server.socket, "--data-dir", str(folder), "--verbose")
    bases = (*bases, "--record", str(folder / "report"))
    environment = {**os.environ, "MASSIVE_API_KEY": key, "CANDELABRA_NO_KEYRING": "1"}
    return subprocess.run(
        [sys.executable, "-m", "desktop", *arguments, *bases],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        timeout=90,
        check=False,
    )


def strike_while(server: ServerProcess, work: Callable[[], None], faults: tuple[Fault, ...]) -> None:
    """Runs `work` while faults come one after another, the clusters' immediate ones as soon as somebody is there."""
    ended = threading.Event()

    def strike() -> None:
        for fault in faults:
            while not ended.is_set() and not server.control("GET", "/stats")["clusters"]["crypto"]["now"]:
                ended.wait(0.02)
            if not ended.is_set():
                server.control("POST", "/faults", fault)
            ended.wait(0.3)

    striker = threading.Thread(target=strike)
    striker.start()
    try:
        work()
    finally:
        ended.set()
        striker.join()


def test_the_search_finds_each_form(tmp_path: Path) -> None:
    """A canary that could not be found would prove nothing."""
    named = [*forms_of(CANARY).items(), *forms_of(ODD_CANARY).items()]
    for number, (name, form) in enumerate(named):
        (tmp_path / str(number)).write_bytes(b"before " + form + b" after")
        assert any(hit.endswith(f": {name}") for hit in hits_below(tmp_path)), name
        (tmp_path / str(number)).unlink()
    assert hits_below(tmp_path) == []


def test_the_key_is_nowhere_after_a_run_with_faults(server: ServerProcess, tmp_path: Path) -> None:
    folder, picture = tmp_path / "data", tmp_path / "picture.png"
    said = b""

    def window(*, key: str = CANARY, seconds: str = "6") -> None:
        nonlocal said
        ended = run(server, folder, "--screenshot", str(picture), "--seconds", seconds, "--ticker", "X:BTCUSD", key=key)
        said += ended.stdout + ended.stderr
        assert ended.returncode == 0, ended.stderr.decode()
        assert picture.stat().st_size > 10_000
        picture.unlink()

    for fault in REST_FAULTS:
        server.control("POST", "/faults", {**fault, "path": "aggs|snapshot|reference"})
    strike_while(server, window, LATER_FAULTS)
    assert len(server.control("GET", "/stats")["faults"]) >= 10, "the faults struck"
    server.control("DELETE", "/faults")
    # The canary is a wrong key now, at REST and at the socket.
    server.control("POST", "/faults", {"kind": "socket_auth_failed"})
    window(seconds="2")
    again: tuple[Fault, ...] = ({"kind": "html", "path": "aggs"}, {"kind": "garbage", "count": 1, "path": "reference"})
    for fault in again:
        server.control("POST", "/faults", fault)
    span = ("--from", "2026-11-20", "--to", "2026-11-21")
    for arguments in (("bars", "X:ETHUSD", *span), ("watch", "X:BTCUSD", "--seconds", "2"), ("tickers", "bitcoin")):
        ended = run(server, folder, *arguments)
        said += ended.stdout + ended.stderr
    ended = run(server, folder, "bars", "X:ETHUSD", *span, key=ODD_CANARY)
    assert ended.returncode == 4
    said += ended.stdout + ended.stderr
    stats = server.control("GET", "/stats")
    assert stats["statuses"]["200"] > 3, "the key was in use"
    assert stats["keys_in_addresses"] == 0
    assert hits("what the server was asked", json.dumps(stats).encode()) == []
    assert hits("stdout and stderr", said) == []
    assert hits_below(folder) == []
    names = {path.name for path in folder.rglob("*")}
    searched = {"candelabra.log", "cache.sqlite", "user.sqlite", "settings.json", "calls.jsonl", "frames.jsonl.gz"}
    assert searched <= names, "there was something to search"
    log = "".join(path.read_text("utf-8") for path in (folder / "logs").glob("candelabra.log*"))
    assert "auth_failed" in log
