from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycrdt import Array, Doc, Map, Text

from crdt.errors import Reason, Violation
from crdt.limits import YJS_UPDATE_MAX_BYTES
from crdt.yupdate import Item, Update, YId, decode_update, encode_append, encode_state_vector

CLIENT = 2**53 - 7
CLIENTS = st.integers(1, 2**53 - 1)
VALUES = st.lists(st.binary(max_size=40), min_size=1, max_size=8)


def refused(raw: bytes) -> Reason:
    with pytest.raises(Violation) as caught:
        decode_update(raw)
    return caught.value.reason


@given(CLIENTS, st.integers(0, 2**40), VALUES, st.text(max_size=70))
def test_what_is_encoded_is_decoded(client: int, clock: int, values: list[bytes], root: str) -> None:
    origin, parent = (YId(client, clock - 1), None) if clock else (None, root)
    item = Item(YId(client, clock), origin, None, parent, tuple(values))
    assert decode_update(encode_append(root, client, clock, values)) == Update((item,), 0)


@given(CLIENTS, VALUES, VALUES)
def test_a_real_doc_writes_the_same_bytes(client: int, first: list[bytes], more: list[bytes]) -> None:
    doc: Doc[Array[bytes]] = Doc(client_id=client)
    array = doc.get("log:abc", type=Array)
    array.extend(first)
    assert doc.get_update() == encode_append("log:abc", client, 0, first)
    state = doc.get_state()
    array.extend(more)
    assert doc.get_update(state) == encode_append("log:abc", client, len(first), more)
    assert doc.get_update() == encode_append("log:abc", client, 0, first + more)
    assert doc.get_state() == encode_state_vector({client: len(first) + len(more)})


@given(CLIENTS, VALUES, st.data())
def test_a_real_doc_takes_any_split_in_any_order(client: int, values: list[bytes], data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(1, len(values)))) | {0, len(values)})
    pieces = [encode_append("log:abc", client, start, values[start:stop]) for start, stop in itertools.pairwise(cuts)]
    doc: Doc[Array[bytes]] = Doc(client_id=1)
    for piece in data.draw(st.permutations(pieces)):
        doc.apply_update(piece)
    assert [bytes(value) for value in doc.get("log:abc", type=Array)] == values
    assert doc.get_update() == encode_append("log:abc", client, 0, values)


def test_several_clients_in_one_update() -> None:
    doc: Doc[Array[bytes]] = Doc(client_id=1)
    doc.apply_update(encode_append("a", 3, 0, [b"x", b"y"]))
    doc.apply_update(encode_append("b", 9, 0, [b"z"]))
    update = decode_update(doc.get_update())
    assert {item.id for item in update.items} == {YId(3, 0), YId(9, 0)}
    assert doc.get_state() in (encode_state_vector({3: 2, 9: 1}), b"\x02\x03\x02\x09\x01")


def test_bytes_as_javascript_writes_them() -> None:
    """ContentBinary, one element each; lib0 writes the same integers."""
    raw = b"\x01\x02\x05\x00\x03\x01\x01a\x02hi\x83\x05\x00\x01!\x00"
    first = Item(YId(5, 0), None, None, "a", (b"hi",))
    assert decode_update(raw) == Update((first, Item(YId(5, 1), YId(5, 0), None, None, (b"!",))), 0)


def test_an_empty_update() -> None:
    assert decode_update(b"\x00\x00") == Update((), 0)
    assert decode_update(Doc(client_id=1).get_update()) == Update((), 0)


def test_deletes_are_counted() -> None:
    assert decode_update(b"\x00\x01\x05\x02\x00\x01\x07\x02").deletes == 2


ROOT = b"\x01\x01\x05\x00"  # one client, one struct, client 5, clock 0
PARENT = b"\x01\x01a"


