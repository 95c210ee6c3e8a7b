"""What starting from a checkpoint costs on one core: writing its content, reading it, and the entries after it.

Run with `python -m bench.checkpoint [--entries N]`. Forty players are there in every window, one of them has a block
voted on in every third one, and they pay one another. Entries are taken as verified, and so are the proofs by which
verifiers show that they were drawn, as in bench/ledger.py. The collector is off meanwhile, as it is when a node starts.
Times are of the processor.
"""

from __future__ import annotations

import argparse
import functools
import sys
import time
from itertools import count

from bench.ledger import FIRST, NETWORK, Batch, Mesh, ops_in
from consensus import vrf
from consensus.content import pack, unpack
from consensus.ledger import Ledger
from consensus.params import MAIN
from crdt.entry import Entry
from crdt.types import Epoch, Window
from node.shell.collector import no_collecting, spare_what_stands

PLAYERS = 40
EPOCHS_BEFORE = 3
PAYMENTS = 30  # of each player in an epoch


def epoch_of(mesh: Mesh, epoch: int) -> list[Batch]:
    """All that is said in one epoch."""
    batches: list[Batch] = []
    for n in range(MAIN.epoch_windows):
        proposers = [mesh.writers[(epoch + n) % PLAYERS]] if n % 3 == 0 else []
        batches += mesh.window(Window(epoch * MAIN.epoch_windows + n), proposers)
    return batches + list(mesh.trade(Epoch(epoch), PAYMENTS, 1))


def main(argv: list[str] | None = None) -> None:
    """Print what each step costs."""
    parser = argparse.ArgumentParser(prog="python -m bench.checkpoint", description=__doc__)
    parser.add_argument("--entries", type=int, default=100_000)
    wanted = parser.parse_args(argv).entries
    vrf.verify = functools.cache(vrf.verify)
    mesh, entries = Mesh(PLAYERS), list[Entry]()
    last = Epoch(FIRST + EPOCHS_BEFORE - 1)
    for epoch in range(FIRST, last + 1):
        epoch_of(mesh, epoch)
    began = time.process_time()
    raw = pack(mesh.ledger.content_at(last))
    written_s = time.process_time() - began
    mesh.ledger.restart(unpack(raw), [])  # it is final: from here on it makes the seeds, by which verifiers are drawn
    for epoch in count(last + 1):
        entries += [entry for batch in epoch_of(mesh, epoch) for entry in batch]
        if len(entries) >= wanted:
            break
    spare_what_stands()
    with no_collecting():
        began = time.process_time()
        ledger = Ledger(MAIN, NETWORK, unpack(raw))
        read = time.process_time()
        for entry in entries:
            ledger.add(entry)
        is_same = ledger.root() == mesh.ledger.root()
        done = time.process_time()
    ops = sum(map(ops_in, entries))
    print(f"content of {len(raw)} bytes: written in {written_s:.3f} s, begun with in {read - began:.3f} s")
    print(f"{len(entries)} entries with {ops} operations after it, and the root: {done - read:.2f} s")
    if not is_same:
        sys.exit("the root is another than that of who was there")


if __name__ == "__main__":
    main()
