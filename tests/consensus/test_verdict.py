from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.ops import Vote
from consensus.params import MAIN
from consensus.verdict import Ballot, Standing, decide, quorum
from crdt.errors import Misuse

Y, N, L = Vote.YES, Vote.NO, Vote.TOO_LATE
PENDING, LOCAL, REJECTED = Standing.PENDING, Standing.LOCAL, Standing.REJECTED


def ballots(zero: str = "", one: str = "", two: str = "") -> list[Ballot]:
    """Votes by tranche: y, n and l."""
    of = {"y": Y, "n": N, "l": L}
    return [Ballot(tranche, of[c]) for tranche, votes in enumerate((zero, one, two)) for c in votes]


def test_quorums() -> None:
    assert [quorum(MAIN, n) for n in range(10)] == [0, 1, 2, 2, 3, 4, 4, 5, 5, 5]
    assert quorum(MAIN, 1_000) == 5
    with pytest.raises(Misuse):
        quorum(MAIN, -1)


@pytest.mark.parametrize(
    ("eligible", "votes", "standing"),
    [
        (0, ballots(), PENDING),
        (1, ballots(), PENDING),
        (1, ballots("y"), LOCAL),
        (1, ballots("n"), REJECTED),
        (1, ballots("l"), REJECTED),
        (2, ballots("y"), PENDING),
        (2, ballots("yy"), LOCAL),
        (2, ballots("yn"), PENDING),
        (2, ballots("nn"), REJECTED),
        (3, ballots("y"), PENDING),
        (3, ballots("yy"), LOCAL),
        (3, ballots("yyy"), LOCAL),
        (3, ballots("yyn"), LOCAL),
        (3, ballots("ynn"), REJECTED),
        (4, ballots("yy"), PENDING),
        (4, ballots("yyy"), LOCAL),
        (4, ballots("yyyn"), LOCAL),
        (4, ballots("ynnn"), REJECTED),
        (7, ballots("yyyy"), PENDING),
        (7, ballots("yyyyy"), LOCAL),
        (7, ballots("yyyyynn"), LOCAL),
        (7, ballots("yynnnnn"), REJECTED),
        (7, ballots("yyyynnn"), PENDING),
        (7, ballots("yyyyylllll"), LOCAL),
    ],
)
def test_small_meshes(eligible: int, votes: list[Ballot], standing: Standing) -> None:
    assert decide(MAIN, eligible, votes).standing is standing


@pytest.mark.parametrize(
    ("votes", "standing", "opened"),
    [
        (ballots("yyyyy"), LOCAL, 1),
        (ballots("yyyyy", "nnnnnnnn"), LOCAL, 1),  # a tranche that never had to open is not heard
        (ballots("yyyyyn"), LOCAL, 3),
        (ballots("yyyyyn", "nn"), PENDING, 3),
        (ballots("yyyyyn", "nn", "y"), LOCAL, 3),
        (ballots("yyyy"), PENDING, 3),
        (ballots("yyyy", "y"), LOCAL, 2),
        (ballots("yyyy", "y", "nnnnn"), LOCAL, 2),
        (ballots("yyyy", "n", "y"), LOCAL, 3),
        (ballots("nnnnn"), REJECTED, 3),
        (ballots("nnnnn", "yyyyyyyyyy"), LOCAL, 3),  # the tranche that a no brings in may outvote it
        (ballots("", "", "yyyyy"), LOCAL, 3),
    ],
)
def test_tranches(votes: list[Ballot], standing: Standing, opened: int) -> None:
    verdict = decide(MAIN, 100, votes)
    assert (verdict.standing, verdict.open_tranches) == (standing, opened)


votes_drawn = st.lists(st.builds(Ballot, st.integers(0, 2), st.sampled_from(list(Vote))), max_size=24)


@given(st.integers(0, 40), votes_drawn, st.randoms(use_true_random=False))
def test_order_of_votes_is_nothing(eligible: int, votes: list[Ballot], random: object) -> None:
    shuffled = list(votes)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert decide(MAIN, eligible, shuffled) == decide(MAIN, eligible, votes)


@given(st.integers(0, 40), votes_drawn, st.integers(0, 2))
def test_yes_never_undoes_acceptance_and_no_never_brings_it(eligible: int, votes: list[Ballot], tranche: int) -> None:
    before = decide(MAIN, eligible, votes).standing
    if before is LOCAL:
        assert decide(MAIN, eligible, [*votes, Ballot(tranche, Y)]).standing is LOCAL
    else:
        assert decide(MAIN, eligible, [*votes, Ballot(tranche, N)]).standing is not LOCAL
        assert decide(MAIN, eligible, [*votes, Ballot(tranche, L)]).standing is not LOCAL


@given(st.integers(1, 40), votes_drawn)
def test_nothing_is_decided_without_a_quorum(eligible: int, votes: list[Ballot]) -> None:
    verdict, needed = decide(MAIN, eligible, votes), quorum(MAIN, eligible)
    if verdict.standing is LOCAL:
        assert verdict.yes >= needed and verdict.yes >= 2 * verdict.no
    if verdict.standing is REJECTED:
        assert verdict.no + verdict.late >= needed and not (verdict.yes >= needed and verdict.yes >= 2 * verdict.no)
