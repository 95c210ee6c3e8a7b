"""Whose entries count (docs/rules.md, 1 and 2), and everything they say, in canonical order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from consensus import vrf
from consensus.ops import (
    AnyOp,
    Attest,
    Block,
    Checkpoint,
    Pulse,
    Report,
    Stake,
    Transfer,
    Unstake,
    Vouch,
    Witness,
    decode_ops,
)
from consensus.params import Params
from crdt.entry import Entry
from crdt.types import NO_ENTRY, EntryId, PlayerId, ledger_epoch

Place = tuple[int, int]  # epoch of the document, seq


class Said(NamedTuple):
    """One operation and where it stands."""

    epoch: int
    seq: int
    nth: int
    author: PlayerId
    entry: EntryId
    op: AnyOp


def place_of(entry: Entry) -> Place:
    epoch = ledger_epoch(entry.body.document)
    assert epoch is not None
    return epoch, entry.body.seq


def cuts_of(entries: Iterable[Entry], proven: Iterable[tuple[PlayerId, Place]] = ()) -> dict[PlayerId, Place]:
    """Where each forked chain is cut. `proven` are forks of which only a proof is held."""
    by_author: dict[PlayerId, dict[EntryId, Entry]] = {}
    for entry in entries:
        by_author.setdefault(entry.body.author, {})[entry.id] = entry
    forks: dict[PlayerId, list[Place]] = {}
    for author, place in proven:
        forks.setdefault(author, []).append(place)
    found = {}
    for author in by_author.keys() | forks.keys():
        cut = _cut_of(list(by_author.get(author, {}).values()), forks.get(author, []))
        if cut is not None:
            found[author] = cut
    return found


def _cut_of(entries: list[Entry], forks: list[Place]) -> Place | None:
    places = [place_of(entry) for entry in entries]
    faults = forks + [place for place in places if places.count(place) > 1]
    first_fork = min(faults, default=None)
    before = [entry for entry in entries if first_fork is None or place_of(entry) < first_fork]
    for one in before:
        for other in before:
            if one.id != other.id and one.body.prev == other.body.prev != NO_ENTRY:
                faults.append(min(place_of(one), place_of(other)))
            if one.body.prev == other.id and place_of(other) >= place_of(one):
                faults.append(place_of(one))
    return min(faults, default=None)


def said_by(params: Params, entries: Iterable[Entry], cuts: dict[PlayerId, Place]) -> list[Said]:
    """All operations that count, in canonical order."""
    said = []
    for entry in {entry.id: entry for entry in entries}.values():
        author, (epoch, seq) = entry.body.author, place_of(entry)
        if author in cuts and (epoch, seq) >= cuts[author]:
            continue
        ops, _ = decode_ops(entry.body.payload)
        for nth, op in enumerate(ops):
            if has_place(params, epoch, author, op) and is_formed(author, op):
                said.append(Said(epoch, seq, nth, author, entry.id, op))
    return sorted(said, key=lambda s: (s.epoch, s.seq, s.nth, s.author))


def has_place(params: Params, epoch: int, author: PlayerId, op: AnyOp) -> bool:
    if isinstance(op, Pulse):
        return op.window // params.epoch_windows == epoch and vrf.is_valid_key(op.vrf_key)
    if isinstance(op, Block):
        return epoch - op.window // params.epoch_windows in {0, 1}
    if isinstance(op, Attest):
        first, last = op.window // params.epoch_windows, (op.window + params.close_windows) // params.epoch_windows
        return first <= epoch <= last and author != op.proposer
    if isinstance(op, Checkpoint):
        return op.epoch + params.checkpoint_lag <= epoch
    return True


def is_formed(author: PlayerId, op: AnyOp) -> bool:
    if isinstance(op, Transfer | Stake | Unstake):
        origins = [lot.block for lot in op.lots]
        return origins == sorted(set(origins)) and not (isinstance(op, Transfer) and op.to == author)
    if isinstance(op, Witness):
        tags = [rating.tag for rating in op.ratings]
        return tags == sorted(set(tags)) and op.performer != author
    if isinstance(op, Vouch | Report):
        return op.player != author
    return True
