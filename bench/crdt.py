"""What signed logs cost on one core: signing, opening, admitting, fetching, the search for a fork, the Yjs view.

Run with `python -m bench.crdt [--entries N]`. Every figure is the best of three runs: on a shared machine that is the
one least disturbed. It prints figures and asserts nothing.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

from crdt.entry import Entry, LogKey, first_body, next_body, open_entry, sign
from crdt.errors import Violation
from crdt.gate import entries_of
from crdt.keys import Identity
from crdt.reconcile import compare, serve
from crdt.replica import Replica
from crdt.types import NO_NONCE, NetworkId, PlayerId, Seq, SessionId, jam_document
from crdt.view import View

NETWORK = NetworkId(b"a network to measure".ljust(32, b"."))
DOCUMENT = jam_document(SessionId(b"\x11" * 32))
PLAYER = Identity(b"\x01" * 32)
GIVER = PlayerId(bytes(32))
PAYLOAD_BYTES = 24
RUNS = 3


def written(count: int, after: Entry | None = None, label: bytes = b"") -> list[Entry]:
    """So many entries of one log, each following the one before."""
    out: list[Entry] = []
    for number in range(count):
        payload = (label + b"%d" % number).ljust(PAYLOAD_BYTES, b".")
        if after is None:
            body = first_body(NETWORK, DOCUMENT, LogKey(PLAYER.player, NO_NONCE), payload)
        else:
            body = next_body(after, payload)
        after = sign(PLAYER, NETWORK, body)
        out.append(after)
    return out


def filled(entries: list[Entry]) -> Replica:
    """A replica that holds these."""
    replica = Replica(NETWORK, DOCUMENT)
    replica.restore(iter(entries))
    return replica


def fetch(asker: Replica, answerer: Replica) -> int:
    """One exchange: everything asked for, frame by frame, verified and admitted; returns how many entries came."""
    found = compare(asker, answerer.heads(), GIVER)
    came = 0
    for want in found.wants:
        start = want.start
        while start < want.stop and (raws := serve(answerer, want.log, start, want.stop)):
            start, came = Seq(start + len(raws)), came + len(raws)
            for raw in raws:
                take(asker, raw)
    for key in found.proofs_due:
        answerer.freeze(asker.equivocations[key])
    return came


def take(replica: Replica, raw: bytes) -> None:
    """Admit an entry that may belong to another history."""
    entry = replica.open(raw)
    try:
        replica.admit(entry, GIVER)
    except Violation as violation:
        if entry.log not in replica.logs:
            raise AssertionError(violation) from violation


def best_s(act: Callable[[], object]) -> float:
    """Seconds of the fastest run."""
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        act()
        times.append(time.perf_counter() - began)
    return min(times)


def show(what: str, seconds: float, count: int) -> None:
    """One line of the table."""
    print(f"{what:<58} {seconds:9.3f} s {seconds / count * 1e6:9.1f} us each {count / seconds:10,.0f} /s")


def measure_entries(count: int) -> list[Entry]:
    """Signing, opening and admitting."""
    show("sign", best_s(lambda: written(count)), count)
    entries = written(count)
    raws = [entry.raw for entry in entries]
    print(f"{'bytes of an entry with a payload of ' + str(PAYLOAD_BYTES):<58} {len(raws[-1]):9}")
    show("open (decode, re-encode, verify)", best_s(lambda: [open_entry(NETWORK, raw) for raw in raws]), count)
    show("admit, in order", best_s(lambda: admit_all(entries)), count)
    backwards = entries[:512][::-1]
    show("admit 512 backwards (held, then released)", best_s(lambda: admit_all(backwards)), len(backwards))
    replica = filled(entries)
    show("admit again", best_s(lambda: [replica.admit(entry, GIVER) for entry in entries]), count)
    return entries


def admit_all(entries: list[Entry]) -> None:
    """Into an empty replica."""
    replica = Replica(NETWORK, DOCUMENT)
    for entry in entries:
        replica.admit(entry, GIVER)


def measure_exchange(entries: list[Entry]) -> None:
    """Fetching a whole log, and finding where two part."""
    count, full = len(entries), filled(entries)
    show("fetch all from a peer (serve, open, admit)", best_s(lambda: fetch(Replica(NETWORK, DOCUMENT), full)), count)
    fork = count // 3
    other = filled(entries[:fork] + written(count - fork, entries[fork - 1], b"b"))
    rounds = came = 0
    began = time.perf_counter()
    while full.digest() != other.digest():
        came += fetch(full, other) + fetch(other, full)
        rounds += 1
    seconds = time.perf_counter() - began
    print(
        f"{f'find a fork {count - fork} entries deep':<58} {seconds:9.3f} s "
        f"{rounds} rounds, {came} entries, frozen at {next(iter(full.logs.values())).frozen_at} of {fork}"
    )


def measure_view(entries: list[Entry]) -> None:
    """The Y.Doc: from nothing, one entry more, and back through the gate."""
    count, replica = len(entries), filled(entries[:-1])
    show("view from nothing", best_s(lambda: View(replica).refresh()), count - 1)
    view = View(replica)
    view.refresh()
    replica.restore(iter(entries[-1:]))
    began = time.perf_counter()
    view.refresh()
    show("view after one entry more", time.perf_counter() - began, 1)
    show("view.update()", best_s(view.update), count)
    update = view.update()
    empty = Replica(NETWORK, DOCUMENT)
    show("gate: the whole document as one update", best_s(lambda: entries_of(empty, update)), count)
    show("gate: the same, all of it held", best_s(lambda: entries_of(replica, update)), count)


def main(argv: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=20_000, help="entries in the log (default: %(default)s)")
    count = parser.parse_args(argv).entries
    if count < 1_000:
        sys.exit("at least 1000 entries: fewer measure nothing")
    entries = measure_entries(count)
    measure_exchange(entries)
    measure_view(entries)


if __name__ == "__main__":
    main()
