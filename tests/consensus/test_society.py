"""Weights and reviews in a network with founders, as the ledger has them."""

from __future__ import annotations

import msgspec
import pytest

from consensus.explain import explain_reward
from consensus.ledger import Ledger
from consensus.ops import AnyOp, Report, Unvouch, Vote, Vouch, Why, encode_ops
from consensus.params import ONE_Q16, SMALL
from consensus.state import BlockState
from crdt.types import BlockId, Epoch, MicroJam, Window
from tests.consensus.world import FIRST, Person, World, standing

N = SMALL.epoch_windows
EPOCH = SMALL.epoch_of(FIRST)
NO_BLOCK = BlockId(bytes(32))


def founded(people: int, founders: int) -> World:
    keys = tuple(sorted(Person(number).player for number in range(founders)))
    return World(people, msgspec.structs.replace(SMALL, founders=keys))


def befriend(world: World, epoch: int, one: int, other: int) -> None:
    a, b = world.people[one], world.people[other]
    world.say(a, epoch, Vouch(b.player))
    world.say(b, epoch, Vouch(a.player))


def weights(world: World, epoch: int, ledger: Ledger | None = None) -> dict[int, int]:
    """Who weighs what at the end of an epoch, by number, of those who were there."""
    content = (ledger or world.ledger).content_at(Epoch(epoch))
    held = {somebody.player: somebody.weight for somebody in content.present}
    return {n: held[person.player] for n, person in enumerate(world.people) if person.player in held}


@pytest.mark.parametrize(
    "doings",
    [
        (),
        ((3, Vouch, 0),),
        ((0, Vouch, 3),),
        ((3, Vouch, 4), (4, Vouch, 3)),
        ((0, Vouch, 3), (3, Vouch, 0), (3, Unvouch, 0)),
        ((0, Vouch, 3), (3, Vouch, 0), (0, Unvouch, 3)),
        ((0, Vouch, 3), (3, Vouch, 1)),
        ((3, Vouch, 3),),
    ],
)
def test_who_is_no_person_weighs_nothing_and_may_not_vote(doings: tuple[tuple[int, type, int], ...]) -> None:
    world = founded(5, 3)
    for who, kind, about in doings:
        op: AnyOp = kind(world.people[about].player)
        world.say(world.people[who], EPOCH, op)
    world.pulse(FIRST)
    assert weights(world, EPOCH) == {0: ONE_Q16, 1: ONE_Q16, 2: ONE_Q16, 3: 0, 4: 0}
    world.pulse(FIRST + 2 * N)
    electorate = world.ledger.eligible(Window(FIRST + 2 * N), world.people[0].player)
    assert set(electorate) == {world.people[n].player for n in (1, 2)}


def test_a_friend_of_a_founder_is_some_of_a_person_and_more_when_acknowledged() -> None:
    world = founded(4, 3)
    befriend(world, EPOCH, 0, 3)
    world.open_session(world.people[0])
    world.pulse(FIRST)
    before = weights(world, EPOCH)[3]
    assert 0 < before <= ONE_Q16 // 2  # nobody has acknowledged it
    for n in range(2):
        world.pulse(FIRST + (2 + n) * N)
        block = world.propose(world.people[3], FIRST + (2 + n) * N)
        world.vote(world.people[3], block, FIRST + (2 + n) * N, Vote.YES, *world.people[:3])
        assert standing(world, block).name == "LOCAL"
    assert before < weights(world, EPOCH + 2)[3] <= weights(world, EPOCH + 3)[3]


def test_a_vouch_that_comes_late_counts_from_its_epoch_on() -> None:
    """Whenever it comes: the answers are those of a ledger that had it from the beginning."""
    world = founded(4, 3)
    world.pulse(FIRST)
    vouches = [world.say(world.people[0], EPOCH + 1, Vouch(world.people[3].player))]
    vouches.append(world.say(world.people[3], EPOCH + 1, Vouch(world.people[0].player)))
    for n in range(1, 5):
        world.pulse(FIRST + n * N)
    late = world.replay(entry for entry in world.entries if entry not in vouches)
    assert [weights(world, EPOCH + n, late)[3] for n in range(5)] == [0] * 5
    for vouch in vouches:
        late.add(vouch)
    assert [weights(world, EPOCH + n, late)[3] > 0 for n in range(5)] == [False, True, True, True, True]
    assert late.root() == world.ledger.root()
    window = Window(FIRST + 3 * N)
    assert world.people[3].player in late.eligible(window, world.people[0].player)


