"""Entries for those who listen to gossip and have no link: other programs of libp2p, such as a Node.js peer (SPEC 4).

Gossip costs a millisecond of a core for each message and hop, so nothing is said while nobody listens (players have
links and never do), and what is new is collected: at most ten messages a second, each a frame of entries. What is too
much is left out, oldest first, and counted. Who missed something sees it from the totals.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from crdt.entry import Entry, LogKey
from crdt.limits import ENTRIES_FRAME_BYTES, ENTRIES_PER_FRAME_MAX, HERALD_QUEUE_MAX
from crdt.types import DocumentName, Seq
from node.engine.effects import Publish
from node.engine.frames import Entries, pack

EVERY_US: Final = 100_000


class Herald:
    """What is to be told. `may_leave` says how many entries of a log anyone may have, None for all."""

    def __init__(self, may_leave: Callable[[DocumentName, LogKey], Seq | None]) -> None:
        self._may_leave = may_leave
        self._waiting: deque[Entry] = deque()
        self._is_heard = False
        self._next_us = 0
        self.left_out = 0

    def add(self, entries: Iterable[Entry]) -> None:
        """These are new here."""
        if not self._is_heard:
            return
        for entry in entries:
            if len(self._waiting) >= HERALD_QUEUE_MAX:
                self._waiting.popleft()
                self.left_out += 1
            self._waiting.append(entry)

    def due(self, now_us: int, listeners: int) -> list[Publish]:
        """What to publish now, to so many listeners."""
        self._is_heard = listeners > 0
        if not self._is_heard:
            self._waiting.clear()
            return []
        if not self._waiting or now_us < self._next_us:
            return []
        entries = self._take()
        if not entries:
            return []
        self._next_us = now_us + EVERY_US
        document = entries[0].body.document
        return [Publish(pack(Entries(document, tuple(entry.raw for entry in entries), 0)))]

    def _take(self) -> list[Entry]:
        """The oldest that may leave, and as much of its document as fits."""
        taken: list[Entry] = []
        rest: deque[Entry] = deque()
        size = 0
        for entry in self._waiting:
            body = entry.body
            limit = self._may_leave(body.document, entry.log)
            alike = not taken or body.document == taken[0].body.document
            fits = not taken or (size + len(entry.raw) < ENTRIES_FRAME_BYTES and len(taken) < ENTRIES_PER_FRAME_MAX)
            if alike and fits and (limit is None or body.seq < limit):
                taken.append(entry)
                size += len(entry.raw) + 5
            else:
                rest.append(entry)
        self._waiting = rest
        return taken
