"""Verdicts and rewards in words, every term with its number.

Whoever is paid, or not, can follow the sum by hand from what is printed. Rounding is for the eye only, half up, and
never goes back into a sum.
"""

from __future__ import annotations

from consensus.ops import WORDS, Vote
from consensus.params import ONE_Q16, Params
from consensus.state import BlockState, CountedVote
from consensus.tally import Ignored
from consensus.verdict import Standing
from crdt.types import MicroJam, short

VOTES = {Vote.YES: "yes", Vote.NO: "no", Vote.TOO_LATE: "too-late"}
STANDINGS = {Standing.PENDING: "pending", Standing.LOCAL: "local", Standing.REJECTED: "rejected"}
IGNORED = {
    Ignored.NOT_ELIGIBLE: "was not eligible",
    Ignored.NOT_DRAWN: "its proof does not show that it was drawn",
    Ignored.TWO_VOTES: "signed two different votes",
    Ignored.OTHER_BLOCK: "voted on another block of this window",
    Ignored.NOT_OPEN: "its tranche did not have to open",
}


def share(q16: int) -> str:
    """A Q16 share with four decimals."""
    ten_thousandths = (q16 * 20_000 + ONE_Q16) // (2 * ONE_Q16)
    return f"{ten_thousandths // 10_000}.{ten_thousandths % 10_000:04d}"


def jam(amount_micro: MicroJam | int) -> str:
    """An amount in JAM with six decimals, exactly."""
    whole, micro = divmod(abs(amount_micro), 1_000_000)
    return f"{'-' if amount_micro < 0 else ''}{whole}.{micro:06d}"


def explain_verdict(block: BlockState) -> tuple[str, ...]:
    """Why a block stands as it does: the count first, then each vote."""
    return (_count_words(block), *map(_vote_words, block.votes), *_ignored_words(block))


def _count_words(block: BlockState) -> str:
    if block.rivals:
        return f"rejected: its player proposed {block.rivals + 1} blocks for window {block.window}, and one is allowed"
    if not block.eligible:
        return "pending: nobody but the player was there, so nobody can verify it yet"
    yes, no, late = (sum(1 for v in block.votes if v.vote is vote) for vote in (Vote.YES, Vote.NO, Vote.TOO_LATE))
    people = f"{block.eligible} eligible, quorum {block.quorum}"
    against = f", {no} no" + (f", {late} too late" if late else "") if no or late else ""
    if block.standing is Standing.LOCAL:
        return f"accepted by {yes} of {len(block.votes)} votes ({people}{against})"
    if block.standing is Standing.REJECTED:
        reasons = "; ".join(WORDS[why] for why in block.reasons)
        return f"rejected by {no + late} of {len(block.votes)} votes ({people}): {reasons}"
    return f"pending: {yes} yes so far ({people}{against})"


def _vote_words(vote: CountedVote) -> str:
    reason = "" if vote.vote is Vote.YES else f" ({WORDS[vote.why]})"
    met = f"attested {vote.m} of the player's recent blocks, so w {share(vote.w_q16)}"
    return f"{short(vote.verifier)} voted {VOTES[vote.vote]}{reason}, drawn in tranche {vote.tranche}; {met}"


def _ignored_words(block: BlockState) -> tuple[str, ...]:
    return tuple(f"{short(verifier)} not counted: {IGNORED[why]}" for verifier, why in block.ignored)


def explain_reward(params: Params, block: BlockState, epoch_points_micro: MicroJam) -> tuple[str, ...]:
    """What a block is paid, term by term, given the points of all blocks of its epoch."""
    reward = block.reward
    if reward is None:
        return (f"no reward: the block is {STANDINGS[block.standing]}",)
    weights = " + ".join(share(vote.w_q16) for vote in block.votes if vote.vote is Vote.YES)
    count = sum(1 for vote in block.votes if vote.vote is Vote.YES)
    sums = f"epoch {reward.epoch} has points for {jam(epoch_points_micro)} of its {jam(reward.epoch_budget_micro)}"
    rated = "paid in full" if reward.paid_micro == reward.points_micro else f"paid {jam(reward.paid_micro)} pro rata"
    parts = ", ".join(f"{short(verifier)} {jam(amount)}" for verifier, amount in reward.verifiers)
    shared = MicroJam(reward.paid_micro - reward.proposer_micro)
    return (
        f"mean w ({weights}) / {count} = {share(reward.mean_w_q16)}",
        f"base {jam(reward.base_micro)} x quality {share(reward.quality_q16)} x mean w {share(reward.mean_w_q16)} = "
        f"{jam(reward.points_micro)}",
        f"{sums}: {rated}",
        f"the player {short(block.proposer)} gets {share(params.proposer_share_q16)} of {jam(reward.paid_micro)} = "
        f"{jam(reward.proposer_micro)}",
        f"the verifiers share {jam(shared)}, whichever way they voted: {parts}",
    )
