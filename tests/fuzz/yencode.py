"""Yjs updates of any shape that the decoder could be given, written apart from crdt.yupdate."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from crdt.yupdate import Item, Update, YId


class Struct(NamedTuple):
    """An item, and whether its one value is written as JavaScript writes bytes."""

    item: Item
    binary: bool = False


def varuint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def buffer(raw: bytes) -> bytes:
    return varuint(len(raw)) + raw


def _id(where: YId) -> bytes:
    return varuint(where.client) + varuint(where.clock)


def encode_structs(structs: Iterable[Struct], deletes: int = 0) -> bytes:
    """Each struct in a block of its own; as many deleted ranges as wanted, of one client."""
    blocks = [varuint(1) + _id(struct.item.id) + _struct(*struct) for struct in structs]
    ranges = varuint(1) + varuint(7) + varuint(deletes) + _id(YId(0, 1)) * deletes if deletes else b"\0"
    return varuint(len(blocks)) + b"".join(blocks) + ranges


def encode_update(update: Update) -> bytes:
    """Some update that means the same."""
    return encode_structs([Struct(item) for item in update.items], update.deletes)


def _struct(item: Item, binary: bool) -> bytes:
    info = (3 if binary else 8) | 0x80 * (item.origin is not None) | 0x40 * (item.right is not None)
    out = bytes([info])
    out += b"".join(_id(near) for near in (item.origin, item.right) if near is not None)
    if item.origin is None and item.right is None:
        assert item.parent is not None
        out += varuint(1) + buffer(item.parent.encode()) if isinstance(item.parent, str) else b"\0" + _id(item.parent)
    if binary:
        return out + buffer(item.values[0])
    return out + varuint(len(item.values)) + b"".join(b"t" + buffer(value) for value in item.values)
