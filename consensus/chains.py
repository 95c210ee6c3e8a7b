"""Each author's ledger as one chain through all epochs, and where it was cut because it forked.

A ledger has one writer and no order but its own, so the one thing that can go wrong in it is two entries where there
is room for one. That shows in two ways. A *fork*: two entries at one position of one document. A *branch*: two
entries that name the same predecessor (one in this epoch's document, one in the next), or one placed before the
entry that it names as its predecessor. Either is proof against the author, whose entries from there on do not count.

Replicas agree about where the earliest fork is and about every entry before it, but not about what stands beyond:
nobody passes on a third entry for a place that is already disputed. So forks are settled first and branches are
looked for only among entries before the earliest fork. Both are minima over sets, and do not depend on what came
first.

`NO_ENTRY` is no predecessor: a player that lost everything but its seed may begin again in a later epoch.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from crdt.entry import Entry
from crdt.errors import Misuse
from crdt.types import NO_ENTRY, EntryId, Epoch, PlayerId, Seq, ledger_epoch


class Position(NamedTuple):
    """Where an entry stands in its author's chain. Compares in the chain's order."""

    epoch: Epoch
    seq: Seq


class Source(msgspec.Struct, frozen=True, order=True, gc=False):
    """Which operation of which entry says a thing. Compares in canonical order."""

    epoch: Epoch
    seq: Seq
    nth: int
    author: PlayerId
    entry: EntryId


def position_of(entry: Entry) -> Position:
    """Position of a ledger entry; Misuse for any other document."""
    epoch = ledger_epoch(entry.body.document)
    if epoch is None:
        raise Misuse(f"{entry.body.document} is not part of the ledger")
    return Position(epoch, entry.body.seq)


class _Chain:
    """One author's entries, those beyond a cut too: a fork found later may show that a branch was none."""

    def __init__(self) -> None:
        self.at: dict[Position, EntryId] = {}
        self.position: dict[EntryId, Position] = {}
        self.prev: dict[EntryId, EntryId] = {}
        self.top: Position | None = None
        self._fork: Position | None = None
        self._branch: Position | None = None
        self._follower: dict[EntryId, Position] = {}  # earliest entry before the fork that names this predecessor

    @property
    def cut(self) -> Position | None:
        """From where on nothing counts."""
        if self._fork is None or self._branch is None:
            return self._branch if self._fork is None else self._fork
        return min(self._fork, self._branch)

    def add(self, entry: Entry, here: Position) -> None:
        """Record an entry not known before."""
        self.position[entry.id] = here
        self.prev[entry.id] = entry.body.prev
        if self.top is None or here > self.top:
            self.top = here
        if self.at.setdefault(here, entry.id) != entry.id:
            self.fork_at(here)
        else:
            self._link(entry.id, here)

    def fork_at(self, place: Position) -> None:
        """Two entries stand here. Branches are looked for anew, among what is before."""
        if self._fork is not None and self._fork <= place:
            return
        self._fork, self._branch = place, None
        self._follower.clear()
        for entry, here in self.position.items():
            self._link(entry, here)

    def _link(self, entry: EntryId, here: Position) -> None:
        if self._is_disputed(here):
            return
        prev = self.prev[entry]
        if prev != NO_ENTRY:
            other = self._follower.get(prev)
            if other is not None and other != here:
                self._branch_at(min(here, other))
            self._follower[prev] = here if other is None else min(here, other)
            before = self.position.get(prev)
            if before is not None and before >= here and not self._is_disputed(before):
                self._branch_at(here)
        after = self._follower.get(entry)
        if after is not None and after <= here:
            self._branch_at(after)

    def _is_disputed(self, place: Position) -> bool:
        return self._fork is not None and place >= self._fork

    def _branch_at(self, place: Position) -> None:
        self._branch = place if self._branch is None else min(self._branch, place)


class Chains:
    """All authors' chains. Memory is one id per entry held."""

    def __init__(self) -> None:
        self._chains: defaultdict[PlayerId, _Chain] = defaultdict(_Chain)
        self._cuts: dict[PlayerId, Position] = {}

    def add(self, entry: Entry) -> bool:
        """Record a verified ledger entry; False when it was known. It may move the cut of its author's chain."""
        chain = self._chains[entry.body.author]
        if entry.id in chain.position:
            return False
        chain.add(entry, position_of(entry))
        self._note(entry.body.author, chain)
        return True

    def fork(self, author: PlayerId, place: Position) -> None:
        """Record a fork that a proof from elsewhere shows."""
        chain = self._chains[author]
        chain.fork_at(place)
        self._note(author, chain)

    def _note(self, author: PlayerId, chain: _Chain) -> None:
        cut = chain.cut
        if cut is None:
            self._cuts.pop(author, None)
        else:
            self._cuts[author] = cut

    def ends_at(self, epoch: Epoch) -> list[tuple[PlayerId, Position, EntryId, bool]]:
        """Each author's last entry that counts up to the end of an epoch (no entry, if there is none), and whether its
        chain is cut by then; authors sorted."""
        found = []
        for author in sorted(self._chains):
            chain = self._chains[author]
            end = Position(Epoch(epoch + 1), Seq(0))
            cut = chain.cut
            until = end if cut is None else min(end, cut)
            last = max((place for place in chain.at if place < until), default=None)
            if last is not None or until < end:
                place, entry = (Position(Epoch(0), Seq(0)), NO_ENTRY) if last is None else (last, chain.at[last])
                found.append((author, place, entry, until < end))
        return found

    def plant(self, epoch: Epoch, author: PlayerId, place: Position, entry: EntryId, is_cut: bool) -> None:
        """Begin a chain with what a checkpoint of this epoch holds. Of one that is cut nothing later counts."""
        chain = self._chains[author] = _Chain()
        if entry != NO_ENTRY:
            chain.at[place], chain.position[entry], chain.prev[entry], chain.top = entry, place, NO_ENTRY, place
        if is_cut:
            chain.fork_at(Position(Epoch(epoch + 1), Seq(0)))

    def cut_of(self, author: PlayerId) -> Position | None:
        """Where an author's chain is cut, if it is."""
        return self._cuts.get(author)

    def counts(self, author: PlayerId, place: Position) -> bool:
        """Whether what stands at a place of an author's chain counts."""
        cut = self.cut_of(author)
        return cut is None or place < cut

    def cuts(self) -> Mapping[PlayerId, Position]:
        """Where each forked author's chain is cut."""
        return self._cuts

    def last(self, author: PlayerId) -> tuple[Position, EntryId] | None:
        """An author's last entry: what its next one must name as its predecessor, and must come after."""
        chain = self._chains.get(author)
        if chain is None or chain.top is None:
            return None
        return chain.top, chain.at[chain.top]
