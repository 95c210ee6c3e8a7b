"""Hostile edits that are well formed: whatever they follow and delete, order changes nothing that anyone sees."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from pycrdt import Array, Doc, Map

from crdt.keys import Identity
from crdt.lib0 import buffer, varuint
from crdt.shared import Root, Shared
from tests.crdt.authors import ALICE, BOB, CAROL, MALLORY

SHAPE = {"map": Root(True, lambda a, k, v: True), "said": Root(False, lambda a, k, v: True, own=True)}
CLIENTS = {ALICE: 5, BOB: 7, CAROL: 2**40, MALLORY: 2**53 - 9}


@st.composite
def edits(draw: st.DrawFn, client: int, clock: int) -> tuple[bytes, int]:
    """An update of one client from its clock on: items anywhere, deletions of anything; and the clock after it."""
    items = []
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 0]))):
        count = draw(st.integers(1, 2))
        if draw(st.sampled_from([False, False, True])):
            info, place = 0x88, _id(draw)
        else:
            root, key = draw(st.sampled_from([(b"map", b"a"), (b"map", b"b"), (b"said", None)]))
            info, place = (0x08, b"\1" + buffer(root)) if key is None else (0x28, b"\1" + buffer(root) + buffer(key))
            count = count if key is None else 1
        values = b"".join(b"w" + buffer(b"%d.%d" % (client % 97, clock + n)) for n in range(count))
        items.append(bytes([info]) + place + varuint(count) + values)
        clock += count
    head = b"\1" + varuint(len(items)) + varuint(client) + varuint(clock - _values(items)) if items else b"\0"
    gone = [(draw(st.sampled_from(list(CLIENTS.values()))), 0)] if draw(st.sampled_from([0, 0, 0, 1])) else []
    deletes = b"".join(varuint(c) + b"\1" + varuint(at) + b"\1" for c, at in gone)
    return head + b"".join(items) + varuint(len(gone)) + deletes, clock


def _values(items: list[bytes]) -> int:
    return sum(item.count(b"w") for item in items)


def _id(draw: st.DrawFn) -> bytes:
    return varuint(draw(st.sampled_from(list(CLIENTS.values())))) + varuint(draw(st.sampled_from([0, 0, 0, 1, 1, 2])))


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_order_does_not_matter_whatever_edits_follow_or_delete(data: st.DataObject) -> None:
    logs: dict[Identity, list[bytes]] = {}
    for who, client in CLIENTS.items():
        clock, log = 0, []
        for _ in range(data.draw(st.sampled_from([1, 2, 3, 4, 5]))):
            update, after = data.draw(edits(client, clock))
            log.append(update)
            clock = after if data.draw(st.integers(0, 9)) else clock  # sometimes the same clocks again
        logs[who] = log
    seen = []
    order = [who for who, log in logs.items() for _ in log]
    for _ in range(3):
        shared, left = Shared(SHAPE), {who: iter(log) for who, log in logs.items()}
        for who in data.draw(st.permutations(order)):
            shared.add(CLIENTS[who], who.player, next(left[who]))
        other: Doc[Array[object]] = Doc()
        other.apply_update(shared.update())  # nothing of it may be pending for those who load it
        assert other.get("said", type=Array).to_py() == shared.list("said")
        assert (other.get("map", type=Map).to_py() or {}) == shared.map("map")
        waiting = shared.waiting(), shared.refused
        seen.append((shared.map("map"), shared.list("said"), shared.state_vector(), waiting))
    assert seen[0] == seen[1] == seen[2]
