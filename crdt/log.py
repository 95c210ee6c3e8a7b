"""One author's log in one document, and the proof that an author wrote two.

A log only grows, except that a proven equivocation at number s cuts it to s entries for good: that is the longest
prefix which every replica agrees about, whichever branch it saw first.
"""

from __future__ import annotations

from typing import NamedTuple

from crdt.entry import Entry, LogKey
from crdt.errors import Misuse, Reason, Violation
from crdt.types import NO_ENTRY, EntryId, Seq, ledger_epoch


class Equivocation(NamedTuple):
    """Two different signed entries at one place of one log: proof against their author, checkable by anyone.

    Ordered by id, so that the same pair is the same proof.
    """

    first: Entry
    second: Entry

    @property
    def seq(self) -> Seq:
        """Where the log forks, as far as this pair tells."""
        return self.first.body.seq


def prove_equivocation(one: Entry, other: Entry) -> Equivocation:
    """The proof that two verified entries make; UNEXPECTED when they do not contradict each other."""
    a, b = one.body, other.body
    if (a.document, one.log, a.seq) != (b.document, other.log, b.seq) or one.id == other.id:
        raise Violation(Reason.BAD_PROOF, "these two entries do not contradict each other")
    return Equivocation(one, other) if one.id < other.id else Equivocation(other, one)


class Log:
    """Entries 0..n-1 of one author in one document."""

    __slots__ = ("entries", "frozen_at", "key")

    def __init__(self, key: LogKey) -> None:
        self.key = key
        self.entries: list[Entry] = []
        self.frozen_at: Seq | None = None

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def head(self) -> EntryId:
        """Id of the last entry, zeros for an empty log."""
        return self.entries[-1].id if self.entries else NO_ENTRY

    def append(self, entry: Entry) -> None:
        """Add the next entry. Violation when it does not follow; Misuse when it is of another log."""
        if entry.log != self.key:
            raise Misuse("an entry of another log")
        if self.frozen_at is not None and entry.body.seq >= self.frozen_at:
            raise Violation(Reason.FROZEN, f"frozen at {self.frozen_at}")
        if entry.body.seq != len(self.entries):
            raise Violation(Reason.GAP, f"entry {entry.body.seq} after {len(self.entries)} entries")
        if not self._links(entry):
            raise Violation(Reason.WRONG_PREV, f"entry {entry.body.seq} follows another entry")
        self.entries.append(entry)

    def _links(self, entry: Entry) -> bool:
        if self.entries:
            return entry.body.prev == self.entries[-1].id
        # A ledger log begins with a link into an earlier epoch's document, which may not be held any more;
        # the fold judges such links (a branch there is an equivocation too).
        return entry.body.prev == NO_ENTRY or ledger_epoch(entry.body.document) is not None

    def freeze(self, seq: Seq) -> list[Entry]:
        """Cut the log at a proven fork and return what was cut. A later proof only ever lowers the cut."""
        if self.frozen_at is None or seq < self.frozen_at:
            self.frozen_at = seq
        cut = self.entries[self.frozen_at :]
        del self.entries[self.frozen_at :]
        return cut
