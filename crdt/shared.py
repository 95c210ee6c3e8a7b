"""A document that many write: signed edits in their authors' logs, merged as Yjs merges them (SPEC 3).

An edit is an ordinary Yjs update in the payload of an entry. Nothing of it reaches the Y.Doc before these hold:

- its items stand under the client id of the log that it was signed in, at the clock that this log has reached;
- what it follows and what it deletes is there already; until then the edit waits, and its log's later edits with it;
- its place and its values are such as the document's shape allows; else the edit counts for nothing.

Logs are in order and the clocks of a client are its log's alone, so one id means one item, and what is applied is the
least set closed under these rules: a function of the set of entries, whatever the order they came in. The merging of
what is applied is Yjs's own (YATA), for which order does not matter either.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from pycrdt import Array, Doc, Map, TransactionEvent

from crdt.canonical import Canonical, encode
from crdt.errors import Misuse, Reason, Violation
from crdt.limits import EDIT_BYTES_PER_LOG_MAX, EDIT_DELETES_MAX, EDIT_MAX_BYTES, EDITS_PER_LOG_MAX
from crdt.types import PlayerId
from crdt.yedit import EditUpdate, Insert, Range, Value, decode_edit
from crdt.yupdate import YId, encode_state_vector

_payloads: Canonical[tuple[Literal[1], bytes]] = Canonical(tuple[Literal[1], bytes], EDIT_MAX_BYTES + 8)
_PREFIX: Final = b"\x92\x01"  # [1, update]: no list of events begins so


class Root(NamedTuple):
    """What may stand in one root: a map of single values or a list, each value as `allows(author, key, value)`
    says. Of `own` values, each author may delete only those that it wrote."""

    is_map: bool
    allows: Callable[[PlayerId, str | None, Value], bool]
    own: bool = False


class Put(NamedTuple):
    """Set a key of a map."""

    root: str
    key: str
    value: Value


class Push(NamedTuple):
    """Append to a list."""

    root: str
    value: Value


class _Place(NamedTuple):
    root: str
    key: str | None


class _Writer:
    """One log's client: its author, the edits that wait in order, and how much it has said."""

    def __init__(self, author: PlayerId) -> None:
        self.author = author
        self.waiting: deque[bytes] = deque()
        self.edits = 0
        self.size = 0
        self.closed = False


def edit_payload(update: bytes) -> bytes:
    """The payload of an entry that carries an edit."""
    return encode((1, update))


def edit_in(payload: bytes) -> bytes | None:
    """The update in an entry's payload; None when the entry carries something else."""
    if not payload.startswith(_PREFIX):
        return None
    try:
        return _payloads.decode(payload)[1]
    except Violation:
        return None


