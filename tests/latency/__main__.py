"""`make latency`: from key to ear, from page to page, a crowd of pages, and a real take; 1 when a goal is missed.

python -m tests.latency [keys crossing floor crowd groove] [--seconds S] [--rate N] [--keys N] [--seed N] [--json]

Goals are for a machine that is otherwise idle. The take needs the Groove MIDI dataset (SYMJAM_GROOVE).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import trio

from node.commands.processes import Process, start_nodes
from tests.browser import Chromium, chromium
from tests.groove import GROOVE, take
from tests.latency.crowd import NODES, crowd
from tests.latency.floor import floor
from tests.latency.groove import groove
from tests.latency.keys import crossing, own_sound

TRIALS = ("keys", "crossing", "floor", "crowd", "groove")
TAKES = ("drummer1/session1/102_funk_95_beat_4-4", "drummer1/session1/100_neworleans-secondline_94_beat_4-4")
GROOVE_S = 30.0
InBrowser = Callable[[Chromium, Sequence[Process]], Awaitable[Any]]


def main() -> int:
    """Run the trials that were named, or all; 0 when every goal is met."""
    parser = argparse.ArgumentParser(prog="python -m tests.latency", description=__doc__)
    parser.add_argument("trials", nargs="*", metavar="TRIAL", help=f"of {', '.join(TRIALS)}; default: all")
    parser.add_argument("--seconds", type=float, default=180.0, help="how long the crowd plays")
    parser.add_argument("--rate", type=float, default=10.0, help="notes a second on each page of the crowd")
    parser.add_argument("--keys", type=int, default=300, help="pressed in each of the first two")
    parser.add_argument("--nodes", type=int, default=NODES, help="of the crowd, two pages each")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="one JSON line for each")
    wish = parser.parse_args()
    if unknown := set(wish.trials) - set(TRIALS):
        parser.error(f"no trial is named {', '.join(sorted(unknown))}; there are: {' '.join(TRIALS)}")
    trials: dict[str, Callable[[], list[Any]]] = {
        "keys": lambda: _in_browser(2, partial(own_sound, keys=wish.keys, seed=wish.seed)),
        "crossing": lambda: _in_browser(2, partial(crossing, keys=wish.keys, seed=wish.seed)),
        "floor": lambda: _in_browser(0, partial(floor, keys=wish.keys, seed=wish.seed)),
        "crowd": lambda: _in_browser(wish.nodes, partial(crowd, seconds=wish.seconds, rate=wish.rate, seed=wish.seed)),
        "groove": lambda: [one for name in TAKES for one in trio.run(groove, take(name), GROOVE_S)],
    }
    missed = 0
    for name in wish.trials or TRIALS:
        if why := _missing(name):
            print(f"{name}: left out, {why}", file=sys.stderr)
            continue
        print(f"{name} ...", file=sys.stderr, flush=True)
        for outcome in trials[name]():
            missed += _say(name, outcome, wish.json)
    return int(missed > 0)


def _missing(name: str) -> str:
    if name == "groove":
        return "" if (GROOVE / "info.csv").is_file() else "there is no Groove MIDI dataset: set SYMJAM_GROOVE"
    return "" if chromium() else "there is no Chromium here"


def _in_browser(count: int, trial: InBrowser) -> list[Any]:
    """With nodes of its own, that have met, and a browser of its own."""
    with tempfile.TemporaryDirectory() as root:
        nodes = start_nodes(Path(root) / "nodes", count)
        try:
            with Chromium(Path(root) / "chromium") as browser:
                return [trio.run(trial, browser, nodes)]
        finally:
            for node in nodes:
                node.stop()


def _say(name: str, outcome: Any, as_json: bool) -> int:
    faults = outcome.faults()
    found = {key: value._asdict() if hasattr(value, "_asdict") else value for key, value in outcome._asdict().items()}
    if as_json:
        print(json.dumps({"trial": name, **found, "missed": faults}), flush=True)
    else:
        print(f"{name}: " + ", ".join(f"{key} {_plain(value)}" for key, value in found.items()), flush=True)
        for fault in faults:
            print(f"    MISSED: {fault}", flush=True)
    return len(faults)


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return "(" + ", ".join(f"{key} {one}" for key, one in value.items()) + ")"
    return str(value)


if __name__ == "__main__":
    sys.exit(main())
