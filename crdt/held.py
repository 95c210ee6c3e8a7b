"""Entries that came before their predecessors: kept outside the logs, where they change nothing.

A gap inside a Y.Doc is invisible and gets lost (notes/crdt.md), so it is held here. Two entries of one number may
both wait: which of them follows is known only once the number before is there. What peers can make a node hold is
bounded for each giver and for the document.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from crdt.entry import Entry, LogKey
from crdt.errors import Reason, Violation
from crdt.limits import HELD_BYTES_MAX, HELD_BYTES_PER_PEER_MAX, HELD_PER_PEER_MAX
from crdt.types import EntryId, PlayerId, Seq


class _Waiting(NamedTuple):
    entry: Entry
    giver: PlayerId


class Held:
    """The waiting entries of one document."""

    def __init__(self) -> None:
        self._waiting: dict[LogKey, dict[Seq, dict[EntryId, _Waiting]]] = {}
        self._count_of: Counter[PlayerId] = Counter()
        self._bytes_of: Counter[PlayerId] = Counter()

    def __len__(self) -> int:
        return self._count_of.total()

    def count_of(self, giver: PlayerId) -> int:
        """Entries waiting on behalf of one giver."""
        return self._count_of[giver]

    def add(self, entry: Entry, giver: PlayerId) -> None:
        """Keep an entry; once, whoever gives it again. Violation GAP when there is no room for it."""
        by_id = self._waiting.get(entry.log, {}).get(entry.body.seq, {})
        if entry.id in by_id:
            return
        size = len(entry.raw)
        if (
            self._count_of[giver] >= HELD_PER_PEER_MAX
            or self._bytes_of[giver] + size > HELD_BYTES_PER_PEER_MAX
            or self._bytes_of.total() + size > HELD_BYTES_MAX
        ):
            raise Violation(Reason.GAP, "no room for another entry whose predecessors are missing")
        by_seq = self._waiting.setdefault(entry.log, {})
        by_seq.setdefault(entry.body.seq, {})[entry.id] = _Waiting(entry, giver)
        self._count_of[giver] += 1
        self._bytes_of[giver] += size

    def take(self, key: LogKey, seq: Seq) -> list[Entry]:
        """What waits at one number of a log, in the order of ids; it waits no longer."""
        by_seq = self._waiting.get(key)
        if by_seq is None:
            return []  # as nearly always
        taken = [self._let_go(by_seq[seq].pop(entry_id)) for entry_id in sorted(by_seq.get(seq, ()))]
        self._tidy(key)
        return taken

    def drop(self, key: LogKey) -> None:
        """Forget what waits for a log that will never grow again."""
        for by_id in self._waiting.pop(key, {}).values():
            for waiting in by_id.values():
                self._let_go(waiting)

    def forget(self, giver: PlayerId) -> None:
        """Forget what one giver brought."""
        for key, by_seq in list(self._waiting.items()):
            for by_id in by_seq.values():
                for entry_id in [i for i, waiting in by_id.items() if waiting.giver == giver]:
                    self._let_go(by_id.pop(entry_id))
            self._tidy(key)

    def _let_go(self, waiting: _Waiting) -> Entry:
        self._count_of[waiting.giver] -= 1
        self._bytes_of[waiting.giver] -= len(waiting.entry.raw)
        if not self._count_of[waiting.giver]:
            del self._count_of[waiting.giver], self._bytes_of[waiting.giver]
        return waiting.entry

    def _tidy(self, key: LogKey) -> None:
        by_seq = self._waiting.get(key)
        if by_seq is None:
            return
        for seq in [s for s, by_id in by_seq.items() if not by_id]:
            del by_seq[seq]
        if not by_seq:
            del self._waiting[key]
