"""`python -m tests.oracle --examples 200 --seed 1`: runs scenarios on virtual time, prints what was done as JSON."""

from __future__ import annotations

import argparse
import json
import sys

from tests.helpers import virtual_process

TIME = virtual_process.install(wall_s=1_709_251_200.0)

from hypothesis import HealthCheck, Phase, seed, settings  # noqa: E402 (after the clocks are virtual)
from hypothesis.stateful import run_state_machine_as_test  # noqa: E402

from tests.oracle.machine import Tally, make_machine  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--examples", type=int, default=100)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shrink", action="store_true", help="look for the smallest failing scenario")
    arguments = parser.parse_args()
    tally = Tally()
    machine = make_machine(TIME, tally)
    limits = settings(
        max_examples=arguments.examples,
        stateful_step_count=arguments.steps,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink) if arguments.shrink else (Phase.generate,),
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(seed(arguments.seed)(machine), settings=limits)
    kinds = sorted(tally.faults)
    sys.stdout.write(
        json.dumps(
            {
                "scenarios": tally.scenarios,
                "kills": tally.kills,
                "a_day_later": tally.days_later,
                "checks": tally.checks,
                "live_checks": tally.live_checks,
                "kinds": len(kinds) + 1,  # a killed process is one too
                "faults": dict(sorted(tally.faults.items())),
            }
        )
        + "\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
