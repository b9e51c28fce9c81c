"""`--record` and what is served of it, as a person uses them: processes, a kill, and the same answers again."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.helpers.candelabra import Machine, machine
from tests.helpers.feed_server import ServerProcess, feed_servers  # noqa: F401 (fixture)
from tests.helpers.recording import REPLAY_KEY, contents
from tests.test_canary import CANARY, forms_of

BTC = "X:BTCUSD"
SPEED = "12"
DAY = ("--timeframe", "1m", "--from", "2026-11-18", "--to", "2026-11-19")
Servers = Callable[..., ServerProcess]


@pytest.fixture
def desk(feed_server: Servers, tmp_path: Path) -> Iterator[Machine]:
    """A demo market at twelve times its speed, asked with a key that is easy to find again."""
    server = feed_server("--seed", "7", "--start", "2026-11-20T12:00:30", "--speed", SPEED, "--key", CANARY)
    with machine(server, tmp_path / "data") as made:
        yield made


def until_closed(process: subprocess.Popen[str], wanted_ms: int | None = None) -> list[float]:
    """Reads what `watch` prints until a minute that was seen forming has closed (or `wanted_ms` has): its values."""
    forming: set[int] = set()
    assert process.stdout is not None
    for line in process.stdout:
        event = json.loads(line)
        if event["type"] != "bar":
            continue
        if event["state"] == "forming":
            forming.add(event["t"])
        elif event["t"] == wanted_ms or (wanted_ms is None and event["t"] in forming):
            return [event[name] for name in "tohlcv"]
    raise AssertionError(f"watch ended: {process.communicate()}")


def test_a_session_that_was_killed_is_served_again(
    desk: Machine,
    feed_server: Servers,
    tmp_path: Path,
) -> None:
    report = tmp_path / "report"
    code, bars, errors = desk.run("bars", BTC, *DAY, "--record", report)
    assert (code, errors) == (0, "")
    assert len(bars.splitlines()) == 1441
    watching = desk.start("watch", BTC, "--record", report)
    closed = until_closed(watching)
    until_closed(watching)  # a minute more: what came half a second ago may be lost with the kill
    watching.send_signal(signal.SIGKILL)
    watching.communicate()
    for name, content in contents(report).items():
        for form_name, form in forms_of(CANARY).items():
            assert form.lower() not in content.lower(), f"{form_name} in {name}"

    replay = feed_server("--recording", report, "--speed", SPEED, "--key", REPLAY_KEY)
    assert replay.world.startswith("replay-")
    with machine(replay, tmp_path / "elsewhere") as other:
        assert other.run("bars", BTC, *DAY) == (0, bars, "")
        assert until_closed(other.start("watch", BTC), int(closed[0])) == closed
    assert desk.run("bars", BTC, *DAY, "--replay", report) == (0, bars, ""), "--replay serves it too"


def test_a_window_opens_on_the_recording_of_another(desk: Machine, tmp_path: Path) -> None:
    report = tmp_path / "report"
    code, said, errors = desk.run("--ticker", "X:ETHUSD", "--until-live", "--record", report)
    assert (code, errors) == (0, "")
    assert "ticker=X:ETHUSD" in said
    code, said, errors = desk.run("--replay", report, "--speed", SPEED, "--until-live", folder=tmp_path / "elsewhere")
    assert (code, errors) == (0, "")
    assert "ticker=X:ETHUSD timeframe=1m" in said


def test_what_cannot_be_recorded_is_said(desk: Machine, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("Dear")
    code, said, errors = desk.run("bars", BTC, *DAY, "--record", tmp_path / "full")
    assert (code, said) == (2, "")
    assert "holds other files" in errors
    code, _, errors = desk.run("bars", BTC, *DAY, "--record", tmp_path / "new", "--offline")
    assert (code, errors) == (2, "Offline no server says anything that could be recorded.\n")
    code, _, errors = desk.run("--record", tmp_path / "full" / "letter.txt")
    assert (code, "Nothing can be recorded" in errors) == (9, True)
    code, _, errors = desk.run("bars", BTC, *DAY, "--record-limit", 5)
    assert (code, "--record DIR" in errors) == (2, True)
    code, _, errors = desk.run("bars", BTC, *DAY, "--record", tmp_path / "new", "--record-limit", 0)
    assert (code, "no size" in errors) == (2, True)
