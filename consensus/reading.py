"""What one entry of the ledger says, read once when it comes."""

from __future__ import annotations

import msgspec

from consensus.chains import Position, Source
from consensus.facts import Facts
from consensus.ops import AnyOp, decode_ops
from crdt.entry import Entry


class Said(msgspec.Struct, frozen=True, eq=False, gc=False):
    """What an entry says, whether it counts or not. Skipped operations are of later versions."""

    place: Position
    ops: tuple[tuple[Source, AnyOp], ...]  # those that have a place in its document
    skipped: int
    misplaced: int


def read(entry: Entry, place: Position, facts: Facts) -> Said:
    """What an entry at this place says."""
    author = entry.body.author
    ops, skipped = decode_ops(entry.body.payload)
    fit = tuple(
        (Source(place.epoch, place.seq, nth, author, entry.id), op)
        for nth, op in enumerate(ops)
        if facts.has_place(place.epoch, author, op)
    )
    return Said(place, fit, skipped, len(ops) - len(fit))