class Shared:
    """The merged document. Fed with each log's edits in the log's order; it can always be built again."""

    def __init__(self, shape: Mapping[str, Root]) -> None:
        self._shape = shape
        self._doc: Doc[Any] = Doc(client_id=0)
        self._clocks: dict[int, int] = {}
        self._places: dict[YId, _Place] = {}
        self._writers: dict[int, _Writer] = {}
        self._awaited: dict[int, set[int]] = {}  # client -> clients that wait for it
        self._fresh: dict[YId, _Place] = {}  # where the items of the edit looked at last stand
        self.refused = 0

    def add(self, client: int, author: PlayerId, update: bytes) -> None:
        """The next edit of a log. One beyond the bounds of a log counts for nothing, on every node alike."""
        writer = self._writers.setdefault(client, _Writer(author))
        writer.edits += 1
        writer.size += len(update)
        if writer.edits > EDITS_PER_LOG_MAX or writer.size > EDIT_BYTES_PER_LOG_MAX:
            self.refused += 1
            return
        writer.waiting.append(update)
        if len(writer.waiting) == 1:
            self._settle(client)

    def close(self, client: int, author: PlayerId) -> None:
        """Nothing more comes from a log: it was cut at a fork. What waits for more of it counts for nothing."""
        self._writers.setdefault(client, _Writer(author)).closed = True
        for waiting in self._awaited.pop(client, ()):
            self._settle(waiting)

    def waiting(self) -> int:
        """Edits that wait for others."""
        return sum(len(writer.waiting) for writer in self._writers.values())

    def map(self, root: str) -> dict[str, object]:
        """The keys and values of a map."""
        return dict(self._doc.get(root, type=Map).to_py() or {})

    def list(self, root: str, last: int | None = None) -> list[object]:
        """The values of a list, or the last so many of them."""
        values = self._doc.get(root, type=Array)
        size = len(values)
        return [values[at] for at in range(0 if last is None else max(0, size - last), size)]

    def update(self) -> bytes:
        """The whole document as one Yjs update, version 1."""
        return bytes(self._doc.get_update())

    def state_vector(self) -> bytes:
        """The document's Yjs state vector, in the order in which Yjs writes it."""
        return encode_state_vector(self._clocks)

    def draft(self, client: int, author: PlayerId, op: Put | Push) -> bytes:
        """The update by which a client does this now. Misuse when nobody would accept it."""
        writer = self._writers.get(client)
        scratch: Doc[Any] = Doc(client_id=client)
        scratch.apply_update(self.update())
        made: list[bytes] = []

        def keep(event: TransactionEvent) -> None:
            made.append(bytes(event.update))

        subscription = scratch.observe(keep)
        if isinstance(op, Put):
            scratch.get(op.root, type=Map)[op.key] = _plain(op.value)
        else:
            scratch.get(op.root, type=Array).append(_plain(op.value))
        scratch.unobserve(subscription)
        update = b"".join(made)
        if writer is not None and (writer.waiting or writer.edits >= EDITS_PER_LOG_MAX):
            raise Misuse("this player cannot edit here any more: see the next part of the jam")
        if writer is not None and writer.size + len(update) > EDIT_BYTES_PER_LOG_MAX:
            raise Misuse("this player has written as much as fits here: see the next part of the jam")
        try:
            if self.fault(client, author, decode_edit(update)) is not None:
                raise Misuse("an edit for which something is missing")
        except Violation as violation:
            raise Misuse(f"an edit that nobody would accept: {violation}") from None
        return update

    def _settle(self, first: int) -> None:
        """Apply what can be applied, beginning with one client, then those that waited for it."""
        ready = [first]
        while ready:
            client = ready.pop()
            writer = self._writers[client]
            before = self._clocks.get(client, 0)
            while writer.waiting:
                missing = self._try(client, writer)
                if missing is not None:
                    self._awaited.setdefault(missing, set()).add(client)
                    break
                writer.waiting.popleft()
            if self._clocks.get(client, 0) > before or (writer.closed and not writer.waiting):
                ready.extend(self._awaited.pop(client, ()))

    def _try(self, client: int, writer: _Writer) -> int | None:
        """Apply or refuse the first waiting edit, or say which client it waits for."""
        update = writer.waiting[0]
        try:
            edit = decode_edit(update)
            missing = self.fault(client, writer.author, edit)
        except Violation:
            self.refused += 1
            return None
        if missing is not None:
            return missing
        for insert in edit.inserts:
            self._clocks[client] = insert.id.clock + len(insert.values)
        self._places.update(self._fresh)
        self._doc.apply_update(update)
        return None

    def fault(self, client: int, author: PlayerId, edit: EditUpdate) -> int | None:
        """None when an edit may be applied now, or the client that it waits for. Raises Violation if it never may."""
        clock = self._clocks.get(client, 0)
        fresh: dict[YId, _Place] = {}
        for insert in edit.inserts:
            if insert.id != (client, clock):
                raise Violation(Reason.WRONG_CLIENT, "not the next items of the log's own client")
            place = _Place(insert.root or "", insert.key)
            if insert.origin is not None:
                found = fresh.get(insert.origin) or self._places.get(insert.origin)
                if found is None:
                    return self._await(insert.origin.client, client)
                place = found
            self._check(author, place, insert)
            fresh.update((YId(client, clock + offset), place) for offset in range(len(insert.values)))
            clock += len(insert.values)
        for each in _each(edit.deletes):
            found = fresh.get(each) or self._places.get(each)
            if found is None:
                return self._await(each.client, client)
            if self._shape[found.root].own and self._writers[each.client].author != author:
                raise Violation(Reason.DELETES, "what another has written")
        self._fresh = fresh
        return None

    def _await(self, missing: int, client: int) -> int:
        writer = self._writers.get(missing)
        if missing == client or (writer is not None and writer.closed and not writer.waiting):
            raise Violation(Reason.WRONG_ORIGIN, "after an item that will never be")
        return missing

    def _check(self, author: PlayerId, place: _Place, insert: Insert) -> None:
        root, values = self._shape.get(place.root), insert.values
        if root is None or root.is_map != (place.key is not None) or (root.is_map and len(values) > 1 > insert.gone):
            raise Violation(Reason.WRONG_PARENT, f"no such place: {place.root[:32]}")
        if not insert.gone and not all(root.allows(author, place.key, value) for value in values):
            raise Violation(Reason.BAD_PAYLOAD, f"a value that has no place in {place.root}")


def _each(ranges: Sequence[Range]) -> Iterator[YId]:
    if sum(length for _, length in ranges) > EDIT_DELETES_MAX:
        raise Violation(Reason.OVERSIZE, "too much is deleted at once")
    for first, length in ranges:
        for offset in range(length):
            yield YId(first.client, first.clock + offset)


def _plain(value: Value) -> object:
    return [_plain(inner) for inner in value] if isinstance(value, tuple) else value
