"""A document as a Y.Doc: a view of the signed logs that can always be rebuilt from them.

The Yjs client id of a log is derived from its author and document, and the clock of an element is its sequence
number, so the state vector is the vector of log heights, and any Yjs client sees the same arrays (SPEC 3).
"""

from __future__ import annotations

from pycrdt import Array, Doc

from crdt.entry import LogKey, client_id, root_name
from crdt.limits import VIEW_TRANSACTION_MAX
from crdt.replica import Replica
from crdt.yupdate import encode_append


class View:
    """A Y.Doc that follows a replica when `refresh` is called; between calls it costs nothing."""

    def __init__(self, replica: Replica) -> None:
        self.replica = replica
        self.doc: Doc[Array[bytes]] = Doc()
        self._shown: dict[LogKey, int] = {}

    def refresh(self) -> None:
        """Bring the Doc up to the logs; rebuilt from nothing after an equivocation has cut one."""
        logs = self.replica.logs
        if any(len(logs[key]) < shown for key, shown in self._shown.items()):
            self.doc = Doc()
            self._shown = {}
        for key, log in logs.items():
            shown = self._shown.get(key, 0)
            client, root = client_id(self.replica.document, key), root_name(key)
            while shown < len(log):
                chunk = log.entries[shown : shown + VIEW_TRANSACTION_MAX]
                self.doc.apply_update(encode_append(root, client, shown, [entry.raw for entry in chunk]))
                shown += len(chunk)
            self._shown[key] = shown

    def update(self) -> bytes:
        """The whole document as one Yjs update, version 1."""
        self.refresh()
        return bytes(self.doc.get_update())

    def state_vector(self) -> bytes:
        """The document's Yjs state vector."""
        self.refresh()
        return bytes(self.doc.get_state())

    def array(self, key: LogKey) -> list[bytes]:
        """The elements of one log as a Yjs client sees them."""
        self.refresh()
        return [bytes(value) for value in self.doc.get(root_name(key), type=Array)]
