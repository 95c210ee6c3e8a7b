"""From counted votes to a verdict (SPEC 6).

Tranche 0 decides alone when at least a quorum says yes and nobody says no. Otherwise the next tranche opens and all
open tranches are counted together: accepted with a quorum of yes and at least two yes to every no. There is no
clock in this: which tranches are open follows from the votes, so votes of a tranche that never had to open are not
counted, and casting them early changes nothing.

For one set of eligible players a further yes never undoes an acceptance, a further no never brings one about, and
"accepted" and "rejected" exclude each other. A block that stays undecided stays pending; whether its time is over
(`close_windows`) is for the reader of the clock to say.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

from consensus.ops import Vote
from consensus.params import Params
from crdt.errors import Misuse


class Standing(IntEnum):
    """What is held of a block before a checkpoint makes it final."""

    PENDING = 0
    LOCAL = 1
    REJECTED = 2


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


def decide(params: Params, eligible: int, ballots: Iterable[Ballot]) -> Verdict:
    """The verdict on a block with so many eligible others. With nobody eligible a block stays pending."""
    needed, tranches = quorum(params, eligible), len(params.tranche_sizes)
    cast = [[0, 0, 0] for _ in range(tranches)]
    for ballot in ballots:
        cast[ballot.tranche][ballot.vote] += 1
    yes = no = late = opened = 0
    while opened < tranches and not (opened and no == 0 and yes >= needed):
        no, yes, late = no + cast[opened][Vote.NO], yes + cast[opened][Vote.YES], late + cast[opened][Vote.TOO_LATE]
        opened += 1
    return Verdict(_standing(needed, yes, no, late), yes, no, late, opened)


def _standing(needed: int, yes: int, no: int, late: int) -> Standing:
    if needed == 0:
        return Standing.PENDING
    if yes >= needed and 3 * yes >= 2 * (yes + no):
        return Standing.LOCAL
    return Standing.REJECTED if no + late >= needed else Standing.PENDING
