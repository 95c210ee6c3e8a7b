"""Reconciliation without I/O: from summaries to exactly the entries that are missing (SPEC 3).

Heads say, per log, how many entries a node holds, the id of the last and whether the log is frozen there.
Whoever holds fewer asks for the rest from its own length on, a frame at a time; the answerer keeps no state, so a
lost frame or a new connection costs one round trip and never an entry.

An id commits to all entries before it. So when the head of the shorter log is not the longer log's entry of that
number, the author wrote two histories that part at or below it, and above the parting all numbers differ. The holder
of the longer log searches: it asks for single entries at distances 1, 2, 4, ... from the last number known to differ.
An entry that differs and does not fit moves that number down (Log.parted) and so at least halves the distance; the
one that fits differs *at* the fork, proves it and freezes the author. The fork of two logs of n entries is found in
about log2(n) rounds of at most 2 log2(n) entries. Proofs are handed on until the heads are equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from crdt.entry import LogKey
from crdt.limits import ENTRIES_FRAME_BYTES, ENTRIES_PER_FRAME_MAX, ENTRIES_PER_LOG_MAX
from crdt.log import Head, Log
from crdt.replica import Replica
from crdt.summary import ALL_SHARES
from crdt.types import Nonce, PlayerId, Seq, ledger_epoch


class Want(NamedTuple):
    """Entries of a log from a number on, up to (not including) `stop`."""

    log: LogKey
    start: Seq
    stop: Seq


class Comparison(NamedTuple):
    """What a summary tells: what to ask for, how many entries that is, and how many the other side lacks."""

    wants: tuple[Want, ...]
    missing: int
    lacking: int
    proofs_due: tuple[LogKey, ...]  # we hold a proof against these authors that the other side does not know


def compare(
    replica: Replica, theirs: Sequence[Head], giver: PlayerId | None = None, shares: Iterable[int] = ALL_SHARES
) -> Comparison:
    """Hold another node's heads, all it has in some shares, against one's own. Naming the node spares it searches
    meant for others."""
    wants: list[Want] = []
    missing = 0
    lacking = 0
    proofs_due: list[LogKey] = []
    for head in theirs:
        key = LogKey(head.author, Nonce(head.nonce))
        log = replica.log(key)
        ours, length = len(log), min(head.length, ENTRIES_PER_LOG_MAX)
        frozen = log.frozen_at is not None
        if frozen and (length > ours or (length == ours and not head.frozen)):
            proofs_due.append(key)
        if length > ours and not frozen and replica.has_room(key):
            # After a first entry of another history, one at a time is enough to learn that this has changed.
            wants.append(Want(key, Seq(ours), Seq(ours + 1 if giver in log.parted else length)))
            missing += length - ours
        lacking += max(0, ours - length) if not head.frozen else 0
        if 0 < length <= ours and log.entries[length - 1].id != head.head:
            wants.extend(_search(log, length, giver))
    seen = {(head.author, head.nonce) for head in theirs}
    for key in [key for key in replica.summary.keys(shares) if key not in seen]:
        if replica.logs[key].entries:
            lacking += len(replica.logs[key])
        else:  # a fork of the first number: there are no entries by which they would hear of this log
            proofs_due.append(key)
    return Comparison(tuple(wants), missing, lacking, tuple(proofs_due))


def _search(log: Log, stop: int, giver: PlayerId | None) -> Iterator[Want]:
    """Single entries below `stop` that narrow down where two histories part, highest first: so the last one that
    is answered with a difference is the lowest."""
    known = {stop - 1, *log.parted.values()} if giver is None else {log.parted.get(giver, Seq(stop - 1))}
    steps = [1 << bit for bit in range(stop.bit_length())]
    numbers = {0, stop - 1}
    for number in known:
        numbers.update((number, *(number - step for step in steps), *(number + step for step in steps)))
    for number in sorted(numbers, reverse=True):
        if 0 <= number < stop:
            yield Want(log.key, Seq(number), Seq(number + 1))


def serve(replica: Replica, log: LogKey, start: Seq, stop: Seq) -> tuple[bytes, ...]:
    """The signed entries asked for, as many as fit one frame; none when they are not held."""
    held = replica.logs.get(log)
    if held is None or start >= len(held):
        return ()
    out: list[bytes] = []
    size = 0
    for entry in held.entries[start : min(stop, len(held))]:
        size += len(entry.raw) + 5
        if out and (size > ENTRIES_FRAME_BYTES or len(out) >= ENTRIES_PER_FRAME_MAX):
            break
        out.append(entry.raw)
    return tuple(out)


def newest_first(names: Sequence[str]) -> list[str]:
    """Ledger documents from the newest epoch down, then jam documents: what to catch up with first."""

    def order(name: str) -> tuple[int, int, str]:
        epoch = ledger_epoch(name)
        return (1, 0, name) if epoch is None else (0, -epoch, name)

    return sorted(names, key=order)
