"""`make mutate`: faults drawn by a seed, one after another until the time is over; what no test noticed is listed."""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from tests.mutation.mutants import Mutant, mutants_of
from tests.mutation.reach import asked_about
from tests.mutation.trial import measure, survives

ROOT = Path(__file__).resolve().parents[2]
TESTS = ("tests/consensus", "tests/vectors")
SLOW_S = 40.0  # of tests that are asked about one fault, together
# Imported before each fork and the same in all of them: what the rules stand on, and what runs the tests.
BEFORE = (
    "hypothesis.strategies",
    "msgspec",
    "nacl.signing",
    "nacl.bindings",
    "pycrdt",
    "pytest",
    "trio",
    "crdt.replica",
)


def main() -> int:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--module", action="append", help="e.g. consensus/reward.py; all of consensus/ by default")
    parser.add_argument("--test", action="append", help="files of tests; tests/consensus and tests/vectors by default")
    parser.add_argument("--again", type=Path, help="only the faults that such a file of survivors names")
    parser.add_argument("--survivors", type=Path, help="a file to write the survivors to")
    args = parser.parse_args()
    os.chdir(ROOT)
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    for name in BEFORE:
        importlib.import_module(name)
    assert not any(name.split(".")[0] == "consensus" for name in sys.modules)
    paths = args.module or sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "consensus").rglob("*.py"))
    mutants = [mutant for path in paths for mutant in mutants_of(path, (ROOT / path).read_text())]
    if args.again:
        wanted = set(args.again.read_text().splitlines())
        mutants = [mutant for mutant in mutants if mutant.name in wanted]
    Random(args.seed).shuffle(mutants)
    began = time.monotonic()
    data = _reached(args.test or TESTS)
    print(f"{len(mutants)} faults in {len(paths)} modules; {len(data['spent_s'])} tests", file=sys.stderr)
    tried: Counter[str] = Counter()
    alive: list[Mutant] = []
    for mutant in mutants:
        if time.monotonic() - began > args.seconds:
            break
        tests = asked_about(data, mutant.path, mutant.line, SLOW_S)
        tried[mutant.path] += 1
        if survives(ROOT, mutant, tests, sum(data["spent_s"][test] for test in tests)):
            alive.append(mutant)
            print(f"alive: {mutant.name}", file=sys.stderr)
    _report(mutants, tried, alive)
    if args.survivors:
        args.survivors.write_text("".join(f"{mutant.name}\n" for mutant in sorted(alive)))
    return 0


def _reached(tests: Sequence[str]) -> dict[str, Any]:
    """Which tests reach which lines: measured, or as it was measured last when no file has changed since."""
    files = sorted(path for room in ("consensus", "crdt", "tests") for path in (ROOT / room).rglob("*.py"))
    key = hashlib.blake2b("\0".join([*tests, *(path.read_text() for path in files)]).encode()).hexdigest()
    out = ROOT / "build" / "mutation" / f"reach-{key[:16]}.json"
    if not out.exists():
        out.parent.mkdir(parents=True, exist_ok=True)
        measure(ROOT, "consensus", tests, out.with_suffix(".new"))
        out.with_suffix(".new").rename(out)
    data: dict[str, Any] = json.loads(out.read_text())
    return data


def _report(mutants: list[Mutant], tried: Counter[str], alive: list[Mutant]) -> None:
    lived = Counter(mutant.path for mutant in alive)
    for path in sorted(tried):
        print(f"{path:40} {tried[path] - lived[path]:5} of {tried[path]:5} noticed")
    total, noticed = tried.total(), tried.total() - len(alive)
    share = 1000 * noticed // total if total else 0
    print(f"noticed {noticed} of {total} tried ({share // 10}.{share % 10}%), of {len(mutants)} faults in all")


if __name__ == "__main__":
    sys.exit(main())
