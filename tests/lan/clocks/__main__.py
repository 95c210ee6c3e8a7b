"""python -m tests.lan.clocks [--seconds S] [--conditions ...] [--link PYTHON]      (`make clock`)

Prints what was measured; fails where a goal is missed, the stated uncertainty does not cover the truth 99 times of 100,
or time went back. `--link` names an interpreter that has `link` (linkpython-extern), to measure Ableton Link beside it.
"""

from __future__ import annotations

import argparse
import sys

from tests.lan.clocks import trial
from tests.lan.wires import lan, missing

COVERED = 0.99


def main() -> int:
    """Run the trial; 0 when every goal is met."""
    parser = argparse.ArgumentParser(description="two clocks 100 ppm apart, five kinds of network")
    parser.add_argument("--seconds", type=float, default=180.0, help="of each condition")
    parser.add_argument("--conditions", nargs="+", default=trial.CONDITIONS, choices=trial.CONDITIONS)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--link", default=sys.executable, metavar="PYTHON")
    wish = parser.parse_args()
    if why := missing():
        print(f"cannot run here: {why}", file=sys.stderr)
        return 1
    seed = trial.new_seed() if wish.seed is None else wish.seed
    why_not = trial.no_link(wish.link)
    print(f"seed {seed}, {wish.seconds:.0f} s each" + (f"; without Ableton Link: {why_not}" if why_not else ""))
    print(f"\n| network | {' | '.join(trial.Outcome._fields)} |\n|{'---|' * 9}", flush=True)
    failures, linked = [], []
    with lan(2) as wires:
        for condition in wish.conditions:
            with trial.weather(wires, condition, seed):
                outcome = trial.measure(wires, wish.seconds)
                print(trial.as_line(condition, outcome), flush=True)
                failures += [f"{condition}: {failure}" for failure in _failures(condition, outcome)]
                if not why_not:
                    linked.append(trial.as_line(condition, trial.measure_link(wires, wish.link, wish.seconds)))
    if linked:
        print(f"\n| Link | {' | '.join(trial.LinkOutcome._fields)} |\n|{'---|' * 6}")
        print("\n".join(linked))
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


def _failures(condition: str, outcome: trial.Outcome) -> list[str]:
    goal_ms = trial.GOALS_MS.get(condition)
    found = []
    if goal_ms is not None and outcome.p95_ms >= goal_ms:
        found.append(f"95 of 100 are within {outcome.p95_ms:.3f} ms, not {goal_ms}")
    if outcome.covered < COVERED:
        found.append(f"the stated uncertainty covers {outcome.covered:.1%} only")
    if outcome.went_back:
        found.append(f"time went back {outcome.went_back} times")
    return found


if __name__ == "__main__":
    sys.exit(main())
