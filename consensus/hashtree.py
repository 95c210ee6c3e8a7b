"""A map from 32-byte keys whose hash depends on what is in it and on nothing else, and in which a change costs a path.

A trie with sixteen branches: an entry hangs below the shortest prefix (in half bytes) that no other key shares, so the
shape follows from the keys alone, whatever came first. A `HashTree` is a value: `put` and `drop` give another tree,
which shares with the old one all that did not change. So a state of the past is kept for the price of its differences,
two trees are compared along the same differences, and a hash is worked out once for each node, when it is asked for. A
`GrowingTree` is the same with no past: it is changed in place.

Keys are digests or public keys. Who grinds keys that agree in many bits makes paths longer by one node for each four
bits, for everyone alike, and pays sixteen times as much for each.

Leaf: H(0, key, encode(value)); branch: H(1, which of the sixteen are there as 16 bits big-endian, their hashes in
order); H is BLAKE2b-256 personalised `symjam-tree`, 0, 1 and 2 are one byte; the empty tree is H(2).
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, Final, Generic, TypeVar

import msgspec

from crdt.canonical import encode
from crdt.errors import Misuse
from crdt.types import Digest

K = TypeVar("K", bound=bytes)
V = TypeVar("V")

_KIND: Final = b"symjam-tree"
_h = functools.partial(hashlib.blake2b, digest_size=32, person=_KIND)
_EMPTY: Final = Digest(_h(b"\x02").digest())
_KEY_BYTES: Final = 32
_FIRST: Final = 1 << 15  # the bit of the first of sixteen
_HASH_BYTES: Final = 32
_UNKNOWN: Final = bytes(_HASH_BYTES)


# Nodes refer downwards only, so no garbage of theirs is ever circular, and the collector need not walk through them.
class _Leaf(msgspec.Struct, eq=False, gc=False):
    key: bytes
    value: Any
    hash: Digest | None = None


class _Branch(msgspec.Struct, eq=False, gc=False):
    children: tuple[_Node, ...]  # only those that are there
    there: int  # which of the sixteen they are, the first as the highest of 16 bits
    hashes: bytes = b""  # theirs, in order, as they were last looked up; empty: they never were
    stale: int = 0  # whose hash is another since
    hash: Digest | None = None


_Node = _Leaf | _Branch


def _bit(key: bytes, depth: int) -> int:
    """Which of the sixteen a key is below, at a branch of this depth."""
    return _FIRST >> (key[depth >> 1] & 15 if depth & 1 else key[depth >> 1] >> 4)


def _place(there: int, bit: int) -> int:
    """Where among a branch's children the one with this bit stands, or would stand."""
    return (there & -bit * 2).bit_count()


def _put(top: _Node | None, leaf: _Leaf) -> _Node:
    """Another trie with a leaf. Loops, here and in `_grow`, because most of the time of a fold is spent here."""
    key, node, depth = leaf.key, top, 0
    path: list[tuple[_Branch, int, int]] = []
    while isinstance(node, _Branch):
        there, bit = node.there, _FIRST >> (key[depth >> 1] & 15 if depth & 1 else key[depth >> 1] >> 4)
        place = (there & -bit * 2).bit_count()
        path.append((node, bit, place))
        node = node.children[place] if there & bit else None
        depth += 1
    grown: _Node = leaf if node is None or node.key == key else _fork(node, leaf, depth)
    for branch, bit, place in reversed(path):
        branch.hashes = b""  # a past has its hash, and no more need of theirs
        grown = _Branch(_with(branch, bit, place, grown), branch.there | bit)
    return grown


def _grow(top: _Node | None, leaf: _Leaf) -> _Node:
    """The same trie with a leaf, changed in place."""
    key, node, depth, bit, place = leaf.key, top, 0, 0, 0
    above: _Branch | None = None
    while isinstance(node, _Branch):
        there, bit = node.there, _FIRST >> (key[depth >> 1] & 15 if depth & 1 else key[depth >> 1] >> 4)
        place = (there & -bit * 2).bit_count()
        node.hash = None
        node.stale |= bit
        above, node = node, node.children[place] if there & bit else None
        depth += 1
    grown: _Node = leaf if node is None or node.key == key else _fork(node, leaf, depth)
    if above is None or top is None:
        return grown
    above.children = _with(above, bit, place, grown)
    if above.hashes and not above.there & bit:
        begin = place * _HASH_BYTES
        above.hashes = above.hashes[:begin] + _UNKNOWN + above.hashes[begin:]
    above.there |= bit
    return top


