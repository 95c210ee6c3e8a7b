"""kill -9 in the middle of paying, staking and attesting: no coin lost or made, nothing signed twice.

    python -m tests.kills --seed 1 --kills 200 [--each 50] [--json]        (`make kills KILLS=200 SEED=1`)

The kills are shared out to trials of `--each`, with a seed and new data directories for each. A trial is fine when the
wallet of a node that was killed adds up whenever it is back, and both stores hold at the end exactly what was answered:
see tests/kills/books.py. The directory of one that is not is kept.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.kills.schedule import plan
from tests.kills.trial import Result, Trial


def main() -> int:
    """Run them; 1 when any was not fine."""
    parser = argparse.ArgumentParser(prog="python -m tests.kills", description="kill -9 while coins move")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--each", type=int, default=50, help="kills of one pair of nodes")
    parser.add_argument("--json", action="store_true", help="a line of JSON per trial, and one at the end")
    given = parser.parse_args()
    sizes = [min(given.each, given.kills - done) for done in range(0, given.kills, given.each)]
    results = [_run(given.seed + number, size, given.json) for number, size in enumerate(sizes)]
    kills, requests, lost = Counter[str](), Counter[str](), Counter[str]()
    for result in results:
        kills.update(result.kills)
        requests.update(result.requests)
        lost.update(result.lost_answers)
    fine = sum(result.fine for result in results)
    summary = {"schema": "symjam.kills/1", "trials": len(results), "fine": fine, "kills": kills}
    summary |= {"requests": requests, "lost_answers": lost, "wrong": sum(len(result.wrong) for result in results)}
    print(
        json.dumps(summary) if given.json else f"{fine} of {len(results)} trials fine: {_words(kills, requests, lost)}"
    )
    return int(fine != len(results))


def _words(kills: Counter[str], requests: Counter[str], lost: Counter[str]) -> str:
    said = [", ".join(f"{name} {count}" for name, count in some.items()) for some in (kills, requests, lost)]
    return f"kills: {said[0]}; requests: {said[1]}; of which the answer was lost: {said[2]}"


def _run(seed: int, kills: int, as_json: bool) -> Result:
    root = Path(tempfile.mkdtemp(prefix="symjam-kills-"))
    trial = Trial(
        root, seed, plan(seed, kills), lambda words: print(f"seed {seed}: {words}", file=sys.stderr, flush=True)
    )
    try:
        result = trial.run()
    finally:
        if trial.result.fine and trial.result.seconds:
            shutil.rmtree(root, ignore_errors=True)
        else:
            again = f"python -m tests.kills --seed {seed} --kills {kills} --each {kills}"
            print(f"  kept: {root}\n  again: {again}", file=sys.stderr, flush=True)
    words = _words(result.kills, result.requests, result.lost_answers)
    head = f"seed {seed}: {'fine' if result.fine else 'FAILED'}: {words}; {result.entries} entries, {result.seconds} s"
    lines = [head, *(f"  {wrong}" for wrong in result.wrong)]
    print(json.dumps(result.as_json()) if as_json else "\n".join(lines), flush=True)
    return result


if __name__ == "__main__":
    sys.exit(main())
