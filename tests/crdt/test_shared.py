"""A document that many write: whoever has the same edits sees the same, and nobody writes but as themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycrdt import Array, Doc, Map

from crdt.errors import Misuse, Violation
from crdt.keys import Identity
from crdt.lib0 import buffer, varuint
from crdt.limits import EDIT_BYTES_PER_LOG_MAX, EDIT_DELETES_MAX, EDIT_MAX_BYTES, EDITS_PER_LOG_MAX
from crdt.shared import Push, Put, Root, Shared, edit_in, edit_payload
from crdt.yedit import decode_edit
from tests.crdt.authors import ALICE, BOB, CAROL

SHAPE = {
    "map": Root(True, lambda author, key, value: key != "forbidden" and value != "forbidden"),
    "said": Root(False, lambda author, key, value: value != "forbidden", own=True),
}
CLIENTS = {ALICE: 5, BOB: 7, CAROL: 2**53 - 9}
Edit = tuple[Identity, bytes]


def _shared(edits: Sequence[Edit] = ()) -> Shared:
    out = Shared(SHAPE)
    for who, update in edits:
        out.add(CLIENTS[who], who.player, update)
    return out


def _seen(shared: Shared) -> tuple[object, ...]:
    return shared.map("map"), shared.list("said"), shared.state_vector(), shared.waiting(), shared.refused


def _say(shared: Shared, who: Identity, op: Put | Push) -> Edit:
    update = shared.draft(CLIENTS[who], who.player, op)
    shared.add(CLIENTS[who], who.player, update)
    return who, update


def _by_yjs(client: int, change: Callable[[Doc[Array[object]]], None], base: bytes = b"") -> bytes:
    """An update as any Yjs client would make it."""
    doc: Doc[Array[object]] = Doc(client_id=client)
    if base:
        doc.apply_update(base)
    before = doc.get_state()
    change(doc)
    return bytes(doc.get_update(before))


def _item(client: int, clock: int, info: int, place: bytes, content: bytes = b"\x01w\x01x") -> bytes:
    return b"\1\1" + varuint(client) + varuint(clock) + bytes([info]) + place + content + b"\0"


def _in(root: bytes, key: bytes | None = None) -> bytes:
    return b"\1" + buffer(root) + (b"" if key is None else buffer(key))


def _after(client: int, clock: int) -> bytes:
    return varuint(client) + varuint(clock)


def test_what_many_write_is_what_all_see() -> None:
    shared = _shared()
    for who, op in [
        (ALICE, Put("map", "title", "one")),
        (BOB, Push("said", ("list", 7, True, None))),
        (BOB, Put("map", "title", "two")),
        (ALICE, Push("said", "ho")),
    ]:
        _say(shared, who, op)
    assert shared.map("map") == {"title": "two"}
    assert shared.list("said") == [["list", 7, True, None], "ho"]
    client: Doc[Array[object]] = Doc()
    client.apply_update(shared.update())
    assert client.get("map", type=Map).to_py() == {"title": "two"}


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_the_same_edits_in_any_order_make_the_same_document(data: st.DataObject) -> None:
    """Authors write on what they have seen so far; then the logs are dealt out in any order that keeps each log's."""
    heads = {who: _shared() for who in CLIENTS}
    logs: dict[Identity, list[bytes]] = {who: [] for who in CLIENTS}
    has: dict[Identity, dict[Identity, int]] = {who: dict.fromkeys(CLIENTS, 0) for who in CLIENTS}
    for number in range(data.draw(st.integers(1, 14))):
        who = data.draw(st.sampled_from(list(CLIENTS)))
        other = data.draw(st.sampled_from(list(CLIENTS)))
        while other is not who and has[who][other] < len(logs[other]):
            heads[who].add(CLIENTS[other], other.player, logs[other][has[who][other]])
            has[who][other] += 1
        key = data.draw(st.sampled_from(["a", "b", None]))
        op = Push("said", f"{number}") if key is None else Put("map", key, number)
        try:
            update = heads[who].draft(CLIENTS[who], who.player, op)
        except Misuse:  # what it has seen of others waits for those it has not seen
            continue
        heads[who].add(CLIENTS[who], who.player, update)
        logs[who].append(update)
        has[who][who] += 1
    order = [who for who, log in logs.items() for _ in log]
    results = []
    for _ in range(2):
        left = {who: iter(log) for who, log in logs.items()}
        results.append(_seen(_shared([(who, next(left[who])) for who in data.draw(st.permutations(order))])))
    assert results[0] == results[1]
    assert results[0][3:] == (0, 0)


