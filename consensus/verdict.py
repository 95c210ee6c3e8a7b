"""From counted votes to a verdict (SPEC 6).

Tranche 0 decides alone when at least a quorum says yes and nobody says no. Otherwise the next tranche opens and all
open tranches are counted together: accepted with a quorum of yes and at least two yes to every no. There is no
clock in this: which tranches are open follows from the votes, so votes of a tranche that never had to open are not
counted, and casting them early changes nothing.

A *doubt* is a yes to a block whose riff rests on other pulses than its verifier sees: what was played is fine, and who
was cut off for a while could not know them. It opens tranches as a *no* does, and the riff counts only where the block
would be accepted if every doubt were a no. So a riff is never had for less, and no block lost for what it rests on.

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
    is_doubt: bool = False


class Verdict(NamedTuple):
    """A standing and the sums it rests on (doubts are among the yes); `open_tranches` is how many were counted."""

    standing: Standing
    yes: int
    no: int
    late: int
    open_tranches: int
    doubts: int = 0


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
    cast, doubted = [[0, 0, 0] for _ in range(tranches)], [0] * tranches
    for ballot in ballots:
        cast[ballot.tranche][ballot.vote] += 1
        doubted[ballot.tranche] += ballot.is_doubt
    yes = no = late = doubts = opened = 0
    while opened < tranches and not (opened and no + doubts == 0 and yes >= needed and not is_reviewed):
        no, yes, late = no + cast[opened][Vote.NO], yes + cast[opened][Vote.YES], late + cast[opened][Vote.TOO_LATE]
        doubts += doubted[opened]
        opened += 1
    return Verdict(_standing(needed, yes, no, late), yes, no, late, opened, doubts)


def is_doubt(vote: Vote, why: Why) -> bool:
    """Whether a vote on a block that claims its riff is yes to the block and no to the riff."""
    return vote is Vote.YES and why is Why.RIFF_PULSES


def is_riff_believed(needed: int, verdict: Verdict) -> bool:
    """Whether a claimed riff counts, by the quorum that the block needed: accepted even if all doubts were no."""
    doubts = verdict.doubts
    return _standing(needed, verdict.yes - doubts, verdict.no + doubts, verdict.late) is Standing.LOCAL


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
