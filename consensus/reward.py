"""What an accepted block is paid (SPEC 7; docs/rules.md, 7).

`points = base * quality * mean w * cluster * riff * person`. `w = 1 / (1 + e^(m - 3))`, and `m` counts how many of the
proposer's recent accepted blocks a verifier voted on: the same few people earn less and less from one another until
somebody new plays or verifies. The mean is taken over those who voted with the verdict. `cluster`
(consensus/cluster.py) falls where circles are closed, and a window without its riff, which nobody could have recorded
before, is worth half. A player is paid as the person it is: keys are free, and whoever plays undetectably with a
hundred of them must not be paid a hundred times. Persons count in whole steps, so that what is split among more keys
is never more; docs/incentives.md has the figures.

Points are paid from the epoch's budget, pro rata when they exceed it, so that supply is bounded however many keys and
meshes there are. The verifiers' share goes to everyone whose vote counted, whichever way it went: paying for yes
would buy yes. Beyond the reputation cap (consensus/cap.py) a verifier's part is not minted at all: were it given to
others, they would gain by who else is tired.

Every product is kept whole and divided once, at the end, rounding down. What a division of the verifiers' share
leaves goes to the lowest key, so what is minted and what is not are exactly what the points are worth.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

import msgspec

from consensus.cluster import cluster_q16, mean_likeness_q16
from consensus.params import ONE_Q16, Params, reward_cap
from crdt.errors import Misuse
from crdt.types import Epoch, MicroJam, PlayerId, Window

Parts = tuple[tuple[PlayerId, MicroJam], ...]  # of players, sorted by key


class Terms(NamedTuple):
    """The factors of a block's points, Q16, and what they rest on."""

    quality_q16: int
    weights_q16: tuple[int, ...]  # of the verifiers that voted with the verdict
    recent: int  # accepted blocks of its player that it looks back on
    likeness_q16: int  # of its voters to theirs, on average
    cluster_q16: int
    riff_q16: int
    person_q16: int


class Reward(msgspec.Struct, array_like=True, frozen=True):
    """Every term of one block's reward but the sum of its epoch's points, which is asked of the ledger: were it here,
    each block would change with every other. Shares are Q16, amounts micro-JAM.

    `paid_micro` is what the points are worth: the proposer's part, the verifiers' and what is not minted.
    """

    base_micro: MicroJam
    quality_q16: int
    mean_w_q16: int
    recent: int  # accepted blocks of its player that it looks back on
    likeness_q16: int  # of its voters to theirs, on average
    cluster_q16: int
    riff_q16: int
    person_q16: int
    points_micro: MicroJam
    epoch: Epoch
    epoch_budget_micro: MicroJam  # for blocks; the rest is for concerts
    paid_micro: MicroJam
    proposer_micro: MicroJam
    verifiers: Parts
    unminted: Parts  # parts of verifiers that are paid for enough other blocks of this window

    @property
    def minted_micro(self) -> MicroJam:
        """What comes into being."""
        return MicroJam(self.proposer_micro + sum(part for _, part in self.verifiers))


def recent_of(
    params: Params, window: Window, accepted: Iterable[tuple[Window, AbstractSet[PlayerId]]]
) -> list[AbstractSet[PlayerId]]:
    """Who voted on each of the blocks that a block of `window` looks back on.

    `accepted` are the proposer's accepted blocks, ascending by window, each with the players whose votes counted;
    only those of the last `decay_horizon_windows` before this window, and of these the last `decay_blocks`, matter.
    """
    earliest = window - params.decay_horizon_windows
    return [voters for at, voters in accepted if earliest <= at < window][-params.decay_blocks :]


def familiarity(recent: Iterable[Iterable[PlayerId]]) -> Counter[PlayerId]:
    """m of every verifier: on how many of these blocks its vote counted."""
    return Counter(voter for voters in recent for voter in voters)


