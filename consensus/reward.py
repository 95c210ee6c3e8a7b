"""What an accepted block is paid (SPEC 7).

`points = base * quality * mean of w` over the verifiers that voted with the verdict, `w = 1 / (1 + e^(m - 3))`, and
`m` counts how many of the proposer's recent accepted blocks a verifier attested: the same few people earn less and
less from one another until somebody new plays or verifies. Points are paid from the epoch's budget, pro rata when
they exceed it. The verifiers' share goes to everyone whose vote counted, whichever way it went: paying for yes
would buy yes.

Every product is kept whole and divided once, at the end, rounding down. What a division of the verifiers' share
leaves goes to the lowest key, so what is paid out is exactly what is minted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from consensus.params import ONE_Q16, Params, reward_cap
from crdt.errors import Misuse
from crdt.types import Epoch, MicroJam, PlayerId, Window


class Reward(msgspec.Struct, array_like=True, frozen=True):
    """Every term of one block's reward but the sum of its epoch's points, which is asked of the ledger: were it here,
    each block would change with every other. Shares are Q16, amounts micro-JAM; `verifiers` is sorted by key."""

    base_micro: MicroJam
    quality_q16: int
    mean_w_q16: int
    points_micro: MicroJam
    epoch: Epoch
    epoch_budget_micro: MicroJam
    paid_micro: MicroJam
    proposer_micro: MicroJam
    verifiers: tuple[tuple[PlayerId, MicroJam], ...]


def familiarity(
    params: Params, window: Window, accepted: Iterable[tuple[Window, Iterable[PlayerId]]]
) -> Counter[PlayerId]:
    """m of every verifier for a block of `window`.

    `accepted` are the proposer's accepted blocks, ascending by window, each with the players whose votes counted;
    only those of the last `decay_horizon_windows` before this window, and of these the last `decay_blocks`, matter.
    """
    earliest = window - params.decay_horizon_windows
    recent = [voters for at, voters in accepted if earliest <= at < window][-params.decay_blocks :]
    return Counter(voter for voters in recent for voter in voters)


def points_of(params: Params, quality_q16: int, weights_q16: Sequence[int]) -> MicroJam:
    """Points of an accepted block, from the weights of the verifiers that voted with the verdict; at most R0."""
    if not weights_q16:
        raise Misuse("nothing is accepted without a vote")
    whole = params.base_micro * quality_q16 * sum(weights_q16)
    return MicroJam(min(whole // (len(weights_q16) * ONE_Q16 * ONE_Q16), reward_cap(params)))


def payment_of(params: Params, points_micro: MicroJam, epoch_points_micro: MicroJam) -> MicroJam:
    """What points are worth when all points of the epoch share its budget."""
    if epoch_points_micro <= params.epoch_budget_micro:
        return points_micro
    return MicroJam(points_micro * params.epoch_budget_micro // epoch_points_micro)


def split(
    params: Params, paid_micro: MicroJam, voters: Iterable[PlayerId]
) -> tuple[MicroJam, tuple[tuple[PlayerId, MicroJam], ...]]:
    """The proposer's part, and each voter's, sorted by key. Together they are exactly `paid_micro`."""
    ordered = sorted(set(voters))
    if not ordered:
        raise Misuse("nothing is accepted without a vote")
    proposer = paid_micro * params.proposer_share_q16 // ONE_Q16
    each, left = divmod(paid_micro - proposer, len(ordered))
    shares = tuple((voter, MicroJam(each + (left if i == 0 else 0))) for i, voter in enumerate(ordered))
    return MicroJam(proposer), shares


def reward_of(
    params: Params,
    epoch: Epoch,
    quality_q16: int,
    weights_q16: Sequence[int],
    voters: Iterable[PlayerId],
    epoch_points_micro: MicroJam,
) -> Reward:
    """The whole reward of an accepted block, given the sum of the points of its epoch (its own included)."""
    points = points_of(params, quality_q16, weights_q16)
    paid = payment_of(params, points, epoch_points_micro)
    proposer, verifiers = split(params, paid, voters)
    return Reward(
        base_micro=MicroJam(params.base_micro),
        quality_q16=quality_q16,
        mean_w_q16=sum(weights_q16) // len(weights_q16),
        points_micro=points,
        epoch=epoch,
        epoch_budget_micro=MicroJam(params.epoch_budget_micro),
        paid_micro=paid,
        proposer_micro=proposer,
        verifiers=verifiers,
    )
