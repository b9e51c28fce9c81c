"""The whole data path against an oracle, on virtual time: see tests/oracle."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
_PROCESSES = 2
_LONG_S = 4 * 3600


@pytest.mark.parametrize(
    ("examples", "kills", "kinds"),
    [
        pytest.param(120, 4, 15, marks=pytest.mark.timeout(900)),
        pytest.param(5000, 150, 25, marks=[pytest.mark.soak, pytest.mark.timeout(_LONG_S)], id="10,000 scenarios"),
    ],
)
def test_every_series_ends_as_the_market_says(examples: int, kills: int, kinds: int) -> None:
    """`examples`, and at least so many killed processes and kinds of fault, in each of two processes."""
    seeds = [random.SystemRandom().randrange(1 << 31) for _ in range(_PROCESSES)]
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.oracle", "--examples", str(examples), "--seed", str(seed)],
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed in seeds
    ]
    for seed, process in zip(seeds, running, strict=True):
        out, err = process.communicate()
        assert process.returncode == 0, f"seed {seed}\n{err[-6000:]}"
        said = json.loads(out.splitlines()[-1])
        sys.stdout.write(f"seed {seed}: {json.dumps(said)}\n")
        assert said["scenarios"] >= examples
        assert said["kills"] >= kills
        assert said["kinds"] >= kinds
        assert said["live_checks"] > said["checks"]  # three charts are looked at
