from __future__ import annotations

import msgspec
import pytest

from consensus.explain import explain_reward, explain_verdict, jam, share
from consensus.ops import Vote, Why, block_id
from consensus.params import SMALL
from consensus.state import BlockState
from consensus.verdict import Status
from crdt.types import BlockId, MicroJam
from tests.consensus.world import FIRST, World


def block_of(world: World, block: BlockId) -> BlockState:
    found = world.ledger.block(block)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("q16", "words"),
    [(0, "0.0000"), (65_536, "1.0000"), (57_724, "0.8808"), (62_428, "0.9526"), (3, "0.0000"), (4, "0.0001")],
)
def test_shares(q16: int, words: str) -> None:
    assert share(q16) == words


@pytest.mark.parametrize(
    ("micro", "words"), [(0, "0.000000"), (1, "0.000001"), (1_234_567_890, "1234.567890"), (-5, "-0.000005")]
)
def test_amounts(micro: int, words: str) -> None:
    assert jam(micro) == words


def test_every_term_of_a_reward_is_there_with_its_number() -> None:
    world = World(4)
    first = world.round(FIRST, total=47_920)
    block = block_of(world, world.round(FIRST + 1, total=47_920))
    assert block.reward is not None
    text = "\n".join(explain_reward(world.params, block, world.ledger.epoch_points_micro(block.reward.epoch)))
    for term in (
        "mean w (0.8808 + 0.8808 + 0.8808) / 3 = 0.8808",
        "cluster 0.7500: voters are 1.0000 alike those who voted on the player's last 1 accepted block",
        "; 1 - 0.2500 x that",
        "riff 1.0000: it was played",
        "base 1.000000 x quality 0.7312 x mean w 0.8808 x cluster 0.7500 x riff 1.0000 = 0.",
        f" = {jam(block.reward.points_micro)}",
        f"epoch {block.reward.epoch} has points for {jam(world.ledger.epoch_points_micro(block.reward.epoch))}",
        "and 900.009156 for blocks: worth all of it",
        f"gets 0.8000 of {jam(block.reward.paid_micro)} = {jam(block.reward.proposer_micro)}",
        f"the verifiers share {jam(block.reward.paid_micro - block.reward.proposer_micro)}, whichever way they voted: ",
        *(f"{player.hex()[:8]} {jam(amount)}" for player, amount in block.reward.verifiers),
    ):
        assert term in text
    assert "no recent accepted block" in words_of(world, first)
    verdict = explain_verdict(block, Status.LOCAL)
    assert verdict[:3] == (
        "accepted by 3 of 3 votes (3 eligible, quorum 2)",
        "the first tranche decided alone: at least 2 yes and no no",
        "accepted takes 2 yes, and two yes to every no; rejected, 2 no or too late",
    )
    assert sum("attested 1 of the player's recent blocks, so w 0.8808" in line for line in verdict) == 3
    assert explain_verdict(block, Status.FINAL)[0] == f"{verdict[0]}; final, a checkpoint holds it"


def words_of(world: World, block: BlockId) -> str:
    """All that is said about a block's reward."""
    found = block_of(world, block)
    assert found.reward is not None
    return "\n".join(explain_reward(world.params, found, world.ledger.epoch_points_micro(found.reward.epoch)))


def test_a_riff_that_was_not_played_is_said() -> None:
    world = World(3)
    proposer, *others = world.people
    world.pulse(FIRST)
    op = msgspec.structs.replace(world.block_op(FIRST), riff=False)
    world.say(proposer, world.epoch(FIRST), op)
    world.vote(proposer, block_id(proposer.player, op), FIRST, Vote.YES, *others)
    assert "riff 0.5000: it was not played" in words_of(world, block_id(proposer.player, op))


def test_what_the_budget_and_the_cap_take_is_said() -> None:
    world = World(4, msgspec.structs.replace(SMALL, epoch_budget_micro=1_000_000, paid_votes_per_window=1))
    world.pulse(FIRST)
    listener, *players = world.people
    for player in players:
        block = world.propose(player, FIRST)
        world.vote(player, block, FIRST, Vote.YES, *(p for p in world.people if p is not player))
    last = max(state.id for state in world.ledger.blocks())
    reward = block_of(world, last).reward
    assert reward is not None
    text = words_of(world, last)
    assert f"and 0.900010 for blocks: worth {jam(reward.paid_micro)} pro rata" in text
    part = dict(reward.unminted)[listener.player]
    assert f"{listener.player.hex()[:8]} {jam(part)}" in text and "paid for 1 accepted block of one window" in text
    if not reward.verifiers:
        assert "voted: nobody" in text


def test_the_variant_says_what_chance_would_bring() -> None:
    world = World(4, msgspec.structs.replace(SMALL, decay_excess=True))
    world.round(FIRST)
    block = world.round(FIRST + 1)
    assert "chance alone brings 1 of 1 recent block, only more" in words_of(world, block)
    assert all(vote.m == 1 and vote.w_q16 == 62_428 for vote in block_of(world, block).votes)


