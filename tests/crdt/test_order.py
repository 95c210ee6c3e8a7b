"""The same set of entries gives the same state, whatever the order, duplication and split of its delivery (SPEC 3)."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st
from pycrdt import Doc

from crdt.entry import Entry, client_id, root_name
from crdt.errors import Violation
from crdt.gate import entries_of
from crdt.log import prove_equivocation
from crdt.replica import Replica
from crdt.types import DocumentName
from crdt.view import View
from crdt.yupdate import encode_append
from tests.crdt.authors import ALICE, AUTHORS, JAM, NETWORK, chain, stray
from tests.crdt.worlds import expected, give, held_by, replica_of, worlds

World = tuple[DocumentName, list[Entry]]
GIVERS = [author.player for author in AUTHORS]


def proofs_in(entries: list[Entry]) -> list[tuple[Entry, Entry]]:
    pairs = []
    for pair in itertools.combinations(entries, 2):
        try:
            pairs.append(tuple(prove_equivocation(*pair)))
        except Violation:
            continue
    return pairs  # type: ignore[return-value]


@settings(max_examples=200, deadline=None)
@given(worlds(), st.data())
def test_order_duplication_and_proofs_do_not_matter(world: World, data: st.DataObject) -> None:
    document, entries = world
    reference = replica_of(document, sorted(entries, key=lambda entry: (entry.body.seq, entry.id)))
    assert held_by(reference) == expected(entries)
    deliveries: list[Entry | tuple[Entry, Entry]] = [*entries, *proofs_in(entries)[:4]]
    if entries:
        deliveries += data.draw(st.lists(st.sampled_from(entries), max_size=6))
    replica = Replica(NETWORK, document)
    view = View(replica)
    for item in data.draw(st.permutations(deliveries)):
        if isinstance(item, Entry):
            give(replica, item, data.draw(st.sampled_from(GIVERS)))
        else:
            replica.freeze(prove_equivocation(*item))
        if data.draw(st.booleans()):
            view.refresh()  # a view that followed all along is as one made at the end
    same(replica, reference)
    assert view.update() == View(reference).update()
    assert view.doc.get_update() == View(replica).update()


def same(replica: Replica, reference: Replica) -> None:
    assert replica.heads() == reference.heads()
    assert replica.digest() == reference.digest()
    assert replica.entry_count == reference.entry_count == sum(len(log) for log in replica.logs.values())
    mine, theirs = View(replica), View(reference)
    assert mine.update() == theirs.update()
    assert mine.state_vector() == theirs.state_vector()
    for key, log in replica.logs.items():
        assert mine.array(key) == [entry.raw for entry in log.entries]
    loaded: Doc[object] = Doc(client_id=1)
    loaded.apply_update(mine.update())
    assert loaded.get_update() == mine.update()


@settings(max_examples=100, deadline=None)
@given(worlds(), st.data())
def test_split_into_yjs_updates_of_any_size_it_is_the_same(world: World, data: st.DataObject) -> None:
    document, entries = world
    reference = replica_of(document, entries)
    chunks = []
    for key, log in reference.logs.items():
        start = 0
        while start < len(log):
            stop = data.draw(st.integers(start + 1, len(log)))
            values = [entry.raw for entry in log.entries[start:stop]]
            chunks.append(encode_append(root_name(key), client_id(document, key), start, values))
            start = stop
    replica = Replica(NETWORK, document)
    for chunk in data.draw(st.permutations(chunks)):
        for entry in entries_of(replica, chunk):
            give(replica, entry, GIVERS[0])
    for proof in reference.equivocations.values():
        replica.freeze(proof)
    same(replica, reference)


@settings(max_examples=100, deadline=None)
@given(worlds(), st.data())
def test_what_a_peer_took_along_comes_again(world: World, data: st.DataObject) -> None:
    """Forgetting what a peer had brought costs nothing once everything is given again."""
    document, entries = world
    replica = Replica(NETWORK, document)
    for entry in data.draw(st.permutations(entries)):
        give(replica, entry, data.draw(st.sampled_from(GIVERS[:3])))
        if data.draw(st.integers(0, 4)) == 0:
            replica.forget_giver(data.draw(st.sampled_from(GIVERS[:3])))
    for entry in data.draw(st.permutations(entries)):
        give(replica, entry, GIVERS[3])
    assert held_by(replica) == expected(entries)


def test_every_order_of_a_small_fork() -> None:
    trunk = chain(ALICE, 3)
    twig = chain(ALICE, 2, label=b"twig", after=trunk[0])
    entries = [*trunk, *twig, stray(ALICE, 1)]
    digests = {replica_of(JAM, order).digest() for order in itertools.permutations(entries)}
    assert digests == {replica_of(JAM, [*trunk[:2], twig[0]]).digest()}
