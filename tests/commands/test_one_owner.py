"""Several Candelabras on one data folder: one connection, one cache, whoever comes, goes or is killed."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.helpers.candelabra import Machine, machine, wait_until
from tests.helpers.feed_server import ServerProcess, feed_servers  # noqa: F401 (fixture)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
WEEK = ("--timeframe", "1h", "--from", "2026-11-02", "--to", "2026-11-09")


@pytest.fixture(name="desk")
def one_machine(feed_server: Callable[..., ServerProcess], tmp_path: Path) -> Iterator[Machine]:
    """Allows one connection for each cluster, as the vendor does, and throws the older one out."""
    with machine(feed_server("--start", "2026-11-20T12:00"), tmp_path / "data") as made:
        yield made


def assert_one_connection_at_a_time(desk: Machine, connections: int) -> None:
    counts = desk.stats()
    assert (counts["most_at_once"], counts["evicted"]) == (1, 0)
    assert counts["total"] == connections


def first_lines(process: subprocess.Popen[str], kind: str, count: int = 1) -> list[dict[str, object]]:
    """The next `count` lines of a kind that `watch` prints."""
    assert process.stdout is not None
    found: list[dict[str, object]] = []
    for line in process.stdout:
        event = json.loads(line)
        if event["type"] == kind:
            found.append(event)
        if len(found) == count:
            return found
    raise AssertionError(f"it ended: {process.communicate()}")


def test_a_second_start_hands_over_to_the_first(desk: Machine) -> None:
    first = desk.window()
    code, said, errors = desk.run("--ticker", "X:ETHUSD", "--timeframe", "5m")
    assert (code, said, errors) == (0, "Candelabra is open already; its window is in front now.\n", "")
    settings = desk.folder / "settings.json"
    wait_until(
        lambda: settings.exists() and json.loads(settings.read_text())["ticker"] == "X:ETHUSD",
        "the first window shows what the second start asked for",
    )
    assert json.loads(settings.read_text())["timeframe"] == "5m"
    assert first.poll() is None
    assert_one_connection_at_a_time(desk, 1)
    assert desk.run("--timeframe", "nonsense")[0] == 2
    code, _said, errors = desk.run("--demo", "--seed", "9")
    assert (code, "another source (DEMO)" in errors) == (2, True)
    code, _said, errors = desk.run("--seconds", "1")
    assert (code, "needs a start of its own" in errors) == (2, True)
    first.send_signal(signal.SIGTERM)
    assert first.wait(20) == 0


def test_two_starts_at_once_give_one_window(desk: Machine) -> None:
    starts = [desk.start() for _ in range(3)]
    wait_until(lambda: sum(start.poll() is not None for start in starts) == 2, "two have handed over")
    assert [start.returncode for start in starts if start.returncode is not None] == [0, 0]
    wait_until(lambda: desk.stats()["authenticated"] == 1, "the window is live")
    assert_one_connection_at_a_time(desk, 1)


def test_commands_beside_a_window_use_its_connections_and_say_the_same(desk: Machine, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    bars = ("bars", "X:BTCUSD", *WEEK)
    expected = [desk.run(*command, folder=alone) for command in (bars, ("tickers", "bitcoin"))]
    desk.window()
    probes = desk.requests("marketstatus")
    assert desk.run(*bars) == expected[0]
    assert desk.run("tickers", "bitcoin") == expected[1]
    before = desk.requests()
    assert desk.run(*bars, "--offline") == expected[0]
    assert desk.requests("X:BTCUSD/range/1/hour") == 2  # one alone, one through the window

    code, _said, errors = desk.run("backfill", "X:ADAUSD", "X:SOLUSD", "--timeframe", "1D", "--from", "2026-01-01")[:3]
    assert code == 2  # --to is missing: said before anything is opened
    code, _said, errors = desk.run("backfill", "X:ADAUSD", "X:SOLUSD", *WEEK)
    assert (code, errors.splitlines()[-1]) == (0, "X:SOLUSD 1h: 168 bars in 1 call, complete")
    before = desk.requests("/range/1/hour")
    code, _said, errors = desk.run("backfill", "X:ADAUSD", "X:SOLUSD", *WEEK)
    assert errors.splitlines() == ["X:ADAUSD 1h: complete already", "X:SOLUSD 1h: complete already"]
    assert desk.requests("/range/1/hour") == before

    watch = desk.start("watch", "X:BTCUSD")
    assert first_lines(watch, "connection")[0]["state"] == "streaming"
    first_lines(watch, "trade", 2)
    watch.send_signal(signal.SIGINT)
    assert watch.communicate()[1] == ""
    assert watch.returncode == 0
    assert_one_connection_at_a_time(desk, 1)
    assert desk.requests("marketstatus") == probes  # nobody asked which world the server serves

    code, said, errors = desk.run("bars", "X:NONESUCH", *WEEK)
    assert (code, said) == (6, "")
    assert "There is no ticker" in errors


def test_commands_go_on_at_once_when_the_window_is_killed(desk: Machine) -> None:
    window = desk.window()
    watch = desk.start("watch", "X:BTCUSD")
    first_lines(watch, "trade")
    window.kill()
    window.communicate()
    states = [line["state"] for line in first_lines(watch, "connection", 3)]
    assert states == ["connecting", "authenticating", "streaming"]
    first_lines(watch, "trade")
    code, said, errors = desk.run("bars", "X:BTCUSD", *WEEK)  # through the one that watches
    assert (code, len(said.splitlines()), errors) == (0, 169, "")
    assert_one_connection_at_a_time(desk, 2)
    watch.send_signal(signal.SIGTERM)
    _said, errors = watch.communicate()
    assert errors == "The Candelabra that did this was closed; going on without it.\n"


def test_what_a_killed_owner_left_stops_nobody(desk: Machine) -> None:
    window = desk.window()
    window.kill()
    window.communicate()
    code, said, errors = desk.run("bars", "X:BTCUSD", *WEEK)
    assert (code, len(said.splitlines()), errors) == (0, 169, "")
    again = desk.window()
    assert again.poll() is None
    assert_one_connection_at_a_time(desk, 2)


def test_a_window_takes_over_from_a_command(desk: Machine) -> None:
    watch = desk.start("watch", "X:BTCUSD")
    first_lines(watch, "trade")
    desk.window()
    assert first_lines(watch, "connection")[0]["state"] == "streaming"  # that of the window
    first_lines(watch, "trade")
    assert_one_connection_at_a_time(desk, 2)
    watch.send_signal(signal.SIGINT)
    assert watch.communicate()[1] == "The window that opened does this from now on.\n"
    assert watch.returncode == 0


def test_two_commands_share_one_connection(desk: Machine) -> None:
    first = desk.start("watch", "X:BTCUSD")
    first_lines(first, "trade")
    second = desk.start("watch", "X:ETHUSD")
    first_lines(second, "trade")
    assert_one_connection_at_a_time(desk, 1)
    first.send_signal(signal.SIGINT)
    first.communicate()
    first_lines(second, "connection", 3)
    first_lines(second, "trade")
    assert_one_connection_at_a_time(desk, 2)


def test_an_interrupt_stops_the_work_in_the_window(desk: Machine) -> None:
    desk.window()
    before = desk.requests("/range/1/hour")
    desk.server.control("POST", "/faults", {"kind": "stall", "path": "/range/1/hour", "count": 50})
    backfill = desk.start("backfill", "X:ADAUSD", *WEEK)
    wait_until(lambda: desk.requests("/range/1/hour") > before, "the window has asked for it")
    backfill.send_signal(signal.SIGINT)
    _said, errors = backfill.communicate(timeout=30)
    assert backfill.returncode == 130
    assert errors == "Stopped. What was fetched is kept; the same command goes on from there.\n"


def test_the_channel_is_its_owners_alone_and_holds_no_key(desk: Machine) -> None:
    desk.window()
    locks = [desk.folder / "application.lock", *desk.folder.glob("worlds/*/owner.lock")]
    wait_until(lambda: all(lock.stat().st_size for lock in locks), "the channels are open")
    for lock in locks:
        owner = json.loads(lock.read_text())
        socket = Path(owner["address"].removeprefix("unix:"))
        assert stat.S_IMODE(lock.stat().st_mode) == stat.S_IMODE(socket.stat().st_mode) == 0o600
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
        assert desk.server.key not in lock.read_text()


@pytest.mark.parametrize("has_window", [False, True])
def test_watching_ends_when_nobody_reads_any_more(desk: Machine, has_window: bool) -> None:
    if has_window:
        desk.window()
    watch = desk.start("watch", "X:BTCUSD")
    first_lines(watch, "trade")
    assert watch.stdout is not None
    assert watch.stderr is not None
    watch.stdout.close()
    assert (watch.wait(30), watch.stderr.read()) == (0, "")


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_a_window_and_its_commands_share_the_calls_of_a_small_plan(
    feed_server: Callable[..., ServerProcess], tmp_path: Path
) -> None:
    server = feed_server("--start", "2026-11-20T12:00", "--calls-per-minute", "5")
    with machine(server, tmp_path / "data") as desk:
        desk.window("--plan", "free")
        commands = [
            desk.start("bars", "X:BTCUSD", *WEEK),
            desk.start("backfill", "X:ADAUSD", "X:SOLUSD", *WEEK),
            desk.start("bars", "AAPL", "--timeframe", "1D", "--from", "2026-10-01", "--to", "2026-11-01"),
        ]
        for command in commands:
            said = command.communicate(timeout=400)
            assert command.returncode == 0, said
        statuses = server.control("GET", "/stats")["statuses"]
        assert "429" not in statuses, statuses  # the server counts any 60 seconds itself and refuses the sixth call
        assert statuses["200"] > 10
        assert_one_connection_at_a_time(desk, 1)