def test_the_last_of_a_list() -> None:
    shared = _shared()
    for number in range(5):
        _say(shared, ALICE, Push("said", f"{number}"))
    assert [shared.list("said", last) for last in (0, 2, 9)] == [[], ["3", "4"], ["0", "1", "2", "3", "4"]]
    assert shared.list("said") == shared.list("said", 5)


def test_an_edit_waits_for_what_it_follows_and_its_log_with_it() -> None:
    writers = _shared()
    first, second, third = (_say(writers, who, Push("said", who.player.hex())) for who in (ALICE, BOB, CAROL))
    fourth = _say(writers, CAROL, Put("map", "k", 1))
    late = _shared([fourth]) if False else _shared([third, fourth, second])
    assert (late.waiting(), late.list("said"), late.map("map")) == (3, [], {})
    late.add(CLIENTS[ALICE], ALICE.player, first[1])
    assert _seen(late) == _seen(writers)


def test_what_waits_for_a_log_that_ended_counts_for_nothing() -> None:
    writers = _shared()
    _say(writers, ALICE, Push("said", "cut away later"))
    reply = _say(writers, BOB, Push("said", "a reply"))
    for order in (0, 1):
        left = _shared()
        if order:
            left.close(CLIENTS[ALICE], ALICE.player)
        left.add(CLIENTS[BOB], BOB.player, reply[1])
        if not order:
            left.close(CLIENTS[ALICE], ALICE.player)
        assert (left.waiting(), left.refused, left.list("said")) == (0, 1, [])
        _say(left, BOB, Push("said", "again"))
        assert left.list("said") == ["again"]


ONE = _item(5, 0, 0x08, _in(b"said"))
REFUSED = {
    "another's client id": _item(7, 0, 0x08, _in(b"said")),
    "a clock of its own": _item(5, 4, 0x08, _in(b"said")),
    "its own future": _item(5, 0, 0x88, _after(5, 3)),
    "an unknown root": _item(5, 0, 0x08, _in(b"log:aa")),
    "a key in a list": _item(5, 0, 0x28, _in(b"said", b"k")),
    "no key in a map": _item(5, 0, 0x08, _in(b"map")),
    "two values at once in a map": _item(5, 0, 0x28, _in(b"map", b"k"), b"\x02w\x01xw\x01y"),
    "a value that is not allowed": _item(5, 0, 0x28, _in(b"map", b"k"), b"\x01w\x09forbidden"),
    "a key that is not allowed": _item(5, 0, 0x28, _in(b"map", b"forbidden")),
    "before another item": _item(5, 0, 0xC8, _after(7, 0) + _after(7, 0)),
    "a nested type": _item(5, 0, 0x07, _in(b"map")),
    "inside an item": _item(5, 0, 0x08, b"\0" + _after(7, 0)),
    "deleted content without a key": _item(5, 0, 0x01, _in(b"map"), b"\1"),
    "nothing, deleted": _item(5, 0, 0x01, _in(b"said"), b"\0"),
    "what is left of a nested type": _item(5, 0, 0x00, b"", b"\1"),
    "a hole": b"\1\1\5\0\x0a\7\0",
    "two clients": b"\2" + _item(7, 0, 0x08, _in(b"said"))[1:-1] + ONE[1:],
    "bytes": _item(5, 0, 0x08, _in(b"said"), b"\x01t\x01x"),
    "an object": _item(5, 0, 0x08, _in(b"said"), b"\x01v\x00"),
    "too deep": _item(5, 0, 0x08, _in(b"said"), b"\x01u\x01u\x01u\x00"),
    "half a note": _item(5, 0, 0x08, _in(b"said"), b"\x01|\x3f\x00\x00\x00"),
    "not a number": _item(5, 0, 0x08, _in(b"said"), b"\x01{\x7f\xf8\x00\x00\x00\x00\x00\x00"),
    "infinity": _item(5, 0, 0x08, _in(b"said"), b"\x01|\x7f\x80\x00\x00"),
    "not text": _item(5, 0, 0x08, _in(b"said"), b"\x01w\x01\xff"),
    "nothing in it": _item(5, 0, 0x08, _in(b"said"), b"\0"),
    "an end too early": ONE[:-1],
    "something after the end": ONE + b"\0",
    "garbage": bytes(range(200, 256)) * 4,
    "nothing": b"",
    "no items of a client": b"\1\0\5\0\0",
    "a range without items": b"\0\1\7\1\0\0",
    "too many deletions": b"\0\1\7\1\0" + varuint(EDIT_DELETES_MAX + 1),
    "what another said": b"\0\1\7\1\0\1",
    "too much": _item(5, 0, 0x08, _in(b"said"), b"\x01w" + buffer(b"x" * EDIT_MAX_BYTES)),
}


