from __future__ import annotations

from pycrdt import Array, Doc

from crdt.entry import client_id, root_name
from crdt.keys import Identity
from crdt.limits import VIEW_TRANSACTION_MAX
from crdt.replica import Replica
from crdt.types import Nonce, SessionId, jam_document
from crdt.view import View
from crdt.yupdate import encode_state_vector
from tests.crdt.authors import ALICE, BOB, GIVER, JAM, NETWORK, chain, key_of

TRUNK = chain(ALICE, 6)
KEY = key_of(ALICE)


def replica_of(*entries: object) -> Replica:
    replica = Replica(NETWORK, JAM)
    for entry in entries:
        replica.admit(entry, GIVER)  # type: ignore[arg-type]
    return replica


def load(update: bytes) -> Doc[Array[bytes]]:
    doc: Doc[Array[bytes]] = Doc(client_id=1)
    doc.apply_update(update)
    return doc


def test_an_empty_document() -> None:
    view = View(Replica(NETWORK, JAM))
    assert (view.update(), view.state_vector(), view.array(KEY)) == (b"\0\0", b"\0", [])


def test_any_client_sees_the_same_arrays_and_gives_the_same_bytes_back() -> None:
    view = View(replica_of(*TRUNK, *chain(BOB, 3)))
    doc = load(view.update())
    assert [bytes(value) for value in doc.get(root_name(KEY), type=Array)] == view.array(KEY) == [e.raw for e in TRUNK]
    assert doc.get_update() == view.update()


def test_what_was_added_since_a_state_vector() -> None:
    replica = replica_of(*TRUNK[:4])
    view = View(replica)
    client = load(view.update())
    for entry in TRUNK[4:]:
        replica.admit(entry, GIVER)
    view.refresh()
    client.apply_update(view.doc.get_update(client.get_state()))
    assert client.get_update() == view.update()
    assert client.get_state() == view.state_vector()


def test_the_state_vector_is_the_vector_of_heights() -> None:
    view = View(replica_of(*TRUNK))
    assert view.state_vector() == encode_state_vector({client_id(JAM, KEY): 6})
    view.refresh()
    assert view.doc.get_state() == view.state_vector()


def test_held_entries_are_not_shown() -> None:
    view = View(replica_of(*TRUNK[:2], TRUNK[3]))
    assert view.array(KEY) == [entry.raw for entry in TRUNK[:2]]


def test_a_cut_log_is_shown_from_a_new_doc() -> None:
    replica = replica_of(*TRUNK, *chain(BOB, 2))
    view = View(replica)
    view.update()
    seen = view.doc
    replica.admit(chain(ALICE, 1, label=b"fork", after=TRUNK[1])[0], GIVER)
    assert view.update() == View(replica).update()
    assert view.doc is not seen
    assert view.array(KEY) == [entry.raw for entry in TRUNK[:2]]
    assert len(view.array(key_of(BOB))) == 2


def test_a_cut_that_was_never_shown_needs_no_new_doc() -> None:
    replica = replica_of(*TRUNK[:2])
    view = View(replica)
    view.refresh()
    seen = view.doc
    for entry in (*TRUNK[2:], chain(ALICE, 1, label=b"fork", after=TRUNK[3])[0]):
        replica.admit(entry, GIVER)
    assert len(view.array(KEY)) == 4
    assert view.doc is seen


def test_long_logs_go_in_by_several_transactions() -> None:
    entries = chain(ALICE, 2 * VIEW_TRANSACTION_MAX + 3)
    replica = Replica(NETWORK, JAM)
    replica.restore(iter(entries))
    view = View(replica)
    assert view.array(KEY) == [entry.raw for entry in entries]
    assert load(view.update()).get_update() == view.update()


# Two nonces of one author whose Yjs client ids are the same: found by a cycle of client_id in 15 s of one core.
UNLUCKY_JAM = jam_document(SessionId(b"\x22" * 32))
UNLUCKY = Identity(bytes([7]) * 32)
LOWER, HIGHER = Nonce(bytes.fromhex("001ab53a8b7261b1")), Nonce(bytes.fromhex("001bf17e8be1336f"))


def test_two_logs_with_one_client_id_are_shown_alike_everywhere() -> None:
    lower, higher = (chain(UNLUCKY, 3, UNLUCKY_JAM, nonce) for nonce in (LOWER, HIGHER))
    low, high = (key_of(UNLUCKY, nonce) for nonce in (LOWER, HIGHER))
    assert client_id(UNLUCKY_JAM, low) == client_id(UNLUCKY_JAM, high)
    shown = set()
    for order in (lower + higher, higher + lower, [*lower[:1], *higher, *lower[1:]]):
        replica = Replica(NETWORK, UNLUCKY_JAM)
        view = View(replica)
        for entry in order:
            assert replica.admit(entry, GIVER).added
            view.refresh()
        assert view.array(low) == [entry.raw for entry in lower]
        assert view.array(high) == []
        assert replica.entry_count == 6
        shown.add((view.update(), view.state_vector(), view.doc.get_state()))
    assert len(shown) == 1
