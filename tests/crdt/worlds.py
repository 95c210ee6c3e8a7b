"""Worlds of entries for property tests: several authors, some with several histories, some junk among them.

`expected` says what any node must hold that has seen a set of entries. It is written from the definition (SPEC 3),
apart from the replica: an entry counts when its links lead back to number 0, and a log ends below the first number
that two such entries claim.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from hypothesis import strategies as st

from crdt.entry import Entry
from crdt.errors import BLAMELESS, Violation
from crdt.log import Head
from crdt.reconcile import compare, serve
from crdt.replica import Replica
from crdt.types import NO_ENTRY, NO_NONCE, DocumentName, Nonce, PlayerId, continues
from tests.crdt.authors import AUTHORS, JAM, LEDGER, NETWORK, OTHER_JAM, chain, stray

Expected = dict[tuple[bytes, bytes], tuple[int, bytes, bool]]


def expected(entries: Iterable[Entry]) -> Expected:
    """Length, last id and whether frozen, of each log that is not empty."""
    logs: dict[tuple[bytes, bytes], dict[int, set[Entry]]] = defaultdict(lambda: defaultdict(set))
    for entry in entries:
        logs[entry.log][entry.body.seq].add(entry)
    out: Expected = {}
    for key, by_seq in logs.items():
        follows = {NO_ENTRY}
        head, length, frozen = NO_ENTRY, 0, False
        while True:
            anywhere = length == 0 and any(continues(e.body.document) for e in by_seq[0])
            valid = [e for e in by_seq[length] if anywhere or e.body.prev in follows]
            if len(valid) != 1:
                frozen = len(valid) > 1
                break
            head, length, follows = valid[0].id, length + 1, {valid[0].id}
        if length or frozen:
            out[key] = (length, head, frozen)
    return out


def held_by(replica: Replica) -> Expected:
    """The same, as a replica tells it."""
    return {(head.author, head.nonce): (head.length, head.head, head.frozen) for head in replica.heads()}


def give(replica: Replica, entry: Entry, giver: PlayerId) -> None:
    """Hand over an entry that was signed by its author; only what an honest giver may cause is refused."""
    try:
        replica.admit(entry, giver)
    except Violation as violation:
        assert violation.reason in BLAMELESS, violation


@st.composite
def worlds(draw: st.DrawFn, document: DocumentName | None = None) -> tuple[DocumentName, list[Entry]]:
    """A document and the entries that its authors have written, in no useful order."""
    document = document or draw(st.sampled_from([JAM, OTHER_JAM, LEDGER]))
    nonces = [NO_NONCE] if document == LEDGER else [NO_NONCE, Nonce(b"restart!")]
    entries: list[Entry] = []
    for author in AUTHORS[: draw(st.integers(1, 3))]:
        for nonce in nonces[: draw(st.integers(1, len(nonces)))]:
            branches = [chain(author, draw(st.integers(0, 9)), document, nonce)]
            for number in range(draw(st.sampled_from([0, 0, 1, 1, 2, 3]))):
                trunk = draw(st.sampled_from(branches))
                at = draw(st.integers(0, len(trunk)))
                after = trunk[at - 1] if at else None
                twig = chain(author, draw(st.integers(1, 6)), document, nonce, b"branch %d" % number, after)
                branches.append(trunk[:at] + twig)
            entries.extend(entry for branch in branches for entry in branch)
            strays = draw(st.lists(st.integers(1, 9), max_size=2))
            entries.extend(stray(author, seq, document, nonce, b"%d" % seq) for seq in strays)
    return document, list(dict.fromkeys(entries))


def take_turns(replicas: list[Replica], names: list[PlayerId], named: bool = True, whole: bool = False) -> int:
    """One round of reconciliation between each two; returns how many entries were served."""
    served = 0
    for i, asker in enumerate(replicas):
        for j, answerer in enumerate(replicas):
            if i != j:
                heads = [Head(*head) for head in answerer.heads()]
                served += _ask(asker, answerer, heads, names[i], names[j], named, whole)
    return served


def _ask(
    asker: Replica, answerer: Replica, heads: list[Head], me: PlayerId, giver: PlayerId, named: bool, whole: bool
) -> int:
    found = compare(asker, heads, giver if named else None)
    served = 0
    for want in found.wants:
        start = int(want.start)
        while raws := serve(answerer, want.log, want.start.__class__(start), want.stop):
            served += len(raws)
            for raw in raws:
                give(asker, asker.open(raw), giver)
            start += len(raws)
            if not whole or start >= want.stop:
                break
    for key in found.proofs_due:
        answerer.freeze(asker.equivocations[key])
    return served


def rounds_to_converge(replicas: list[Replica], most: int, named: bool = True, whole: bool = False) -> int:
    """Reconcile until all digests are equal; fails when that takes more rounds than `most`."""
    names = [AUTHORS[-1 - i].player for i in range(len(replicas))]
    for number in range(most + 1):
        if len({replica.digest() for replica in replicas}) == 1:
            return number
        take_turns(replicas, names, named, whole)
    raise AssertionError(f"not equal after {most} rounds: {[held_by(replica) for replica in replicas]}")


def replica_of(document: DocumentName, entries: Iterable[Entry], giver: PlayerId = AUTHORS[-1].player) -> Replica:
    """A replica that has been given these, in this order."""
    replica = Replica(NETWORK, document)
    for entry in entries:
        give(replica, entry, giver)
    return replica
