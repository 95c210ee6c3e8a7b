"""One author's log in one document, and the proof that an author wrote two.

An entry is *valid* when the links from it lead back to number 0. Two valid entries at one number follow the same
entry, and they are the proof: any two such histories part at exactly one number, however long they grow apart, and
the pair that stands there can be checked by anyone. A log only grows, except that a proven fork at number s cuts it
to its s common entries for good: the longest prefix on which all replicas agree, whichever branch they saw first.
"""

from __future__ import annotations

from typing import NamedTuple

from crdt.entry import Entry, LogKey
from crdt.errors import Misuse, Reason, Violation
from crdt.types import NO_ENTRY, EntryId, PlayerId, Seq, continues


class Equivocation(NamedTuple):
    """Two different signed entries at one place of one log: proof against their author, checkable by anyone.

    Ordered by id, so that the same pair is the same proof.
    """

    first: Entry
    second: Entry

    @property
    def seq(self) -> Seq:
        """Where the log forks."""
        return self.first.body.seq


def prove_equivocation(one: Entry, other: Entry) -> Equivocation:
    """The proof that two verified entries make; Violation BAD_PROOF when they do not fork one log.

    Two entries of one number with different predecessors are no proof yet: the fork lies further down, where
    reconciliation finds it. The numbers 0 of a document that continues another may link to different entries there.
    """
    a, b = one.body, other.body
    if (a.network, a.document, one.log, a.seq) != (b.network, b.document, other.log, b.seq) or one.id == other.id:
        raise Violation(Reason.BAD_PROOF, "these two entries do not contradict each other")
    if a.seq and a.prev != b.prev:
        raise Violation(Reason.BAD_PROOF, "these two entries do not follow the same one")
    return Equivocation(one, other) if one.id < other.id else Equivocation(other, one)


class Head(NamedTuple):
    """Summary of one log: its author and nonce, how many entries, the last one's id, whether frozen there."""

    author: PlayerId
    nonce: bytes
    length: int
    head: EntryId
    frozen: bool


class Log:
    """Entries 0..n-1 of one author in one document. A frozen log has exactly `frozen_at` entries.

    `parted` remembers, for each giver, the number at which it last gave an entry of another history than this one:
    where to search for the fork (crdt/reconcile.py). It is a hint, and no part of the state.
    """

    __slots__ = ("_summary", "entries", "frozen_at", "key", "parted")

    def __init__(self, key: LogKey) -> None:
        self.key = key
        self.entries: list[Entry] = []
        self.frozen_at: Seq | None = None
        self.parted: dict[PlayerId, Seq] = {}
        self._summary: Head | None = None

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def head(self) -> EntryId:
        """Id of the last entry, zeros for an empty log."""
        return self.entries[-1].id if self.entries else NO_ENTRY

    def summary(self) -> Head:
        """What others are told about this log: asked for far more often than it changes."""
        known = self._summary
        if known is None or known.length != len(self.entries) or known.frozen != (self.frozen_at is not None):
            frozen = self.frozen_at is not None
            known = self._summary = Head(self.key.author, self.key.nonce, len(self.entries), self.head, frozen)
        return known

    def append(self, entry: Entry) -> None:
        """Add the next entry. Violation when it does not follow; Misuse when it is of another log."""
        if (entry.body.author, entry.body.nonce) != self.key:
            raise Misuse("an entry of another log")
        if self.frozen_at is not None and entry.body.seq >= self.frozen_at:
            raise Violation(Reason.FROZEN, f"frozen at {self.frozen_at}")
        if entry.body.seq != len(self.entries):
            raise Violation(Reason.GAP, f"entry {entry.body.seq} after {len(self.entries)} entries")
        if not self.links(entry):
            raise Violation(Reason.WRONG_PREV, f"entry {entry.body.seq} follows another entry")
        self.entries.append(entry)

    def links(self, entry: Entry) -> bool:
        """Whether an entry, numbered at most one past the last, follows the entry before it here."""
        seq, prev = entry.body.seq, entry.body.prev
        if seq:
            return prev == self.entries[seq - 1].id
        # A log that goes on in a new document links into the author's earlier one, which may not be held any more.
        # In the ledger the fold judges such links (a branch there is an equivocation too).
        return prev == NO_ENTRY or continues(entry.body.document)

    def freeze(self, seq: Seq) -> list[Entry]:
        """Cut the log at a proven fork and return what was cut. A later proof only ever lowers the cut."""
        if seq > len(self.entries):
            raise Misuse("a fork beyond the log's end is not proven yet")
        self.frozen_at = seq
        cut = self.entries[seq:]
        del self.entries[seq:]
        self.parted.clear()
        return cut
