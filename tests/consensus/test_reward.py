from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.logistic import TABLE_Q16, weight_q16
from consensus.params import MAIN, ONE_Q16
from consensus.reward import (
    Terms,
    blocks_budget,
    concerts_budget,
    expected_meetings,
    familiarity,
    paid_person_q16,
    payment_of,
    points_of,
    recent_of,
    reward_of,
    split,
    terms_of,
)
from crdt.errors import Misuse
from crdt.types import Epoch, MicroJam, PlayerId, Window

A, B, C = (PlayerId(bytes([n]) * 32) for n in (1, 2, 3))


def terms(
    quality: int = ONE_Q16,
    weights: Sequence[int] = (ONE_Q16,),
    cluster: int = ONE_Q16,
    riff: int = ONE_Q16,
    person: int = ONE_Q16,
) -> Terms:
    return Terms(quality, tuple(weights), 0, 0, cluster, riff, person)


def test_points_are_one_product_divided_once() -> None:
    assert points_of(MAIN, terms(weights=[62_428] * 3)) == 1_000_000 * 62_428 // ONE_Q16 == 952_575
    three = [57_724, 62_428, 3]
    assert points_of(MAIN, terms(47_920, three)) == 1_000_000 * 47_920 * sum(three) // (3 * 2**32)
    whole = 1_000_000 * 47_920 * sum(three) * 50_000 * 32_768
    assert points_of(MAIN, terms(47_920, three, 50_000, 32_768)) == whole // (3 * 2**64)


@pytest.mark.parametrize(
    "none",
    [terms(quality=0), terms(weights=[0, 0]), terms(cluster=0), terms(riff=0), terms(person=0)],
    ids=["quality", "w", "cluster", "riff", "person"],
)
def test_every_factor_can_take_it_all(none: Terms) -> None:
    assert points_of(MAIN, none) == 0 < points_of(MAIN, terms())


def test_a_block_is_never_worth_more_than_r0() -> None:
    assert points_of(MAIN, terms(weights=[10 * ONE_Q16])) == MAIN.base_micro


@pytest.mark.parametrize("call", [lambda: points_of(MAIN, terms(weights=[])), lambda: split(MAIN, MicroJam(5), [])])
def test_nothing_is_paid_without_a_vote(call: Callable[[], object]) -> None:
    with pytest.raises(Misuse):
        call()


def test_three_joint_blocks_leave_one_half() -> None:
    """alpha = 3: whoever has voted on three of the last blocks counts half, exactly."""
    assert weight_q16(3) * 2 == ONE_Q16
    three = [frozenset({A, B})] * 3
    met = familiarity(three)
    assert points_of(MAIN, terms(weights=[weight_q16(met[voter]) for voter in (A, B)])) == MAIN.base_micro // 2


def test_only_recent_blocks_are_looked_back_on_and_only_earlier_ones() -> None:
    horizon, blocks = MAIN.decay_horizon_windows, MAIN.decay_blocks
    at = Window(10_000)
    accepted = [
        (Window(at - horizon - 1), {A}),
        (Window(at - horizon), {A}),
        (Window(at - 1), {A, B}),
        (at, {A, B}),
        (Window(at + 1), {A}),
    ]
    assert recent_of(MAIN, at, accepted) == [{A}, {A, B}]
    assert familiarity(recent_of(MAIN, at, accepted)) == {A: 2, B: 1}
    many = [(Window(at - 100 + n), {A} if n else {B}) for n in range(blocks + 1)]
    assert familiarity(recent_of(MAIN, at, many)) == {A: blocks}