def reported(world: World, reporters: tuple[int, ...], about: int = 4, epoch: int = EPOCH + 2) -> None:
    for number in reporters:
        world.say(world.people[number], epoch, Report(world.people[about].player, Why.REPLAY, NO_BLOCK))


def opened_tranches(world: World, window: int) -> int:
    """How many tranches are open for a block of the fifth player that everybody accepts."""
    world.pulse(window)
    block = world.propose(world.people[4], window)
    world.vote(world.people[4], block, window, Vote.YES, *world.people[:4])
    found = world.ledger.block(block)
    assert found is not None
    return found.open_tranches


@pytest.mark.parametrize(
    ("reporters", "friends", "tranches"),
    [
        ((0, 1, 2), (), 3),
        ((0, 1, 2, 3), ((0, 1),), 3),
        ((0, 1), (), 1),
        ((0, 0, 1), (), 1),
        ((0, 1, 2), ((0, 1),), 1),
        ((0, 1, 2), ((0, 3), (1, 3)), 1),
        ((0, 1, 5), (), 1),  # the last one weighs nothing
        ((), (), 1),
    ],
)
def test_three_unrelated_reporters_open_all_tranches(
    reporters: tuple[int, ...], friends: tuple[tuple[int, int], ...], tranches: int
) -> None:
    world = founded(6, 5)
    for one, other in friends:
        befriend(world, EPOCH, one, other)
    world.open_session(world.people[0])
    world.pulse(FIRST)
    world.pulse(FIRST + N)
    reported(world, reporters)
    assert opened_tranches(world, FIRST + 2 * N) == 1  # it begins with the next epoch
    assert opened_tranches(world, FIRST + 3 * N) == tranches


def test_a_review_ends() -> None:
    world = founded(6, 5)
    world.open_session(world.people[0])
    world.pulse(FIRST)
    reported(world, (0, 1, 2))
    last = EPOCH + 2 + SMALL.review_epochs
    for epoch in range(EPOCH + 3, last):
        world.pulse(epoch * N)
    assert opened_tranches(world, last * N) == 3
    assert opened_tranches(world, (last + 1) * N) == 1


def test_a_player_is_paid_as_the_person_it_was_an_epoch_before() -> None:
    """Whenever the ledger hears of it: the vouches come last here, and what was paid before is worked out again."""
    world, later = founded(6, 3), FIRST + 2 * N
    world.pulse(FIRST)
    world.pulse(FIRST + N)
    blocks, late = {}, []
    for window in (later, later + N):
        world.pulse(window)
        for player in (0, 4, 5):
            blocks[window, player] = world.propose(world.people[player], window)
            founders = [person for person in world.people[:3] if person is not world.people[player]]
            world.vote(world.people[player], blocks[window, player], window, Vote.YES, *founders)
        if window == later:
            for one, other in ((0, 4), (4, 0)):
                payload = encode_ops((Vouch(world.people[other].player),))
                late.append(world.people[one].write(world.network, Epoch(EPOCH + 2), payload))

    def persons() -> dict[tuple[int, int], int]:
        found = {place: world.ledger.block(block) for place, block in blocks.items()}
        return {place: block.reward.person_q16 for place, block in found.items() if block and block.reward}

    nobody = {(window, player): 0 if player else ONE_Q16 for window, player in blocks}
    assert persons() == nobody
    words = "\n".join(explain_reward(world.params, _held(world, blocks[later, 4]), MicroJam(0)))
    assert (
        f"person 0.0000: what the player was at the end of epoch {EPOCH + 1}" in words
        and " x person 0.0000 = " in words
    )
    for entry in late:
        world.publish(entry)
    half = persons()[later + N, 4]
    assert 0 < half < ONE_Q16 and half % world.params.person_step_q16 == 0
    assert persons() == nobody | {(later + N, 4): half}
    assert _held(world, blocks[later + N, 4]).reward != _held(world, blocks[later, 4]).reward
    assert world.replay(reversed(world.entries)).root() == world.ledger.root()


def _held(world: World, block: BlockId) -> BlockState:
    found = world.ledger.block(block)
    assert found is not None
    return found
