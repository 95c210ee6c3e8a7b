"""What a peer may cost this node: a bucket that refills, and what each kind of frame takes out of it.

Work is counted in units of about ten microseconds of this process. Within the budget a frame is worked on. Beyond it
frames are dropped, which loses nothing, since what is lacking is asked for again (node/engine/sync.py), and charged
all the same: whoever goes on runs into debt, and is refused at the end of it. Answers to this node's own questions
cost nothing: they were asked for, one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Final

from crdt.entry import Entry
from crdt.limits import WORK_BURST_MAX, WORK_PER_S_MAX
from crdt.replica import Admission
from crdt.types import DocumentName, ledger_epoch

TAG_HELLO, TAG_TOTAL, TAG_DOCUMENTS, TAG_HEADS, TAG_ASK = 1, 2, 3, 4, 5
TAG_ENTRIES, TAG_PROOF, TAG_PROBE, TAG_ECHO, TAG_LINKS = 6, 7, 8, 9, 10
TAG_ASK_CONTENT, TAG_CONTENT, TAG_CLOCK, TAG_GUESTS = 11, 12, 13, 14

# Units for one frame, and bytes of it that make one unit more. Entries are charged one by one as well.
_PRICES: Final[dict[int, tuple[int, int]]] = {
    TAG_HELLO: (500, 40),
    TAG_TOTAL: (200, 40),
    TAG_DOCUMENTS: (50, 25),  # each name is looked up and its heads are hashed
    TAG_HEADS: (20, 64),
    TAG_ASK: (3, 400),  # what is served is counted in bytes
    TAG_ENTRIES: (17, 40),  # with one entry in it
    TAG_PROOF: (60, 40),
    TAG_PROBE: (20, 40),
    TAG_ECHO: (10, 40),
    TAG_LINKS: (50, 40),
    TAG_ASK_CONTENT: (20, 40),  # what is served is counted in bytes
    TAG_CONTENT: (20, 400),
    TAG_CLOCK: (20, 40),
    TAG_GUESTS: (50, 40),
}
_DEBT_S: Final = 2
_PRICE_UNKNOWN: Final = (50, 40)
_ENTRY_UNITS: Final = 15  # a signature to verify, a log to fit it into
_LEDGER_UNIT_BYTES: Final = 4
_LOG_UNITS: Final = 1_000  # what a log more costs every comparison from then on
_PROOF_UNITS: Final = 1_000  # synced to the disk, and told to everybody


class Room(Enum):
    """What a budget says to a cost."""

    WITHIN = 1
    BEYOND = 2
    FLOOD = 3


class Budget:
    """A bucket of units: `burst` at once, `per_s` a second after that, and the debt of some seconds."""

    def __init__(self, per_s: int, burst: int, now_us: int) -> None:
        self._per_s = per_s
        self._burst = burst * 1_000_000
        self._debt_max = per_s * _DEBT_S * 1_000_000
        self._level = self._burst
        self._at_us = now_us

    def spend(self, cost: int, now_us: int) -> Room:
        """Take a cost out, and say whether there was something left to take it from."""
        self._refill(now_us)
        had_room = self._level >= 0
        self._level -= cost * 1_000_000
        if had_room:
            return Room.WITHIN
        return Room.BEYOND if self._level > -self._debt_max else Room.FLOOD

    def affords(self, cost: int, now_us: int) -> bool:
        """Take a cost out where something is left to take it from; what is then not done costs nothing."""
        if self.is_spent(now_us):
            return False
        self._level -= cost * 1_000_000
        return True

    def is_spent(self, now_us: int) -> bool:
        """Whether nothing is left to take from."""
        self._refill(now_us)
        return self._level < 0

    def _refill(self, now_us: int) -> None:
        gone_us = now_us - self._at_us
        if gone_us > 0:
            level = self._level + gone_us * self._per_s
            self._level = level if level < self._burst else self._burst
            self._at_us = now_us


def work_budget(now_us: int) -> Budget:
    """What one peer may cost: two fifths of a processor, and a tenth of a second of it at once."""
    return Budget(WORK_PER_S_MAX, WORK_BURST_MAX, now_us)


def relay_budget(now_us: int) -> Budget:
    """What of others' entries one peer is handed unasked: a third of what it would take from us."""
    return Budget(WORK_PER_S_MAX // 3, WORK_BURST_MAX // 3, now_us)


def tag_of(raw: bytes) -> int:
    """The tag of a frame that has not been decoded yet, 0 when there is none to be seen."""
    return raw[1] if len(raw) > 1 and raw[1] < 0x80 else 0


def price_of(raw: bytes) -> int:
    """Units for a frame before it is decoded."""
    units, each = _PRICES.get(tag_of(raw), _PRICE_UNKNOWN)
    return units + len(raw) // each


def is_answer(raw: bytes) -> bool:
    """Whether a frame, not decoded yet, holds entries that answer a request: its last field is the request's number,
    which is zero for live ones and otherwise never ends in a zero byte (node/engine/peers.py)."""
    return tag_of(raw) == TAG_ENTRIES and raw[-1] != 0


def price_of_entries(document: DocumentName, raws: Sequence[bytes]) -> int:
    """Units more for what is in a frame of live entries; for the ledger's most, where every operation is folded."""
    folded = 0 if ledger_epoch(document) is None else sum(map(len, raws)) // _LEDGER_UNIT_BYTES
    return max(0, len(raws) - 1) * _ENTRY_UNITS + folded


def price_of_news(admission: Admission) -> int:
    """Units for what an entry or a proof, unasked for, has begun: logs, and the freezing of one."""
    logs = sum(entry.body.seq == 0 for entry in admission.added)
    return logs * _LOG_UNITS + (_PROOF_UNITS if admission.equivocation else 0)


def price_of_relay(entry: Entry, frame: bytes) -> int:
    """Units that an entry in a frame of its own takes from us where we pass it on to."""
    begun = _LOG_UNITS if entry.body.seq == 0 else 0
    return begun + price_of(frame) + price_of_entries(entry.body.document, (entry.raw,))


def price_of_proof(frame: bytes) -> int:
    """Units that a proof takes from us where we hand it to."""
    return _PROOF_UNITS + price_of(frame)
