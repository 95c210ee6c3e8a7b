from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycrdt import Array, Doc

from crdt.entry import Entry, client_id, first_body, root_name
from crdt.errors import Reason, Violation
from crdt.gate import entries_of
from crdt.replica import Replica
from crdt.types import EntryId, Nonce
from crdt.view import View
from crdt.yupdate import encode_append
from tests.crdt.authors import (
    ALICE,
    BOB,
    GIVER,
    JAM,
    LEDGER,
    MALLORY,
    NETWORK,
    OTHER_JAM,
    OTHER_NETWORK,
    chain,
    forge,
    key_of,
)

ENTRIES = chain(ALICE, 6)
RAWS = [entry.raw for entry in ENTRIES]
KEY = key_of(ALICE)
ROOT = root_name(KEY)
CLIENT = client_id(JAM, KEY)
BOBS = client_id(JAM, key_of(BOB))
BOBS_ROOT = root_name(key_of(BOB))


def replica_of(length: int = 3) -> Replica:
    replica = Replica(NETWORK, JAM)
    replica.restore(iter(ENTRIES[:length]))
    return replica


def varuint(value: int) -> bytes:
    out = b""
    while value >= 128:
        out += bytes([value % 128 + 128])
        value //= 128
    return out + bytes([value])


def struct(
    value: bytes = RAWS[3],
    client: int = CLIENT,
    clock: int = 3,
    origin: tuple[int, int] | None = (CLIENT, 2),
    right: tuple[int, int] | None = None,
    parent: bytes | None = None,
    deletes: bytes = b"\0",
) -> bytes:
    """An update of one ContentBinary, as JavaScript writes it, with anything wrong that one likes."""
    info = 3 | (0x80 if origin else 0) | (0x40 if right else 0)
    out = b"\1\1" + varuint(client) + varuint(clock) + bytes([info])
    for link in (origin, right):
        if link:
            out += varuint(link[0]) + varuint(link[1])
    if not origin and not right:
        out += parent if parent is not None else b"\1" + varuint(len(ROOT)) + ROOT.encode()
    return out + varuint(len(value)) + value + deletes


def named(root: str) -> bytes:
    return b"\1" + varuint(len(root.encode())) + root.encode()


def test_an_append_of_either_writer_comes_through() -> None:
    replica = replica_of()
    assert entries_of(replica, struct()) == (ENTRIES[3],)
    assert entries_of(replica, encode_append(ROOT, CLIENT, 3, RAWS[3:])) == tuple(ENTRIES[3:])
    assert entries_of(replica, struct(RAWS[0], clock=0, origin=None)) == (ENTRIES[0],)


def test_a_real_doc_s_updates_come_through() -> None:
    updates: list[bytes] = []
    doc: Doc[Array[bytes]] = Doc(client_id=CLIENT)
    doc.observe(lambda event: updates.append(event.update))
    array = doc.get(ROOT, type=Array)
    for raw in RAWS:
        array.append(raw)
    replica = Replica(NETWORK, JAM)
    for update, entry in zip(updates, ENTRIES, strict=True):
        assert entries_of(replica, update) == (entry,)
        replica.admit(entry, GIVER)
    assert View(replica).update() == doc.get_update()


def test_the_whole_document_of_several_authors_comes_through() -> None:
    replica = replica_of(6)
    for entry in chain(BOB, 3) + chain(ALICE, 2, nonce=Nonce(b"restart!")):
        replica.admit(entry, GIVER)
    entries = entries_of(Replica(NETWORK, JAM), View(replica).update())
    assert sorted(e.id for e in entries) == sorted(e.id for log in replica.logs.values() for e in log.entries)


def test_what_came_early_is_passed_on_to_be_held() -> None:
    replica = replica_of(2)
    (entry,) = entries_of(replica, struct(RAWS[4], clock=4, origin=(CLIENT, 3)))
    assert replica.admit(entry, GIVER).held


FORGED = forge(MALLORY, ENTRIES[3].body)
FOREIGN = forge(ALICE, first_body(OTHER_NETWORK, JAM, KEY, b""), OTHER_NETWORK)
ELSEWHERE = chain(ALICE, 4, OTHER_JAM)
LEDGERS = chain(ALICE, 4, LEDGER)

