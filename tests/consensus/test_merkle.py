from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consensus.merkle import included, prove, root_of
from crdt.canonical import digest
from crdt.errors import Misuse
from crdt.types import Digest, EntryId


def ids(count: int) -> list[EntryId]:
    return [EntryId(digest(b"test", i.to_bytes(4, "big"))) for i in range(count)]


def reference(entries: list[EntryId]) -> bytes:
    """RFC 6962 2.1 to the letter: split at the largest power of two smaller than n."""
    if len(entries) == 1:
        return digest(b"symjam-merkle", b"\x00", entries[0])
    k = 1 << (len(entries) - 1).bit_length() - 1
    return digest(b"symjam-merkle", b"\x01", reference(entries[:k]), reference(entries[k:]))


@pytest.mark.parametrize("size", range(1, 40))
def test_same_tree_as_the_rfc_and_every_entry_provable(size: int) -> None:
    entries = ids(size)
    root = root_of(entries)
    assert root == reference(entries)
    for index, entry in enumerate(entries):
        path = prove(entries, index)
        assert included(root, entry, index, size, path)
        if size & (size - 1) == 0:  # a full tree: one entry more has another shape
            assert not included(root, entry, index, size + 1, path)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_no_false_proof(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 33))
    entries = ids(size)
    root, index = root_of(entries), data.draw(st.integers(0, size - 1))
    path = prove(entries, index)
    other = data.draw(st.integers(0, 40))
    if other != index:
        assert not included(root, ids(41)[other], index, size, path)
        assert not included(root, entries[index], other, size, path)
    if path:
        spot = data.draw(st.integers(0, len(path) - 1))
        broken = (*path[:spot], Digest(bytes(32)), *path[spot + 1 :])
        assert not included(root, entries[index], index, size, broken)
        assert not included(root, entries[index], index, size, path[:-1])
        assert not included(root, entries[index], index, size, path[1:])
    assert not included(root, entries[index], index, size, (*path, root))
    assert not included(Digest(bytes(32)), entries[index], index, size, path)


def test_a_node_is_no_leaf() -> None:
    """Second preimage: the four-leaf tree's inner nodes, offered as two leaves, give another root."""
    entries = ids(4)
    left = EntryId(root_of(entries[:2]))
    right = EntryId(root_of(entries[2:]))
    assert root_of([left, right]) != root_of(entries)
    assert not included(root_of(entries), left, 0, 2, (Digest(right),))


def test_order_and_repetition_matter() -> None:
    a, b, c = ids(3)
    assert len({root_of([a, b, c]), root_of([c, b, a]), root_of([a, b]), root_of([a, b, c, c]), root_of([a])}) == 5


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0), (0, -1), (7, 3)])
def test_positions_outside_the_tree(index: int, size: int) -> None:
    entries = ids(3)
    assert not included(root_of(entries), entries[0], index, size, prove(entries, 0))


def test_siblings_of_wrong_length() -> None:
    entries = ids(2)
    assert not included(root_of(entries), entries[0], 0, 2, (Digest(bytes(31)),))


def test_misuse() -> None:
    with pytest.raises(Misuse):
        root_of([])
    for index in (-1, 2):
        with pytest.raises(Misuse):
            prove(ids(2), index)