def expected_meetings(params: Params, recent: int, eligible: int) -> int:
    """What chance alone makes of m, rounded up: on so many of `recent` blocks one of `eligible` is drawn first.

    In a small mesh everybody meets everybody, and nobody is to blame; the variant `decay_excess` forgives that much.
    Otherwise 0.
    """
    if recent < 0 or eligible < 1:
        raise Misuse("blocks are counted, and nothing is accepted where nobody is eligible")
    if not params.decay_excess:
        return 0
    return -(-recent * min(params.tranche_sizes[0], eligible) // eligible)


def terms_of(
    params: Params,
    quality_q16: int,
    has_riff: bool,
    weights_q16: Sequence[int],
    voters: AbstractSet[PlayerId],
    recent: Sequence[AbstractSet[PlayerId]],
    person_q16: int = ONE_Q16,
) -> Terms:
    """The factors of an accepted block: its quality, whether its riff was played, w of those who voted with the
    verdict, everyone whose vote counted, those of the blocks that it looks back on (`recent_of`), and how much of a
    person its player was at the end of the epoch before."""
    likeness = mean_likeness_q16(voters, recent)
    riff = ONE_Q16 if has_riff else params.riff_absent_q16
    cluster, person = cluster_q16(params, likeness), paid_person_q16(params, person_q16)
    return Terms(quality_q16, tuple(weights_q16), len(recent), likeness, cluster, riff, person)


def paid_person_q16(params: Params, person_q16: int) -> int:
    """As how much of a person a player is paid: whole steps, rounded down; all alike where there are no steps."""
    if not 0 <= person_q16 <= ONE_Q16:
        raise Misuse("a person is a share of one")
    step = params.person_step_q16
    return person_q16 // step * step if step else ONE_Q16


def points_of(params: Params, terms: Terms) -> MicroJam:
    """Points of an accepted block, at most R0."""
    if not terms.weights_q16:
        raise Misuse("nothing is accepted without a vote")
    whole = params.base_micro * terms.quality_q16 * sum(terms.weights_q16) * terms.cluster_q16 * terms.riff_q16
    return MicroJam(min(whole * terms.person_q16 // (len(terms.weights_q16) * ONE_Q16**5), reward_cap(params)))


def concerts_budget(params: Params) -> MicroJam:
    """What an epoch has for concerts."""
    return MicroJam(params.epoch_budget_micro * params.concert_share_q16 // ONE_Q16)


def blocks_budget(params: Params) -> MicroJam:
    """What an epoch has for blocks: all but the concerts' share, whether that is used or not."""
    return MicroJam(params.epoch_budget_micro - concerts_budget(params))


def payment_of(params: Params, points_micro: MicroJam, epoch_points_micro: MicroJam) -> MicroJam:
    """What points are worth when all points of the epoch share its budget."""
    budget = blocks_budget(params)
    if epoch_points_micro <= budget:
        return points_micro
    return MicroJam(points_micro * budget // epoch_points_micro)


def split(params: Params, paid_micro: MicroJam, voters: Iterable[PlayerId]) -> tuple[MicroJam, Parts]:
    """The proposer's part, and each voter's. Together they are exactly `paid_micro`."""
    ordered = sorted(set(voters))
    if not ordered:
        raise Misuse("nothing is accepted without a vote")
    proposer = paid_micro * params.proposer_share_q16 // ONE_Q16
    each, left = divmod(paid_micro - proposer, len(ordered))
    parts = tuple((voter, MicroJam(each + (left if i == 0 else 0))) for i, voter in enumerate(ordered))
    return MicroJam(proposer), parts


def reward_of(
    params: Params,
    epoch: Epoch,
    terms: Terms,
    voters: Iterable[PlayerId],
    unpaid: AbstractSet[PlayerId],
    epoch_points_micro: MicroJam,
) -> Reward:
    """The whole reward of an accepted block, given the sum of the points of its epoch (its own included), and which
    voters are beyond the reputation cap."""
    points = points_of(params, terms)
    paid = payment_of(params, points, epoch_points_micro)
    proposer, parts = split(params, paid, voters)
    return Reward(
        base_micro=MicroJam(params.base_micro),
        quality_q16=terms.quality_q16,
        mean_w_q16=sum(terms.weights_q16) // len(terms.weights_q16),
        recent=terms.recent,
        likeness_q16=terms.likeness_q16,
        cluster_q16=terms.cluster_q16,
        riff_q16=terms.riff_q16,
        person_q16=terms.person_q16,
        points_micro=points,
        epoch=epoch,
        epoch_budget_micro=blocks_budget(params),
        paid_micro=paid,
        proposer_micro=proposer,
        verifiers=tuple((voter, part) for voter, part in parts if voter not in unpaid),
        unminted=tuple((voter, part) for voter, part in parts if voter in unpaid),
    )
