"""All documents of a node: replicas by name, the ledger fed from them, and one hash over everything."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby
from typing import NamedTuple

from consensus.content import Content, unpack
from consensus.ledger import Ledger
from consensus.params import Params, network_id
from consensus.parts import is_past
from crdt.canonical import digest, encode
from crdt.entry import Body, Entry, open_entry
from crdt.errors import Reason, Violation
from crdt.frontier import Frontier
from crdt.limits import DOCUMENTS_MAX
from crdt.log import Equivocation, prove_equivocation
from crdt.reconcile import Want, newest_first
from crdt.replica import Admission, Replica
from crdt.types import Digest, DocumentName, Epoch, Nonce, PlayerId, is_document, jam_session, ledger_epoch
from node.engine.proven import Proven


class Stored(NamedTuple):
    """What the store gave back at start: verified entries in log order, the proofs against their authors, and the
    content of the final checkpoint that they follow."""

    entries: Iterable[Entry] = ()
    proofs: Iterable[tuple[bytes, bytes]] = ()
    checkpoint: bytes | None = None  # content of the last final one
    requests: Iterable[tuple[bytes, bytes]] = ()  # node/engine/requests.py
    proven: Iterable[tuple[bytes, bytes]] = ()  # node/engine/proven.py


class Documents:
    """Replicas by name. Ledger entries go on to the ledger as they are admitted."""

    def __init__(self, params: Params, stored: Stored, now_us: int = 0) -> None:
        self.network = network_id(params)
        self.params = params
        self.checkpoint = stored.checkpoint
        self.ledger = Ledger(params, self.network, None if self.checkpoint is None else unpack(self.checkpoint))
        self.proven = Proven(stored.proven, self.ledger.proofs)
        self.replicas: dict[DocumentName, Replica] = {}
        self.frontier = Frontier(self.replicas)
        self.past: set[DocumentName] = set()  # held, but so old that nodes no longer reconcile them
        self._now_us = now_us
        self._total: Digest | None = None
        self.on_added: Callable[[tuple[Entry, ...]], None] = _nothing
        self.on_settling: Callable[[Epoch], None] = _nothing  # before the ledger forgets what is up to an epoch
        for (document, _, _), entries in groupby(stored.entries, key=_log_of):
            self._restore(document, list(entries))
        for first, second in stored.proofs:
            try:
                self.prove(first, second)
            except Violation as violation:
                _unless_left(violation)
        self.look(now_us)

    def _restore(self, document: DocumentName, entries: list[Entry]) -> None:
        """Entries of one log."""
        try:
            self.replica(document).restore(entries)
        except Violation as violation:
            _unless_left(violation)
            return
        if ledger_epoch(document) is not None:
            for entry in entries:
                self.ledger.add(entry)

    def replica(self, document: DocumentName) -> Replica:
        """The replica of a document, made when first needed. Violation for a name or a number out of bounds."""
        replica = self.replicas.get(document)
        if replica is None:
            if not is_document(document):
                raise Violation(Reason.WRONG_DOCUMENT, document[:32])
            if len(self.replicas) >= DOCUMENTS_MAX:
                raise Violation(Reason.FULL, "too many documents")
            replica = self.replicas[document] = Replica(self.network, document)
        return replica

    def peek(self, document: DocumentName) -> Replica:
        """The replica of a document if it is held, else an empty one that is not kept: names cost peers nothing."""
        held = self.replicas.get(document)
        if held is None and not is_document(document):
            raise Violation(Reason.WRONG_DOCUMENT, document[:32])
        return held or Replica(self.network, document)

    def admit(self, document: DocumentName, raw: bytes, giver: PlayerId, want: Want | None = None) -> Admission:
        """Verify and merge one entry of a document; one that was asked for only if it is among those wanted.

        Raises Violation; then nothing has changed. Where an entry belongs is looked at before its signature is: it
        costs a hundredth.
        """
        held = self.replicas.get(document)
        if document in self.past or (held is None and self.is_past(document)):
            raise Violation(Reason.PAST, document)

        def place(body: Body) -> Entry | None:
            if body.document != document:
                raise Violation(Reason.WRONG_DOCUMENT, body.document)
            if want is not None and not (want.log == (body.author, body.nonce) and want.start <= body.seq < want.stop):
                raise Violation(Reason.UNEXPECTED, "not what was asked for")
            if held is None and body.seq:
                raise Violation(Reason.GAP, "a document of which nothing is held begins with a first entry")
            return held.at(body) if held else None

        entry = open_entry(self.network, raw, place)
        return self._took(self.replica(document).admit(entry, giver))

    def author(self, entry: Entry) -> Admission:
        """Add an entry that this node has just signed, or that was verified elsewhere, on its author's account."""
        return self._took(self.replica(entry.body.document).admit(entry, entry.body.author))

    def prove(self, first: bytes, second: bytes) -> Admission:
        """Apply an equivocation proof from its two signed entries. Raises Violation."""
        one, other = open_entry(self.network, first), open_entry(self.network, second)
        proof = prove_equivocation(one, other)
        if self.is_past(one.body.document):
            raise Violation(Reason.PAST, one.body.document)
        return self._took(self.replica(one.body.document).freeze(proof))

    def total(self) -> Digest:
        """Hash over all documents that are not past: equal on two nodes exactly when they hold the same entries."""
        if self._total is None:
            pairs = [(name, self.replicas[name].digest()) for name in sorted(self._live())]
            self._total = Digest(digest(b"symjam-total", encode(pairs)))
        return self._total

    def names(self) -> list[DocumentName]:
        """Documents in the order in which to catch up with them; none that is past."""
        return [DocumentName(name) for name in newest_first(self._live())]

    def _live(self) -> list[DocumentName]:
        return [name for name, replica in self.replicas.items() if replica.logs and name not in self.past]

    def is_past(self, document: DocumentName) -> bool:
        """Whether nodes no longer reconcile a document: a jam's part that is too old (consensus/parts.py), or a
        ledger's that a final checkpoint has settled."""
        epoch = ledger_epoch(document)
        if epoch is not None:
            return self.ledger.is_settled(epoch)
        jam = jam_session(document)
        session = self.ledger.session(jam[0]) if jam else None
        return jam is not None and session is not None and is_past(self.params, session, jam[1], self._now_us)

    def look(self, now_us: int) -> None:
        """See which documents have become past."""
        self._now_us = now_us
        past = {name for name in self.replicas if self.is_past(name)}
        if past != self.past:
            self.past = past
            self._total = None

    def begin(self, content: Content, raw: bytes) -> None:
        """Go on from the content of a final checkpoint: what is of its epochs is past."""
        self.on_settling(content.epoch)
        self.checkpoint = raw
        later = [(name, replica) for name, replica in self.replicas.items() if _is_later(name, content.epoch)]
        self.ledger.restart(content, (e for _, replica in later for log in replica.logs.values() for e in log.entries))
        for name, replica in later:
            for proof in replica.equivocations.values():
                self.ledger.freeze(proof.first.body.author, name, proof.seq)
        self.look(self._now_us)

    def forget(self, document: DocumentName) -> None:
        """Let go of a document that was pruned."""
        self.replicas.pop(document, None)
        self.frontier.forget(document)
        self.past.discard(document)

    def equivocations(self) -> list[Equivocation]:
        """All proofs held."""
        return [proof for replica in self.replicas.values() for proof in replica.equivocations.values()]

    def _took(self, admission: Admission) -> Admission:
        if admission.added or admission.equivocation:
            self._total = None
        proof = admission.equivocation
        if proof is not None and ledger_epoch(proof.first.body.document) is not None:
            self.ledger.freeze(proof.first.body.author, proof.first.body.document, proof.seq)
        for entry in admission.added:
            if ledger_epoch(entry.body.document) is not None:
                self.ledger.add(entry)
                self.frontier.add(entry)
        self.on_added(admission.added)
        return admission


def _is_later(name: DocumentName, epoch: Epoch) -> bool:
    found = ledger_epoch(name)
    return found is not None and found > epoch


def _log_of(entry: Entry) -> tuple[DocumentName, PlayerId, Nonce]:
    return entry.body.document, entry.body.author, entry.body.nonce


def _nothing(_: object) -> None:
    """Nobody wants to know."""


def _unless_left(violation: Violation) -> None:
    """A store may hold logs that had to make room for others (crdt/replica.py), and proofs about what was pruned."""
    if violation.reason not in (Reason.FULL, Reason.PAST):
        raise violation