def test_a_no_says_that_it_brought_in_the_other_tranches_and_a_fake_what_it_costs() -> None:
    world = World(4)
    proposer, *others = world.people
    world.pulse(FIRST)
    block = world.propose(proposer, FIRST)
    vote = world.attest(others[0], proposer, block, FIRST, Vote.NO)
    world.say(others[0], world.epoch(FIRST), msgspec.structs.replace(vote, why=Why.ROOT_MISMATCH))
    words = explain_verdict(block_of(world, block), Status.PENDING)
    assert "tranches 0 to 2 count together, because somebody said no" in words
    vote = world.attest(others[1], proposer, block, FIRST, Vote.NO)
    world.say(others[1], world.epoch(FIRST), msgspec.structs.replace(vote, why=Why.MALFORMED))
    words = explain_verdict(block_of(world, block), Status.REJECTED)
    assert "made up, say at least 2 votes and two thirds of all: it costs the player stake" in words
    assert explain_reward(world.params, block_of(world, block), MicroJam(0)) == ("no reward: the block is rejected",)


@pytest.mark.parametrize(
    ("cast", "cause"),
    [
        ("00000", "its player is under review"),  # as many yes as are needed, and all before the last tranche
        ("000002", "its player is under review"),
        ("00000N2", "its player is under review"),  # a no of the last tranche brought nothing in
        ("0000012", "its player is under review"),
        ("0000", "those before it had fewer than 5 yes"),
        ("000022", "those before it had fewer than 5 yes"),
        ("00000N1", "somebody said no"),
        ("00000N0", "somebody said no"),
    ],
)
def test_why_all_tranches_were_counted(cast: str, cause: str) -> None:
    """Digits are yes votes by tranche, N before one makes it a no."""
    world = World(13)
    proposer, *others = world.people
    world.pulse(FIRST)
    block = world.propose(proposer, FIRST)
    world.vote(proposer, block, FIRST, Vote.YES, *others)
    held = block_of(world, block)
    assert held.quorum == 5 and held.open_tranches == 1
    votes = [
        msgspec.structs.replace(held.votes[0], tranche=int(c), vote=Vote.NO if cast[at - 1 : at] == "N" else Vote.YES)
        for at, c in enumerate(cast)
        if c != "N"
    ]
    words = explain_verdict(msgspec.structs.replace(held, open_tranches=3, votes=tuple(votes)), Status.LOCAL)
    assert words[1] == f"tranches 0 to 2 count together, because {cause}"


def test_each_vote_says_what_it_was_and_why() -> None:
    world = World(5)
    proposer, *others = world.people
    world.pulse(FIRST)
    block = world.propose(proposer, FIRST)
    for vote, person in zip((Vote.YES, Vote.YES, Vote.YES, Vote.TOO_LATE), others, strict=True):
        world.vote(proposer, block, FIRST, vote, person)
    first, *words = explain_verdict(block_of(world, block), Status.LOCAL)
    assert first == "accepted by 3 of 4 votes (4 eligible, quorum 3, 0 no, 1 too late)"
    said = {line[:8]: line for line in words}
    for person in others[:3]:
        assert " voted yes, drawn in tranche 0; attested 0 of" in said[person.player.hex()[:8]]
    assert " voted too-late (the block came too late), drawn" in said[others[3].player.hex()[:8]]


def test_a_no_among_the_yes_is_counted_out() -> None:
    world = World(5)
    proposer, *others = world.people
    world.pulse(FIRST)
    block = world.propose(proposer, FIRST)
    for vote, person in zip((Vote.YES, Vote.YES, Vote.YES, Vote.NO), others, strict=True):
        world.vote(proposer, block, FIRST, vote, person)
    assert explain_verdict(block_of(world, block), Status.LOCAL)[0] == (
        "accepted by 3 of 4 votes (4 eligible, quorum 3, 1 no)"
    )


def test_too_few_votes_say_so() -> None:
    world = World(4)
    proposer, *others = world.people
    world.pulse(FIRST)
    block = world.propose(proposer, FIRST)
    world.vote(proposer, block, FIRST, Vote.YES, others[0])
    words = explain_verdict(block_of(world, block), Status.PENDING)
    assert "tranches 0 to 2 count together, because those before it had fewer than 2 yes" in words
    closed = explain_verdict(block_of(world, block), Status.CLOSED)[0]
    assert closed == "closed undecided, for nobody votes on it any more: 1 yes (3 eligible, quorum 2)"


def test_what_a_pending_a_rejected_and_a_double_block_say() -> None:
    world = World(3)
    proposer, one, other = world.people
    alone = world.propose(proposer, FIRST)
    assert "pending: nobody but the player" in explain_verdict(block_of(world, alone), Status.PENDING)[0]
    assert "closed, never verified" in explain_verdict(block_of(world, alone), Status.CLOSED)[0]
    world.pulse(FIRST)
    block = block_of(world, alone)
    assert explain_verdict(block, Status.PENDING) == ("pending: 0 yes so far (2 eligible, quorum 2)",)
    assert explain_reward(world.params, block, MicroJam(0)) == ("no reward: the block is not accepted yet",)
    world.vote(proposer, alone, FIRST, Vote.NO, one)
    world.vote(proposer, alone, FIRST, Vote.TOO_LATE, other)
    first, *rest = explain_verdict(block_of(world, alone), Status.REJECTED)
    assert first.startswith("rejected by 2 of 2 votes (2 eligible, quorum 2): a replay")
    assert "came too late" in first and len(rest) == 4
    world.propose(proposer, FIRST, salt=1)
    assert "2 blocks" in explain_verdict(block_of(world, alone), Status.REJECTED)[0]


def test_votes_that_do_not_count_say_why() -> None:
    world = World(3)
    proposer, one, stranger = world.people
    world.pulse(FIRST, proposer, one)
    block = world.propose(proposer, FIRST)
    world.vote(proposer, block, FIRST, Vote.YES, stranger)
    assert any("was not eligible" in line for line in explain_verdict(block_of(world, block), Status.PENDING))
