"""The target for edits of shared documents: what a decoder lets through must be safe to give to Yjs.

pycrdt takes garbage without a word and can panic on it (notes), so the oracle is that whatever was applied left a
document that another Y.Doc loads whole, with nothing pending and the same content.
"""

from __future__ import annotations

from pycrdt import Array, Doc, Map

from crdt.errors import Violation
from crdt.shared import Push, Put, Root, Shared
from crdt.yedit import decode_edit
from tests.crdt.authors import ALICE, BOB

MINE, THEIRS = 5, 7
SHAPE = {"map": Root(True, lambda a, k, v: len(k or "") < 9), "said": Root(False, lambda a, k, v: v != 1, own=True)}


def _written() -> list[bytes]:
    shared, out = Shared(SHAPE), []
    for op in (Put("map", "k", "v"), Push("said", "a"), Push("said", ("b", 7, None, True)), Put("map", "k", "w")):
        out.append(shared.draft(THEIRS, BOB.player, op))
        shared.add(THEIRS, BOB.player, out[-1])
    return out


WRITTEN = _written()


def _filled() -> Shared:
    shared = Shared(SHAPE)
    for update in WRITTEN:
        shared.add(THEIRS, BOB.player, update)
    return shared


def edit(data: bytes) -> bool:
    """0: the bytes of an edit. 1: an edit of one client, merged with what another wrote."""
    try:
        decoded = decode_edit(data[1:])
    except Violation:
        return False
    clocks = [at for insert in decoded.inserts for at in range(insert.id.clock, insert.id.clock + len(insert.values))]
    assert clocks == list(range(clocks[0], clocks[0] + len(clocks))) if clocks else True
    return _merged(data[1:]) if data[:1] == b"\1" else True


def _merged(update: bytes) -> bool:
    shared = _filled()
    before = shared.state_vector(), shared.map("map"), shared.list("said")
    shared.add(MINE, ALICE.player, update)
    if shared.refused or shared.waiting():
        assert (shared.state_vector(), shared.map("map"), shared.list("said")) == before
        return False
    other: Doc[Array[object]] = Doc()
    other.apply_update(shared.update())
    assert (other.get("map", type=Map).to_py() or {}) == shared.map("map")
    assert (other.get("said", type=Array).to_py() or []) == shared.list("said")
    return True


def edits() -> list[bytes]:
    """Edits of each shape, alone (0) and to be merged (1)."""
    shared = _filled()
    ops = (Put("map", "k", "mine"), Put("map", "new", -5), Push("said", "c"), Push("said", ("d", 2**40, False)))
    mine = [shared.draft(MINE, ALICE.player, op) for op in ops]
    mine += [b"\0\1\7\1\0\1", b"\0\0", b"\1\1\5\0\x01\1\4said\3\0", b"\1\1\5\0\x08\1\4said\1}\xc0\x01\0"]
    return [way + raw for raw in mine for way in (b"\0", b"\1")]
