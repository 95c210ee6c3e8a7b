"""Verdicts and rewards in words, every term with its number.

Whoever is paid, or not, can follow the sum by hand from what is printed. Rounding is for the eye only, half up, and
never goes back into a sum.
"""

from __future__ import annotations

from consensus.ops import WORDS, Vote, Why
from consensus.params import ONE_Q16, Params
from consensus.reward import Parts, Reward, expected_meetings
from consensus.state import BlockState, CountedVote
from consensus.tally import Ignored
from consensus.verdict import Standing, Status, is_doubt
from crdt.types import MicroJam, PlayerId, short

VOTES = {Vote.YES: "yes", Vote.NO: "no", Vote.TOO_LATE: "too-late"}
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


def explain_verdict(block: BlockState, status: Status) -> tuple[str, ...]:
    """Why a block stands as it does: the count first, then what it rests on, then each vote."""
    return (_count_words(block, status), *_rule_words(block), *map(_vote_words, block.votes), *_ignored_words(block))


def _count(block: BlockState, vote: Vote) -> int:
    return sum(1 for counted in block.votes if counted.vote is vote)


def _count_words(block: BlockState, status: Status) -> str:
    if block.rivals:
        return f"rejected: its player proposed {block.rivals + 1} blocks for window {block.window}, and one is allowed"
    if not block.eligible:
        beginning = "closed, never verified" if status is Status.CLOSED else "pending"
        return f"{beginning}: nobody but the player was there, so nobody can verify it"
    yes, no, late = (_count(block, vote) for vote in (Vote.YES, Vote.NO, Vote.TOO_LATE))
    people = f"{block.eligible} eligible, quorum {block.quorum}"
    against = f", {no} no" + (f", {late} too late" if late else "") if no or late else ""
    if block.standing is Standing.LOCAL:
        end = "; final, a checkpoint holds it" if status is Status.FINAL else ""
        return f"accepted by {yes} of {len(block.votes)} votes ({people}{against}){end}"
    if block.standing is Standing.REJECTED:
        reasons = "; ".join(WORDS[why] for why in block.reasons)
        return f"rejected by {no + late} of {len(block.votes)} votes ({people}): {reasons}"
    if status is Status.CLOSED:
        return f"closed undecided, for nobody votes on it any more: {yes} yes ({people}{against})"
    return f"pending: {yes} yes so far ({people}{against})"


def _rule_words(block: BlockState) -> tuple[str, ...]:
    """Which tranches were counted, and what the sums must be."""
    if block.rivals or not block.votes:
        return ()
    needed = block.quorum
    if block.open_tranches == 1:
        tranches = f"the first tranche decided alone: at least {needed} yes and no no"
    else:
        earlier = [vote.vote for vote in block.votes if vote.tranche < block.open_tranches - 1]
        if Vote.NO in earlier:
            cause = "somebody said no"
        elif earlier.count(Vote.YES) < needed:
            cause = f"those before it had fewer than {needed} yes"
        elif block.op.riff and any(is_doubt(vote.vote, vote.why) for vote in block.votes):
            cause = "somebody sees other pulses behind its riff"
        else:
            cause = "its player is under review"
        tranches = f"tranches 0 to {block.open_tranches - 1} count together, because {cause}"
    rule = f"accepted takes {needed} yes, and two yes to every no; rejected, {needed} no or too late"
    if not block.is_fabricated:
        return tranches, rule
    return tranches, rule, f"made up, say at least {needed} votes and two thirds of all: it costs the player stake"


def _vote_words(vote: CountedVote) -> str:
    reason = "" if vote.why is Why.FINE else f" ({WORDS[vote.why]})"
    met = f"attested {vote.m} of the player's recent blocks, so w {share(vote.w_q16)}"
    return f"{short(vote.verifier)} voted {VOTES[vote.vote]}{reason}, drawn in tranche {vote.tranche}; {met}"


def _ignored_words(block: BlockState) -> tuple[str, ...]:
    return tuple(f"{short(verifier)} not counted: {IGNORED[why]}" for verifier, why in block.ignored)


