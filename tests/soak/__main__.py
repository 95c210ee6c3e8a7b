"""`make soak-store`: every kind of trial, so many times; a line of progress for each, then a table.

Trials that need root or strace are skipped elsewhere, and the table says so. A broken promise is printed with the
seed that replays it: `python -m tests.soak --only KIND --first SEED --rounds 1`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from crdt.errors import SymJamError
from tests.soak import crash, daemon, damage

Trial = Callable[[Path, Path, str, int], dict[str, int]]


@dataclass(frozen=True)
class Kind:
    """A kind of trial: `share` is how many rounds make one of it, as some take long."""

    run: Trial
    share: int = 1
    possible: Callable[[], bool] = lambda: True


@dataclass
class Outcome:
    """What came of a kind: rounds, sums of what its trials counted, and the promises that were broken."""

    rounds: int = 0
    skipped: bool = False
    seconds: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)


EIO = ("fdatasync", "fsync", "write")
KINDS: dict[str, Kind] = {
    **{name: Kind(damage.trial) for name in damage.DAMAGES},
    "kill -9": Kind(crash.kill_trial, crash.LIVES),
    "kill -9 in recovery": Kind(crash.salvage_kill_trial, 4),
    "ENOSPC": Kind(crash.full_disk_trial, 10, crash.may_mount),
    **{f"EIO {call}": Kind(crash.io_error_trial, 10, crash.may_trace) for call in EIO},
    "daemon, ENOSPC": Kind(daemon.full_disk_trial, 40, crash.may_mount),
    **{f"daemon, EIO {call}": Kind(daemon.io_error_trial, 40, crash.may_trace) for call in EIO},
}


def soak(kind: str, rounds: int, seed: int) -> Outcome:
    """Run one kind."""
    plan, outcome = KINDS[kind], Outcome()
    if not plan.possible():
        outcome.skipped = True
        return outcome
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="symjam-store-") as made:
        template = Path(made) / "template"
        template.mkdir()
        for number in range(-(-rounds // plan.share)):
            with tempfile.TemporaryDirectory(dir=made) as directory:
                try:
                    outcome.counts.update(plan.run(Path(directory), template, kind, seed + number))
                except (AssertionError, SymJamError) as broken:
                    at = traceback.extract_tb(broken.__traceback__)[-1]
                    outcome.broken.append(f"seed {seed + number}: {at.name}: {at.line}: {broken!r}")
            outcome.rounds += 1
    outcome.seconds = time.monotonic() - began
    return outcome


def line(kind: str, outcome: Outcome) -> str:
    """One row of the table."""
    if outcome.skipped:
        return f"{kind:22} skipped: needs root or strace"
    counts = ", ".join(f"{name} {count}" for name, count in outcome.counts.items())
    return f"{kind:22} {outcome.rounds:4} rounds {len(outcome.broken):3} broken {outcome.seconds:6.0f} s   {counts}"


def main() -> int:
    """Run all kinds, or one. Exit code 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", "--first", type=int, default=1)
    parser.add_argument("--only", choices=list(KINDS))
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    outcomes: dict[str, Outcome] = {}
    for kind in [args.only] if args.only else KINDS:
        outcomes[kind] = soak(kind, args.rounds, args.seed)
        print(line(kind, outcomes[kind]), file=sys.stderr, flush=True)
        for broken in outcomes[kind].broken:
            print(f"    {broken}", file=sys.stderr, flush=True)
    if args.json:
        kinds = {kind: {**vars(outcome), "counts": dict(outcome.counts)} for kind, outcome in outcomes.items()}
        print(json.dumps({"schema": "symjam.soak-store/1", "seed": args.seed, "kinds": kinds}))
    return int(any(outcome.broken for outcome in outcomes.values()))


if __name__ == "__main__":
    sys.exit(main())
