"""One document as this node holds it: the gate before merge (SPEC 3).

`admit` takes entries that `open_entry` has verified by themselves and decides whether they fit. What follows its log
is added; what came early is held outside the logs; what is already there is ignored; a second entry that follows the
same one is a fork, and freezes its author there. Everything else is a Violation.

The state is a pure function of the set of entries seen: of all entries whose links lead back to number 0, each log
is the part below the first number that two of them claim. So what is refused as WRONG_PREV or FROZEN need not be
remembered. If the entries that would link it ever come, they fork the log at that number or below, and it
lies beyond the cut. Of each author's logs those of the lowest nonces count, which is a function of the set as well;
only the number of authors in a document is bounded by who came first.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from itertools import groupby
from typing import NamedTuple

from crdt.entry import Body, Entry, LogKey, open_entry
from crdt.errors import Misuse, Reason, Violation
from crdt.held import Held
from crdt.limits import ENTRIES_PER_LOG_MAX, LOGS_PER_AUTHOR_MAX, LOGS_PER_DOCUMENT_MAX, PEERS_MAX
from crdt.log import Equivocation, Head, Log, prove_equivocation
from crdt.summary import Summary
from crdt.types import Digest, DocumentName, NetworkId, Nonce, PlayerId, Seq, is_document


class Admission(NamedTuple):
    """What an entry changed: entries added in order (itself, then held ones it released), and a proof if a fork
    showed (perhaps among the released ones), with what it cut."""

    added: tuple[Entry, ...] = ()
    held: bool = False
    equivocation: Equivocation | None = None
    cut: tuple[Entry, ...] = ()


NOTHING = Admission()


class Replica:
    """All logs of one document."""

    def __init__(self, network: NetworkId, document: DocumentName) -> None:
        if not is_document(document):
            raise Misuse(f"no document is named {document!r}")
        self.network = network
        self.document = document
        self.logs: dict[LogKey, Log] = {}
        self.equivocations: dict[LogKey, Equivocation] = {}
        self._nonces: dict[PlayerId, list[Nonce]] = {}  # of each author's logs, sorted
        self._held = Held()
        self.summary = Summary(document, self.logs)
        self.entry_count = 0

    def open(self, raw: bytes) -> Entry:
        """Decode bytes as an entry of this document, verified unless it is held already. Raises Violation."""
        entry = open_entry(self.network, raw, self.at)
        self._check_place(entry)
        return entry

    def admit(self, entry: Entry, giver: PlayerId) -> Admission:
        """Fit a verified entry in. Raises Violation when it cannot belong; then nothing has changed."""
        self._check_place(entry)
        seq = entry.body.seq
        if not self.has_room(entry.log):
            raise Violation(Reason.FULL, "too many logs in one document")
        log = self.log(entry.log)
        if log.frozen_at is not None and seq >= log.frozen_at:
            return self._after_fork(entry)
        if seq > len(log):
            self._held.add(entry, giver)
            return Admission(held=True)
        if seq < len(log) and log.entries[seq].id == entry.id:
            return NOTHING
        if not log.links(entry):
            self._note_parting(log, min(seq, len(log) - 1), giver)
            raise Violation(Reason.WRONG_PREV, f"entry {seq} follows another entry than the one held")
        if seq < len(log):
            return self._fork(log, prove_equivocation(log.entries[seq], entry))
        self._append(log, entry)
        log.parted.pop(giver, None)
        return self._release(log, entry)

    def freeze(self, proof: Equivocation) -> Admission:
        """Apply a proof that came from elsewhere (both entries verified by the caller). Raises Violation.

        A proof about a history that is not held yet waits like any entries, on its author's account; one about
        another history than the one held changes nothing, for those two part further down.
        """
        proof = prove_equivocation(*proof)
        self._check_place(proof.first)
        key, seq = proof.first.log, proof.seq
        log = self.log(key)
        if log.frozen_at is not None and seq >= log.frozen_at:
            return NOTHING
        if seq > len(log):
            for entry in proof:
                self._held.add(entry, key.author)
            return Admission(held=True)
        if not all(log.links(entry) for entry in proof):
            return NOTHING
        return self._fork(log, proof)

    def restore(self, entries: Iterable[Entry]) -> None:
        """Load entries that the store has verified, log after log. Raises Violation where they do not follow."""
        for key, run in groupby(entries, key=lambda entry: (entry.body.author, entry.body.nonce)):
            self._restore_log(self.log(LogKey(*key)), run)

    def _restore_log(self, log: Log, entries: Iterable[Entry]) -> None:
        if not self.has_room(log.key):
            raise Violation(Reason.FULL, "too many logs in one document")
        before = len(log)
        try:
            for entry in entries:
                self._check_place(entry)
                log.append(entry)
        finally:
            if len(log) > before:
                self._keep(log)
                self.entry_count += len(log) - before
                self.summary.changed(log.key)

    def drop_last(self, key: LogKey, count: int) -> list[Entry]:
        """Take so many entries off a log's end, to be pruned; with the last of them goes the log. Its heads are no
        more what others have, so this is for a document that is reconciled no longer."""
        log = self.logs[key]
        start = max(0, len(log) - count)
        dropped = log.entries[start:]
        del log.entries[start:]
        self.entry_count -= len(dropped)
        self.summary.changed(key)
        if not log.entries:
            self.summary.ended(key)
            del self.logs[key]
            self._nonces[key.author].remove(key.nonce)
        return dropped

    def digest(self) -> Digest:
        """Hash of all heads: equal on two nodes exactly when they hold the same entries of this document."""
        return self.summary.digest()

    def heads(self) -> tuple[Head, ...]:
        """Summaries of all logs, sorted."""
        return self.summary.heads()

    def forget_giver(self, giver: PlayerId) -> None:
        """Drop what is held on behalf of a peer that left: it would never be released by it."""
        self._held.forget(giver)
        for log in self.logs.values():
            log.parted.pop(giver, None)

    def held_count(self) -> int:
        """Entries waiting for their predecessors."""
        return len(self._held)

    def log(self, key: LogKey) -> Log:
        """A log; an empty one that is not kept when there is none, so that names cost nothing."""
        log = self.logs.get(key)
        return Log(key) if log is None else log

    def at(self, body: Body) -> Entry | None:
        """The entry that stands where this body belongs."""
        log = self.logs.get(LogKey(body.author, body.nonce))
        return log.entries[body.seq] if log is not None and body.seq < len(log) else None

    def has_room(self, key: LogKey) -> bool:
        """Whether a log is held or could still be begun.

        Of one author's logs those of the lowest nonces are held: whoever has seen the same entries holds the same
        ones, whatever came first, and nobody fills a document alone.
        """
        if key in self.logs:
            return True
        nonces = self._nonces.get(key.author, [])
        if len(nonces) >= LOGS_PER_AUTHOR_MAX:
            return key.nonce < nonces[-1]
        return len(self.logs) < LOGS_PER_DOCUMENT_MAX

    def _check_place(self, entry: Entry) -> None:
        if entry.body.network != self.network[:8]:
            raise Violation(Reason.WRONG_NETWORK, f"network {entry.body.network.hex()}")
        if entry.body.document != self.document:
            raise Violation(Reason.WRONG_DOCUMENT, entry.body.document)
        if entry.body.seq >= ENTRIES_PER_LOG_MAX:
            raise Violation(Reason.OVERSIZE, "beyond the end of any log")

    def _append(self, log: Log, entry: Entry) -> None:
        if not self.has_room(log.key):
            raise Violation(Reason.FULL, "too many logs in one document")
        log.append(entry)
        self._keep(log)
        self.entry_count += 1
        self.summary.changed(log.key)

    def _keep(self, log: Log) -> None:
        """Hold a log that has room; the author's log of the highest nonce goes when that makes one too many."""
        if log.key in self.logs:
            return
        self.logs[log.key] = log
        self.summary.began(log.key)
        nonces = self._nonces.setdefault(log.key.author, [])
        insort(nonces, log.key.nonce)
        if len(nonces) > LOGS_PER_AUTHOR_MAX:
            last = LogKey(log.key.author, nonces.pop())
            self.summary.ended(last)
            self.entry_count -= len(self.logs.pop(last))
            self.equivocations.pop(last, None)
            self._held.drop(last)

    def _release(self, log: Log, entry: Entry) -> Admission:
        """Append what was waiting for the entry just added; what waited for another in its place is dropped."""
        added = [entry]
        while waiting := [e for e in self._held.take(log.key, Seq(len(log))) if log.links(e)]:
            if len(waiting) > 1:
                forked = self._fork(log, prove_equivocation(*waiting[:2]))
                return forked._replace(added=tuple(added))
            self._append(log, waiting[0])
            added.append(waiting[0])
        return Admission(added=tuple(added))

    def _fork(self, log: Log, proof: Equivocation) -> Admission:
        if not self.has_room(log.key):
            raise Violation(Reason.FULL, "too many logs in one document")
        cut = log.freeze(proof.seq)
        self._keep(log)
        self.entry_count -= len(cut)
        self.equivocations[log.key] = proof
        self._held.drop(log.key)
        self.summary.changed(log.key)
        return Admission(equivocation=proof, cut=tuple(cut))

    def _after_fork(self, entry: Entry) -> Admission:
        """An entry past a fork: evidence of the fork if it is one of the proven pair, otherwise refused."""
        proof = self.equivocations[entry.log]
        if entry.id in {proof.first.id, proof.second.id}:
            return NOTHING
        raise Violation(Reason.FROZEN, f"{entry.body.author.hex()[:8]} equivocated")

    def _note_parting(self, log: Log, seq: int, giver: PlayerId) -> None:
        if seq < 0:
            return
        log.parted.pop(giver, None)
        if len(log.parted) >= PEERS_MAX:
            del log.parted[next(iter(log.parted))]
        log.parted[giver] = Seq(seq)
