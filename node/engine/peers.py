"""What the engine knows of each linked peer: what it said, what is asked of it, and what it may still cost.

Questions are numbered and bounded in flight. What nobody asked for is no answer, and what was asked for is charged to
no budget (node/engine/budget.py), so that catching up goes as fast as it can.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from typing import Final, NamedTuple, TypeVar

from crdt.entry import LogKey
from crdt.errors import Reason
from crdt.limits import (
    ASKS_PENDING_MAX,
    BEHIND_DOCUMENTS_MAX,
    REQUESTS_IN_FLIGHT_MAX,
    SERVED_BYTES_BURST_MAX,
    SERVED_BYTES_PER_S_MAX,
)
from crdt.reconcile import Want
from crdt.types import DocumentName, PlayerId
from jam.clock import OffsetEstimator
from node.engine.budget import Budget, relay_budget, work_budget
from node.engine.frames import Ask, ClockTold, Hello

WANTS_QUEUED_MAX: Final = 4_096
ASK_TIMEOUT_US: Final = 5_000_000
ASTRAY_US: Final = 10_000_000  # after a link's beginning, in which answers to questions unknown here are nobody's fault
LATE_MAX: Final = 64  # requests given up whose answers may still come

T = TypeVar("T")


class Told(NamedTuple):
    """A clock that this peer told of, and when it came."""

    at_us: int
    frame: ClockTold


class Asked(NamedTuple):
    """Entries of a document that this node lacks."""

    document: DocumentName
    want: Want


class Past(NamedTuple):
    """What an ended link leaves to the next one with the same player, over which frames meant for it may still come.

    The two ends of a link do not begin anew together: a connection can be replaced while the other side's stream, which
    began with its hello, goes on; or a hello comes over the new one before the old one was given up here.
    """

    hello: Hello | None
    links: frozenset[PlayerId]
    guests: frozenset[PlayerId]
    requests: int  # how many numbers were used


NO_PAST: Final = Past(None, frozenset(), frozenset(), 0)


class Peer:
    """One linked player."""

    def __init__(self, player: PlayerId, now_us: int, past: Past = NO_PAST) -> None:
        self.player = player
        self.since_us = now_us
        self.hello = past.hello
        self.links = past.links
        self.guests = past.guests
        self.in_sync = False
        self.synced_us: int | None = None  # when both held the same, by this node's clock
        self.same: dict[DocumentName, int] = {}  # documents that it held alike, and when, by this node's clock
        self.behind: dict[DocumentName, int] = {}
        self.ahead: dict[DocumentName, int] = {}  # what it lacked when it last named its heads
        self.clock = OffsetEstimator()
        self.told_clock: Told | None = None  # of a jam's creator
        self.wants: dict[Asked, None] = {}  # in the order in which to ask
        self._runs: set[tuple[DocumentName, LogKey]] = set()  # of which a run of entries is wanted or asked for
        self.asked: dict[int, tuple[Asked, int]] = {}
        self._requests = self._earlier = past.requests
        self.next_total_us = 0
        self._pages = 0
        self._late: deque[int] = deque(maxlen=LATE_MAX)
        self.violations: Counter[Reason] = Counter()
        self.empty_answers = 0  # in a row
        self.is_refused = False  # the link is being cut: what still comes over it is not looked at
        self.work = work_budget(now_us)
        self.relayed = relay_budget(now_us)
        self.served = Budget(SERVED_BYTES_PER_S_MAX, SERVED_BYTES_BURST_MAX, now_us)
        self.pending: deque[Ask] = deque()  # its questions that wait until it may be served again

    def compared(self, document: DocumentName, missing: int, lacking: int) -> None:
        """Note how many entries of a document it says to have that are missing here, and how many it lacks."""
        for counts, entries in ((self.behind, missing), (self.ahead, lacking)):
            counts.pop(document, None)
            if entries and len(counts) < BEHIND_DOCUMENTS_MAX:
                counts[document] = entries

    def alike(self, document: DocumentName, now_us: int) -> None:
        """It holds the same of a document as this node; of the latest few this is remembered."""
        self.same.pop(document, None)
        if len(self.same) >= BEHIND_DOCUMENTS_MAX:
            del self.same[next(iter(self.same))]
        self.same[document] = now_us

    def has_held(self, document: DocumentName, since_us: int) -> bool:
        """Whether it is known to have held, after that moment, all that this node then held of a document."""
        return max(self.synced_us or 0, self.same.get(document, 0)) > since_us

    def synced(self, now_us: int) -> None:
        """It holds the same as this node, or did when it last said what it holds."""
        self.synced_us = now_us
        self.behind.clear()
        self.ahead.clear()

    def may_wait(self, ask: Ask) -> bool:
        """Queue a question that cannot be answered yet; False when too many wait already."""
        if len(self.pending) >= ASKS_PENDING_MAX:
            return False
        self.pending.append(ask)
        return True

    def page(self, items: Sequence[T], size: int) -> Sequence[T]:
        """As many items as fit a frame: all of them, or each time the next part, so that none is never compared."""
        if len(items) <= size:
            return items
        self._pages += 1
        start = self._pages * size % len(items)
        return (*items[start:], *items[:start])[:size]

    def enqueue(self, document: DocumentName, want: Want) -> None:
        """Remember to ask for entries, once: not for a further run of a log while an earlier one is under way."""
        item = Asked(document, want)
        run = (document, want.log)
        if want.stop - want.start > 1 and run in self._runs:
            return
        asked = (a for a, _ in self.asked.values())
        if len(self.wants) < WANTS_QUEUED_MAX and item not in asked and item not in self.wants:
            self.wants[item] = None
            if want.stop - want.start > 1:
                self._runs.add(run)

    def next_asks(self, now_us: int) -> list[tuple[int, Asked]]:
        """What to ask for next, numbered, within the requests allowed in flight; unanswered ones are forgotten."""
        for request in [r for r, (_, deadline) in self.asked.items() if deadline <= now_us]:
            self._end_run(self.asked.pop(request)[0])
            self._late.append(request)
        out: list[tuple[int, Asked]] = []
        while self.wants and len(self.asked) < REQUESTS_IN_FLIGHT_MAX:
            item = next(iter(self.wants))
            del self.wants[item]
            self._requests += 1 if self._requests % 256 < 255 else 2  # none ends in a zero byte: budget.is_answer
            self.asked[self._requests] = (item, now_us + ASK_TIMEOUT_US)
            out.append((self._requests, item))
        return out

    def answered(self, request: int) -> Asked | None:
        """What a request asked for, once; None for one that was never made or came too late."""
        item = self.asked.pop(request, None)
        if item is None:
            return None
        self._end_run(item[0])
        return item[0]

    def _end_run(self, asked: Asked) -> None:
        if asked.want.stop - asked.want.start > 1:
            self._runs.discard((asked.document, asked.want.log))

    def question(self, request: int) -> Asked | None:
        """What a request in flight asks for; None when there is no such request."""
        item = self.asked.get(request)
        return item[0] if item else None

    def is_late(self, request: int, now_us: int) -> bool:
        """Whether this request was made and given up, or made over an earlier link, or perhaps by an earlier process:
        a peer that was frozen answers it over the link to the one that was started since."""
        return request in self._late or 0 < request <= self._earlier or now_us - self.since_us < ASTRAY_US

    def past(self) -> Past:
        """What to begin the next link with."""
        return Past(self.hello, self.links, self.guests, self._requests)
