"""`make bench`: what the things that are done most cost on this machine. Prints figures, judges nothing."""

from __future__ import annotations

import sys

from bench import checkpoint, crdt, guests, ledger, room, selection, store, window

USAGE = """usage: python -m bench [checkpoint|crdt|guests|ledger|room|selection|store|window]
quality has a program of its own, as it needs recordings: python -m bench.quality --groove DIR
what is counted rather than timed has programs of its own too: bench.draws (make fairness), bench.odds (make odds)
how a mesh grows, and other simulators: bench.scale (make scale); a start on a long ledger: bench.start (make starts)
what nodes cost while nobody plays: bench.idle (make idle)"""

PARTS = {
    "checkpoint": checkpoint.main,
    "crdt": crdt.main,
    "guests": guests.main,
    "ledger": ledger.main,
    "room": room.main,
    "selection": selection.main,
    "store": store.main,
    "window": window.main,
}


def main() -> int:
    """Run the parts named, or all."""
    names = sys.argv[1:] or list(PARTS)
    if not set(names) <= set(PARTS):
        print(USAGE, file=sys.stderr)
        return 2
    for name in names:
        print(f"== {name}")
        PARTS[name]([])
    return 0


if __name__ == "__main__":
    sys.exit(main())
