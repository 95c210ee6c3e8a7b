"""From a Yjs update to verified entries: the door for Yjs clients (SPEC 3, notes/crdt.md).

An update says where its elements stand (client, clock, origin, parent); an entry says who wrote it and as which.
The gate lets an element through only when both say the same, so that a Y.Doc fed by it can hold nothing but what
its authors signed, where they signed it. Nothing is merged here: the entries go on to the replica like all others.
"""

from __future__ import annotations

from crdt.entry import Entry, client_id, root_name
from crdt.errors import Reason, Violation
from crdt.replica import Replica
from crdt.yupdate import Item, YId, decode_update


def entries_of(replica: Replica, raw: bytes) -> tuple[Entry, ...]:
    """The entries in an update for this replica's document, each verified. Raises Violation; nothing is changed."""
    update = decode_update(raw)
    if update.deletes:
        raise Violation(Reason.DELETES, "logs never delete")
    entries: list[Entry] = []
    for item in update.items:
        entries.extend(_entries_of_item(replica, item))
    return tuple(entries)


def _entries_of_item(replica: Replica, item: Item) -> list[Entry]:
    if item.right is not None:
        raise Violation(Reason.WRONG_ORIGIN, "an element before another one")
    out: list[Entry] = []
    for offset, value in enumerate(item.values):
        entry = replica.open(value)
        if item.id.client != client_id(entry.body.document, entry.log):
            raise Violation(Reason.WRONG_CLIENT, "the client id is not the author's")
        if entry.body.seq != item.id.clock + offset:
            raise Violation(Reason.GAP, f"entry {entry.body.seq} at clock {item.id.clock + offset}")
        if offset == 0:
            _check_place(item, entry)
        out.append(entry)
    return out


def _check_place(item: Item, entry: Entry) -> None:
    """The first element names its root; any later one follows its author's own previous element."""
    if item.id.clock == 0:
        if item.origin is not None:
            raise Violation(Reason.WRONG_ORIGIN, "a first element with an origin")
        if item.parent != root_name(entry.log):
            raise Violation(Reason.WRONG_PARENT, "not the author's own root")
    elif item.origin != YId(item.id.client, item.id.clock - 1):
        raise Violation(Reason.WRONG_ORIGIN, "does not follow the author's own element")
