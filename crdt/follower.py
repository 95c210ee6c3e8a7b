"""What one Yjs client has seen of a document, and the updates that bring it up to the logs.

There is no queue: a follower remembers for each log how far its client was brought, and the log itself holds the rest.
So a client that reads slowly costs no memory, and what it missed comes in fewer and larger updates.

Yjs cannot take back. When a fork cuts a log below what the client has seen, or another log takes over its client id
(crdt/view.py), or a log is dropped, the follower is torn: its client must load the document into a new Y.Doc.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from crdt.entry import LogKey, client_id, root_name
from crdt.limits import ENTRIES_FRAME_BYTES
from crdt.log import Log
from crdt.replica import Replica
from crdt.types import Seq
from crdt.yupdate import Append, encode_appends

MayLeave = Callable[[LogKey], Seq | None]


class Follower:
    """Brings one client up to a document.

    `replica` gives the document as it is held now, which may be another object from one time to the next. `clocks` is
    the client's own state vector. `may_leave` says how many entries of a log may be shown, None for all.
    """

    def __init__(self, replica: Callable[[], Replica], clocks: Mapping[int, int], may_leave: MayLeave) -> None:
        self._replica = replica
        self._may_leave = may_leave
        self._shown = dict(clocks)
        self._shown_of: dict[int, LogKey] = {}  # whose elements the client has seen under a client id
        self._client_ids: dict[LogKey, int] = {}

    def clocks(self) -> dict[int, int]:
        """What the node holds, as a state vector."""
        logs = self._replica().logs
        return {client: len(logs[key]) for client, key in self._owners(logs).items() if logs[key].entries}

    def is_torn(self) -> bool:
        """Whether the client has seen something that does not belong to the document any more, or never did."""
        logs = self._replica().logs
        owners = self._owners(logs)
        if any(owners.get(client) != key for client, key in self._shown_of.items()):
            return True
        for client, key in owners.items():
            frozen_at = logs[key].frozen_at
            if frozen_at is not None and self._shown.get(client, 0) > frozen_at:
                return True
        return False

    def next_update(self, room: int = ENTRIES_FRAME_BYTES) -> bytes | None:
        """An update with some of what the client lacks, about so many bytes; None when it lacks nothing."""
        appends: list[Append] = []
        logs = self._replica().logs
        for client, key in self._owners(logs).items():
            values = self._lacking(logs[key], self._shown.get(client, 0), room)
            if values:
                room -= sum(map(len, values))
                shown = self._shown.get(client, 0)
                appends.append(Append(root_name(key), client, shown, values))
                self._shown[client] = shown + len(values)
                self._shown_of.setdefault(client, key)
        return encode_appends(appends) if appends else None

    def _lacking(self, log: Log, shown: int, room: int) -> list[bytes]:
        limit = self._may_leave(log.key)
        stop = len(log) if limit is None else min(len(log), limit)
        values: list[bytes] = []
        while shown + len(values) < stop and room > 0:
            values.append(log.entries[shown + len(values)].raw)
            room -= len(values[-1])
        return values

    def _owners(self, logs: Mapping[LogKey, Log]) -> dict[int, LogKey]:
        """For each client id the log that is shown under it: the one of the lowest key that is not empty."""
        owners: dict[int, LogKey] = {}
        for key in logs:
            client = self._client_id(key)
            rival = owners.get(client)
            if rival is None or (not logs[key].entries, key) < (not logs[rival].entries, rival):
                owners[client] = key
        return owners

    def _client_id(self, key: LogKey) -> int:
        known = self._client_ids.get(key)
        if known is None:
            known = self._client_ids[key] = client_id(self._replica().document, key)
        return known
