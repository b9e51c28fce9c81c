"""The whole application as a process: what a person starts, watches and ends."""

from __future__ import annotations

import os
import re
import signal
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from desktop import __version__

PROJECT = Path(__file__).resolve().parents[1]
_LIVE = re.compile(r"^live: ticker=(\S+) timeframe=(\S+) bars=(\d+) events=(\d+) first_candle_s=([\d.]+)", re.MULTILINE)


def start(*arguments: object) -> subprocess.Popen[str]:
    environment = {**os.environ, "CANDELABRA_NO_KEYRING": "1", "QT_QPA_PLATFORM": "offscreen"}
    return subprocess.Popen(
        [sys.executable, "-m", "desktop", *map(str, arguments)],
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(*arguments: object) -> tuple[int, str, str]:
    process = start(*arguments)
    said, errors = process.communicate(timeout=90)
    return process.returncode, said, errors


def size_of_png(path: Path) -> tuple[int, int]:
    content = path.read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def test_the_demo_reaches_a_moving_candle_and_ends(tmp_path: Path) -> None:
    picture = tmp_path / "demo.png"
    code, said, errors = run(
        "--demo", "--until-live", "--screenshot", picture, "--size", "1280x800", "--data-dir", tmp_path
    )
    assert code == 0, errors
    assert "Traceback" not in errors
    found = _LIVE.search(said)
    assert found is not None, said
    assert found[1] == "X:BTCUSD"
    assert int(found[3]) > 500
    assert int(found[4]) > 0
    assert size_of_png(picture) == (1280, 800)
    assert [path.name for path in (tmp_path / "worlds").iterdir()] == ["demo-7"]


def test_a_recording_is_replayed(tmp_path: Path, shared_data: Path) -> None:
    recording = shared_data / "X_XRPETH_trades_20191011.csv.gz"
    code, said, errors = run(
        "--replay",
        recording,
        "--speed",
        "60",
        "--until-live",
        "--screenshot",
        tmp_path / "x.png",
        "--data-dir",
        tmp_path,
    )
    assert code == 0, errors
    found = _LIVE.search(said)
    assert found is not None, said
    assert found[1] == "X:XRPETH"
    (world,) = (tmp_path / "worlds").iterdir()
    assert world.name.startswith("replay-")


def test_without_a_key_the_first_start_is_shown(tmp_path: Path) -> None:
    code, _said, errors = run("--seconds", "1", "--screenshot", tmp_path / "first.png", "--data-dir", tmp_path)
    assert code == 0, errors
    assert "Traceback" not in errors
    assert (tmp_path / "first.png").stat().st_size > 5_000


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    process = start("--demo", "--data-dir", tmp_path)
    while not (tmp_path / "worlds" / "demo-7" / "user.sqlite").exists():
        assert process.poll() is None
    process.send_signal(number)
    said, errors = process.communicate(timeout=20)
    assert process.returncode == 0, errors
    assert "Traceback" not in said + errors


def test_version_help_and_bad_input_need_no_window(tmp_path: Path) -> None:
    assert run("--version")[:2] == (0, f"candelabra {__version__}\n")
    assert "feed-server" in run("--help")[1]
    code, _said, errors = run("--demo", "--size", "huge", "--data-dir", tmp_path)
    assert (code, errors.splitlines()[-1]) == (2, "“huge” is not a window size. Use 1280x800.")
    code, _said, errors = run("--replay", tmp_path / "absent.csv", "--data-dir", tmp_path)
    assert code == 2
    assert "There is no file" in errors
    code, _said, errors = run("bars", "X:BTCUSD", "--from", "yesterday", "--to", "2024-01-01", "--data-dir", tmp_path)
    assert code == 2
    assert "is not a time" in errors
