"""A document as a Y.Doc: a view of the signed logs that can always be rebuilt from them.

The Yjs client id of a log is derived from its author and document, and the clock of an element is its sequence
number, so the state vector is the vector of log heights, and any Yjs client sees the same arrays (SPEC 3).

A client id has 53 bits, so an author who tries some 2^27 nonces can give two logs of its own the same one. A Y.Doc
cannot hold both: it shows the log of the lower key, on every node the same, and the replica holds both.
"""

from __future__ import annotations

from pycrdt import Array, Doc

from crdt.entry import LogKey, client_id, root_name
from crdt.limits import VIEW_TRANSACTION_MAX
from crdt.replica import Replica
from crdt.yupdate import encode_append, encode_state_vector


def _empty() -> Doc[Array[bytes]]:
    return Doc(client_id=0)  # a fixed one: the view never writes, and nothing here is left to chance


class View:
    """A Y.Doc that follows a replica when `refresh` is called; between calls it costs nothing.

    `doc` is another object after a fork has cut a log: Yjs cannot take back what a Doc has seen, so clients that
    were shown the old one load the new one from nothing.
    """

    def __init__(self, replica: Replica) -> None:
        self.replica = replica
        self.doc: Doc[Array[bytes]] = _empty()
        self._shown: dict[LogKey, int] = {}
        self._client_ids: dict[LogKey, int] = {}

    def refresh(self) -> None:
        """Bring the Doc up to the logs; rebuilt from nothing after an equivocation has cut one."""
        owners = self._owners()
        if any(owners.get(key, 0) < shown for key, shown in self._shown.items()):
            self.doc = _empty()
            self._shown = {}
        for key, length in owners.items():
            if length > self._shown.get(key, 0):
                self._append(key)

    def update(self) -> bytes:
        """The whole document as one Yjs update, version 1."""
        self.refresh()
        return bytes(self.doc.get_update())

    def state_vector(self) -> bytes:
        """The document's Yjs state vector, in the order in which Yjs writes it."""
        return encode_state_vector({self._client_id(key): length for key, length in self._owners().items()})

    def array(self, key: LogKey) -> list[bytes]:
        """The elements of one log as a Yjs client sees them."""
        self.refresh()
        return [bytes(value) for value in self.doc.get(root_name(key), type=Array)]

    def _owners(self) -> dict[LogKey, int]:
        """The logs to show with their lengths: for each client id, the non-empty one of the lowest key."""
        owners: dict[int, LogKey] = {}
        logs = self.replica.logs
        for key in sorted(logs):
            if logs[key].entries:
                owners.setdefault(self._client_id(key), key)
        return {key: len(logs[key]) for key in owners.values()}

    def _append(self, key: LogKey) -> None:
        entries, shown = self.replica.logs[key].entries, self._shown.get(key, 0)
        root, client = root_name(key), self._client_id(key)
        for start in range(shown, len(entries), VIEW_TRANSACTION_MAX):
            chunk = entries[start : start + VIEW_TRANSACTION_MAX]
            self.doc.apply_update(encode_append(root, client, start, [entry.raw for entry in chunk]))
        self._shown[key] = len(entries)

    def _client_id(self, key: LogKey) -> int:
        known = self._client_ids.get(key)
        if known is None:
            known = self._client_ids[key] = client_id(self.replica.document, key)
        return known
