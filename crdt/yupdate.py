"""Yjs updates, version 1: decoded strictly, and encoded for the one shape that a log has.

An update is, per client, a run of structs at consecutive clocks, then a delete set; integers are little-endian base
128 (lib0). Only what a log of bytes can contain is decoded: items holding ContentBinary (JavaScript writes bytes so)
or ContentAny with byte arrays (pycrdt does). Everything else, garbage-collected ranges included, is refused, as the
logs never delete. Format: https://github.com/yjs/yjs (INTERNALS.md) and lib0's encoding.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from crdt.errors import Reason, Violation
from crdt.lib0 import Reader, buffer, varuint
from crdt.limits import YJS_UPDATE_MAX_BYTES

_BINARY: Final = 3
_ANY: Final = 8
_ANY_BYTES: Final = 116
_HAS_ORIGIN: Final = 0x80
_HAS_RIGHT: Final = 0x40
_HAS_KEY: Final = 0x20
_GC: Final = 0
_DELETED: Final = 1
_SKIP: Final = 10


class YId(NamedTuple):
    """A Yjs struct id."""

    client: int
    clock: int


class Item(NamedTuple):
    """A run of byte elements by one client: first id, what it follows, and the root it stands in (None: implied)."""

    id: YId
    origin: YId | None
    right: YId | None
    parent: str | YId | None
    values: tuple[bytes, ...]


class Update(NamedTuple):
    """A decoded update."""

    items: tuple[Item, ...]
    deletes: int


def decode_update(raw: bytes) -> Update:
    """Decode an update that may hold only byte elements. Raises Violation: OVERSIZE, TRUNCATED, GARBAGE,
    NON_CANONICAL, WRONG_PARENT (a map entry), DELETES (content already deleted) or GAP (a hole left open)."""
    if len(raw) > YJS_UPDATE_MAX_BYTES:
        raise Violation(Reason.OVERSIZE, f"update of {len(raw)} bytes")
    reader = Reader(raw)
    items: list[Item] = []
    for _ in range(reader.count()):
        structs = reader.count()
        client, clock = reader.varuint(), reader.varuint()
        for _ in range(structs):
            item = _item(reader, YId(client, clock))
            items.append(item)
            clock += len(item.values)
    deletes = 0
    for _ in range(reader.count()):
        reader.varuint()
        for _ in range(reader.count()):
            _id(reader)
            deletes += 1
    reader.finish()
    return Update(tuple(items), deletes)


def _id(reader: Reader) -> YId:
    return YId(reader.varuint(), reader.varuint())


def _item(reader: Reader, at: YId) -> Item:
    info = reader.byte()
    content = info & 0x1F
    if content in (_GC, _DELETED):
        raise Violation(Reason.DELETES, "content that was deleted")
    if content == _SKIP:
        raise Violation(Reason.GAP, "an update with a hole in it")
    if content not in (_BINARY, _ANY):
        raise Violation(Reason.GARBAGE, f"struct of kind {content} in a log")
    if info & _HAS_KEY:
        raise Violation(Reason.WRONG_PARENT, "a map entry in a log")
    origin = _id(reader) if info & _HAS_ORIGIN else None
    right = _id(reader) if info & _HAS_RIGHT else None
    parent: str | YId | None = None
    if origin is None and right is None:
        parent = _parent(reader)
    if content == _BINARY:
        return Item(at, origin, right, parent, (reader.buffer(),))
    count = reader.count()
    if count == 0:
        raise Violation(Reason.GARBAGE, "empty struct")
    return Item(at, origin, right, parent, tuple(_any_bytes(reader) for _ in range(count)))


def _parent(reader: Reader) -> str | YId:
    if reader.varuint() != 1:
        return _id(reader)
    try:
        return reader.buffer().decode()
    except UnicodeDecodeError:
        raise Violation(Reason.GARBAGE, "root name is not UTF-8") from None


def _any_bytes(reader: Reader) -> bytes:
    if reader.byte() != _ANY_BYTES:
        raise Violation(Reason.GARBAGE, "an element that is not bytes")
    return reader.buffer()


class Append(NamedTuple):
    """Byte elements that one client appends to a root array in which it alone writes."""

    root: str
    client: int
    clock: int
    values: Sequence[bytes]


def encode_appends(appends: Iterable[Append]) -> bytes:
    """The update of several appends by different clients, the highest client first as Yjs writes it."""
    ordered = sorted(appends, key=lambda append: append.client, reverse=True)
    return b"".join([varuint(len(ordered)), *map(_struct, ordered), varuint(0)])


def encode_append(root: str, client: int, clock: int, values: Sequence[bytes]) -> bytes:
    """The update of one append."""
    return encode_appends((Append(root, client, clock, values),))


def _struct(append: Append) -> bytes:
    root, client, clock, values = append
    out = [varuint(1), varuint(client), varuint(clock)]
    if clock:
        out += [bytes([_ANY | _HAS_ORIGIN]), varuint(client), varuint(clock - 1)]
    else:
        out += [bytes([_ANY]), varuint(1), buffer(root.encode())]
    out.append(varuint(len(values)))
    for value in values:
        out += [bytes([_ANY_BYTES]), buffer(value)]
    return b"".join(out)


def encode_state_vector(clocks: Mapping[int, int]) -> bytes:
    """A state vector from clocks by client id, the highest client first as Yjs writes it."""
    out = [varuint(len(clocks))]
    for client, clock in sorted(clocks.items(), reverse=True):
        out += [varuint(client), varuint(clock)]
    return b"".join(out)


def decode_state_vector(raw: bytes) -> dict[int, int]:
    """Clocks by client id. Raises Violation: TRUNCATED, GARBAGE, NON_CANONICAL or OVERSIZE."""
    reader = Reader(raw)
    clocks = dict(_id(reader) for _ in range(reader.count()))
    reader.finish()
    return clocks
