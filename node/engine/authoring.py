"""Writing one's own entries, so that no two ever differ at one number (SPEC 3).

A jam entry is written to the store before it is sent, which survives the death of the process; after the machine
itself went down the log goes on under a new nonce. A ledger entry is synced, together with a separate record of
what was signed last, before it leaves; and while this node holds less of its own ledger log than that record says,
it signs nothing there until its peers have given it back.

A key that came back from its words has a past that is not recorded here. Its first entry therefore stands in an epoch
later than all in which it can have signed before, and names no predecessor: so whatever turns up of that past, there
is never a second entry at a number, nor a second one that follows the same. What is known of it is fetched first, for
nothing is to be promised, voted or spent twice either.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Final, NamedTuple

from consensus.events import Event, encode_events
from consensus.ops import AnyOp, encode_ops
from crdt.entry import Entry, LogKey, Ref, first_body, next_body, sign
from crdt.errors import Misuse
from crdt.keys import Identity
from crdt.types import (
    NO_ENTRY,
    NO_NONCE,
    DocumentName,
    EntryId,
    Epoch,
    Nonce,
    Seq,
    jam_session,
    ledger_document,
    ledger_epoch,
)
from node.engine.documents import Documents
from node.engine.effects import Signed

ALONE_EPOCHS: Final = 2  # begun since, after which nobody waits for peers who may never come


class _Away(NamedTuple):
    """A past elsewhere, up to an epoch; and whether somebody who may know of it has been met."""

    until: Epoch
    has_met: Callable[[], bool]


class Authoring:
    """This node's pen."""

    def __init__(self, identity: Identity, documents: Documents, nonce: Nonce, signed: Signed | None) -> None:
        self.identity = identity
        self.documents = documents
        self.nonce = nonce
        self.signed = self._latest(signed)
        self._unsynced: dict[DocumentName, Seq] = {}  # first own ledger entry that may not leave yet
        self._away: _Away | None = None

    def take_up(self, until: Epoch, recorded: Signed | None, has_met: Callable[[], bool]) -> None:
        """This key may have signed elsewhere up to an epoch. Does nothing once it has signed here after that."""
        if recorded is None or (ledger_epoch(recorded.document) or 0) <= until:
            self._away, self.signed = _Away(until, has_met), None

    def signs_from(self) -> Epoch | None:
        """The epoch before which a key that was restored signs nothing; None for any other, and once it has signed."""
        if self._away is None:
            return None
        last = self.documents.ledger.last_entry(self.identity.player)
        return Epoch(max(self._away.until, last[0].epoch if last else 0) + 1)

    def may_sign_ledger(self, epoch: Epoch) -> bool:
        """Whether this author may sign in the ledger of an epoch.

        Not while less is held than was signed, or while what was signed elsewhere may stand beside it; not in an epoch
        before the last signed one, as after the clock was set back (that would be a branch of one's own chain); and not
        after a proven fork.
        """
        document = ledger_document(epoch)
        if self.is_frozen(document):
            return False
        first = self.signs_from()
        if self._away is not None and first is not None:
            return epoch >= first and (self._away.has_met() or epoch >= self._away.until + ALONE_EPOCHS)
        if self.signed is None:
            return True
        if epoch < (ledger_epoch(self.signed.document) or 0):
            return False
        if self.documents.is_past(self.signed.document):
            return True  # a final checkpoint holds what of it counts, and nothing can be signed there again
        replica = self.documents.replicas.get(self.signed.document)
        log = replica.logs.get(LogKey(self.identity.player, NO_NONCE)) if replica else None
        return log is not None and len(log) > self.signed.seq and log.entries[self.signed.seq].id == self.signed.entry

    def is_frozen(self, document: DocumentName) -> bool:
        """Whether this node's own log in a document was proven to fork."""
        replica = self.documents.replicas.get(document)
        log = replica.logs.get(self.key(document)) if replica else None
        return log is not None and log.frozen_at is not None

    def play(self, document: DocumentName, events: tuple[Event, ...]) -> Entry:
        """Sign events into a jam document. The caller persists the entry, then sends it. Misuse when this log was
        proven to fork: nothing that follows it would be taken in anywhere."""
        return self._write(document, encode_events(events), ())

    def edit(self, document: DocumentName, payload: bytes) -> Entry:
        """Sign an edit into a jam document. The caller persists the entry, then sends it."""
        return self._write(document, payload, ())

    def record(self, document: DocumentName, ops: tuple[AnyOp, ...]) -> tuple[Entry, Signed]:
        """Sign operations into the ledger. The caller persists with sync and the Signed record, then sends."""
        entry = self._write(document, encode_ops(ops), self._refs())
        self.signed = Signed(document, entry.body.seq, entry.id, self.identity.player)
        self._away = None
        self._unsynced.setdefault(document, entry.body.seq)
        return entry, self.signed

    def confirmed(self, signed: Signed) -> None:
        """Everything up to this entry is synced."""
        if signed == self.signed:
            self._unsynced.clear()
        elif signed.document in self._unsynced:
            self._unsynced[signed.document] = Seq(signed.seq + 1)

    @property
    def is_synced(self) -> bool:
        """Whether all that was signed in the ledger may leave."""
        return not self._unsynced

    def may_leave(self, document: DocumentName, log: LogKey) -> Seq | None:
        """How many entries of a log peers may have; None for no limit. An entry that a power cut could take back must
        not be known to anyone: signing its number again would be an equivocation."""
        return self._unsynced.get(document) if log.author == self.identity.player else None

    def key(self, document: DocumentName) -> LogKey:
        """The log in which this node writes in a document."""
        nonce = NO_NONCE if ledger_epoch(document) is not None else self.nonce
        return LogKey(self.identity.player, nonce)

    def _write(self, document: DocumentName, payload: bytes, refs: tuple[Ref, ...]) -> Entry:
        key = self.key(document)
        replica = self.documents.replica(document)
        if self.is_frozen(document):
            raise Misuse(
                "two different entries were signed at one number of this player's log, as by two nodes with one key"
            )
        if not replica.has_room(key):
            raise Misuse("there is no room for another log of this player in this document")
        log = replica.logs.get(key)
        if log is not None and log.entries:
            body = next_body(log.entries[-1], payload, refs)
        else:
            prev = self._last_ledger_entry() if ledger_epoch(document) is not None else self._last_played(document)
            body = first_body(self.documents.network, document, key, payload, prev, refs)
        entry = sign(self.identity, self.documents.network, body)
        self.documents.author(entry)
        return entry

    def _latest(self, signed: Signed | None) -> Signed | None:
        """The later of the record and the log: a crash between saving the two leaves the record one behind."""
        for name in self.documents.names():
            epoch = ledger_epoch(name)
            if epoch is None:
                break
            log = self.documents.replicas[name].logs.get(LogKey(self.identity.player, NO_NONCE))
            if log is None or not log.entries:
                continue
            held = Signed(name, Seq(len(log) - 1), log.head, self.identity.player)
            recorded = ledger_epoch(signed.document) if signed else None
            if signed is None or recorded is None or (epoch, held.seq) > (recorded, signed.seq):
                return held
            break
        return signed

    def _last_played(self, document: DocumentName) -> EntryId:
        """Head of this log in the latest earlier part of the jam that is still held."""
        jam = jam_session(document)
        found: dict[int, EntryId] = {}
        for name, replica in self.documents.replicas.items():
            earlier = jam_session(name)
            if jam is not None and earlier is not None and earlier[0] == jam[0] and earlier[1] < jam[1]:
                log = replica.logs.get(self.key(document))
                if log is not None and log.entries:
                    found[earlier[1]] = log.head
        return found[max(found)] if found else NO_ENTRY

    def _last_ledger_entry(self) -> EntryId:
        return self.signed.entry if self.signed is not None else NO_ENTRY

    def _refs(self) -> tuple[Ref, ...]:
        """The other authors' newest ledger entries that nobody has named yet, as far as is known here."""
        newest_first = itertools.takewhile(lambda name: ledger_epoch(name) is not None, self.documents.names())
        return self.documents.frontier.tips(newest_first, self.identity.player)
