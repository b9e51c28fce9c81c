"""`bars` and `watch` over a recording give exactly the bars of the file, as processes beside a feed server."""

from __future__ import annotations

import csv
import gzip
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.feed_server import PROJECT, ServerProcess, feed_servers  # noqa: F401 (fixture)

Values = tuple[float, float, float, float, float]
LENGTHS = {"1m": 60_000, "15m": 900_000, "1h": 3_600_000, "1D": 86_400_000}


def bars_of_file(path: Path, length_ms: int) -> dict[int, Values]:
    groups: dict[int, list[list[float]]] = {}
    with gzip.open(path, "rt") as file:
        for row in csv.DictReader(file):
            values = [float(row[name]) for name in ("o", "h", "l", "c", "v")]
            groups.setdefault(int(row["t"]) // length_ms * length_ms, []).append(values)
    return {
        start: (g[0][0], max(v[1] for v in g), min(v[2] for v in g), g[-1][3], math.fsum(v[4] for v in g))
        for start, g in groups.items()
    }


def arguments(server: ServerProcess, folder: Path, *command: str) -> list[str]:
    return [
        *(sys.executable, "-m", "desktop", *command),
        *("--rest-base", server.rest, "--socket-base", server.socket, "--data-dir", str(folder)),
    ]


def environment(server: ServerProcess) -> dict[str, str]:
    return {**os.environ, "MASSIVE_API_KEY": server.key, "CANDELABRA_NO_KEYRING": "1"}


@pytest.mark.parametrize("text", list(LENGTHS))
def test_bars_are_those_of_the_file(
    feed_server: Callable[..., ServerProcess],
    shared_data: Path,
    tmp_path: Path,
    text: str,
) -> None:
    path = shared_data / "X_BTCUSD_1m.csv.gz"
    expected = bars_of_file(path, LENGTHS[text])
    server = feed_server("--recording", path, "--from", max(expected) + 2 * LENGTHS[text])
    command = arguments(server, tmp_path, "bars", "X:BTCUSD", "--timeframe", text, "--from", "2021-12-01", "--to")
    done = subprocess.run(
        [*command[:-6], "2022-03-01", *command[-6:]],
        env=environment(server),
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    rows = list(csv.DictReader(done.stdout.splitlines()))
    got = {int(row["t"]): tuple(float(row[name]) for name in ("o", "h", "l", "c", "v")) for row in rows}
    assert got == expected
    offline = [*command[:-6], "2022-03-01", "--offline", *command[-6:]]
    again = subprocess.run(
        offline, env=environment(server), cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False
    )
    # The bar that was forming at the last call is known in part only: offline it is left out, never shown as whole.
    assert again.stdout.splitlines()[:-1] == done.stdout.splitlines()[: len(again.stdout.splitlines()) - 1]
    assert len(done.stdout.splitlines()) - len(again.stdout.splitlines()) in (0, 1)


@pytest.mark.parametrize("text", ["1m", "15m"])
def test_watch_at_600x_ends_with_the_bars_of_the_file(
    feed_server: Callable[..., ServerProcess],
    shared_data: Path,
    tmp_path: Path,
    text: str,
) -> None:
    path = shared_data / "X_BTCUSD_1m.csv.gz"
    expected = bars_of_file(path, LENGTHS[text])
    begin = max(expected) - 60 * 60_000
    server = feed_server("--recording", path, "--from", begin, "--speed", "600")
    server.control("POST", "/clock", {"now_ms": begin, "paused": True})
    process = subprocess.Popen(
        arguments(server, tmp_path, "watch", "X:BTCUSD", "--timeframe", text, "--seconds", "60"),
        env=environment(server),
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
    )
    last: dict[int, Values] = {}
    assert process.stdout is not None
    is_running = False
    for line in process.stdout:
        event = json.loads(line)
        if event["type"] == "connection" and event["state"] == "streaming" and not is_running:
            server.control("POST", "/clock", {"paused": False})
            is_running = True
        if event["type"] == "bar":
            last[event["t"]] = (event["o"], event["h"], event["l"], event["c"], event["v"])
            if last.get(max(expected)) == expected[max(expected)]:
                break
    process.terminate()
    process.wait(20)
    process.stdout.close()
    wanted = {start: values for start, values in expected.items() if start >= begin}
    assert {start: values for start, values in last.items() if start >= begin} == wanted
