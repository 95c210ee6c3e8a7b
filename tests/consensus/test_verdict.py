from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.ops import FABRICATED, Vote, Why
from consensus.params import MAIN
from consensus.verdict import (
    Ballot,
    Standing,
    Status,
    decide,
    is_doubt,
    is_fabricated,
    is_riff_believed,
    quorum,
    status_of,
)
from crdt.errors import Misuse
from crdt.types import Window

Y, N, L = Vote.YES, Vote.NO, Vote.TOO_LATE
PENDING, LOCAL, REJECTED = Standing.PENDING, Standing.LOCAL, Standing.REJECTED


def ballots(zero: str = "", one: str = "", two: str = "") -> list[Ballot]:
    """Votes by tranche: y, n and l; d is a yes that doubts the riff."""
    of = {"y": Y, "n": N, "l": L, "d": Y}
    return [Ballot(tranche, of[c], c == "d") for tranche, votes in enumerate((zero, one, two)) for c in votes]


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
        (ballots("yyyyd"), LOCAL, 3),  # a doubt brings in more, as a no does, and stops nothing
        (ballots("ddddd"), LOCAL, 3),
        (ballots("yyyy", "d", "nnn"), PENDING, 3),
    ],
)
def test_tranches(votes: list[Ballot], standing: Standing, opened: int) -> None:
    verdict = decide(MAIN, 100, votes)
    assert (verdict.standing, verdict.open_tranches) == (standing, opened)


@pytest.mark.parametrize(
    ("votes", "believed"),
    [
        (ballots("yyyyy"), True),
        (ballots("yyyyyd"), True),
        (ballots("yyyyd"), False),  # four are no quorum
        (ballots("yyyyyd", "dd"), False),  # five to three: as a no, each would have it rejected
        (ballots("yyyyyd", "dd", "y"), True),
        (ballots("yyyyyd", "dn"), False),
        (ballots("yyyyydlll"), True),
    ],
)
def test_some_doubts_of_a_riff_are_outvoted(votes: list[Ballot], believed: bool) -> None:
    assert is_riff_believed(quorum(MAIN, 100), decide(MAIN, 100, votes)) is believed


def test_a_doubt_is_a_yes_for_a_riffs_pulses() -> None:
    assert [(vote, why) for vote in Vote for why in Why if is_doubt(vote, why)] == [(Y, Why.RIFF_PULSES)]


votes_drawn = st.lists(st.builds(Ballot, st.integers(0, 2), st.sampled_from(list(Vote))), max_size=24)
doubting = st.lists(st.builds(lambda ballot, d: ballot._replace(is_doubt=d and ballot.vote is Y), st.builds(
    Ballot, st.integers(0, 2), st.sampled_from(list(Vote))), st.booleans()), max_size=24)  # fmt: skip


@given(st.integers(0, 40), doubting)
def test_a_riff_is_never_had_for_less_than_if_every_doubt_were_a_no(eligible: int, votes: list[Ballot]) -> None:
    found = decide(MAIN, eligible, votes)
    as_no = decide(MAIN, eligible, [Ballot(one.tranche, N if one.is_doubt else one.vote) for one in votes])
    assert is_riff_believed(quorum(MAIN, eligible), found) is (as_no.standing is LOCAL)
    assert found.open_tranches == as_no.open_tranches and (as_no.standing is not LOCAL or found.standing is LOCAL)


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


# review


def test_under_review_every_tranche_is_open() -> None:
    votes = ballots("yyyyy", "nn", "n")
    assert decide(MAIN, 100, votes) == (LOCAL, 5, 0, 0, 1, 0)
    assert decide(MAIN, 100, votes, is_reviewed=True) == (PENDING, 5, 3, 0, 3, 0)
    assert decide(MAIN, 100, ballots("yyyyy"), is_reviewed=True) == (LOCAL, 5, 0, 0, 3, 0)
    assert decide(MAIN, 0, [], is_reviewed=True).standing is PENDING


@given(st.integers(0, 40), votes_drawn)
def test_a_review_hears_all_and_spares_nobody(eligible: int, votes: list[Ballot]) -> None:
    plain, reviewed = decide(MAIN, eligible, votes), decide(MAIN, eligible, votes, is_reviewed=True)
    assert reviewed.open_tranches == 3 and reviewed.yes + reviewed.no + reviewed.late == len(votes)
    if plain.open_tranches == 3:
        assert reviewed == plain
    if plain.standing is REJECTED:
        assert reviewed.standing is REJECTED


# fabricated

ROOT, REPLAY = (N, Why.ROOT_MISMATCH), (N, Why.REPLAY)
FINE, LATE = (Y, Why.FINE), (L, Why.LATE)


@pytest.mark.parametrize(
    ("needed", "votes", "found"),
    [
        (5, [ROOT] * 5, True),
        (5, [ROOT] * 4, False),
        (5, [ROOT] * 4 + [REPLAY], False),
        (5, [ROOT] * 5 + [REPLAY] * 2, True),
        (5, [ROOT] * 6 + [FINE] * 3, True),
        (5, [ROOT] * 6 + [FINE] * 4, False),
        (5, [ROOT] * 5 + [LATE] * 3, False),
        (5, [(L, Why.ROOT_MISMATCH)] * 9, False),
        (5, [(Y, Why.MALFORMED)] * 9, False),
        (1, [ROOT], True),
        (1, [], False),
        (0, [], False),
        (0, [ROOT] * 5, False),
        (2, [(N, why) for why in sorted(FABRICATED)], True),
    ],
)
def test_what_is_made_up(needed: int, votes: list[tuple[Vote, Why]], found: bool) -> None:
    assert is_fabricated(needed, votes) is found


@pytest.mark.parametrize("why", sorted(set(Why) - FABRICATED))
def test_what_can_happen_to_honest_people_costs_no_stake(why: Why) -> None:
    assert not is_fabricated(5, [(N, why)] * 35)


@given(
    st.integers(1, 40), st.lists(st.tuples(st.integers(0, 2), st.sampled_from([ROOT, REPLAY, FINE, LATE])), max_size=24)
)
def test_what_is_made_up_is_rejected(eligible: int, cast: list[tuple[int, tuple[Vote, Why]]]) -> None:
    verdict = decide(MAIN, eligible, [Ballot(tranche, vote) for tranche, (vote, _) in cast])
    heard = [said for tranche, said in cast if tranche < verdict.open_tranches]
    if is_fabricated(quorum(MAIN, eligible), heard):
        assert verdict.standing is REJECTED


# what is shown


@pytest.mark.parametrize(
    ("held", "later", "is_final", "shown"),
    [
        (PENDING, 0, False, Status.PENDING),
        (PENDING, MAIN.close_windows, False, Status.PENDING),
        (PENDING, MAIN.close_windows + 1, False, Status.CLOSED),
        (PENDING, 0, True, Status.CLOSED),
        (LOCAL, 0, False, Status.LOCAL),
        (LOCAL, 10_000, False, Status.LOCAL),
        (LOCAL, 10_000, True, Status.FINAL),
        (REJECTED, 10_000, False, Status.REJECTED),
        (REJECTED, 0, True, Status.REJECTED),
    ],
)
def test_statuses(held: Standing, later: int, is_final: bool, shown: Status) -> None:
    assert status_of(MAIN, held, Window(500), Window(500 + later), is_final) is shown
