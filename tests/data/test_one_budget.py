"""One budget for the whole program, as a feed server counts it: a day of use, kills, and the calls of a fill.

Client and server run in a process of virtual time (tests/helpers/budget_process.py) over real sockets and files.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.feed_server import PROJECT

PLAN_CALLS = 5
PATIENCE_S = 900


def run(scenario: str, folder: Path, **options: object) -> dict[str, Any] | None:
    """What the scenario said at its end; None when it was killed."""
    command = [sys.executable, "-m", "tests.helpers.budget_process", scenario, str(folder)]
    command += [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=PATIENCE_S)
    if ended.returncode == -signal.SIGKILL:
        return None
    assert ended.returncode == 0, ended.stderr[-3000:]
    answer: dict[str, Any] = json.loads(ended.stdout)
    return answer


def arrivals(folder: Path) -> list[float]:
    """When the server got each request, in seconds of the machine."""
    return [float(line.split()[0]) for line in (folder / "arrivals").read_text().splitlines()]


def closest(times: list[float]) -> float:
    """The shortest time in which one call more than the plan allows came in."""
    return min(later - earlier for earlier, later in zip(times, times[PLAN_CALLS:], strict=False))


@pytest.mark.parametrize(
    "hours", [1.5, pytest.param(24, marks=[pytest.mark.soak, pytest.mark.timeout(PATIENCE_S)], id="a whole day")]
)
def test_simulated_use_never_exceeds_the_plan(tmp_path: Path, hours: float) -> None:
    """Chart switching in bursts, a list of 40, searches, back-fill, re-checks, 429s, failures, restarts."""
    said = run("day", tmp_path, until_s=hours * 3600, seed=5)
    assert said is not None
    times = arrivals(tmp_path)
    assert closest(times) >= 60
    assert said["refused"] == 0  # by the server's own meter; what it was told to refuse is not in it
    assert said["calls"] == len(times)
    within = [sum(at > hours * 3600 - 86_400 + margin for at in times) for margin in (120, 0)]
    assert within[0] <= said["in the last day"] <= within[1]  # a meter of whole minutes, summed up by others
    assert len(times) > hours * 3600 / 61 * PLAN_CALLS * 0.8  # the budget was short nearly all the time
    for kind in ("charts", "watchlist", "searches", "backfill", "rechecks", "sessions"):
        assert said[kind] > 0, kind
    assert said["left"] > 10 * hours  # charts left while they waited
    assert said["rechecks in the last day"] >= said["rechecks"]
    assert said["faults"].keys() >= {"too_many_requests", "server_error"}


@pytest.mark.parametrize(
    "kills", [6, pytest.param(100, marks=[pytest.mark.soak, pytest.mark.timeout(PATIENCE_S)], id="many")]
)
def test_kill_9_right_after_a_call_reached_the_server_forgets_none(tmp_path: Path, kills: int) -> None:
    """Each process is killed with its n-th request; the next starts at once or a little later, its clock set or not."""
    rng = random.Random(11)
    now_s, step_s, killed = 500.0, 0.0, []
    for number in range(kills):
        kill_at = rng.choice([1, 2, 3, 4, 5, 6, 9])
        assert (
            run("day", tmp_path, from_s=now_s, until_s=now_s + 3600, seed=number, kill_at=kill_at, step_s=step_s)
            is None
        )
        killed.append(arrivals(tmp_path)[-1])
        now_s = killed[-1] + rng.choice([0.1, 0.1, 2, 30])
        step_s += rng.choice([0, 0, 0, -3600, 3600, 86_400])
    assert run("day", tmp_path, from_s=now_s, until_s=now_s + 90, seed=99, step_s=step_s) is not None
    times = arrivals(tmp_path)
    assert closest(times) >= 60
    spans = zip(times, times[PLAN_CALLS:], strict=False)
    assert sum(later - earlier < 70 and any(earlier <= at < later for at in killed) for earlier, later in spans) > 0


def test_without_the_file_of_calls_the_server_sees_too_many(tmp_path: Path) -> None:
    """The count above is one that can fail."""
    assert run("day", tmp_path, from_s=0, kill_at=4) is None
    for file in tmp_path.glob("worlds/*/calls.log"):
        file.unlink()
    assert run("day", tmp_path, from_s=arrivals(tmp_path)[-1] + 1, kill_at=4) is None
    assert closest(arrivals(tmp_path)) < 60


def test_the_visible_chart_goes_before_a_backfill_and_is_asked_for_once(tmp_path: Path) -> None:
    said = run("screen-first", tmp_path)
    assert said is not None
    assert (said["waiting"], said["before"], said["refused"]) == (38, 2, 0)
    assert said["tickers"][2] == "X:C050USD"
    assert said["tickers"].count("X:C050USD") == 1
    assert len(said["tickers"]) == 41


@pytest.mark.parametrize(
    ("scenario", "days", "minutes", "at_least_s"),
    [
        ("fill-paid", 1826, 90 * 1440, 0),
        ("fill-slow", 1826, 90 * 1440, 25 * 61),
        ("fill-free", 729, 89 * 1440 + 669, 25 * 61),  # two years up to yesterday is all such a plan has
    ],
)
def test_a_fill_takes_the_fewest_calls_there_can_be(
    tmp_path: Path, scenario: str, days: int, minutes: int, at_least_s: float
) -> None:
    """Five years of 1D for 100 coins: a call each. 90 days of 1m for ten: 129,600 bars, 50,000 a call."""
    said = run(scenario, tmp_path)
    assert said is not None
    assert said["calls"] == [100, 10 * 3]
    assert said["bars"] == [100 * days, 10 * minutes]
    assert said["took_s"] >= at_least_s
