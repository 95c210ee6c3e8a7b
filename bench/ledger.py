"""What folding the ledger costs on one core: operations a second, and the root after each batch, as history grows.

Run with `python -m bench.ledger [--epochs N]`. Entries are taken as verified (bench/crdt.py has what that costs), and
so are the proofs by which verifiers show that they were drawn: 0.8 ms each, once. Entries come in batches, in the order
in which they were written, and the root is asked for after each batch. Times are of the processor, not of the clock on
the wall, each batch's the best of three runs: what else runs on the machine counts less. The first and the last epoch
are shown apart: a cost that grows with history would show there.
"""

from __future__ import annotations

import argparse
import functools
import gc
import time
from collections.abc import Iterator
from typing import NamedTuple

from bench.author import NETWORK, Author
from consensus import vrf
from consensus.ledger import Ledger
from consensus.lots import Place
from consensus.ops import (
    AnyOp,
    Attest,
    Block,
    LotRef,
    Measures,
    Pulse,
    Stake,
    Transfer,
    Vote,
    Vouch,
    Why,
    block_id,
)
from consensus.params import MAIN
from consensus.selection import draw
from crdt.canonical import digest
from crdt.entry import Entry
from crdt.types import (
    NO_NONCE,
    Digest,
    EntryId,
    Epoch,
    MicroJam,
    NetworkId,
    Seq,
    SessionId,
    Window,
    jam_document,
)

FIRST = Epoch(100)
SESSION = SessionId(b"\x11" * 32)
PERFECT = Measures(*[65_536] * len(Measures.__struct_fields__))
RUNS = 3
Batch = list[Entry]


