"""What must never be seen, whatever fails: each law with its theory in one line (SPEC 3 and 8)."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final

from crdt.errors import Misuse, Violation
from sim.result import Broken

# What an engine could raise by a fault of its own. Misuse is caught where a player does something.
RAISES: Final = (ArithmeticError, AssertionError, AttributeError, LookupError, Misuse, TypeError, ValueError, Violation)
FOUND_MAX: Final = 20  # of one run: the first says most


class Law(StrEnum):
    """An invariant's name."""

    ONE_ENTRY = "one-entry"
    SYNCED_FIRST = "synced-first"
    KEPT = "kept"
    VERIFIABLE = "verifiable"
    ONE_VOTE = "one-vote"
    ONE_BLOCK = "one-block"
    NO_BLAME = "no-blame"
    SAME_ROOT = "same-root"
    SAME_HASH = "same-hash"
    FROM_NOTHING = "from-nothing"
    CONSERVED = "conserved"
    BUDGET = "budget"
    QUORUM = "quorum"
    DRAWN = "drawn"
    FINAL = "final"
    RAISED = "raised"
    HEALS = "heals"


THEORY: Final[dict[Law, str]] = {
    Law.ONE_ENTRY: "an honest author never signs two entries at one number: two would prove it a cheat",
    Law.SYNCED_FIRST: "a ledger entry leaves its node only when a power cut could not take it back any more",
    Law.KEPT: "what a node told its player as saved is there after kill -9; after a power cut, if a sync came after it",
    Law.VERIFIABLE: "everything that a node merged bears its author's signature, checked again by other means",
    Law.ONE_VOTE: "nobody honest votes two ways on one player's window, nor twice in one stage of a checkpoint's round",
    Law.ONE_BLOCK: "nobody honest proposes two blocks for a window, or says two pulses in one",
    Law.NO_BLAME: "honest nodes never hold a violation, a fork or a refusal against one another",
    Law.SAME_ROOT: "the same ledger entries give the same root, on every node and at every time",
    Law.SAME_HASH: "a document's hash, and the hash of all, are those of what is held now",
    Law.FROM_NOTHING: "the state worked out entry by entry is that worked out at once, in another order",
    Law.CONSERVED: "balances and stakes are what was minted and not burned, lots are positive, blocks mint rewards",
    Law.BUDGET: "no more is minted than the budgets of the epochs that were, no block is paid more than R0",
    Law.QUORUM: "a block is accepted with ceil(2/3 min(7, others)) yes, two to every no, each from another player",
    Law.DRAWN: "who verifies follows from proposer and window alone, and every counted vote proves that it was drawn",
    Law.FINAL: "one checkpoint follows another in one chain, and nothing that is in one ever changes",
    Law.RAISED: "nothing that a peer, a disk or a clock does makes the engine raise",
    Law.HEALS: "once faults stop, all nodes come to hold the same, may sign, and decide what is proposed",
}


class Findings:
    """What was found broken, the first of each kind and place only."""

    def __init__(self, now_us: Callable[[], int]) -> None:
        self._now_us = now_us
        self._known: set[tuple[Law, str]] = set()
        self.broken: list[Broken] = []

    def add(self, law: Law, words: str) -> None:
        """Note it, unless the same was said before."""
        if (law, words) not in self._known and len(self.broken) < FOUND_MAX:
            self._known.add((law, words))
            self.broken.append(Broken(str(law), self._now_us(), words))
