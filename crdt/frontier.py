"""What in the ledger's logs no entry has named yet: the heads that a new entry refers to.

References are transitive: whoever refers to an entry answers for all that it refers to, and all before it in its log.
So an entry names the heads that none of the entries seen has named (the tips of the graph, as the parents of a merge in
git), and says by that as much as one that names every head. If every head were named, what people sign would grow with
the square of their number, until each entry held 64 references of 81 bytes.

Only references to entries that are held count, so nobody can keep others from being named by naming what there is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from crdt.entry import Entry, LogKey, Ref
from crdt.limits import REFS_MAX
from crdt.replica import Replica
from crdt.types import NO_NONCE, DocumentName, PlayerId, Seq


class Frontier:
    """How far each log has been named. Begins anew with a process: then the first entry names more than it must."""

    def __init__(self, replicas: Mapping[DocumentName, Replica]) -> None:
        self._replicas = replicas
        self._named: dict[DocumentName, dict[PlayerId, Seq]] = {}  # the last number named

    def add(self, entry: Entry) -> None:
        """Take note of what an entry refers to."""
        for ref in entry.body.refs:
            named = self._named.setdefault(ref.document, {}) if self._is_held(ref) else None
            if named is not None and named.get(ref.author, Seq(-1)) < ref.seq:
                named[ref.author] = ref.seq

    def forget(self, document: DocumentName) -> None:
        """Let go of a document that was pruned."""
        self._named.pop(document, None)

    def tips(self, documents: Iterable[DocumentName], but: PlayerId) -> tuple[Ref, ...]:
        """Of each author but one the last entry in the first of these documents where it has any, unless it has been
        named; at most as many as an entry may name, sorted."""
        tips: list[Ref] = []
        seen = {but}
        for name in documents:
            named = self._named.get(name, {})
            for key, log in sorted(self._replicas[name].logs.items()):
                if key.author in seen or not log.entries:
                    continue
                seen.add(key.author)
                last = log.entries[-1]
                if named.get(key.author, Seq(-1)) < last.body.seq and len(tips) < REFS_MAX:
                    tips.append(Ref(name, key.author, last.body.seq, last.id))
        return tuple(sorted(tips))

    def _is_held(self, ref: Ref) -> bool:
        replica = self._replicas.get(ref.document)
        log = replica.logs.get(LogKey(ref.author, NO_NONCE)) if replica else None
        return log is not None and ref.seq < len(log) and log.entries[ref.seq].id == ref.id