class Mesh:
    """Players, and a ledger that tells them whom they may verify and what they hold."""

    def __init__(self, count: int, network: NetworkId = NETWORK) -> None:
        self.writers = [Author(number, network) for number in range(count)]
        self.ledger = Ledger(MAIN, network)

    def publish(self, batch: Batch) -> Batch:
        """Everybody has seen these."""
        for entry in batch:
            self.ledger.add(entry)
        return batch

    def window(self, window: Window, proposers: list[Author]) -> Iterator[Batch]:
        """All are there, some propose, and those who are drawn vote, each in one entry."""
        epoch = MAIN.epoch_of(window)
        salt = window.to_bytes(16, "big")
        yield self.publish([w.write(epoch, Pulse(window, salt, w.vrf_key)) for w in self.writers])
        blocks = {proposer: self._block(window, proposer) for proposer in proposers}
        yield self.publish([proposer.write(epoch, block) for proposer, block in blocks.items()])
        votes = [(w, tuple(self._votes(w, window, blocks))) for w in self.writers]
        yield self.publish([w.write(epoch, *ops) for w, ops in votes if ops])

    def _block(self, window: Window, proposer: Author) -> Block:
        head = EntryId(digest(b"bench", window.to_bytes(8, "big"), proposer.player))
        document = jam_document(SESSION)
        return Block(window, SESSION, document, NO_NONCE, Seq(0), Seq(9), head, Digest(head), PERFECT, True, ())

    def _votes(self, writer: Author, window: Window, blocks: dict[Author, Block]) -> Iterator[Attest]:
        for proposer, block in blocks.items():
            electorate = self.ledger.eligible(window, proposer.player)
            elector = electorate.get(writer.player)
            alpha = self.ledger.draw_input(proposer.player, window)
            if elector is not None:
                drawn = draw(MAIN, writer.vrf_seed, alpha, elector.weight, electorate.weight)
                if drawn is not None:
                    of = block_id(proposer.player, block)
                    yield Attest(of, proposer.player, window, Vote.YES, Why.FINE, drawn.tranche, drawn.proof)

    def trade(self, epoch: Epoch, each: int, per_entry: int) -> Iterator[Batch]:
        """Everybody who has coins pays others in small parts, stakes some, and vouches for somebody."""
        ops = {writer: list(self._payments(writer, epoch, each)) for writer in self.writers}
        while any(ops.values()):
            batch = []
            for writer, left in ops.items():
                if left:
                    batch.append(writer.write(epoch, *left[:per_entry]))
                    ops[writer] = left[per_entry:]
            yield self.publish(batch)

    def _payments(self, writer: Author, epoch: Epoch, each: int) -> Iterator[AnyOp]:
        lots = [lot for lot in self.ledger.lots(writer.player) if lot.place in (Place.FREE, Place.COMING)]
        for n in range(each):
            away = 1 + (n * 7 + epoch) % (len(self.writers) - 1)
            other = self.writers[(self.writers.index(writer) + away) % len(self.writers)]
            if not lots:
                yield Vouch(other.player)
                continue
            lot = lots[n % len(lots)]
            part = (LotRef(lot.block, MicroJam(max(1, lot.amount_micro // (2 * each)))),)
            yield Stake(part) if n % 16 == 15 else Transfer(other.player, part, "")


class Cost(NamedTuple):
    """Of one batch: seconds for taking it in, and for the root after it."""

    fold_s: float
    root_s: float


def measure(batches: list[Batch]) -> list[Cost]:
    """Fresh ledgers take all of it in; the best that each batch had. The collector leaves out what is measured with."""
    gc.collect()
    gc.freeze()
    runs = []
    for _ in range(RUNS):
        ledger, costs = Ledger(MAIN, NETWORK), []
        for batch in batches:
            began = time.process_time()
            for entry in batch:
                ledger.add(entry)
            ledger.counts()  # settles
            folded = time.process_time()
            ledger.root()
            costs.append(Cost(folded - began, time.process_time() - folded))
        runs.append(costs)
    return [Cost(*map(min, zip(*of_one, strict=True))) for of_one in zip(*runs, strict=True)]


class Plan(NamedTuple):
    """What is played: how many propose in a window, operations of each player in an epoch and in an entry."""

    name: str
    players: int
    proposers: int
    each: int
    per_entry: int


PLANS = (
    Plan("a mesh of 12", 12, 4, 30, 4),
    Plan("payments, 1 an entry", 40, 0, 100, 1),
    Plan("payments, 16 an entry", 40, 0, 100, 16),
)


def history(plan: Plan, epochs: int) -> list[list[Batch]]:
    """Batches by epoch. The first epoch mints coins."""
    mesh, first = Mesh(plan.players), FIRST * MAIN.epoch_windows
    minting = range(first, first + MAIN.epoch_windows, 1 if plan.proposers else 6)
    out = [[batch for window in minting for batch in mesh.window(Window(window), mesh.writers[:4])]]
    for epoch in range(FIRST + 1, FIRST + 1 + epochs):
        windows = range(epoch * MAIN.epoch_windows, (epoch + 1) * MAIN.epoch_windows, 3) if plan.proposers else ()
        batches: list[Batch] = []
        for window in windows:
            batches += mesh.window(Window(window), mesh.writers[window % 3 : window % 3 + plan.proposers])
        out.append([*batches, *mesh.trade(Epoch(epoch), plan.each, plan.per_entry)])
    return out


def show(plan: Plan, epochs: int) -> None:
    """One row for all, one for each end of the history."""
    written = history(plan, epochs)
    batches = [batch for epoch in written for batch in epoch]
    ops = [sum(map(ops_in, batch)) for batch in batches]
    rows = list(zip(ops, measure(batches), strict=True))
    skip, last = len(written[0]), len(written[-1])
    parts = {"all": rows[skip:], "first epoch": rows[skip : skip + len(written[1])], "last epoch": rows[-last:]}
    for part, of in parts.items():
        count, fold_s, root_s = sum(n for n, _ in of), sum(c.fold_s for _, c in of), sum(c.root_s for _, c in of)
        each = f"{fold_s / count * 1e6:8.1f} {root_s / count * 1e6:8.1f} {root_s / len(of) * 1e3:9.2f}"
        print(f"{plan.name:24} {part:12} {count:7} {count / len(of):6.0f} {count / (fold_s + root_s):9.0f} {each}")


def main(argv: list[str] | None = None) -> None:
    """Life of a mesh, then payments among many."""
    parser = argparse.ArgumentParser(prog="python -m bench.ledger", description=__doc__)
    parser.add_argument("--epochs", type=int, default=12)
    epochs = parser.parse_args(argv).epochs
    vrf.verify = functools.cache(vrf.verify)
    print(f"{'':24} {'':12} {'ops':>7} {'/batch':>6} {'ops/s':>9} {'fold us':>8} {'root us':>8} {'root ms':>9}")
    for plan in PLANS:
        show(plan, epochs)


def ops_in(entry: Entry) -> int:
    """How many operations an entry holds: the payload is their list."""
    return entry.body.payload[0] & 15 if entry.body.payload[0] < 0xA0 else entry.body.payload[2]


if __name__ == "__main__":
    main()