@pytest.mark.parametrize("update", REFUSED.values(), ids=REFUSED.keys())
def test_it_counts_for_nothing(update: bytes) -> None:
    shared = _shared()
    _say(shared, BOB, Push("said", "bob"))
    before = shared.map("map"), shared.list("said"), shared.update()
    shared.add(CLIENTS[ALICE], ALICE.player, update)
    assert (shared.map("map"), shared.list("said"), shared.update()) == before
    assert (shared.refused, shared.waiting()) == (1, 0)
    shared.add(CLIENTS[ALICE], ALICE.player, ONE)
    assert sorted(shared.list("said")) == ["bob", "x"]


def test_an_item_stands_where_the_one_it_follows_does() -> None:
    shared = _shared()
    _say(shared, BOB, Put("map", "k", "v"))
    _say(shared, BOB, Push("said", "bob"))
    forbidden = _item(5, 0, 0x88, _after(7, 0), b"\x01w\x09forbidden")
    two = _item(5, 0, 0x88, _after(7, 0), b"\x02w\x01xw\x01y")
    for update in (forbidden, two):
        shared.add(CLIENTS[ALICE], ALICE.player, update)
    assert (shared.refused, shared.map("map")) == (2, {"k": "v"})
    shared.add(CLIENTS[ALICE], ALICE.player, _item(5, 0, 0x88, _after(7, 0)))
    shared.add(CLIENTS[ALICE], ALICE.player, _item(5, 1, 0x88, _after(7, 1)))
    assert (shared.map("map"), shared.list("said")) == ({"k": "x"}, ["bob", "x"])


def test_updates_of_any_yjs_client_are_taken() -> None:
    def change(doc: Doc[Array[object]]) -> None:
        doc.get("map", type=Map)["k"] = 12
        doc.get("map", type=Map)["k"] = 1_790_000_000_000_000
        doc.get("said", type=Array).extend(["a", -3, False, ["b", None]])

    shared = _shared()
    shared.add(CLIENTS[ALICE], ALICE.player, _by_yjs(CLIENTS[ALICE], change))
    assert shared.map("map") == {"k": 1_790_000_000_000_000}  # the first value comes as deleted content
    assert shared.list("said") == ["a", -3, False, ["b", None]]
    taken_back = _by_yjs(CLIENTS[ALICE], lambda doc: doc.get("said", type=Array).pop(0), shared.update())
    emptied = _by_yjs(CLIENTS[BOB], lambda doc: doc.get("map", type=Map).pop("k"), shared.update())
    shared.add(CLIENTS[ALICE], ALICE.player, taken_back)
    assert shared.list("said") == [-3, False, ["b", None]]
    shared.add(CLIENTS[BOB], BOB.player, emptied)
    assert (shared.map("map"), shared.refused) == ({}, 0)
    robbed = _by_yjs(CLIENTS[BOB], lambda doc: doc.get("said", type=Array).pop(0), shared.update())
    shared.add(CLIENTS[BOB], BOB.player, robbed)
    assert (shared.list("said"), shared.refused) == ([-3, False, ["b", None]], 1)


