"""`make hostile`: every attack for some seconds, and what it did to an honest pair. Ends with 1 when a bound is broken.

Each attack gets a fresh pair, so that none is judged by what another left behind.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import trio

from tests.hostile.attacks import NAMES, NOTHING
from tests.hostile.judge import faults
from tests.hostile.nodes import honest_pair
from tests.hostile.trial import Trial, run

HEAD = f"{'attack':22} {'p50':>7} {'p99':>7} {'max':>7} {'lost':>4} {'MB':>9} {'CPU':>4}  {'ended':28} refused"


def main() -> int:
    """Run the attacks that were named, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("attacks", nargs="*", metavar="ATTACK", help="default: all")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each lasts")
    parser.add_argument("--json", action="store_true", help="one JSON line for each")
    given = parser.parse_args()
    unknown = set(given.attacks) - {*NAMES, NOTHING}
    if unknown:
        parser.error(f"no attack is named {', '.join(sorted(unknown))}; there are: {' '.join(NAMES)}")
    if not given.json:
        print(HEAD)
    broken = 0
    for name in given.attacks or (NOTHING, *NAMES):
        with tempfile.TemporaryDirectory() as root, honest_pair(Path(root)) as pair:
            trial = trio.run(run, name, pair, given.seconds)
        wrong = faults(trial)
        broken += bool(wrong)
        print(json.dumps({**trial._asdict(), "faults": wrong}) if given.json else _row(trial, wrong), flush=True)
    return int(broken > 0)


def _row(trial: Trial, wrong: list[str]) -> str:
    took = trial.latency
    keys, out = trial.tally.get("keys", 0), trial.tally.get("thrown-out", 0)
    ended = f"{out}/{keys} keys out" + (", kept out" if trial.is_kept_out else "") if keys else "never let in"
    reasons = " ".join(f"{name}:{count}" for name, count in trial.refused.items())
    guarded = " ".join(f"{name}!{count}" for name, count in trial.guarded.items())
    row = (
        f"{trial.attack:22} {took.p50_ms:7.1f} {took.p99_ms:7.1f} {took.max_ms:7.1f} {took.missing:4}"
        f" {trial.before_mb:4.0f}>{trial.peak_mb:4.0f} {trial.processor_share:4.0%}  {ended:28} {reasons} {guarded}"
    )
    return row + (f"\n    BROKEN: {'; '.join(wrong)}" if wrong else "")


if __name__ == "__main__":
    sys.exit(main())
