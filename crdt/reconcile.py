"""Reconciliation without I/O: from summaries to exactly the entries that are missing (SPEC 3).

A summary says, per log, how many entries a node holds and the id of the last. Whoever holds fewer asks for the rest
from its own length on, a frame at a time; the answerer keeps no state, so a lost frame or a new connection costs one
round trip and never an entry. Equal lengths with different heads are a fork: either side asks for the other's last
entries, and two that differ at one number prove it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from crdt.entry import LogKey
from crdt.limits import ENTRIES_FRAME_BYTES
from crdt.replica import Head, Replica
from crdt.types import Nonce, Seq

FORK_LOOKBACK = 200  # entries re-read per round to find where two branches part


class Want(NamedTuple):
    """Entries of a log from a number on, up to (not including) `stop`."""

    log: LogKey
    start: Seq
    stop: Seq


class Comparison(NamedTuple):
    """What a summary tells: what to ask for, how many entries that is, and whether the other side lacks any."""

    wants: tuple[Want, ...]
    missing: int
    they_lack: bool
    proofs_due: tuple[LogKey, ...]  # we hold a proof against these authors that the other side does not know


def compare(replica: Replica, theirs: Sequence[Head]) -> Comparison:
    """Hold another node's heads against one's own."""
    wants: list[Want] = []
    missing = 0
    they_lack = False
    proofs_due: list[LogKey] = []
    seen: set[LogKey] = set()
    for head in theirs:
        key = LogKey(head.author, Nonce(head.nonce))
        seen.add(key)
        log = replica.logs.get(key)
        ours = len(log) if log else 0
        frozen_at = log.frozen_at if log else None
        if frozen_at is not None:
            if not head.frozen or head.length > frozen_at:
                proofs_due.append(key)
            if head.length >= frozen_at or ours >= frozen_at:
                wants.extend(_missing_below(key, ours, min(head.length, frozen_at)))
                they_lack |= head.length < ours
                continue
        if head.length > ours:
            wants.append(Want(key, Seq(ours), Seq(head.length)))
            missing += head.length - ours
        elif head.length < ours:
            they_lack = True
        if log and 0 < head.length <= ours and log.entries[head.length - 1].id != head.head:
            wants.append(Want(key, Seq(max(0, head.length - FORK_LOOKBACK)), Seq(head.length)))
    they_lack |= any(h.length and LogKey(h.author, Nonce(h.nonce)) not in seen for h in replica.heads())
    return Comparison(tuple(wants), missing, they_lack, tuple(proofs_due))


def _missing_below(key: LogKey, ours: int, stop: int) -> list[Want]:
    return [Want(key, Seq(ours), Seq(stop))] if ours < stop else []


def serve(replica: Replica, log: LogKey, start: Seq, stop: Seq) -> tuple[bytes, ...]:
    """The signed entries asked for, as many as fit one frame; none when they are not held."""
    held = replica.logs.get(log)
    if held is None or start >= len(held):
        return ()
    out: list[bytes] = []
    size = 0
    for entry in held.entries[start : min(stop, len(held))]:
        if size and size + len(entry.raw) > ENTRIES_FRAME_BYTES:
            break
        out.append(entry.raw)
        size += len(entry.raw) + 5
    return tuple(out)


def newest_first(names: Sequence[str]) -> list[str]:
    """Ledger documents from the newest epoch down, then jam documents: what to catch up with first."""

    def order(name: str) -> tuple[int, int, str]:
        head, _, rest = name.partition("/")
        return (0, -int(rest), name) if head == "ledger" else (1, 0, name)

    return sorted(names, key=order)
