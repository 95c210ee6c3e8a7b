"""The jam's shared documents, kept up with the entries that carry their edits (crdt/shared.py, jam/board.py)."""

from __future__ import annotations

from crdt.entry import LogKey, client_id
from crdt.errors import Misuse
from crdt.limits import BOARD_PARTS_MAX
from crdt.replica import Replica
from crdt.shared import Shared, edit_in, edit_payload
from crdt.types import DocumentName, PlayerId, SessionId, jam_session
from jam.board import SHAPE, Board, Change, op_of, read, read_chart
from jam.chart import Chart
from node.engine.documents import Documents


class _Part:
    """The shared document in one part of a jam, and how far each log has been read."""

    def __init__(self, replica: Replica) -> None:
        self.replica = replica
        self._begin()

    def _begin(self) -> None:
        self.shared = Shared(SHAPE)
        self.edits = 0
        self._read: dict[LogKey, int] = {}
        self._owners: dict[int, LogKey] = {}
        self._closed: set[LogKey] = set()

    def refresh(self) -> Shared:
        """Read what is new; built again from nothing where a log was cut or took another's client id over."""
        owners = self._owners_now()
        logs = self.replica.logs
        if any(key not in logs or len(logs[key]) < read for key, read in self._read.items()) or any(
            owners.get(client, key) != key for client, key in self._owners.items()
        ):
            self._begin()
        self._owners = owners
        for client, key in sorted(owners.items(), key=lambda item: item[1]):
            log, start = logs[key], self._read.get(key, 0)
            for entry in log.entries[start:]:
                update = edit_in(entry.body.payload)
                if update is not None:
                    self.edits += 1
                    self.shared.add(client, key.author, update)
            self._read[key] = len(log)
            if log.frozen_at is not None and key not in self._closed:
                self._closed.add(key)
                self.shared.close(client, key.author)
        return self.shared

    def _owners_now(self) -> dict[int, LogKey]:
        """For each client id the log of the lowest key: a search can give one author two logs with the same."""
        owners: dict[int, LogKey] = {}
        for key in sorted(self.replica.logs):
            owners.setdefault(client_id(self.replica.document, key), key)
        return owners


class Boards:
    """The board of the jam that was asked for last."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents
        self._session: SessionId | None = None
        self._parts: dict[DocumentName, _Part] = {}
        self._chart: tuple[str, Chart] | None = None

    def board(self, session: SessionId) -> Board:
        """What everyone sees."""
        return read(part.shared for part in self._refreshed(session) if part.edits)

    def chart(self, session: SessionId) -> Chart | None:
        """The chart that its board names, when it is here whole. Put together once."""
        wanted = self.board(session).chart
        if not wanted:
            return None
        if self._chart is None or self._chart[0] != wanted:
            found = read_chart((part.shared for part in reversed(self._refreshed(session)) if part.edits), wanted)
            self._chart = (wanted, found) if found is not None else None
        return self._chart[1] if self._chart else None

    def _refreshed(self, session: SessionId) -> list[_Part]:
        """The session's parts with what is new in them, from the first to the last."""
        self._turn_to(session)
        found = sorted((jam[1], name) for name in self.documents.replicas if (jam := jam_session(name)))
        past = self.documents.past
        names = [n for part, n in found if n not in past and jam_session(n) == (session, part)][-BOARD_PARTS_MAX:]
        for gone in [name for name in self._parts if name not in names]:
            del self._parts[gone]
        parts = [self._part(self.documents.replicas[name]) for name in names]
        for part in parts:
            part.refresh()
        return parts

    def draft(self, document: DocumentName, log: LogKey, change: Change, t_us: int) -> bytes:
        """The payload of an entry that makes a change. Misuse when it is out of bounds."""
        jam = jam_session(document)
        if jam is None:
            raise Misuse("only jams have a board")
        self._turn_to(jam[0])
        part = self._part(self.documents.replica(document))
        shared = part.refresh()
        op = op_of(change, log.author, t_us)
        return edit_payload(shared.draft(client_id(document, log), PlayerId(log.author), op))

    def _turn_to(self, session: SessionId) -> None:
        if session != self._session:
            self._session = session
            self._parts = {}

    def _part(self, replica: Replica) -> _Part:
        part = self._parts.get(replica.document)
        if part is None or part.replica is not replica:
            part = self._parts[replica.document] = _Part(replica)
        return part
