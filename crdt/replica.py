"""One document as this node holds it: the gate before merge (SPEC 3).

`admit` takes entries that `open_entry` has verified by themselves and decides whether they fit. What follows its log
is added; what came early is held outside the logs, bounded per giver; what is already there is ignored; what
contradicts an entry already held is an equivocation, and freezes its author at the fork. Everything else is a
Violation. The result depends on the set of entries seen, never on the order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from crdt.canonical import digest, encode
from crdt.entry import Entry, LogKey, open_entry
from crdt.errors import Misuse, Reason, Violation
from crdt.limits import AUTHORS_PER_DOCUMENT_MAX, ENTRIES_PER_LOG_MAX, HELD_PER_PEER_MAX
from crdt.log import Equivocation, Log, prove_equivocation
from crdt.types import Digest, DocumentName, EntryId, NetworkId, PlayerId, Seq, is_document


class Admission(NamedTuple):
    """What an entry changed: entries added in order (itself, then held ones it released), or a proof."""

    added: tuple[Entry, ...] = ()
    held: bool = False
    equivocation: Equivocation | None = None
    cut: tuple[Entry, ...] = ()


NOTHING = Admission()


class Head(NamedTuple):
    """Summary of one log: its author and nonce, how many entries, the last one's id, whether frozen there."""

    author: PlayerId
    nonce: bytes
    length: int
    head: EntryId
    frozen: bool


class Replica:
    """All logs of one document."""

    def __init__(self, network: NetworkId, document: DocumentName) -> None:
        if not is_document(document):
            raise Misuse(f"no document is named {document!r}")
        self.network = network
        self.document = document
        self.logs: dict[LogKey, Log] = {}
        self.equivocations: dict[LogKey, Equivocation] = {}
        self._held: dict[LogKey, dict[Seq, tuple[Entry, PlayerId]]] = {}
        self._held_by: Counter[PlayerId] = Counter()
        self._digest: Digest | None = None
        self.entry_count = 0

    def open(self, raw: bytes) -> Entry:
        """Decode and verify bytes as an entry of this document. Raises Violation."""
        entry = open_entry(self.network, raw)
        if entry.body.document != self.document:
            raise Violation(Reason.WRONG_DOCUMENT, entry.body.document)
        return entry

    def admit(self, entry: Entry, giver: PlayerId) -> Admission:
        """Fit a verified entry in. Raises Violation when it cannot belong; then nothing has changed."""
        if entry.body.document != self.document:
            raise Violation(Reason.WRONG_DOCUMENT, entry.body.document)
        log = self._log(entry.log)
        seq = entry.body.seq
        if seq < len(log):
            known = log.entries[seq]
            return NOTHING if known.id == entry.id else self._fork(known, entry)
        if log.frozen_at is not None and seq >= log.frozen_at:
            return self._after_fork(entry)
        held = self._held.get(entry.log, {}).get(seq)
        if held is not None and held[0].id != entry.id:
            return self._fork(held[0], entry)
        if seq > len(log):
            return self._hold(entry, giver)
        self._append(log, entry)
        return Admission(added=(entry, *self._release(log)))

    def freeze(self, proof: Equivocation) -> Admission:
        """Apply a proof that came from elsewhere (both entries verified by the caller)."""
        return self._fork(proof.first, proof.second)

    def restore(self, entries: Iterator[Entry]) -> None:
        """Load entries that the store has verified, in log order."""
        for entry in entries:
            self._append(self._log(entry.log), entry)

    def digest(self) -> Digest:
        """Hash of all heads: equal on two nodes exactly when they hold the same entries of this document."""
        if self._digest is None:
            self._digest = Digest(digest(b"symjam-replica", encode((self.document, self.heads()))))
        return self._digest

    def heads(self) -> tuple[Head, ...]:
        """Summaries of all logs, sorted."""
        return tuple(
            Head(key.author, key.nonce, len(log), log.head, log.frozen_at is not None)
            for key, log in sorted(self.logs.items())
            if log.entries or log.frozen_at is not None
        )

    def forget_giver(self, giver: PlayerId) -> None:
        """Drop what is held on behalf of a peer that left: it would never be released by it."""
        for key, by_seq in list(self._held.items()):
            for seq in [s for s, (_, g) in by_seq.items() if g == giver]:
                del by_seq[seq]
            if not by_seq:
                del self._held[key]
        self._held_by.pop(giver, None)

    def held_count(self) -> int:
        """Entries waiting for their predecessors."""
        return self._held_by.total()

    def _log(self, key: LogKey) -> Log:
        log = self.logs.get(key)
        if log is None:
            if len(self.logs) >= AUTHORS_PER_DOCUMENT_MAX:
                raise Violation(Reason.FLOOD, "too many authors in one document")
            log = self.logs[key] = Log(key)
        return log

    def _append(self, log: Log, entry: Entry) -> None:
        if len(log) >= ENTRIES_PER_LOG_MAX:
            raise Violation(Reason.OVERSIZE, "the log is full")
        log.append(entry)
        self.entry_count += 1
        self._digest = None

    def _hold(self, entry: Entry, giver: PlayerId) -> Admission:
        by_seq = self._held.setdefault(entry.log, {})
        if entry.body.seq in by_seq:
            return Admission(held=True)
        if self._held_by[giver] >= HELD_PER_PEER_MAX:
            if not by_seq:
                del self._held[entry.log]
            raise Violation(Reason.GAP, "too many entries whose predecessors are missing")
        by_seq[entry.body.seq] = (entry, giver)
        self._held_by[giver] += 1
        return Admission(held=True)

    def _release(self, log: Log) -> list[Entry]:
        """Append what was waiting for the entry just added; a held entry that does not link is dropped."""
        by_seq = self._held.get(log.key)
        released: list[Entry] = []
        while by_seq:
            waiting = by_seq.pop(Seq(len(log)), None)
            if waiting is None:
                break
            entry, giver = waiting
            self._held_by[giver] -= 1
            if entry.body.prev != log.head:
                continue
            self._append(log, entry)
            released.append(entry)
        if by_seq is not None and not by_seq:
            del self._held[log.key]
        return released

    def _fork(self, one: Entry, other: Entry) -> Admission:
        proof = prove_equivocation(one, other)
        log = self._log(one.log)
        if log.frozen_at is not None and proof.seq >= log.frozen_at:
            return NOTHING
        cut = log.freeze(proof.seq)
        self.entry_count -= len(cut)
        self.equivocations[log.key] = proof
        self._drop_held(log.key, proof.seq)
        self._digest = None
        return Admission(equivocation=proof, cut=tuple(cut))

    def _after_fork(self, entry: Entry) -> Admission:
        """An entry past a fork: evidence of the fork if it is one of the proven pair, otherwise refused."""
        proof = self.equivocations.get(entry.log)
        if proof is not None and entry.id in {proof.first.id, proof.second.id}:
            return NOTHING
        raise Violation(Reason.FROZEN, f"{entry.body.author.hex()[:8]} equivocated")

    def _drop_held(self, key: LogKey, seq: Seq) -> None:
        by_seq = self._held.get(key, {})
        for number in [s for s in by_seq if s >= seq]:
            _, giver = by_seq.pop(number)
            self._held_by[giver] -= 1
        if key in self._held and not by_seq:
            del self._held[key]
