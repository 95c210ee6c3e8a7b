"""Documents in memory, as the door for Yjs clients sees them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from crdt.entry import Entry
from crdt.errors import Reason, Violation
from crdt.follower import Follower
from crdt.gate import elements_of, entry_at
from crdt.replica import Replica
from crdt.types import DocumentName
from crdt.yupdate import Item
from node.api.bell import Bell
from tests.crdt.authors import GIVER, NETWORK


class MemoryLibrary:
    """Implements node.api.backend.Library."""

    def __init__(self) -> None:
        self.grown = Bell()
        self.replicas: dict[DocumentName, Replica] = {}
        self.blamed: list[Reason] = []

    def replica(self, name: DocumentName) -> Replica:
        return self.replicas.setdefault(name, Replica(NETWORK, name))

    def add(self, *entries: Entry) -> None:
        """The mesh brings entries."""
        for entry in entries:
            self.replica(entry.body.document).admit(entry, GIVER)
        self.grown.ring()

    def clocks(self, name: DocumentName) -> Mapping[int, int]:
        return self.follow(name, {}).clocks()

    def follow(self, name: DocumentName, clocks: Mapping[int, int]) -> Follower:
        return Follower(lambda: self.replica(name), clocks, lambda _: None)

    def elements(self, update: bytes) -> Iterator[Item]:
        try:
            return elements_of(update)
        except Violation as violation:
            self.blame(violation)
            raise

    def give(self, name: DocumentName, element: Item) -> None:
        try:
            entry = entry_at(self.replica(name), element)
            if self.replica(name).admit(entry, GIVER).held:
                raise Violation(Reason.GAP, "entries before it are missing")
            self.grown.ring()
        except Violation as violation:
            self.blame(violation)
            raise

    def blame(self, violation: Violation) -> None:
        self.blamed.append(violation.reason)
