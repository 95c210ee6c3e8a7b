"""Letting go of jams that are long over: their payloads leave memory and store, the entries' ids stay (SPEC 3).

Whether a document is past follows from its name, the session's t0 in the ledger, and the time: so all nodes with the
same ledger drop out of reconciling it together, whether they have pruned it or not. Nothing is deleted while no peer's
clock confirms this node's own: a wrong clock must not cost a recording. Documents of the ledger that a final
checkpoint has settled go whole, whatever the clocks say.
"""

from __future__ import annotations

from typing import Final

from crdt.limits import PRUNED_AT_ONCE_MAX
from crdt.store.keys import entry_item, proof_key
from crdt.store.stubs import pruning
from crdt.types import DocumentName, PlayerId, ledger_epoch
from node.engine.documents import Documents
from node.engine.effects import Effect, Persist
from node.engine.peers import Peer

LOOK_EVERY_US: Final = 5_000_000
PRUNE_EVERY_US: Final = 100_000
CLOCKS_APART_MAX_US: Final = 3_600_000_000


class Pruning:
    """What is due to be dropped, a little at a time."""

    def __init__(self, documents: Documents, peers: dict[PlayerId, Peer]) -> None:
        self.documents = documents
        self.peers = peers
        self.pruned = 0  # entries, since the start
        self._next_look_us = 0
        self._next_prune_us = 0

    def due(self, now_us: int) -> list[Effect]:
        """What to do about old documents now."""
        if now_us >= self._next_look_us:
            self._next_look_us = now_us + LOOK_EVERY_US
            self.documents.look(now_us)
        if not self.documents.past or now_us < self._next_prune_us:
            return []
        self._next_prune_us = now_us + PRUNE_EVERY_US
        settled = [name for name in self.documents.past if ledger_epoch(name) is not None]
        if settled:
            return self._drop(min(settled))
        return self._prune() if self._is_clock_confirmed(now_us) else []

    def _drop(self, document: DocumentName) -> list[Effect]:
        """Drop the end of one log of a ledger document, and in the end the proofs about it: a final checkpoint holds
        all that counts of it, so not even ids need stay."""
        replica = self.documents.replicas[document]
        keys = [key for key, log in replica.logs.items() if log.entries]
        if keys:
            dropped = replica.drop_last(min(keys), PRUNED_AT_ONCE_MAX)
            self.pruned += len(dropped)
            return [Persist(tuple((entry_item(entry)[0], None) for entry in dropped))]
        self.documents.forget(document)
        return [Persist(tuple((proof_key(document, log), None) for log in replica.equivocations))]

    def _is_clock_confirmed(self, now_us: int) -> bool:
        readings = (peer.clock.reading(now_us) for peer in self.peers.values())
        return any(reading is not None and abs(reading.offset_us) <= CLOCKS_APART_MAX_US for reading in readings)

    def _prune(self) -> list[Effect]:
        """Replace the end of one log of one document by its ids."""
        document = min(self.documents.past)
        replica = self.documents.replicas[document]
        keys = [key for key, log in replica.logs.items() if log.entries]
        if not keys:
            self.documents.forget(document)
            return []
        key = min(keys)
        dropped = replica.drop_last(key, PRUNED_AT_ONCE_MAX)
        self.pruned += len(dropped)
        return [Persist(tuple(pruning(document, key, dropped)))]