def test_the_riff_is_half_of_a_window_and_the_circle_a_quarter() -> None:
    whole = terms_of(MAIN, ONE_Q16, True, [ONE_Q16], {A, B}, [])
    assert (whole.recent, whole.likeness_q16, whole.cluster_q16, whole.riff_q16) == (0, 0, ONE_Q16, ONE_Q16)
    assert terms_of(MAIN, ONE_Q16, False, [ONE_Q16], {A, B}, []).riff_q16 == ONE_Q16 // 2
    closed = terms_of(MAIN, ONE_Q16, True, [ONE_Q16], {A, B}, [{A, B}] * 4)
    assert (closed.recent, closed.likeness_q16, closed.cluster_q16) == (4, ONE_Q16, ONE_Q16 * 3 // 4)
    assert points_of(MAIN, closed) == MAIN.base_micro * 3 // 4


def test_a_player_is_paid_as_the_person_it_is_in_whole_steps() -> None:
    step = MAIN.person_step_q16
    assert [paid_person_q16(MAIN, q) for q in (0, step - 1, step, 2 * step - 1, ONE_Q16)] == [0, 0, step, step, ONE_Q16]
    half = terms_of(MAIN, ONE_Q16, True, [ONE_Q16], {A, B}, [], ONE_Q16 // 2 + step - 1)
    assert points_of(MAIN, half) == MAIN.base_micro // 2
    alike = msgspec.structs.replace(MAIN, person_step_q16=0)
    assert paid_person_q16(alike, 0) == paid_person_q16(alike, 7) == ONE_Q16
    for nobody in (-1, ONE_Q16 + 1):
        with pytest.raises(Misuse):
            paid_person_q16(MAIN, nobody)


@given(st.integers(1, ONE_Q16), st.integers(1, 50))
def test_to_be_split_among_more_keys_never_pays(person: int, keys: int) -> None:
    parts = [person * (n + 1) // keys - person * n // keys for n in range(keys)]
    assert sum(paid_person_q16(MAIN, part) for part in parts) <= person


@pytest.mark.parametrize(
    ("recent", "eligible", "expected"),
    [
        (0, 5, 0),
        (9, 1, 9),
        (30, 7, 30),
        (30, 3, 30),
        (30, 8, 27),
        (30, 21, 10),
        (1, 10_000, 1),
        (30, 10_000, 1),
        (10, 100, 1),
    ],
)
def test_what_chance_alone_would_bring(recent: int, eligible: int, expected: int) -> None:
    excess = msgspec.structs.replace(MAIN, decay_excess=True)
    assert (
        expected_meetings(excess, recent, eligible)
        == expected
        == math.ceil(recent * Fraction(min(7, eligible), eligible))
    )
    assert expected_meetings(MAIN, recent, eligible) == 0


@pytest.mark.parametrize(("recent", "eligible"), [(-1, 5), (3, 0), (3, -1)])
def test_no_meetings_where_nobody_is(recent: int, eligible: int) -> None:
    for is_excess in (False, True):
        with pytest.raises(Misuse):
            expected_meetings(msgspec.structs.replace(MAIN, decay_excess=is_excess), recent, eligible)


def test_a_budget_is_that_of_blocks_and_that_of_concerts() -> None:
    assert blocks_budget(MAIN) + concerts_budget(MAIN) == MAIN.epoch_budget_micro
    assert concerts_budget(MAIN) == 1_000_000_000 * 6_553 // 65_536 == 99_990_844


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


@given(st.lists(st.integers(0, 1_000_000), min_size=1, max_size=60), st.integers(0, 5_000_000), st.integers(0, ONE_Q16))
def test_an_epoch_never_pays_more_than_its_budget(points: list[int], budget: int, concerts: int) -> None:
    params = msgspec.structs.replace(MAIN, epoch_budget_micro=budget, concert_share_q16=concerts)
    total, most = MicroJam(sum(points)), blocks_budget(params)
    assert 0 <= most <= budget
    paid = [payment_of(params, MicroJam(p), total) for p in points]
    assert sum(paid) <= most
    assert all(got <= point for got, point in zip(paid, points, strict=True))
    if total <= most:
        assert paid == points


voter_sets = st.frozensets(st.integers(0, 9).map(lambda n: PlayerId(bytes([n]) * 32)), min_size=1)


@given(
    st.data(),
    st.integers(0, ONE_Q16),
    st.booleans(),
    voter_sets,
    st.lists(voter_sets, max_size=5),
    st.integers(1, 10**9),
)
def test_every_term_of_a_reward_agrees_with_the_others(
    data: st.DataObject, quality: int, has_riff: bool, voters: set[PlayerId], recent: list[set[PlayerId]], others: int
) -> None:
    weights = data.draw(st.lists(st.sampled_from(TABLE_Q16), min_size=1, max_size=len(voters)))
    unpaid = data.draw(st.sets(st.sampled_from(sorted(voters))))
    found = terms_of(MAIN, quality, has_riff, weights, voters, recent)
    total = MicroJam(points_of(MAIN, found) + others)
    reward = reward_of(MAIN, Epoch(7), found, voters, unpaid, total)
    assert reward.points_micro == points_of(MAIN, found) <= MAIN.base_micro
    assert reward.paid_micro == payment_of(MAIN, reward.points_micro, total) <= reward.points_micro
    assert {player for player, _ in reward.unminted} == unpaid
    assert {player for player, _ in reward.verifiers} == voters - unpaid
    assert reward.minted_micro + sum(part for _, part in reward.unminted) == reward.paid_micro
    assert sorted(reward.verifiers + reward.unminted) == list(split(MAIN, reward.paid_micro, voters)[1])