ATTACKS: dict[str, tuple[Reason, bytes]] = {
    "another's client id": (Reason.WRONG_CLIENT, struct(client=BOBS, origin=(BOBS, 2))),
    "a client id one off": (Reason.WRONG_CLIENT, struct(client=CLIENT ^ 1, origin=(CLIENT ^ 1, 2))),
    "the client id of another document": (
        Reason.WRONG_CLIENT,
        struct(client=client_id(OTHER_JAM, KEY), origin=(client_id(OTHER_JAM, KEY), 2)),
    ),
    "the client id of another nonce": (
        Reason.WRONG_CLIENT,
        struct(client=client_id(JAM, key_of(ALICE, Nonce(b"restart!"))), origin=(CLIENT, 2)),
    ),
    "a clock ahead": (Reason.GAP, struct(clock=4, origin=(CLIENT, 3))),
    "a clock behind": (Reason.GAP, struct(clock=2, origin=(CLIENT, 1))),
    "clocks that run apart": (Reason.GAP, encode_append(ROOT, CLIENT, 3, [RAWS[3], RAWS[5]])),
    "the same twice in a run": (Reason.GAP, encode_append(ROOT, CLIENT, 3, [RAWS[3], RAWS[3]])),
    "after another's element": (Reason.WRONG_ORIGIN, struct(origin=(BOBS, 2))),
    "after an earlier element": (Reason.WRONG_ORIGIN, struct(origin=(CLIENT, 1))),
    "after itself": (Reason.WRONG_ORIGIN, struct(origin=(CLIENT, 3))),
    "after nothing": (Reason.WRONG_ORIGIN, struct(origin=None)),
    "a first element after something": (Reason.WRONG_ORIGIN, struct(RAWS[0], clock=0, origin=(CLIENT, 0))),
    "before another element": (Reason.WRONG_ORIGIN, struct(right=(CLIENT, 0))),
    "before the first element": (Reason.WRONG_ORIGIN, struct(RAWS[0], clock=0, origin=None, right=(CLIENT, 0))),
    "in another's root": (Reason.WRONG_PARENT, struct(RAWS[0], clock=0, origin=None, parent=named(BOBS_ROOT))),
    "in a root of no author": (Reason.WRONG_PARENT, struct(RAWS[0], clock=0, origin=None, parent=named("chat"))),
    "in a nested type": (Reason.WRONG_PARENT, struct(RAWS[0], clock=0, origin=None, parent=b"\0\5\0")),
    "a delete of another's element": (Reason.DELETES, struct(deletes=b"\1" + varuint(BOBS) + b"\1\0\1")),
    "a delete and nothing else": (Reason.DELETES, b"\0\1" + varuint(CLIENT) + b"\1\0\1"),
    "a delete of one's own": (Reason.DELETES, struct(deletes=b"\1" + varuint(CLIENT) + b"\1\0\1")),
    "a collected range": (Reason.DELETES, b"\1\1" + varuint(CLIENT) + b"\3\0\1\0"),
    "a hole": (Reason.GAP, b"\1\1" + varuint(CLIENT) + b"\3\x0a\1\0"),
    "another's signature": (Reason.BAD_SIGNATURE, struct(FORGED)),
    "a flipped bit": (Reason.BAD_SIGNATURE, struct(RAWS[3][:-1] + bytes([RAWS[3][-1] ^ 1]))),
    "another network's": (Reason.WRONG_NETWORK, struct(FOREIGN, clock=0, origin=None)),
    "another jam's": (Reason.WRONG_DOCUMENT, struct(ELSEWHERE[3].raw)),
    "the ledger's": (Reason.WRONG_DOCUMENT, struct(LEDGERS[3].raw)),
    "no entry at all": (Reason.GARBAGE, struct(b"x" * 200)),
    "an empty element": (Reason.TRUNCATED, struct(b"")),
    "half an entry": (Reason.GARBAGE, struct(RAWS[3][:-5])),
    "too large an entry": (Reason.OVERSIZE, struct(bytes(30_000))),
    "half an update": (Reason.TRUNCATED, struct()[:-40]),
    "an update and more": (Reason.GARBAGE, struct() + b"\0"),
    "good ones and a bad one": (Reason.BAD_SIGNATURE, encode_append(ROOT, CLIENT, 2, [RAWS[2], FORGED])),
}


@pytest.mark.parametrize(("reason", "raw"), ATTACKS.values(), ids=ATTACKS)
def test_an_attack_is_refused_with_its_reason_and_changes_nothing(reason: Reason, raw: bytes) -> None:
    replica = replica_of()
    view = View(replica)
    before = (replica.digest(), replica.heads(), replica.held_count(), view.update(), view.state_vector())
    with pytest.raises(Violation) as caught:
        entries_of(replica, raw)
    assert caught.value.reason is reason
    assert (replica.digest(), replica.heads(), replica.held_count(), view.update(), view.state_vector()) == before
    assert [replica.admit(e, GIVER).added for e in entries_of(replica, struct())] == [(ENTRIES[3],)]


def test_a_wrong_predecessor_comes_through_the_gate_and_no_further() -> None:
    body = ENTRIES[3].body
    wrong = forge(ALICE, [*[getattr(body, f) for f in body.__struct_fields__[:6]], EntryId(b"w" * 32), (), b""])
    replica = replica_of()
    before = (replica.digest(), View(replica).update())
    (entry,) = entries_of(replica, struct(wrong))
    with pytest.raises(Violation) as caught:
        replica.admit(entry, GIVER)
    assert caught.value.reason is Reason.WRONG_PREV
    assert (replica.digest(), View(replica).update()) == before
    assert replica.admit(ENTRIES[3], GIVER).added


@settings(max_examples=200)
@given(st.binary(max_size=200))
def test_garbage_is_refused(raw: bytes) -> None:
    only_violations(lambda: entries_of(replica_of(), raw))


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_mutated_updates_never_let_anything_through_but_signed_entries(data: st.DataObject) -> None:
    raw = bytearray(
        data.draw(st.sampled_from([struct(), encode_append(ROOT, CLIENT, 3, RAWS[3:]), View(replica_of(6)).update()]))
    )
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
        raw = raw or bytearray(b"\0")
    through = only_violations(lambda: entries_of(replica_of(), bytes(raw)))
    assert set(through) <= set(ENTRIES)


def only_violations(act: Callable[[], tuple[Entry, ...]]) -> tuple[Entry, ...]:
    try:
        return act()
    except Violation:
        return ()