def _with(branch: _Branch, bit: int, place: int, child: _Node) -> tuple[_Node, ...]:
    """A branch's children with another one, for the one that was there or besides."""
    children = branch.children
    return (*children[:place], child, *children[place + 1 if branch.there & bit else place :])


def _fork(one: _Leaf, other: _Leaf, depth: int) -> _Branch:
    """The branches that part two leaves whose keys agree up to `depth`."""
    bit, beside = _bit(one.key, depth), _bit(other.key, depth)
    if bit == beside:
        return _Branch((_fork(one, other, depth + 1),), bit)
    return _Branch((one, other) if bit > beside else (other, one), bit | beside)


def _drop(node: _Node | None, key: bytes, depth: int) -> _Node | None:
    """Another trie without a key; the same when the key is not in it."""
    if not isinstance(node, _Branch):
        return None if node is not None and node.key == key else node
    bit = _bit(key, depth)
    if not node.there & bit:
        return node
    place = _place(node.there, bit)
    before = node.children[place]
    after = _drop(before, key, depth + 1)
    if after is before:
        return node
    rest = (*node.children[:place], *(() if after is None else (after,)), *node.children[place + 1 :])
    # A leaf alone needs no branch; a branch alone does, for what parts its leaves is further down.
    if len(rest) == 1 and isinstance(rest[0], _Leaf):
        return rest[0]
    return _Branch(rest, node.there if after is not None else node.there ^ bit)


def _hash(node: _Node) -> Digest:
    if node.hash is None:
        if isinstance(node, _Leaf):
            node.hash = Digest(_h(b"\x00" + node.key + encode(node.value)).digest())
        else:
            _look_up(node)
            node.hash = Digest(_h(b"\x01" + node.there.to_bytes(2, "big") + node.hashes).digest())
    return node.hash


def _look_up(branch: _Branch) -> None:
    """Take in the children's hashes, and later only those that are others. The rest is at hand in one piece: to look
    at each child every time would cost more than the hash, once a tree is too large for the processor's caches."""
    if not branch.hashes:
        branch.hashes = b"".join([child.hash or _hash(child) for child in branch.children])
    elif branch.stale:
        stale, hashes = branch.stale, bytearray(branch.hashes)
        while stale:
            bit = stale & -stale
            place = _place(branch.there, bit)
            child, begin = branch.children[place], place * _HASH_BYTES
            hashes[begin : begin + _HASH_BYTES] = child.hash or _hash(child)
            stale ^= bit
        branch.hashes = bytes(hashes)
    branch.stale = 0


def _leaves(node: _Node | None) -> Iterator[_Leaf]:
    if isinstance(node, _Leaf):
        yield node
    elif node is not None:
        for child in node.children:
            yield from _leaves(child)


def _equal(one: _Node | None, other: _Node | None) -> bool:
    if one is other:
        return True
    if isinstance(one, _Leaf) and isinstance(other, _Leaf):
        return bool(one.key == other.key and one.value == other.value)
    if isinstance(one, _Branch) and isinstance(other, _Branch):
        return one.there == other.there and all(map(_equal, one.children, other.children))
    return False


class _Tree(msgspec.Struct, Generic[K, V], eq=False, gc=False):
    _top: _Node | None = None

    def get(self, key: K) -> V | None:
        """The value of a key, None when it is not there."""
        node, depth = self._top, 0
        while isinstance(node, _Branch):
            there, bit = node.there, _FIRST >> (key[depth >> 1] & 15 if depth & 1 else key[depth >> 1] >> 4)
            if not there & bit:
                return None
            node, depth = node.children[(there & -bit * 2).bit_count()], depth + 1
        return node.value if node is not None and node.key == key else None

    def items(self) -> Iterator[tuple[K, V]]:
        """Keys and values, ascending by key."""
        return ((leaf.key, leaf.value) for leaf in _leaves(self._top))  # type: ignore[misc]

    def digest(self) -> Digest:
        """The hash of all that is in it. Costs the nodes that have changed since it was last asked for."""
        return _EMPTY if self._top is None else _hash(self._top)

    def __bool__(self) -> bool:
        return self._top is not None


