"""All documents of a node: replicas by name, the ledger fed from them, and one hash over everything."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from consensus.ledger import Ledger
from consensus.params import Params, network_id
from crdt.canonical import digest, encode
from crdt.entry import Body, Entry, open_entry
from crdt.errors import Reason, Violation
from crdt.limits import DOCUMENTS_MAX
from crdt.log import Equivocation, prove_equivocation
from crdt.reconcile import Want, newest_first
from crdt.replica import Admission, Replica
from crdt.types import Digest, DocumentName, PlayerId, is_document, ledger_epoch


class Stored(NamedTuple):
    """What the store gave back at start: verified entries in log order, and the proofs against their authors."""

    entries: Iterable[Entry] = ()
    proofs: Iterable[tuple[bytes, bytes]] = ()


class Documents:
    """Replicas by name. Ledger entries go on to the ledger as they are admitted."""

    def __init__(self, params: Params, stored: Stored) -> None:
        self.network = network_id(params)
        self.ledger = Ledger(params, self.network)
        self.replicas: dict[DocumentName, Replica] = {}
        self._total: Digest | None = None
        self.on_added: Callable[[tuple[Entry, ...]], None] = _nothing
        for entry in stored.entries:
            self._restore(entry)
        for first, second in stored.proofs:
            with _unless_full():
                self.prove(first, second)

    def _restore(self, entry: Entry) -> None:
        with _unless_full():
            self.replica(entry.body.document).restore(iter((entry,)))
            if ledger_epoch(entry.body.document) is not None:
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
        return self._took(self.replica(one.body.document).freeze(proof))

    def total(self) -> Digest:
        """Hash over all documents: equal on two nodes exactly when they hold the same entries."""
        if self._total is None:
            names = sorted(self.replicas)
            pairs = [(n, self.replicas[n].digest()) for n in names if self.replicas[n].logs]
            self._total = Digest(digest(b"symjam-total", encode(pairs)))
        return self._total

    def names(self) -> list[DocumentName]:
        """Documents in the order in which to catch up with them."""
        return [DocumentName(n) for n in newest_first(list(self.replicas)) if self.replicas[DocumentName(n)].logs]

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
        self.on_added(admission.added)
        return admission


def _nothing(_: tuple[Entry, ...]) -> None:
    """Nobody wants to know."""


@contextmanager
def _unless_full() -> Iterator[None]:
    """A store may hold logs that had to make room for others (crdt/replica.py): they have no place any more."""
    try:
        yield
    except Violation as violation:
        if violation.reason is not Reason.FULL:
            raise
