from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.logistic import TABLE_Q16
from consensus.params import MAIN, ONE_Q16
from consensus.reward import familiarity, payment_of, points_of, reward_of, split
from crdt.errors import Misuse
from crdt.types import Epoch, MicroJam, PlayerId, Window

A, B, C = (PlayerId(bytes([n]) * 32) for n in (1, 2, 3))


def test_points_are_one_product_divided_once() -> None:
    assert points_of(MAIN, ONE_Q16, [62_428] * 3) == 1_000_000 * 62_428 // ONE_Q16 == 952_575
    assert points_of(MAIN, 47_920, [57_724, 62_428, 3]) == 1_000_000 * 47_920 * (57_724 + 62_428 + 3) // (3 * 2**32)
    assert points_of(MAIN, 0, [62_428]) == 0 == points_of(MAIN, ONE_Q16, [0, 0])


def test_a_block_is_never_worth_more_than_r0() -> None:
    assert points_of(MAIN, ONE_Q16, [10 * ONE_Q16]) == MAIN.base_micro


@pytest.mark.parametrize("call", [lambda: points_of(MAIN, 1, []), lambda: split(MAIN, MicroJam(5), [])])
def test_nothing_is_paid_without_a_vote(call: object) -> None:
    with pytest.raises(Misuse):
        call()  # type: ignore[operator]


def test_familiarity_counts_only_recent_blocks_and_only_earlier_ones() -> None:
    horizon, blocks = MAIN.decay_horizon_windows, MAIN.decay_blocks
    at = Window(10_000)
    accepted = [
        (Window(at - horizon - 1), [A]),
        (Window(at - horizon), [A]),
        (Window(at - 1), [A, B]),
        (at, [A, B]),
        (Window(at + 1), [A]),
    ]
    assert familiarity(MAIN, at, accepted) == {A: 2, B: 1}
    many = [(Window(at - 100 + n), [A] if n else [B]) for n in range(blocks + 1)]
    assert familiarity(MAIN, at, many) == {A: blocks}


def test_the_verifiers_share_is_equal_and_the_rest_goes_to_the_lowest_key() -> None:
    proposer, shares = split(MAIN, MicroJam(1_000), [C, A, B])
    assert proposer == 800 and shares == ((A, 68), (B, 66), (C, 66))
    assert split(MAIN, MicroJam(0), [A]) == (0, ((A, 0),))
    assert split(MAIN, MicroJam(1), [B, A]) == (0, ((A, 1), (B, 0)))


@given(st.integers(0, MAIN.base_micro), st.sets(st.binary(min_size=32, max_size=32), min_size=1, max_size=40))
def test_what_is_paid_out_is_exactly_what_is_minted(paid: int, voters: set[bytes]) -> None:
    proposer, shares = split(MAIN, MicroJam(paid), [PlayerId(v) for v in voters])
    assert proposer + sum(amount for _, amount in shares) == paid
    assert min(proposer, *(amount for _, amount in shares)) >= 0
    assert max(amount for _, amount in shares) - min(amount for _, amount in shares) < len(shares)


@given(st.lists(st.integers(0, 1_000_000), min_size=1, max_size=60), st.integers(0, 5_000_000))
def test_an_epoch_never_pays_more_than_its_budget(points: list[int], budget: int) -> None:
    params = msgspec.structs.replace(MAIN, epoch_budget_micro=budget)
    total = MicroJam(sum(points))
    paid = [payment_of(params, MicroJam(p), total) for p in points]
    assert sum(paid) <= budget
    assert all(got <= point for got, point in zip(paid, points, strict=True))
    if total <= budget:
        assert paid == points


@given(st.integers(0, ONE_Q16), st.lists(st.sampled_from(TABLE_Q16), min_size=1, max_size=35), st.integers(1, 10**9))
def test_every_term_of_a_reward_agrees_with_the_others(quality: int, weights: list[int], others: int) -> None:
    voters = [PlayerId(n.to_bytes(32, "big")) for n in range(len(weights))]
    total = MicroJam(points_of(MAIN, quality, weights) + others)
    reward = reward_of(MAIN, Epoch(7), quality, weights, voters, total)
    assert reward.points_micro == points_of(MAIN, quality, weights) <= MAIN.base_micro
    assert reward.paid_micro == payment_of(MAIN, reward.points_micro, total) <= reward.points_micro
    assert reward.proposer_micro + sum(amount for _, amount in reward.verifiers) == reward.paid_micro
