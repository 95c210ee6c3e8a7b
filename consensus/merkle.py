"""Merkle trees over entry ids, in the shape of RFC 6962: leaves and nodes are hashed with different prefixes.

Without the prefixes a node could be passed off as a leaf. Pairing level by level, with an odd last node moving up
as it is, gives the same tree as the RFC's split at the largest power of two. The hash is this protocol's own
(personalised BLAKE2b-256), so the roots are not those of Certificate Transparency.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from crdt.canonical import digest
from crdt.errors import Misuse
from crdt.types import Digest, EntryId

_KIND: Final = b"symjam-merkle"


def _leaf(entry: EntryId) -> Digest:
    return Digest(digest(_KIND, b"\x00", entry))


def _node(left: Digest, right: Digest) -> Digest:
    return Digest(digest(_KIND, b"\x01", left, right))


def _level_above(level: list[Digest]) -> list[Digest]:
    above = [_node(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
    return above + level[-1:] if len(level) % 2 else above


def root_of(entries: Sequence[EntryId]) -> Digest:
    """Root of the tree over entry ids, in their log's order. Misuse for none: a block holds at least one entry."""
    if not entries:
        raise Misuse("a tree over no entries")
    level = [_leaf(entry) for entry in entries]
    while len(level) > 1:
        level = _level_above(level)
    return level[0]


def prove(entries: Sequence[EntryId], index: int) -> tuple[Digest, ...]:
    """The siblings, from the leaf up, that lead from the entry at `index` to the root."""
    if not 0 <= index < len(entries):
        raise Misuse(f"no entry {index} among {len(entries)}")
    level = [_leaf(entry) for entry in entries]
    path: list[Digest] = []
    while len(level) > 1:
        sibling = index ^ 1
        if sibling < len(level):
            path.append(level[sibling])
        level, index = _level_above(level), index // 2
    return tuple(path)


def included(root: Digest, entry: EntryId, index: int, size: int, path: Sequence[Digest]) -> bool:
    """Whether `path` shows that `entry` is at `index` among the `size` entries under `root`. Never raises."""
    if not 0 <= index < size or any(len(sibling) != 32 for sibling in path):
        return False
    node, rest = _leaf(entry), list(reversed(path))
    while size > 1:
        if index ^ 1 < size:
            if not rest:
                return False
            sibling = rest.pop()
            node = _node(sibling, node) if index % 2 else _node(node, sibling)
        index, size = index // 2, (size + 1) // 2
    return not rest and node == root