@pytest.mark.parametrize(
    ("reason", "raw"),
    [
        (Reason.TRUNCATED, b""),
        (Reason.TRUNCATED, b"\x00"),
        (Reason.TRUNCATED, b"\x01\x01"),
        (Reason.TRUNCATED, ROOT),
        (Reason.TRUNCATED, ROOT + b"\x08" + PARENT),
        (Reason.TRUNCATED, ROOT + b"\x08" + PARENT + b"\x01t\x05abc"),
        (Reason.TRUNCATED, ROOT + b"\x08" + PARENT + b"\x01t" + b"\xff" * 7 + b"\x0f" + b"abc"),
        (Reason.TRUNCATED, ROOT + b"\x08\x01\x7fa"),
        (Reason.TRUNCATED, b"\x00\x01\x05\x01\x00"),
        (Reason.TRUNCATED, b"\x80"),
        (Reason.GARBAGE, b"\x00\x00\x00"),
        (Reason.GARBAGE, b"\x00\x00tail"),
        (Reason.GARBAGE, b"\xff" * 9 + b"\x01"),
        (Reason.GARBAGE, b"\x01\x01" + b"\xff" * 7 + b"\x1f\x00"),  # 2^53 and more
        (Reason.GARBAGE, ROOT + b"\x08" + PARENT + b"\x00\x00"),  # no element
        (Reason.GARBAGE, ROOT + b"\x08" + PARENT + b"\x01\x7d\x01\x00"),  # a number
        (Reason.GARBAGE, ROOT + b"\x08" + PARENT + b"\x01w\x01x\x00"),  # a string
        (Reason.GARBAGE, ROOT + b"\x08\x01\x01\xff\x01t\x00\x00"),  # the root's name is not UTF-8
        *[(Reason.GARBAGE, ROOT + bytes([kind]) + PARENT + b"\x01x\x00") for kind in (2, 4, 5, 6, 7, 9, 11, 15, 31)],
        (Reason.DELETES, ROOT + b"\x00\x01\x00"),  # a garbage-collected range
        (Reason.DELETES, ROOT + b"\x01" + PARENT + b"\x01\x00"),  # deleted content
        (Reason.GAP, ROOT + b"\x0a\x01\x00"),  # a skip
        (Reason.WRONG_PARENT, ROOT + b"\x28" + PARENT + b"\x01k\x01t\x00\x00"),  # a map's entry
        (Reason.WRONG_PARENT, ROOT + b"\xa8\x05\x00\x01t\x00\x00"),
        (Reason.NON_CANONICAL, b"\x80\x00\x00"),
        (Reason.NON_CANONICAL, ROOT + b"\x08" + PARENT + b"\x81\x00t\x00\x00"),
        (Reason.OVERSIZE, bytes(YJS_UPDATE_MAX_BYTES + 1)),
        (Reason.OVERSIZE, b"\xff\xff\xff\x7f"),
        (Reason.OVERSIZE, b"\x81\x80\x08"),  # one more than YJS_COUNT_MAX
    ],
)
def test_what_no_log_can_be(reason: Reason, raw: bytes) -> None:
    assert refused(raw) is reason


def test_counts_are_bounded_together() -> None:
    """16 MB of empty elements, no count of them beyond its bound, took 19 s and 1.2 GB to decode."""
    many = 50_000
    structs = b"\xd0\x86\x03\x05\x00" + b"\x83\x00\x00\x00" * many
    assert len(decode_update(b"\x02" + structs * 2 + b"\x00").items) == 2 * many
    assert refused(b"\x03" + structs * 3 + b"\x00") is Reason.OVERSIZE
    assert refused(b"\x02" + structs * 2 + b"\x01\x05\xd0\x86\x03" + bytes(2 * many)) is Reason.OVERSIZE


def test_what_other_types_write_is_refused() -> None:
    writers = [
        lambda doc: doc.get("t", type=Text).insert(0, "words"),
        lambda doc: doc.get("m", type=Map).update({"key": b"bytes"}),
        lambda doc: doc.get("a", type=Array).append("a string"),
        lambda doc: doc.get("a", type=Array).append(5),
        lambda doc: doc.get("a", type=Array).append(Array([b"nested"])),
        lambda doc: (doc.get("a", type=Array).append(b"x"), doc.get("a", type=Array).clear()),
    ]
    for write in writers:
        doc: Doc[object] = Doc(client_id=5)
        write(doc)
        assert refused(doc.get_update()) in {Reason.GARBAGE, Reason.WRONG_PARENT, Reason.DELETES}


@settings(max_examples=300)
@given(st.binary(max_size=120))
def test_any_bytes_decode_or_are_refused(raw: bytes) -> None:
    try:
        decode_update(raw)
    except Violation:
        return


@settings(max_examples=300)
@given(st.data())
def test_mutated_updates_decode_or_are_refused(data: st.DataObject) -> None:
    raw = bytearray(encode_append("log:abc", CLIENT, data.draw(st.integers(0, 2)), data.draw(VALUES)))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
        raw = raw or bytearray(b"\0")
    try:
        decode_update(bytes(raw))
    except Violation:
        return


def test_a_state_vector_is_written_highest_client_first() -> None:
    assert encode_state_vector({}) == b"\x00"
    assert encode_state_vector({1: 2, 300: 1}) == b"\x02\xac\x02\x01\x01\x02"
