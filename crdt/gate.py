"""From a Yjs update to verified entries: the door for Yjs clients (SPEC 3, notes/crdt.md).

An update says where its elements stand (client, clock, origin, parent); an entry says who wrote it and as which.
The gate lets an element through only when both say the same, so that a Y.Doc fed by it can hold nothing but what
its authors signed, where they signed it. Nothing is merged here: the entries go on to the replica like all others.
"""

from __future__ import annotations

from collections.abc import Iterator

from crdt.entry import Entry, client_id, root_name
from crdt.errors import Reason, Violation
from crdt.replica import Replica
from crdt.yupdate import Item, YId, decode_update


def entries_of(replica: Replica, raw: bytes) -> tuple[Entry, ...]:
    """The entries in an update for this replica's document, each verified. Raises Violation; nothing is changed."""
    return tuple(entry_at(replica, element) for element in elements_of(raw))


def elements_of(raw: bytes) -> Iterator[Item]:
    """The elements in an update one by one, each as Yjs would write it alone, to be verified a few at a time.

    What no log can contain is a Violation, raised at once.
    """
    update = decode_update(raw)
    if update.deletes:
        raise Violation(Reason.DELETES, "logs never delete")
    if any(item.right is not None for item in update.items):
        raise Violation(Reason.WRONG_ORIGIN, "an element before another one")
    return (element for item in update.items for element in _elements(item))


def _elements(item: Item) -> Iterator[Item]:
    yield item._replace(values=item.values[:1])
    client, first = item.id
    for clock, value in enumerate(item.values[1:], first + 1):
        yield Item(YId(client, clock), YId(client, clock - 1), None, None, (value,))


def entry_at(replica: Replica, element: Item) -> Entry:
    """The entry that one element is, verified. Raises Violation; nothing is changed."""
    entry = replica.open(element.values[0])
    if element.id.client != client_id(entry.body.document, entry.log):
        raise Violation(Reason.WRONG_CLIENT, "the client id is not the author's")
    if entry.body.seq != element.id.clock:
        raise Violation(Reason.GAP, f"entry {entry.body.seq} at clock {element.id.clock}")
    _check_place(element, entry)
    return entry


def _check_place(item: Item, entry: Entry) -> None:
    """A first element names its root; any later one follows its author's own previous element."""
    if item.id.clock == 0:
        if item.origin is not None:
            raise Violation(Reason.WRONG_ORIGIN, "a first element with an origin")
        if item.parent != root_name(entry.log):
            raise Violation(Reason.WRONG_PARENT, "not the author's own root")
    elif item.origin != YId(item.id.client, item.id.clock - 1):
        raise Violation(Reason.WRONG_ORIGIN, "does not follow the author's own element")
