"""What performers are paid for being witnessed (SPEC 8).

Spectators sign whom they saw. What a witness is worth rests on its own weight, so made-up spectators pay nothing, and
on how often it witnessed this performer before: a full house of strangers is worth more than the same friends again.
Ratings are kept and shown; they pay nobody more or less.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from consensus.params import ONE_Q16, Params
from crdt.canonical import digest
from crdt.errors import Misuse
from crdt.types import BlockId, Epoch, MicroJam, PlayerId

# floor(65536 * e^(-k/3)), literal: exponentials differ in the last bit between machines. Beyond it, nothing.
FAMILIARITY_Q16: Final = (
    65_536, 46_958, 33_647, 24_109, 17_275, 12_378, 8_869, 6_355, 4_553, 3_262, 2_337, 1_675, 1_200, 860, 616, 441, 316,
)  # fmt: skip
SEEN_MAX: Final = len(FAMILIARITY_Q16)  # sessions beyond which it makes no difference how many more


class Seen(NamedTuple):
    """One witness's first word on one performer in one session. `times` it witnessed this performer in earlier
    epochs; `weight` is the witness's own, 0 for one that is not in the snapshot."""

    performer: PlayerId
    weight: int
    times: int
    is_remote: bool


def familiarity_q16(times: int) -> int:
    """What a witness is worth that saw the same performer so many times before."""
    if times < 0:
        raise Misuse("a count is not negative")
    return FAMILIARITY_Q16[times] if times < len(FAMILIARITY_Q16) else 0


def points_of(params: Params, seen: Seen) -> MicroJam:
    """Points of one witness, micro-JAM."""
    place_q16 = params.remote_q16 if seen.is_remote else ONE_Q16
    return MicroJam(params.witness_micro * seen.weight * familiarity_q16(seen.times) * place_q16 // ONE_Q16**3)


def budget_of(params: Params) -> MicroJam:
    """What all concerts of an epoch may be paid together."""
    return MicroJam(params.epoch_budget_micro * params.concert_share_q16 // ONE_Q16)


def payments(params: Params, witnessed: Iterable[Seen]) -> Mapping[PlayerId, MicroJam]:
    """What each performer is paid for an epoch, performers sorted; those who get nothing are left out.

    Points are paid as they are, pro rata where they exceed the budget, each rounded down.
    """
    points: Counter[PlayerId] = Counter()
    for seen in witnessed:
        points[seen.performer] += points_of(params, seen)
    total, budget = sum(points.values()), budget_of(params)
    if total > budget:
        paid = {performer: points[performer] * budget // total for performer in sorted(points)}
    else:
        paid = {performer: points[performer] for performer in sorted(points)}
    return {performer: MicroJam(micro) for performer, micro in paid.items() if micro}


def origin_of(epoch: Epoch, performer: PlayerId) -> BlockId:
    """The origin of the coins that an epoch's concerts pay a performer: what a block's id is to a block's coins."""
    return BlockId(digest(b"symjam-concert", epoch.to_bytes(8, "big"), performer))