class HashTree(_Tree[K, V], eq=False, gc=False):
    """The map as a value. What it maps to is whatever has a canonical encoding."""

    def put(self, key: K, value: V) -> HashTree[K, V]:
        """The tree in which a key has this value. Misuse for a key that has not 32 bytes."""
        return HashTree(_put(self._top, _leaf(key, value)))

    def put_all(self, items: Iterable[tuple[K, V]]) -> HashTree[K, V]:
        """The tree in which these keys, all different, have these values: each node is made once, however many are
        below it. Misuse for a key that has not 32 bytes."""
        leaves = sorted((_leaf(key, value) for key, value in items), key=_key_of)
        return HashTree(_merged(self._top, leaves, 0)) if leaves else self

    def drop(self, key: K) -> HashTree[K, V]:
        """The tree without a key; this one when the key is not there."""
        after = _drop(self._top, key, 0)
        return self if after is self._top else HashTree(after)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HashTree) and _equal(self._top, other._top)

    def __hash__(self) -> int:
        return hash(self.digest())


class GrowingTree(_Tree[K, V], eq=False, gc=False):
    """The same map with the same hash, changed in place: for what is large and has no past worth keeping.

    What is put waits until somebody asks: a tree that is filled from a store is built at once, a level at a time.
    """

    _waiting: dict[bytes, _Leaf] = msgspec.field(default_factory=dict)

    def put(self, key: K, value: V) -> None:
        """Give a key a value. Misuse for a key that has not 32 bytes."""
        self._waiting[key] = _leaf(key, value)

    def drop(self, key: K) -> None:
        """Take a key out, if it is there."""
        self._take_in()
        self._top = _drop(self._top, key, 0)

    def get(self, key: K) -> V | None:
        """The value of a key, None when it is not there."""
        self._take_in()
        return super().get(key)

    def items(self) -> Iterator[tuple[K, V]]:
        """Keys and values, ascending by key."""
        self._take_in()
        return super().items()

    def digest(self) -> Digest:
        """The hash of all that is in it. Costs the nodes that have changed since it was last asked for."""
        self._take_in()
        return super().digest()

    def __bool__(self) -> bool:
        return self._top is not None or bool(self._waiting)

    def _take_in(self) -> None:
        waiting = self._waiting
        if not waiting:
            return
        if self._top is None:
            self._top = _built([waiting[key] for key in sorted(waiting)], 0)
        else:
            for leaf in waiting.values():
                self._top = _grow(self._top, leaf)
        self._waiting = {}


def _built(leaves: list[_Leaf], depth: int) -> _Node:
    """The trie of leaves that are in order and agree up to `depth`."""
    if len(leaves) == 1:
        return leaves[0]
    children, there = list[_Node](), 0
    for bit, below in _parted(leaves, depth):
        children.append(_built(below, depth + 1))
        there |= bit
    return _Branch(tuple(children), there)


def _merged(node: _Node | None, leaves: list[_Leaf], depth: int) -> _Node:
    """Another trie with leaves that are in order and agree, with what is in it, up to `depth`."""
    if node is None:
        return _built(leaves, depth)
    if isinstance(node, _Leaf):
        if all(leaf.key != node.key for leaf in leaves):
            leaves = sorted([*leaves, node], key=_key_of)
        return _built(leaves, depth)
    children, there = list(node.children), node.there
    for bit, below in _parted(leaves, depth):
        place = _place(there, bit)
        if there & bit:
            children[place] = _merged(children[place], below, depth + 1)
        else:
            children.insert(place, _built(below, depth + 1))
            there |= bit
    node.hashes = b""  # as in `_put`
    return _Branch(tuple(children), there)


def _parted(leaves: list[_Leaf], depth: int) -> Iterator[tuple[int, list[_Leaf]]]:
    """Leaves in order, by which of the sixteen they are below at a branch of this depth."""
    return ((bit, list(below)) for bit, below in groupby(leaves, lambda leaf: _bit(leaf.key, depth)))


def _key_of(leaf: _Leaf) -> bytes:
    return leaf.key


def _leaf(key: bytes, value: object) -> _Leaf:
    if len(key) != _KEY_BYTES:
        raise Misuse(f"a key of {_KEY_BYTES} bytes is needed, not {len(key)}")
    return _Leaf(key, value)
