"""What the engine knows of each linked peer, and how much patience it has left with it.

Every violation costs points by its kind; points decay with time. A peer whose points run out is refused for a
while, so that honest work goes on under a flood, and one lost packet or an old version costs nobody a friend.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from typing import Final, NamedTuple, TypeVar

from crdt.errors import BLAMELESS, Reason
from crdt.limits import FRAMES_PER_S_MAX, REQUESTS_IN_FLIGHT_MAX
from crdt.reconcile import Want
from crdt.types import DocumentName, PlayerId
from jam.clock import OffsetEstimator
from node.engine.frames import Hello

COST: Final[dict[Reason, int]] = {
    Reason.WRONG_NETWORK: 100,
    Reason.BAD_SIGNATURE: 20,
    Reason.GARBAGE: 20,
    Reason.NON_CANONICAL: 20,
    Reason.OVERSIZE: 20,
    Reason.TRUNCATED: 10,
    Reason.FLOOD: 25,
}
COST_DEFAULT: Final = 10
PATIENCE: Final = 100
REFUSE_S: Final = 60
OTHER_NETWORK_S: Final = 600  # a neighbour with another room is no villain, but there is nothing to say
WANTS_QUEUED_MAX: Final = 4_096
ASK_TIMEOUT_US: Final = 5_000_000

T = TypeVar("T")


class Asked(NamedTuple):
    """Entries of a document that this node lacks."""

    document: DocumentName
    want: Want


class Peer:
    """One linked player."""

    def __init__(self, player: PlayerId, now_us: int) -> None:
        self.player = player
        self.since_us = now_us
        self.hello: Hello | None = None
        self.links: frozenset[PlayerId] = frozenset()
        self.in_sync = False
        self.behind: dict[DocumentName, int] = {}
        self.clock = OffsetEstimator()
        self.wants: deque[Asked] = deque()
        self.asked: dict[int, tuple[Asked, int]] = {}
        self._requests = 0
        self.next_total_us = 0
        self._pages = 0
        self.violations: Counter[Reason] = Counter()
        self._points = 0
        self._points_at_us = now_us
        self._budget = FRAMES_PER_S_MAX
        self._budget_at_us = now_us

    def blame(self, reason: Reason, now_us: int) -> bool:
        """Count a violation; True when patience has run out."""
        self.violations[reason] += 1
        elapsed_s = max(0, now_us - self._points_at_us) // 1_000_000
        self._points = max(0, self._points - elapsed_s)
        self._points_at_us += elapsed_s * 1_000_000
        self._points += 0 if reason in BLAMELESS else COST.get(reason, COST_DEFAULT)
        return self._points >= PATIENCE

    def may_send(self, now_us: int) -> bool:
        """Whether one more frame fits the rate that is allowed."""
        refill = max(0, now_us - self._budget_at_us) * FRAMES_PER_S_MAX // 1_000_000
        if refill:
            self._budget = min(FRAMES_PER_S_MAX, self._budget + refill)
            self._budget_at_us = now_us
        self._budget -= 1
        return self._budget >= 0

    def page(self, items: Sequence[T], size: int) -> Sequence[T]:
        """As many items as fit a frame: all of them, or each time the next part, so that none is never compared."""
        if len(items) <= size:
            return items
        self._pages += 1
        start = self._pages * size % len(items)
        return (*items[start:], *items[:start])[:size]

    def enqueue(self, document: DocumentName, want: Want) -> None:
        """Remember to ask for entries, once."""
        item = Asked(document, want)
        asked = (a for a, _ in self.asked.values())
        if len(self.wants) < WANTS_QUEUED_MAX and item not in asked and item not in self.wants:
            self.wants.append(item)

    def next_asks(self, now_us: int) -> list[tuple[int, Asked]]:
        """What to ask for next, numbered, within the requests allowed in flight; unanswered ones are forgotten."""
        for request in [r for r, (_, deadline) in self.asked.items() if deadline <= now_us]:
            del self.asked[request]
        out: list[tuple[int, Asked]] = []
        while self.wants and len(self.asked) < REQUESTS_IN_FLIGHT_MAX:
            item = self.wants.popleft()
            self._requests += 1
            self.asked[self._requests] = (item, now_us + ASK_TIMEOUT_US)
            out.append((self._requests, item))
        return out

    def answered(self, request: int) -> Asked | None:
        """What a request asked for, once; None for one that was never made or came too late."""
        item = self.asked.pop(request, None)
        return item[0] if item else None