@pytest.mark.parametrize("spelling", [b"}\x2a", b"|\x42\x28\0\0", b"{\x40\x45\0\0\0\0\0\0"])
def test_whole_numbers_in_all_spellings(spelling: bytes) -> None:
    (insert,) = decode_edit(_item(5, 0, 0x08, _in(b"said"), b"\1" + spelling)).inserts
    assert insert.values == (42,)


@pytest.mark.parametrize(("spelling", "value"), [(b"}\x41", -1), (b"}\x80\x01", 64), (b"}\xc0\x01", -64)])
def test_lib0s_signed_integers(spelling: bytes, value: int) -> None:
    (insert,) = decode_edit(_item(5, 0, 0x08, _in(b"said"), b"\1" + spelling)).inserts
    assert insert.values == (value,)
    with pytest.raises(Violation):
        decode_edit(_item(5, 0, 0x08, _in(b"said"), b"\1}" + b"\xff" * 12))


def test_a_log_may_say_so_much_and_no_more() -> None:
    shared = _shared()
    for _ in range(EDITS_PER_LOG_MAX):
        shared.add(5, ALICE.player, b"")
    shared.add(5, ALICE.player, ONE)
    assert shared.list("said") == []
    with pytest.raises(Misuse):
        shared.draft(5, ALICE.player, Push("said", "more"))
    for _ in range(EDIT_BYTES_PER_LOG_MAX // EDIT_MAX_BYTES):
        shared.add(7, BOB.player, bytes(EDIT_MAX_BYTES))
    with pytest.raises(Misuse):
        shared.draft(7, BOB.player, Push("said", "more"))
    _say(shared, CAROL, Push("said", "carol"))
    assert shared.list("said") == ["carol"]


def test_a_draft_that_nobody_would_accept_is_misuse() -> None:
    shared = _shared()
    for op in (Push("said", "forbidden"), Put("map", "forbidden", 1), Put("map", "k", "x" * EDIT_MAX_BYTES)):
        with pytest.raises(Misuse):
            shared.draft(5, ALICE.player, op)
    assert shared.update() == _shared().update()


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=60), st.integers(0, 60), st.integers(0, 255))
def test_whatever_comes_is_refused_or_applied(noise: bytes, at: int, byte: int) -> None:
    shared = _shared()
    _say(shared, BOB, Push("said", "bob"))
    good = shared.draft(5, ALICE.player, Push("said", ("a", 1)))
    for update in (noise, good[: at % len(good)] + bytes([byte]) + good[at % len(good) + 1 :], good[:at] + noise):
        shared.add(5, ALICE.player, update)
    shared.update()
    shared.list("said")


def test_payloads_are_told_apart() -> None:
    assert edit_in(edit_payload(b"update")) == b"update"
    assert edit_in(edit_payload(b"x" * EDIT_MAX_BYTES)) == b"x" * EDIT_MAX_BYTES
    longest = edit_payload(b"x" * (EDIT_MAX_BYTES + 9))
    padded = b"\x92\x01\xc5\x00\x01x"
    for payload in (b"", b"\x90", b"\x92\x01", b"\x92\x02\xc4\x01x", b"\x92\x01\xa1x", padded, longest):
        assert edit_in(payload) is None
