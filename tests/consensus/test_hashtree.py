"""A map whose hash depends on its content alone, and of which the past stays what it was."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consensus.hashtree import GrowingTree, HashTree
from crdt.canonical import digest, encode
from crdt.errors import Misuse

# Few bytes, and those that differ late: keys that share long prefixes.
keys = st.lists(st.sampled_from([0, 1, 16, 17, 255]), min_size=1, max_size=3).map(
    lambda head: bytes(head).ljust(31, b"\x00") + bytes([head[-1]])
)
changes = st.lists(st.tuples(keys, st.one_of(st.none(), st.integers(0, 3))), max_size=40)


def changed(tree: HashTree[bytes, int], key: bytes, value: int | None) -> HashTree[bytes, int]:
    return tree.drop(key) if value is None else tree.put(key, value)


@given(changes)
@settings(max_examples=200, deadline=None)
def test_it_is_a_map_and_old_trees_stay_as_they_were(said: list[tuple[bytes, int | None]]) -> None:
    tree: HashTree[bytes, int] = HashTree()
    plain: dict[bytes, int] = {}
    past = []
    for key, value in said:
        past.append((tree, dict(plain)))
        tree = changed(tree, key, value)
        if value is None:
            plain.pop(key, None)
        else:
            plain[key] = value
        assert list(tree.items()) == sorted(plain.items()) and bool(tree) == bool(plain)
        assert tree.get(key) == plain.get(key)
    for old, content in past:
        assert list(old.items()) == sorted(content.items())


@given(changes, st.dictionaries(keys, st.integers(0, 3), max_size=20), st.booleans())
@settings(max_examples=300, deadline=None)
def test_many_at_once_are_as_one_after_the_other(
    said: list[tuple[bytes, int | None]], more: dict[bytes, int], is_hashed: bool
) -> None:
    tree: HashTree[bytes, int] = HashTree()
    for key, value in said:
        tree = changed(tree, key, value)
    before, digest_before = dict(tree.items()), tree.digest() if is_hashed else None
    singly = tree
    for key, value in more.items():
        singly = singly.put(key, value)
    together = tree.put_all(more.items())
    assert together == singly and together.digest() == singly.digest()
    assert dict(together.items()) == before | more
    assert dict(tree.items()) == before and (tree.digest() == digest_before or digest_before is None)


@given(changes, st.data())
@settings(max_examples=200, deadline=None)
def test_the_hash_follows_from_the_content_alone(said: list[tuple[bytes, int | None]], data: st.DataObject) -> None:
    tree: HashTree[bytes, int] = HashTree()
    asked = data.draw(st.sets(st.integers(0, 40)))
    for n, (key, value) in enumerate(said):
        tree = changed(tree, key, value)
        if n in asked:
            tree.digest()
    again: HashTree[bytes, int] = HashTree()
    for key, value in data.draw(st.permutations(list(tree.items()))):
        again = again.put(key, value)
    assert again.digest() == tree.digest() and again == tree and hash(again) == hash(tree)


@given(changes, st.data())
@settings(max_examples=300, deadline=None)
def test_changed_in_place_it_is_the_same(said: list[tuple[bytes, int | None]], data: st.DataObject) -> None:
    value: HashTree[bytes, int] = HashTree()
    growing: GrowingTree[bytes, int] = GrowingTree()
    asked = data.draw(st.sets(st.integers(0, 40)))
    for n, (key, number) in enumerate(said):
        value = changed(value, key, number)
        if number is None:
            growing.drop(key)
        else:
            growing.put(key, number)
        assert list(growing.items()) == list(value.items()) and growing.get(key) == number
        if n in asked:
            assert growing.digest() == value.digest()
    fresh: HashTree[bytes, int] = HashTree()
    for key, number in value.items():
        fresh = fresh.put(key, number)
    assert growing.digest() == value.digest() == fresh.digest() and bool(growing) == bool(value)


@given(changes, changes)
@settings(max_examples=200, deadline=None)
def test_other_content_is_another_hash_and_not_equal(
    one: list[tuple[bytes, int | None]], more: list[tuple[bytes, int | None]]
) -> None:
    trees = []
    for said in (one, one + more):
        tree: HashTree[bytes, int] = HashTree()
        for key, value in said:
            tree = changed(tree, key, value)
        trees.append(tree)
    same = list(trees[0].items()) == list(trees[1].items())
    assert (trees[0].digest() == trees[1].digest()) is same and (trees[0] == trees[1]) is same


def test_the_hash_is_the_one_that_is_described() -> None:
    def h(*parts: bytes) -> bytes:
        return digest(b"symjam-tree", *parts)

    tree: HashTree[bytes, int] = HashTree()
    assert tree.digest() == h(b"\x02")
    near, beside, far = b"\x10" + bytes(31), b"\x12" + bytes(31), b"\xf0" + bytes(31)
    leaves = [h(b"\x00", key, encode(n)) for n, key in enumerate((near, beside, far))]
    tree = tree.put(near, 0)
    assert tree.digest() == leaves[0]
    tree = tree.put(beside, 1).put(far, 2)
    below = h(b"\x01", (2**15 + 2**13).to_bytes(2, "big"), leaves[0], leaves[1])
    assert tree.digest() == h(b"\x01", (2**14 + 1).to_bytes(2, "big"), below, leaves[2])


def test_a_key_of_another_length_is_misuse_and_is_never_found() -> None:
    tree: HashTree[bytes, int] = HashTree()
    for key in (b"", bytes(31), bytes(33)):
        with pytest.raises(Misuse):
            tree.put(key, 1)
        with pytest.raises(Misuse):
            GrowingTree[bytes, int]().put(key, 1)
    assert tree.drop(bytes(32)) is tree and tree.get(bytes(32)) is None
    assert tree != {}


def test_a_change_costs_a_path() -> None:
    """What a thousand keys hashed is not hashed again for one more."""
    tree: HashTree[bytes, int] = HashTree()
    for n in range(1_000):
        tree = tree.put(digest(b"test", n.to_bytes(2, "big")), n)
    tree.digest()
    after = tree.put(digest(b"test", b"one more"), 0)
    assert unhashed(after._top) <= 6 and unhashed(tree._top) == 0


def unhashed(node: object) -> int:
    """How many nodes of a tree have no hash yet."""
    below = sum(unhashed(child) for child in getattr(node, "children", ()) if child is not None)
    return below + (getattr(node, "hash", b"") is None)
