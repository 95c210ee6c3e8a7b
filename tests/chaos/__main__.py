"""The soak of issue 3: real nodes that are killed, frozen, restarted and cut off while everybody plays.

    python -m tests.chaos --seed 1 --runs 10 --nodes 8 --seconds 40        (`make soak-nodes SEED=1 RUNS=10 ...`)

A run is fine when all nodes say the same within five seconds of the last healing, every event that a node
acknowledged is in every node's documents once, and nobody refused, blamed or froze anybody. The directory of a run that
is not is kept, with the nodes' logs and stores.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

from tests.chaos.place import Place, place
from tests.chaos.schedule import plan
from tests.chaos.trial import Result, Trial, Wish


def main() -> int:
    """Run seeds one after the other; 1 when any was not fine."""
    parser = argparse.ArgumentParser(description="nodes killed, frozen, restarted and cut off: nothing lost")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--nodes", type=int, default=8)
    parser.add_argument("--seconds", type=int, default=40)
    parser.add_argument("--rate", type=float, default=15.0, help="events a second and node")
    parser.add_argument("--preset", choices=["main", "small"], default="small")
    parser.add_argument("--players", type=int, default=2, help="nodes into which notes are played; others: controls")
    parser.add_argument("--json", action="store_true", help="a line of JSON per run, and one at the end")
    given = parser.parse_args()
    wish = Wish(given.nodes, given.seconds, given.preset, given.rate, given.players)
    results: list[Result] = []
    for seed in range(given.seed, given.seed + given.runs):
        with place(wish.nodes) as where:
            results.append(_run(where, seed, wish, given.json))
    healed = [result.healed_s for result in results if result.healed_s is not None]
    summary = {
        "schema": "symjam.soak/1",
        "runs": len(results),
        "fine": sum(result.fine for result in results),
        "acknowledged": sum(result.acknowledged for result in results),
        "missing": sum(sum(map(len, result.missing.values())) for result in results),
        "slowest_s": max(healed, default=None),
        "load": round(os.getloadavg()[0], 2),
    }
    if given.json:
        print(json.dumps(summary))
    else:
        print(
            f"{summary['fine']} of {summary['runs']} runs fine, {summary['acknowledged']} events acknowledged, "
            f"{summary['missing']} missing, the same everywhere after {summary['slowest_s']} s at most "
            f"(load {summary['load']})"
        )
    return 0 if summary["fine"] == summary["runs"] else 1


def _run(where: Place, seed: int, wish: Wish, as_json: bool) -> Result:
    root = Path(tempfile.mkdtemp(prefix="symjam-soak-"))
    faults = plan(seed, wish.nodes, wish.seconds, where.has_cables)
    fine = False
    try:
        result = Trial(where, root, seed, wish, faults).run()
        fine = result.fine
        print(json.dumps(result.as_json()) if as_json else result.words(), flush=True)
    finally:
        if fine:
            shutil.rmtree(root, ignore_errors=True)
        else:
            print(f"  kept: {root}\n  again: {wish.replay(seed)}", file=sys.stderr, flush=True)
    return result


if __name__ == "__main__":
    sys.exit(main())
