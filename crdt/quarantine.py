"""What failed verification, kept apart so that a person can look at it (SPEC 3).

Nothing in here is ever merged, stored or sent on. What is kept is bounded in number and bytes, for each giver and in
all, so that a flood costs bounded memory and one giver's flood does not push out what another gave: of too much, a
giver's oldest goes first. The same bytes from the same giver are kept once and counted.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from typing import NamedTuple

from crdt.canonical import digest
from crdt.errors import BLAMELESS, Reason, Violation
from crdt.limits import (
    QUARANTINE_BYTES_MAX,
    QUARANTINE_BYTES_PER_GIVER_MAX,
    QUARANTINE_GIVERS_MAX,
    QUARANTINE_MAX,
    QUARANTINE_PER_GIVER_MAX,
)
from crdt.types import Digest, PlayerId

# An author signed what is BLAMELESS, and a flood is refused unread: neither failed a verification.
_NOT_KEPT = BLAMELESS | {Reason.FLOOD, Reason.EMPTY, Reason.SLOW}


class Suspect(NamedTuple):
    """One thing that was refused: why, whose link it came by (None: nobody's), when first, its bytes, how often."""

    reason: Reason
    detail: str
    giver: PlayerId | None
    at_us: int
    digest: Digest
    raw: bytes
    times: int = 1


class Quarantine:
    """Suspects by giver, oldest first, and how many there ever were by reason for each of the latest givers."""

    def __init__(self) -> None:
        self._kept: OrderedDict[PlayerId | None, OrderedDict[Digest, Suspect]] = OrderedDict()
        self._bytes: Counter[PlayerId | None] = Counter()
        self.counts: OrderedDict[PlayerId | None, Counter[Reason]] = OrderedDict()

    def __len__(self) -> int:
        return sum(len(by_digest) for by_digest in self._kept.values())

    @property
    def size_bytes(self) -> int:
        """Bytes kept."""
        return self._bytes.total()

    def put(self, violation: Violation, giver: PlayerId | None, raw: bytes, now_us: int) -> None:
        """Keep what caused a violation, if it is of a kind to be kept; counted in any case."""
        if violation.reason in _NOT_KEPT:
            return
        self._count(violation.reason, giver)
        if not raw or len(raw) > QUARANTINE_BYTES_PER_GIVER_MAX:
            return
        name = Digest(digest(b"symjam-suspect", raw))
        by_digest = self._kept.setdefault(giver, OrderedDict())
        known = by_digest.get(name)
        if known is not None:
            by_digest[name] = known._replace(times=known.times + 1)
            return
        by_digest[name] = Suspect(violation.reason, violation.detail[:80], giver, now_us, name, raw)
        self._bytes[giver] += len(raw)
        while len(by_digest) > QUARANTINE_PER_GIVER_MAX or self._bytes[giver] > QUARANTINE_BYTES_PER_GIVER_MAX:
            self._drop_oldest(giver)
        while len(self) > QUARANTINE_MAX or self.size_bytes > QUARANTINE_BYTES_MAX:
            self._drop_oldest(max(self._kept, key=self._share))

    def newest(self, count: int) -> list[Suspect]:
        """The latest, newest first."""
        everything = (suspect for by_digest in self._kept.values() for suspect in by_digest.values())
        return sorted(everything, key=lambda s: (-s.at_us, s.digest))[:count]

    def _share(self, giver: PlayerId | None) -> tuple[int, int]:
        return self._bytes[giver], len(self._kept[giver])

    def _count(self, reason: Reason, giver: PlayerId | None) -> None:
        self.counts.setdefault(giver, Counter())[reason] += 1
        self.counts.move_to_end(giver)
        if len(self.counts) > QUARANTINE_GIVERS_MAX:
            self.counts.popitem(last=False)

    def _drop_oldest(self, giver: PlayerId | None) -> None:
        _, suspect = self._kept[giver].popitem(last=False)
        self._bytes[giver] -= len(suspect.raw)
        if not self._kept[giver]:
            del self._kept[giver], self._bytes[giver]
