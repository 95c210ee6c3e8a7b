from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.cap import Cap, unpaid_of
from consensus.ops import Vote
from consensus.params import MAIN, SMALL
from crdt.types import BlockId, PlayerId, Window
from tests.consensus.world import FIRST, World

TWO = msgspec.structs.replace(MAIN, paid_votes_per_window=2)
A, B, C = (PlayerId(bytes([n]) * 32) for n in (1, 2, 3))
AT = Window(7)


def block(number: int) -> BlockId:
    return BlockId(bytes([number]) * 32)


def test_the_blocks_with_the_lowest_ids_are_paid() -> None:
    accepted = {block(9): [A], block(1): [A, B], block(5): [C, A], block(3): [A]}
    assert unpaid_of(TWO, accepted) == {block(1): set(), block(3): set(), block(5): {A}, block(9): {A}}


def test_as_many_as_are_allowed_are_paid_and_each_verifier_has_its_own_count() -> None:
    assert unpaid_of(TWO, {block(1): [A], block(2): [A]}) == {block(1): set(), block(2): set()}
    assert unpaid_of(TWO, {block(n): [A, B] if n < 3 else [B, C] for n in range(1, 5)})[block(4)] == {B}
    assert unpaid_of(TWO, {}) == {}


def test_nobody_is_paid_where_nobody_may_be() -> None:
    none = msgspec.structs.replace(MAIN, paid_votes_per_window=0)
    assert unpaid_of(none, {block(1): [A, B]}) == {block(1): {A, B}}


windows = st.dictionaries(
    st.integers(0, 30).map(block), st.sets(st.sampled_from([A, B, C]), min_size=1).map(sorted), min_size=1, max_size=12
)


@given(windows, st.integers(0, 4), st.data())
def test_kept_up_to_date_it_is_what_the_whole_window_gives(
    accepted: dict[BlockId, list[PlayerId]], most: int, data: st.DataObject
) -> None:
    """Blocks come and go in any order; whoever is told about is exactly who else was affected."""
    params = msgspec.structs.replace(MAIN, paid_votes_per_window=most)
    cap, held = Cap(params), dict[BlockId, list[PlayerId]]()
    for chosen in data.draw(st.lists(st.sampled_from(sorted(accepted)), max_size=40)):
        before = unpaid_of(params, held)
        if chosen in held:
            told = cap.remove(AT, chosen, held.pop(chosen))
        else:
            held[chosen] = accepted[chosen]
            told = cap.add(AT, chosen, held[chosen])
        after = unpaid_of(params, held)
        assert {b: cap.unpaid(AT, b, voters) for b, voters in held.items()} == after
        assert told == {b for b in before.keys() & after.keys() if before[b] != after[b]} - {chosen}


def test_windows_are_counted_apart() -> None:
    cap = Cap(msgspec.structs.replace(MAIN, paid_votes_per_window=1))
    assert cap.add(AT, block(1), [A]) == cap.add(Window(8), block(2), [A]) == set()
    assert cap.unpaid(Window(8), block(2), [A]) == set()
    with pytest.raises(KeyError):
        cap.remove(Window(9), block(1), [A])


def test_in_the_ledger_a_tired_verifier_mints_nothing_and_nobody_gets_its_part() -> None:
    world = World(4, msgspec.structs.replace(SMALL, paid_votes_per_window=1))
    world.pulse(FIRST)
    listener, *players = world.people
    for player in players:
        found = world.propose(player, FIRST)
        world.vote(player, found, FIRST, Vote.YES, *(p for p in world.people if p is not player))
    blocks = sorted(world.ledger.blocks(), key=lambda state: state.id)
    rewards = [state.reward for state in blocks if state.reward is not None]
    assert len(rewards) == 3
    assert [listener.player in dict(reward.unminted) for reward in rewards] == [False, True, True]
    paid = sum(reward.paid_micro for reward in rewards)
    unminted = sum(part for reward in rewards for _, part in reward.unminted)
    assert world.ledger.supply_micro == paid - unminted < paid
    for order in (world.entries[::-1], world.entries[::2] + world.entries[1::2]):
        other = world.replay(order)
        assert other.root() == world.ledger.root() and other.balances() == world.ledger.balances()


def test_a_block_that_falls_lets_the_next_one_be_paid() -> None:
    world = World(4, msgspec.structs.replace(SMALL, paid_votes_per_window=1))
    world.pulse(FIRST)
    listener, *players = world.people
    for player in players:
        found = world.propose(player, FIRST)
        world.vote(player, found, FIRST, Vote.YES, *(p for p in world.people if p is not player))
    lowest, second, _ = sorted(world.ledger.blocks(), key=lambda state: state.id)
    assert second.reward is not None and listener.player in dict(second.reward.unminted)
    by_player = {person.player: person for person in world.people}
    world.propose(by_player[lowest.proposer], FIRST, salt=1)  # a second block for its window: neither counts
    after = world.ledger.block(second.id)
    assert after is not None and after.reward is not None and listener.player in dict(after.reward.verifiers)
    assert world.replay(world.entries[::-1]).root() == world.ledger.root()
