"""References name what nobody has named, and so, one after the other, everything that their author has seen."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crdt.entry import Entry, LogKey, Ref, first_body, next_body, sign
from crdt.frontier import Frontier
from crdt.keys import Identity
from crdt.limits import REFS_MAX
from crdt.replica import Replica
from crdt.types import NO_NONCE, DocumentName, EntryId, Epoch, Seq, ledger_document
from tests.crdt.authors import ALICE, AUTHORS, BOB, CAROL, LEDGER, NETWORK, chain, key_of

EARLIER, LATER = ledger_document(Epoch(2)), LEDGER
CROWD = [Identity(number.to_bytes(32, "big")) for number in range(1, 101)]


class Node:
    """Who holds some of the ledger, and writes in it."""

    def __init__(self, author: Identity) -> None:
        self.author = author
        self.replicas = {name: Replica(NETWORK, name) for name in (LATER, EARLIER)}
        self.frontier = Frontier(self.replicas)

    def take(self, entry: Entry) -> None:
        for added in self.replicas[entry.body.document].admit(entry, self.author.player).added:
            self.frontier.add(added)

    def write(self, document: DocumentName = LATER) -> Entry:
        refs = self.frontier.tips((LATER, EARLIER), self.author.player)
        log = self.replicas[document].logs.get(LogKey(self.author.player, NO_NONCE))
        if log:
            body = next_body(log.entries[-1], b"", refs)
        else:
            earlier = self.replicas[EARLIER].log(key_of(self.author))
            body = first_body(NETWORK, document, key_of(self.author), b"", earlier.head, refs)
        entry = sign(self.author, NETWORK, body)
        self.take(entry)
        return entry

    def held(self) -> set[EntryId]:
        return {e.id for r in self.replicas.values() for log in r.logs.values() for e in log.entries}


def _said_by(entry: Entry, known: dict[EntryId, Entry]) -> set[EntryId]:
    """All that an entry refers to, and that what it refers to does, and what stands before it."""
    found: set[EntryId] = set()
    ahead = [entry.id]
    while ahead:
        at = ahead.pop()
        if at in known and at not in found:
            found.add(at)
            ahead += [known[at].body.prev, *(ref.id for ref in known[at].body.refs)]
    return found


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 6), st.integers(0, 2**32), st.integers(5, 40))
def test_an_entry_says_all_that_its_author_has_seen(people: int, seed: int, entries: int) -> None:
    chance = Random(seed)
    nodes = [Node(author) for author in AUTHORS[:people]]
    known: dict[EntryId, Entry] = {}
    for number in range(entries):
        writer = chance.choice(nodes)
        held = writer.held()
        wrote = writer.write(EARLIER if number < entries // 3 else LATER)
        known[wrote.id] = wrote
        assert _said_by(wrote, known) >= held
        for node in nodes:
            for entry in chance.sample(list(known.values()), chance.randint(0, len(known))):
                if entry.body.seq <= len(node.replicas[entry.body.document].log(entry.log)) and _fits(node, entry):
                    node.take(entry)


def _fits(node: Node, entry: Entry) -> bool:
    """Nobody here takes an author's later document before the earlier one, as one that was away might."""
    is_later = entry.body.document == LATER and entry.body.seq == 0
    return not is_later or entry.body.prev in node.held() or entry.body.prev == bytes(32)


def test_one_after_the_other_a_hundred_name_one_each() -> None:
    nodes = [Node(author) for author in CROWD]
    counts = []
    for node in nodes:
        entry = node.write()
        counts.append(len(entry.body.refs))
        for other in nodes:
            other.take(entry)
    assert counts == [0] + [1] * 99


def test_of_many_at_once_as_many_as_fit_are_named_and_the_rest_next_time() -> None:
    node = Node(ALICE)
    for author in CROWD:
        node.take(chain(author, 1, LATER)[0])
    assert [len(node.write().body.refs) for _ in range(3)] == [REFS_MAX, 100 - REFS_MAX, 0]


@pytest.mark.parametrize(
    "ref",
    [
        Ref(LATER, BOB.player, Seq(1), EntryId(b"x" * 32)),  # another entry than the one held
        Ref(LATER, BOB.player, Seq(2), EntryId(b"x" * 32)),  # beyond what is held
        Ref(LATER, BOB.player, Seq(2**53 - 1), EntryId(b"x" * 32)),
        Ref(ledger_document(Epoch(9)), BOB.player, Seq(1), EntryId(b"x" * 32)),  # a document that is not held
        Ref(LATER, ALICE.player, Seq(1), EntryId(b"x" * 32)),  # another author
    ],
)
def test_who_names_what_there_is_not_keeps_nobody_from_being_named(ref: Ref) -> None:
    node = Node(CAROL)
    for entry in chain(BOB, 2, LATER):
        node.take(entry)
    node.frontier.add(sign(ALICE, NETWORK, first_body(NETWORK, LATER, key_of(ALICE), b"", refs=(ref,))))
    assert [(tip.author, tip.seq) for tip in node.write().body.refs] == [(BOB.player, 1)]


def test_a_document_that_was_pruned_is_forgotten() -> None:
    node = Node(CAROL)
    node.take(chain(BOB, 1, LATER)[0])
    node.write()
    assert node.frontier.tips((LATER,), CAROL.player) == ()
    node.frontier.forget(LATER)
    assert len(node.frontier.tips((LATER,), CAROL.player)) == 1