def explain_reward(params: Params, block: BlockState, epoch_points_micro: MicroJam) -> tuple[str, ...]:
    """What a block is paid, term by term, given the points of all blocks of its epoch."""
    reward = block.reward
    if reward is None:
        return (f"no reward: the block is {'rejected' if block.standing is Standing.REJECTED else 'not accepted yet'}",)
    return (
        *_factor_words(params, block, reward),
        _points_words(reward),
        _budget_words(reward, epoch_points_micro),
        *_split_words(params, block.proposer, reward),
    )


def _factor_words(params: Params, block: BlockState, reward: Reward) -> tuple[str, ...]:
    weights = " + ".join(share(vote.w_q16) for vote in block.votes if vote.vote is Vote.YES)
    mean = f"mean w ({weights}) / {_count(block, Vote.YES)} = {share(reward.mean_w_q16)}"
    if params.decay_excess:
        expected = expected_meetings(params, reward.recent, block.eligible)
        mean += f"; chance alone brings {expected} of {_blocks(reward.recent, 'recent')}, only more than that lowers w"
    if reward.recent:
        alike = f"{share(reward.likeness_q16)} alike those who voted on the player's last"
        last = _blocks(reward.recent, "accepted")
        cluster = f"voters are {alike} {last}; 1 - {share(params.cluster_max_q16)} x that"
    else:
        cluster = "there is no recent accepted block of the player's to compare voters with"
    doubted = "it was played, to pulses that too many verifiers do not see as those of the window"
    riff = "it was played" if reward.riff_q16 == ONE_Q16 else doubted if block.op.riff else "it was not played"
    return (
        mean,
        f"cluster {share(reward.cluster_q16)}: {cluster}",
        f"riff {share(reward.riff_q16)}: {riff}",
        *_person_words(params, reward),
    )


def _person_words(params: Params, reward: Reward) -> tuple[str, ...]:
    """Only where people are asked for: in a network with founders."""
    if not params.founders or not params.person_step_q16:
        return ()
    steps = (
        f"what the player was at the end of epoch {reward.epoch - 1}, in whole steps of {share(params.person_step_q16)}"
    )
    return (f"person {share(reward.person_q16)}: {steps}",)


def _points_words(reward: Reward) -> str:
    factors = (
        f"quality {share(reward.quality_q16)}",
        f"mean w {share(reward.mean_w_q16)}",
        f"cluster {share(reward.cluster_q16)}",
        f"riff {share(reward.riff_q16)}",
        *([f"person {share(reward.person_q16)}"] if reward.person_q16 != ONE_Q16 else []),
    )
    return f"base {jam(reward.base_micro)} x {' x '.join(factors)} = {jam(reward.points_micro)}"


def _budget_words(reward: Reward, epoch_points_micro: MicroJam) -> str:
    points, budget = jam(epoch_points_micro), jam(reward.epoch_budget_micro)
    sums = f"epoch {reward.epoch} has points for {points}, and {budget} for blocks"
    rated = (
        "worth all of it" if reward.paid_micro == reward.points_micro else f"worth {jam(reward.paid_micro)} pro rata"
    )
    return f"{sums}: {rated}"


def _split_words(params: Params, proposer: PlayerId, reward: Reward) -> tuple[str, ...]:
    shared = MicroJam(reward.paid_micro - reward.proposer_micro)
    words = [
        f"the player {short(proposer)} gets {share(params.proposer_share_q16)} of {jam(reward.paid_micro)} = "
        f"{jam(reward.proposer_micro)}",
        f"the verifiers share {jam(shared)}, whichever way they voted: {_parts_words(reward.verifiers) or 'nobody'}",
    ]
    if reward.unminted:
        most = _blocks(params.paid_votes_per_window, "accepted")
        words.append(f"not minted: {_parts_words(reward.unminted)}, for a verifier is paid for {most} of one window")
    return tuple(words)


def _blocks(count: int, kind: str) -> str:
    return f"{count} {kind} block{'' if count == 1 else 's'}"


def _parts_words(parts: Parts) -> str:
    return ", ".join(f"{short(player)} {jam(amount)}" for player, amount in parts)
