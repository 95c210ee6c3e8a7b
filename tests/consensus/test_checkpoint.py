"""Counting votes on a checkpoint, and what an honest voter does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.checkpoint import Ballot, Count, Value, ballot_of, is_enough, named, to_commit, to_prepare
from consensus.ops import Checkpoint, Stage
from crdt.types import Digest, Epoch, PlayerId

P, C = Stage.PREPARE, Stage.COMMIT
FOUR = {PlayerId(bytes([n]) * 32): 1 for n in range(1, 5)}
ONE, TWO, THREE, LAST = FOUR
STRANGER = PlayerId(b"\x63" * 32)
A, B = Value(Epoch(10), Digest(b"a" * 32)), Value(Epoch(10), Digest(b"b" * 32))
LATER = Value(Epoch(11), Digest(b"c" * 32))


def votes(round_: int, stage: Stage, value: Value, *voters: PlayerId) -> list[Ballot]:
    return [Ballot(Epoch(round_), voter, stage, value) for voter in voters]


def test_a_ballot_is_its_operation_and_its_document() -> None:
    op = Checkpoint(Epoch(10), A.digest, Digest(bytes(32)), C)
    assert ballot_of(Epoch(14), ONE, op) == Ballot(Epoch(14), ONE, C, A)


@pytest.mark.parametrize(("weight", "total"), [(0, 0), (0, 1), (2, 3), (20, 30), (66, 100)])
def test_not_enough(weight: int, total: int) -> None:
    assert not is_enough(weight, total)


@pytest.mark.parametrize(("weight", "total"), [(1, 1), (3, 4), (21, 30), (67, 100)])
def test_enough(weight: int, total: int) -> None:
    assert is_enough(weight, total)


@pytest.mark.parametrize(
    "ballots",
    [
        [],
        votes(14, P, A, *FOUR),
        votes(14, C, A, ONE, TWO),
        votes(14, C, A, ONE, TWO) + votes(15, C, A, THREE, LAST),
        votes(14, C, A, ONE, TWO) + votes(14, C, B, THREE, LAST),
        votes(14, C, A, ONE, TWO) + votes(14, C, LATER, THREE),
        votes(14, C, A, ONE, TWO) + votes(14, P, A, THREE),
        votes(14, C, A, ONE, TWO, STRANGER),
        votes(14, C, A, ONE, TWO) * 5,
    ],
)
def test_not_final(ballots: list[Ballot]) -> None:
    assert Count(FOUR, ballots).final() is None


def test_final() -> None:
    assert Count(FOUR, votes(14, C, A, ONE, TWO, THREE)).final() == A
    assert Count({ONE: 70, TWO: 30}, votes(14, C, A, ONE)).final() == A
    assert Count({ONE: 66, TWO: 34}, votes(14, C, A, ONE)).final() is None


def test_without_voters_nothing_is_final() -> None:
    assert Count({}, votes(14, C, A, *FOUR)).final() is None
    assert Count({ONE: 0}, votes(14, C, A, ONE)).final() is None


@given(
    st.lists(
        st.tuples(
            st.integers(14, 17),
            st.sampled_from([*FOUR, STRANGER]),
            st.sampled_from([P, C]),
            st.sampled_from([A, B, LATER]),
        ),
        max_size=40,
    ),
    st.integers(0, 40),
)
def test_what_is_final_stays_final_unless_a_third_signed_two(
    signed: list[tuple[int, PlayerId, Stage, Value]], known: int
) -> None:
    ballots = [Ballot(Epoch(r), voter, stage, value) for r, voter, stage, value in signed]
    before, after = Count(FOUR, ballots[:known]).final(), Count(FOUR, ballots)
    finals = {value for _, stage, value in after._enough if stage is C}
    assert before is None or before in finals


def test_fresh_voters_prepare_their_own() -> None:
    assert to_prepare(Count(FOUR, []), ONE, Epoch(14), A) == A
    assert to_prepare(Count(FOUR, []), ONE, Epoch(14), None) is None
    assert to_prepare(Count(FOUR, votes(14, P, B, TWO, THREE)), ONE, Epoch(14), A) == A


@pytest.mark.parametrize("signed", [A, B])
def test_nobody_prepares_twice_in_a_round(signed: Value) -> None:
    count = Count(FOUR, votes(14, P, signed, ONE))
    assert to_prepare(count, ONE, Epoch(14), A) is None
    assert to_prepare(count, ONE, Epoch(15), A) == A
    assert to_prepare(count, TWO, Epoch(14), A) == A


def test_what_enough_have_prepared_goes_before_ones_own() -> None:
    count = Count(FOUR, votes(14, P, B, TWO, THREE, LAST) + votes(15, P, LATER, TWO, THREE))
    assert to_prepare(count, ONE, Epoch(16), A) == B
    assert to_prepare(count, ONE, Epoch(14), A) == A  # only rounds before count
    again = votes(14, P, B, TWO, THREE, LAST) + votes(15, P, LATER, TWO, THREE, LAST)
    assert to_prepare(Count(FOUR, again), ONE, Epoch(16), A) == LATER


def test_who_has_committed_prepares_that_until_enough_prepare_another_later() -> None:
    locked = votes(14, P, A, ONE, TWO, THREE) + votes(14, C, A, ONE)
    assert to_prepare(Count(FOUR, locked), ONE, Epoch(20), LATER) == A
    earlier = locked + votes(13, P, B, TWO, THREE, LAST)
    assert to_prepare(Count(FOUR, earlier), ONE, Epoch(20), LATER) == A
    later = locked + votes(15, P, LATER, TWO, THREE, LAST)
    assert to_prepare(Count(FOUR, later), ONE, Epoch(20), A) == LATER


@pytest.mark.parametrize(
    "ballots",
    [
        [],
        votes(14, P, A, ONE, TWO),
        votes(13, P, A, *FOUR),
        votes(15, P, A, *FOUR),
        votes(14, C, A, TWO, THREE, LAST),
        votes(14, P, A, ONE, TWO) + votes(14, P, B, THREE, LAST),
        votes(14, P, A, *FOUR) + votes(14, C, A, ONE),
        votes(14, P, A, *FOUR) + votes(14, C, B, ONE),
    ],
)
def test_nothing_to_commit_to(ballots: list[Ballot]) -> None:
    assert to_commit(Count(FOUR, ballots), ONE, Epoch(14)) is None


def test_commits_to_what_enough_prepared_in_this_round() -> None:
    count = Count(FOUR, votes(14, P, A, TWO, THREE, LAST) + votes(13, C, B, ONE))
    assert to_commit(count, ONE, Epoch(14)) == A


def test_of_what_a_voter_committed_to_the_latest_round_counts() -> None:
    count = Count(FOUR, votes(13, C, B, ONE) + votes(15, C, A, ONE) + votes(16, P, LATER, ONE) + votes(17, C, B, TWO))
    assert count.committed(ONE) == (15, A) and count.committed(THREE) is None
    assert to_prepare(count, ONE, Epoch(20), LATER) == A


def test_who_signs_many_values_in_a_round_has_signed_the_least() -> None:
    many = [Value(Epoch(10), Digest(bytes([n]) * 32)) for n in range(1, 33)]
    for order in (many, many[::-1]):
        count = Count(FOUR, [Ballot(Epoch(14), ONE, P, value) for value in order])
        assert count.signed(ONE, Epoch(14), P) == many[0]
        assert count.signed(ONE, Epoch(14), C) is count.signed(ONE, Epoch(13), P) is None


OLD, NEW = Digest(b"z" * 32), Digest(b"y" * 32)


def base_votes(base: Digest, epoch: int, *voters: PlayerId) -> list[tuple[PlayerId, Epoch, Digest]]:
    return [(voter, Epoch(epoch), base) for voter in voters]


@pytest.mark.parametrize(
    "said",
    [
        [],
        base_votes(OLD, 11, ONE, TWO),
        base_votes(OLD, 11, ONE, TWO) * 2,
        base_votes(OLD, 11, ONE, TWO, STRANGER),
        base_votes(OLD, 11, ONE, TWO) + base_votes(NEW, 11, THREE, LAST),
        [(PlayerId(bytes([n]) * 32), Epoch(11), OLD) for n in range(50, 60)],
    ],
)
def test_too_few_go_on_from_one_base(said: list[tuple[PlayerId, Epoch, Digest]]) -> None:
    assert named(FOUR, said) is None


def test_the_base_that_enough_go_on_from() -> None:
    old, new = base_votes(OLD, 11, ONE, TWO, THREE), base_votes(NEW, 12, TWO, THREE, LAST)
    assert named(FOUR, old + base_votes(NEW, 12, STRANGER)) == OLD
    assert named(FOUR, old + new) == named(FOUR, new + old) == NEW
    assert named(FOUR, new + old + base_votes(OLD, 13, ONE)) == OLD
    assert named(FOUR, base_votes(OLD, 13, ONE) + new + old) == OLD
    assert named(FOUR, old + base_votes(NEW, 11, TWO, THREE, LAST)) == OLD  # of the same epoch: the greater


def test_without_voters_no_base_is_named() -> None:
    assert named({}, base_votes(OLD, 11, ONE, TWO, THREE)) is None
