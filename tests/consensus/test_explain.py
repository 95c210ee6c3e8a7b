from __future__ import annotations

import pytest

from consensus.explain import explain_reward, explain_verdict, jam, share
from consensus.ops import Vote
from consensus.state import BlockState
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
    world.round(FIRST, total=47_920)
    block = block_of(world, world.round(FIRST + 1, total=47_920))
    assert block.reward is not None
    text = "\n".join(explain_reward(world.params, block, world.ledger.epoch_points_micro(block.reward.epoch)))
    for term in (
        "mean w (0.8808 + 0.8808 + 0.8808) / 3 = 0.8808",
        "base 1.000000 x quality 0.7312 x mean w 0.8808 = 0.644040",
        f"epoch {block.reward.epoch} has points for 1.340564 of its 1000.000000",
        "paid in full",
        f"gets 0.8000 of 0.644040 = {jam(block.reward.proposer_micro)}",
        *(f"{player.hex()[:8]} {jam(amount)}" for player, amount in block.reward.verifiers),
    ):
        assert term in text
    assert explain_verdict(block)[0] == "accepted by 3 of 3 votes (3 eligible, quorum 2)"
    assert sum("attested 1 of the player's recent blocks, so w 0.8808" in line for line in explain_verdict(block)) == 3


def test_what_a_pending_a_rejected_and_a_double_block_say() -> None:
    world = World(3)
    proposer, one, other = world.people
    alone = world.propose(proposer, FIRST)
    assert "nobody can verify it yet" in explain_verdict(block_of(world, alone))[0]
    world.pulse(FIRST)
    block = block_of(world, alone)
    assert explain_verdict(block) == ("pending: 0 yes so far (2 eligible, quorum 2)",)
    assert explain_reward(world.params, block, MicroJam(0)) == ("no reward: the block is pending",)
    world.vote(proposer, alone, FIRST, Vote.NO, one)
    world.vote(proposer, alone, FIRST, Vote.TOO_LATE, other)
    first, *rest = explain_verdict(block_of(world, alone))
    assert first.startswith("rejected by 2 of 2 votes (2 eligible, quorum 2): a replay")
    assert "came too late" in first and len(rest) == 2
    world.propose(proposer, FIRST, salt=1)
    assert "2 blocks" in explain_verdict(block_of(world, alone))[0]


def test_votes_that_do_not_count_say_why() -> None:
    world = World(3)
    proposer, one, stranger = world.people
    world.pulse(FIRST, proposer, one)
    block = world.propose(proposer, FIRST)
    world.vote(proposer, block, FIRST, Vote.YES, stranger)
    assert any("was not eligible" in line for line in explain_verdict(block_of(world, block)))
