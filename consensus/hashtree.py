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
from collections.abc import Iterator
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
_FAN: Final = 16
_FIRST: Final = 1 << 15
_HASH_BYTES: Final = 32
_UNKNOWN: Final = bytes(_HASH_BYTES)


# Nodes refer downwards only, so no garbage of theirs is ever circular, and the collector need not walk through them.
class _Leaf(msgspec.Struct, eq=False, gc=False):
    key: bytes
    value: Any
    hash: Digest | None = None


class _Branch(msgspec.Struct, eq=False, gc=False):
    children: list[_Node | None]  # sixteen
    there: int  # which of them are, the first as the highest of 16 bits
    hashes: bytes  # of those that are, in order; to be looked up again where `stale` says so
    stale: int
    hash: Digest | None = None


_Node = _Leaf | _Branch


def _half_byte(key: bytes, depth: int) -> int:
    return key[depth >> 1] & 15 if depth & 1 else key[depth >> 1] >> 4


def _place(there: int, at: int) -> int:
    """Where among a branch's hashes the one of a child begins."""
    return (there >> (_FAN - at)).bit_count() * _HASH_BYTES


def _put(top: _Node | None, leaf: _Leaf) -> _Node:
    """Another trie with a leaf: a loop, because most of the time of a fold is spent here."""
    key, node = leaf.key, top
    path: list[tuple[_Branch, int]] = []
    depth = 0
    while isinstance(node, _Branch):
        at = key[depth >> 1] & 15 if depth & 1 else key[depth >> 1] >> 4
        path.append((node, at))
        node = node.children[at]
        depth += 1
    grown: _Node = leaf if node is None or node.key == key else _fork(node, leaf, depth)
    while path:
        branch, at = path.pop()
        branch = _Branch(branch.children.copy(), branch.there, branch.hashes, branch.stale)
        _set(branch, at, grown)
        grown = branch
    return grown


def _grow(top: _Node | None, leaf: _Leaf) -> _Node:
    """The same trie with a leaf, changed in place."""
    key, node, depth, at = leaf.key, top, 0, 0
    above: _Branch | None = None
    while isinstance(node, _Branch):
        at = key[depth >> 1] & 15 if depth & 1 else key[depth >> 1] >> 4
        node.hash = None
        node.stale |= _FIRST >> at
        above, node = node, node.children[at]
        depth += 1
    grown: _Node = leaf if node is None or node.key == key else _fork(node, leaf, depth)
    if above is None or top is None:
        return grown
    _set(above, at, grown)
    return top


def _set(branch: _Branch, at: int, child: _Node) -> None:
    bit = _FIRST >> at
    if not branch.there & bit:
        place = _place(branch.there, at)
        branch.hashes = branch.hashes[:place] + _UNKNOWN + branch.hashes[place:]
        branch.there |= bit
    branch.children[at] = child
    branch.stale |= bit


def _fork(one: _Leaf, other: _Leaf, depth: int) -> _Branch:
    """The branches that part two leaves whose keys agree up to `depth`."""
    branch = _Branch([None] * _FAN, 0, b"", 0)
    at, beside = _half_byte(one.key, depth), _half_byte(other.key, depth)
    _set(branch, at, one)
    _set(branch, beside, other if at != beside else _fork(one, other, depth + 1))
    return branch


def _drop(node: _Node | None, key: bytes, depth: int) -> _Node | None:
    """Another trie without a key; the same when the key is not in it."""
    if not isinstance(node, _Branch):
        return None if node is not None and node.key == key else node
    at = _half_byte(key, depth)
    before = node.children[at]
    after = _drop(before, key, depth + 1)
    if after is before:
        return node
    branch = _Branch(node.children.copy(), node.there, node.hashes, node.stale)
    if after is not None:
        _set(branch, at, after)
    else:
        place, bit = _place(node.there, at), _FIRST >> at
        branch.children[at] = None
        branch.there, branch.stale = node.there ^ bit, node.stale & ~bit
        branch.hashes = node.hashes[:place] + node.hashes[place + _HASH_BYTES :]
    # A leaf alone needs no branch; a branch alone does, for what parts its leaves is further down.
    left = branch.children[_FAN - branch.there.bit_length()]
    return left if branch.there.bit_count() == 1 and isinstance(left, _Leaf) else branch


def _hash(node: _Node) -> Digest:
    if node.hash is None:
        if isinstance(node, _Leaf):
            node.hash = Digest(_h(b"\x00" + node.key + encode(node.value)).digest())
        else:
            _look_up(node)
            node.hash = Digest(_h(b"\x01" + node.there.to_bytes(2, "big") + node.hashes).digest())
    return node.hash


def _look_up(branch: _Branch) -> None:
    """Take in the hashes of children that are others now. The rest is at hand in one piece: to look at all sixteen
    each time would cost more than the hash, once a tree is too large for the processor's caches."""
    stale, hashes = branch.stale, bytearray(branch.hashes)
    while stale:
        at = _FAN - stale.bit_length()
        stale ^= _FIRST >> at
        child, place = branch.children[at], _place(branch.there, at)
        if child is not None:
            hashes[place : place + _HASH_BYTES] = child.hash or _hash(child)
    branch.hashes, branch.stale = bytes(hashes), 0


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
        return all(map(_equal, one.children, other.children))
    return False


class _Tree(Generic[K, V]):
    __slots__ = ("_top",)

    def __init__(self, _top: _Node | None = None) -> None:
        self._top = _top

    def get(self, key: K) -> V | None:
        """The value of a key, None when it is not there."""
        node, depth = self._top, 0
        while isinstance(node, _Branch):
            node, depth = node.children[_half_byte(key, depth)], depth + 1
        return node.value if node is not None and node.key == key else None

    def items(self) -> Iterator[tuple[K, V]]:
        """Keys and values, ascending by key."""
        return ((leaf.key, leaf.value) for leaf in _leaves(self._top))  # type: ignore[misc]

    def digest(self) -> Digest:
        """The hash of all that is in it. Costs the nodes that have changed since it was last asked for."""
        return _EMPTY if self._top is None else _hash(self._top)

    def __bool__(self) -> bool:
        return self._top is not None


class HashTree(_Tree[K, V]):
    """The map as a value. What it maps to is whatever has a canonical encoding."""

    __slots__ = ()

    def put(self, key: K, value: V) -> HashTree[K, V]:
        """The tree in which a key has this value. Misuse for a key that has not 32 bytes."""
        return HashTree(_put(self._top, _leaf(key, value)))

    def drop(self, key: K) -> HashTree[K, V]:
        """The tree without a key; this one when the key is not there."""
        after = _drop(self._top, key, 0)
        return self if after is self._top else HashTree(after)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HashTree) and _equal(self._top, other._top)

    def __hash__(self) -> int:
        return hash(self.digest())


class GrowingTree(_Tree[K, V]):
    """The same map with the same hash, changed in place: for what is large and has no past worth keeping."""

    __slots__ = ()

    def put(self, key: K, value: V) -> None:
        """Give a key a value. Misuse for a key that has not 32 bytes."""
        self._top = _grow(self._top, _leaf(key, value))

    def drop(self, key: K) -> None:
        """Take a key out, if it is there."""
        self._top = _drop(self._top, key, 0)


def _leaf(key: bytes, value: object) -> _Leaf:
    if len(key) != _KEY_BYTES:
        raise Misuse(f"a key of {_KEY_BYTES} bytes is needed, not {len(key)}")
    return _Leaf(key, value)
