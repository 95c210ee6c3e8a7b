"""Yjs updates of many-writer documents: maps and lists of plain values, decoded strictly.

Only what an editor of plain values writes is decoded: runs of one client's items that hold ContentAny (text, whole
numbers, truth values, nothing, and lists of these) or deleted content, in a root or after an item, and a delete set. No
nested types, no formatted text, no item before another one. Format: https://github.com/yjs/yjs (INTERNALS.md), lib0.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from crdt.errors import Reason, Violation
from crdt.lib0 import Reader
from crdt.limits import EDIT_DEPTH_MAX, EDIT_MAX_BYTES
from crdt.yupdate import YId

Value = str | int | bool | None | tuple["Value", ...]

_DELETED: Final = 1
_ANY: Final = 8
_HAS_ORIGIN: Final = 0x80
_HAS_RIGHT: Final = 0x40
_HAS_KEY: Final = 0x20
_WHOLE_MAX: Final = 2**53 - 1
_NUMBERS: Final = {124: (">f", 4), 123: (">d", 8)}  # lib0 writes whole numbers of any size so, and pycrdt all


class Insert(NamedTuple):
    """A run of values: its first id, and either the item that it follows or the root (and key) in which it stands.

    What was deleted before the update was made comes without its values: `gone`, and as many Nones.
    """

    id: YId
    origin: YId | None
    root: str | None
    key: str | None
    values: tuple[Value, ...]
    gone: bool = False


class Range(NamedTuple):
    """Items that are deleted."""

    first: YId
    length: int


class EditUpdate(NamedTuple):
    """What one update does: inserts of one client at consecutive clocks, and deletions."""

    inserts: tuple[Insert, ...]
    deletes: tuple[Range, ...]


def decode_edit(raw: bytes) -> EditUpdate:
    """Decode an update. Raises Violation: OVERSIZE, TRUNCATED, GARBAGE, NON_CANONICAL, WRONG_CLIENT (more than one
    client's items), WRONG_ORIGIN (an item before another) or WRONG_PARENT (an item in a nested type)."""
    if len(raw) > EDIT_MAX_BYTES:
        raise Violation(Reason.OVERSIZE, f"an edit of {len(raw)} bytes")
    reader = Reader(raw)
    inserts: list[Insert] = []
    clients = reader.count()
    if clients > 1:
        raise Violation(Reason.WRONG_CLIENT, "items of more than one client")
    for _ in range(clients):
        structs = reader.count()
        if structs == 0:  # Yjs never writes it, and yrs panics on it
            raise Violation(Reason.GARBAGE, "no items of a client that is named")
        client, clock = reader.varuint(), reader.varuint()
        for _ in range(structs):
            insert = _insert(reader, YId(client, clock))
            inserts.append(insert)
            clock += len(insert.values)
    deletes: list[Range] = []
    for _ in range(reader.count()):
        client = reader.varuint()
        deletes += [Range(YId(client, reader.varuint()), reader.varuint()) for _ in range(reader.count())]
    if not all(length for _, length in deletes):
        raise Violation(Reason.GARBAGE, "a range without items")
    reader.finish()
    return EditUpdate(tuple(inserts), tuple(deletes))


def _insert(reader: Reader, at: YId) -> Insert:
    info = reader.byte()
    if info & 0x1F not in (_ANY, _DELETED):
        raise Violation(Reason.GARBAGE, f"content of kind {info & 0x1F} in an edit")
    origin = YId(reader.varuint(), reader.varuint()) if info & _HAS_ORIGIN else None
    if info & _HAS_RIGHT:
        raise Violation(Reason.WRONG_ORIGIN, "an item before another one")
    root = key = None
    if origin is None:
        if reader.varuint() != 1:
            raise Violation(Reason.WRONG_PARENT, "an item in a nested type")
        root = _text(reader)
        key = _text(reader) if info & _HAS_KEY else None
    count = reader.count()
    if count == 0:
        raise Violation(Reason.GARBAGE, "an item without content")
    if info & 0x1F == _DELETED:
        return Insert(at, origin, root, key, (None,) * count, gone=True)
    return Insert(at, origin, root, key, tuple(_value(reader, EDIT_DEPTH_MAX) for _ in range(count)))


def _text(reader: Reader) -> str:
    try:
        return reader.buffer().decode()
    except UnicodeDecodeError:
        raise Violation(Reason.GARBAGE, "text that is not UTF-8") from None


def _value(reader: Reader, depth: int) -> Value:
    match reader.byte():
        case 127 | 126:
            return None
        case 125:
            return _whole(reader)
        case (124 | 123) as kind:
            return _number(reader, kind)
        case (121 | 120) as kind:
            return kind == 120
        case 119:
            return _text(reader)
        case 117 if depth:
            return tuple(_value(reader, depth - 1) for _ in range(reader.count()))
        case kind:
            raise Violation(Reason.GARBAGE, f"a value of kind {kind} in an edit")


def _whole(reader: Reader) -> int:
    """lib0's signed integer: six bits and a sign, then seven bits a byte."""
    byte = reader.byte()
    value, is_negative = byte & 0x3F, bool(byte & 0x40)
    shift = 6
    while byte & 0x80:
        byte = reader.byte()
        value |= (byte & 0x7F) << shift
        shift += 7
        if value > _WHOLE_MAX or shift > 55:
            raise Violation(Reason.GARBAGE, "integer beyond 53 bits")
    return -value if is_negative else value


def _number(reader: Reader, kind: int) -> int:
    form, size = _NUMBERS[kind]
    (value,) = struct.unpack(form, bytes(reader.byte() for _ in range(size)))
    if not -_WHOLE_MAX <= value <= _WHOLE_MAX or value != int(value):
        raise Violation(Reason.GARBAGE, "a number that is not whole")
    return int(value)
