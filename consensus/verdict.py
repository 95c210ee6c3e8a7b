"""From counted votes to a verdict (SPEC 6).

Tranche 0 decides alone when at least a quorum says yes and nobody says no. Otherwise the next tranche opens and all
open tranches are counted together: accepted with a quorum of yes and at least two yes to every no. There is no
clock in this: which tranches are open follows from the votes, so votes of a tranche that never had to open are not
counted, and casting them early changes nothing.

For one set of eligible players a further yes never undoes an acceptance, a further no never brings one about, and
"accepted" and "rejected" exclude each other. A block that stays undecided stays pending; whether its time is over
(`close_windows`) is for the reader of the clock to say (`status_of`).
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum, StrEnum
from typing import NamedTuple

from consensus.ops import FABRICATED, Vote, Why
from consensus.params import Params
from crdt.errors import Misuse
from crdt.types import Window


class Standing(IntEnum):
    """What is held of a block before a checkpoint makes it final."""

    PENDING = 0
    LOCAL = 1
    REJECTED = 2


class Status(StrEnum):
    """What a user sees of a block: its standing, and what checkpoints and the clock add to that."""

    PENDING = "pending"
    LOCAL = "local"  # accepted here; what comes from elsewhere may still change it
    FINAL = "final"  # accepted in a final checkpoint
    REJECTED = "rejected"
    CLOSED = "closed"  # undecided when its time was over


class Ballot(NamedTuple):
    """One counted vote and the tranche that its verifier was drawn in."""

    tranche: int
    vote: Vote


class Verdict(NamedTuple):
    """A standing and the sums it rests on; `open_tranches` is how many tranches were counted."""

    standing: Standing
    yes: int
    no: int
    late: int
    open_tranches: int


def quorum(params: Params, eligible: int) -> int:
    """Two thirds, rounded up, of the eligible others or of `quorum_of`, whichever is fewer; 0 when there is nobody."""
    if eligible < 0:
        raise Misuse("a count is not negative")
    return -(-2 * min(params.quorum_of, eligible) // 3)


def decide(params: Params, eligible: int, ballots: Iterable[Ballot], is_reviewed: bool = False) -> Verdict:
    """The verdict on a block with so many eligible others. With nobody eligible a block stays pending.

    While its player is under review (docs/rules.md, 8) every tranche is open: a full look instead of a fine.
    """
    needed, tranches = quorum(params, eligible), len(params.tranche_sizes)
    cast = [[0, 0, 0] for _ in range(tranches)]
    for ballot in ballots:
        cast[ballot.tranche][ballot.vote] += 1
    yes = no = late = opened = 0
    while opened < tranches and not (opened and no == 0 and yes >= needed and not is_reviewed):
        no, yes, late = no + cast[opened][Vote.NO], yes + cast[opened][Vote.YES], late + cast[opened][Vote.TOO_LATE]
        opened += 1
    return Verdict(_standing(needed, yes, no, late), yes, no, late, opened)


def _standing(needed: int, yes: int, no: int, late: int) -> Standing:
    if needed == 0:
        return Standing.PENDING
    if yes >= needed and 3 * yes >= 2 * (yes + no):
        return Standing.LOCAL
    return Standing.REJECTED if no + late >= needed else Standing.PENDING


def is_fabricated(needed: int, votes: Iterable[tuple[Vote, Why]]) -> bool:
    """Whether a block is made up, by the counted votes on it and the quorum that it needed.

    *No* votes for a reason that honest playing cannot give are a quorum, and two thirds of all votes: more than it
    takes to reject, because it costs stake. Such a block is rejected: yes is at most half of no.
    """
    cast = list(votes)
    found = sum(1 for vote, why in cast if vote is Vote.NO and why in FABRICATED)
    return needed > 0 and found >= needed and 3 * found >= 2 * len(cast)


def status_of(params: Params, standing: Standing, window: Window, now: Window, is_final: bool) -> Status:
    """What to show of a block of `window` during the window `now`. `is_final`: a final checkpoint holds its epoch.

    An undecided one is closed once nobody votes on it any more: `close_windows` after its own, or when it is final.
    """
    if standing is Standing.LOCAL:
        return Status.FINAL if is_final else Status.LOCAL
    if standing is Standing.REJECTED:
        return Status.REJECTED
    return Status.CLOSED if is_final or now > window + params.close_windows else Status.PENDING
