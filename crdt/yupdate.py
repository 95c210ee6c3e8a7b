"""Yjs updates, version 1: decoded strictly, and encoded for the one shape that a log has.

An update is, per client, a run of structs at consecutive clocks, then a delete set; integers are little-endian base
128 (lib0). Only what a log of bytes can contain is decoded: items holding ContentBinary (JavaScript writes bytes so)
or ContentAny with byte arrays (pycrdt does). Everything else, garbage-collected ranges included, is refused, as the
logs never delete. Format: https://github.com/yjs/yjs (INTERNALS.md) and lib0's encoding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from crdt.errors import Reason, Violation
from crdt.limits import YJS_COUNT_MAX, YJS_UPDATE_MAX_BYTES

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


class _Reader:
    """A cursor over foreign bytes; every read is checked."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.at = 0
        self.announced = 0

    def byte(self) -> int:
        if self.at >= len(self.raw):
            raise Violation(Reason.TRUNCATED, "update ends early")
        self.at += 1
        return self.raw[self.at - 1]

    def varuint(self) -> int:
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if shift and not byte:
                    raise Violation(Reason.NON_CANONICAL, "a padded integer")
                break
            shift += 7
            if shift > 56:
                raise Violation(Reason.GARBAGE, "integer too long")
        if value >= 2**53:
            raise Violation(Reason.GARBAGE, "integer beyond 53 bits")
        return value

    def count(self) -> int:
        """A count of things to come. They are bounded together: four bytes of update become 300 of memory."""
        value = self.varuint()
        self.announced += value
        if self.announced > YJS_COUNT_MAX:
            raise Violation(Reason.OVERSIZE, "counts beyond any honest update")
        return value

    def buffer(self) -> bytes:
        size = self.varuint()
        if self.at + size > len(self.raw):
            raise Violation(Reason.TRUNCATED, "update ends early")
        self.at += size
        return self.raw[self.at - size : self.at]

    def id(self) -> YId:
        return YId(self.varuint(), self.varuint())


def decode_update(raw: bytes) -> Update:
    """Decode an update that may hold only byte elements. Raises Violation: OVERSIZE, TRUNCATED, GARBAGE,
    NON_CANONICAL, WRONG_PARENT (a map entry), DELETES (content already deleted) or GAP (a hole left open)."""
    if len(raw) > YJS_UPDATE_MAX_BYTES:
        raise Violation(Reason.OVERSIZE, f"update of {len(raw)} bytes")
    reader = _Reader(raw)
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
            reader.id()
            deletes += 1
    if reader.at != len(raw):
        raise Violation(Reason.GARBAGE, "bytes after the end of the update")
    return Update(tuple(items), deletes)


def _item(reader: _Reader, at: YId) -> Item:
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
    origin = reader.id() if info & _HAS_ORIGIN else None
    right = reader.id() if info & _HAS_RIGHT else None
    parent: str | YId | None = None
    if origin is None and right is None:
        parent = _parent(reader)
    if content == _BINARY:
        return Item(at, origin, right, parent, (reader.buffer(),))
    count = reader.count()
    if count == 0:
        raise Violation(Reason.GARBAGE, "empty struct")
    return Item(at, origin, right, parent, tuple(_any_bytes(reader) for _ in range(count)))


def _parent(reader: _Reader) -> str | YId:
    if reader.varuint() != 1:
        return reader.id()
    try:
        return reader.buffer().decode()
    except UnicodeDecodeError:
        raise Violation(Reason.GARBAGE, "root name is not UTF-8") from None


def _any_bytes(reader: _Reader) -> bytes:
    if reader.byte() != _ANY_BYTES:
        raise Violation(Reason.GARBAGE, "an element that is not bytes")
    return reader.buffer()


def _varuint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _buffer(raw: bytes) -> bytes:
    return _varuint(len(raw)) + raw


def encode_append(root: str, client: int, clock: int, values: Sequence[bytes]) -> bytes:
    """The update by which a client appends byte elements to a root array in which it alone writes."""
    out = [_varuint(1), _varuint(1), _varuint(client), _varuint(clock)]
    if clock:
        out += [bytes([_ANY | _HAS_ORIGIN]), _varuint(client), _varuint(clock - 1)]
    else:
        out += [bytes([_ANY]), _varuint(1), _buffer(root.encode())]
    out.append(_varuint(len(values)))
    for value in values:
        out += [bytes([_ANY_BYTES]), _buffer(value)]
    out.append(_varuint(0))
    return b"".join(out)


def encode_state_vector(clocks: Mapping[int, int]) -> bytes:
    """A state vector from clocks by client id, the highest client first as Yjs writes it."""
    out = [_varuint(len(clocks))]
    for client, clock in sorted(clocks.items(), reverse=True):
        out += [_varuint(client), _varuint(clock)]
    return b"".join(out)
