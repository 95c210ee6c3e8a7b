"""`make histories`: random histories, one seed after another, each in many orders and against the reference.

Ends at the first that fails, with the command that replays it and the fewest of its entries that still do.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.consensus.histories.cast import remembered_proofs
from tests.consensus.histories.check import Broken, check
from tests.consensus.histories.generate import generate
from tests.consensus.histories.scene import History
from tests.consensus.histories.shrink import described, kept, shrink

SHRINKING_ORDERS = 4


def main() -> int:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m tests.consensus.histories", description=__doc__)
    parser.add_argument("--count", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1, help="of the first history; the next has the next number")
    parser.add_argument("--orders", type=int, default=20)
    parser.add_argument("--keep", help="numbers of entries, with commas: only these, of one history")
    args = parser.parse_args()
    began, entries = time.monotonic(), 0
    for seed in range(args.seed, args.seed + args.count):
        with remembered_proofs():
            history = generate(seed)
            if args.keep:
                history = kept(history, map(int, args.keep.split(",")))
            entries += len(history.entries)
            if failure := fault_of(history, args.orders):
                explain(history, failure, args.orders)
                return 1
        if sys.stderr.isatty() or (seed - args.seed + 1) % 100 == 0:
            spent = time.monotonic() - began
            print(f"{seed - args.seed + 1} histories, {entries} entries, {spent:.0f} s", file=sys.stderr)
    print(f"{args.count} histories from seed {args.seed}, {entries} entries, each in {args.orders} orders: all agree")
    return 0


def fault_of(history: History, orders: int) -> str:
    """What is not true of a history; empty when all is."""
    try:
        check(history, orders, history.seed)
    except Broken as broken:
        return str(broken)
    except (KeyError, ValueError, IndexError, AssertionError) as error:
        return f"{type(error).__name__}: {error}"
    return ""


def explain(history: History, failure: str, orders: int) -> None:
    """Print what failed, the smallest history found that fails alike, and how to have it again."""
    print(f"seed {history.seed}: {failure}")
    kind = failure.split(":", maxsplit=1)[0][:12]
    few = min(orders, SHRINKING_ORDERS)
    orders = few if fault_of(history, few) else orders
    numbers = shrink(history, lambda smaller: fault_of(smaller, orders).startswith(kind))
    small = kept(history, numbers)
    print(f"with {len(numbers)} of its {len(history.entries)} entries: {fault_of(small, orders)}")
    for number, entry in zip(numbers, small.entries, strict=True):
        print(described(number, entry))
    keep = ",".join(map(str, numbers))
    command = f".venv/bin/python -m tests.consensus.histories --seed {history.seed} --count 1 --orders {orders}"
    print(f"the whole:    {command}\nthe smallest: {command} --keep {keep}")


if __name__ == "__main__":
    sys.exit(main())
