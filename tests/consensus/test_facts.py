"""What players say of coins, of one another and of the whole: places, answers, and taking back."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consensus.chains import Source
from consensus.facts import Facts
from consensus.opinions import Pair
from consensus.ops import (
    AnyOp,
    Checkpoint,
    LotRef,
    ParamVote,
    Rating,
    Report,
    Stage,
    Stake,
    Transfer,
    Unstake,
    Unvouch,
    Vouch,
    Why,
    Witness,
)
from consensus.params import SMALL
from crdt.limits import BALLOTS_PER_VOTER_MAX
from crdt.types import BlockId, Digest, EntryId, Epoch, MicroJam, PlayerId, Seq, SessionId

ANN, BEN, CAT = (PlayerId(bytes([n]) * 32) for n in (1, 2, 3))
SESSIONS = [SessionId(bytes([n]) * 32) for n in (7, 8)]
NO_BLOCK = BlockId(bytes(32))


def lot(number: int, amount_micro: int = 5) -> LotRef:
    return LotRef(BlockId(bytes([number]) * 32), MicroJam(amount_micro))


def at(epoch: int, seq: int, author: PlayerId = ANN, nth: int = 0) -> Source:
    return Source(
        Epoch(epoch),
        Seq(seq),
        nth,
        author,
        EntryId(bytes([epoch]) + seq.to_bytes(2, "big") + bytes([nth]) + author[4:]),
    )


def report(player: PlayerId) -> Report:
    return Report(player, Why.REPLAY, NO_BLOCK)


def witness(performer: PlayerId, session: int = 0, *tags: str) -> Witness:
    return Witness(SESSIONS[session], performer, tuple(Rating(tag, 3) for tag in tags), False)


def checkpoint(epoch: int, number: int = 0, base: int = 0) -> Checkpoint:
    return Checkpoint(Epoch(epoch), Digest(bytes([number]) * 32), Digest(bytes([base]) * 32), Stage.PREPARE)


@pytest.mark.parametrize(
    ("op", "fits"),
    [
        (Transfer(BEN, (lot(1), lot(2)), ""), True),
        (Transfer(ANN, (lot(1),), ""), False),
        (Transfer(BEN, (lot(2), lot(1)), ""), False),
        (Transfer(BEN, (lot(1), lot(1)), ""), False),
        (Stake((lot(1), lot(2), lot(3))), True),
        (Stake((lot(1), lot(3), lot(2))), False),
        (Unstake((lot(1), lot(1, 6))), False),
        (Vouch(BEN), True),
        (Vouch(ANN), False),
        (Unvouch(ANN), False),
        (report(BEN), True),
        (report(ANN), False),
        (witness(BEN, 0, "jazz", "loud"), True),
        (witness(BEN), True),
        (witness(ANN), False),
        (witness(BEN, 0, "loud", "jazz"), False),
        (witness(BEN, 0, "loud", "loud"), False),
        (checkpoint(100 - SMALL.checkpoint_lag), True),
        (checkpoint(101 - SMALL.checkpoint_lag), False),
        (checkpoint(0), True),
        (checkpoint(200), False),
        (ParamVote("base_micro", -1), True),
    ],
)
def test_who_may_say_what_where(op: AnyOp, fits: bool) -> None:
    assert Facts(SMALL).has_place(Epoch(100), ANN, op) is fits


def test_of_vouches_the_last_in_a_log_stands() -> None:
    facts = Facts(SMALL)
    for source, op in [
        (at(12, 0), Vouch(BEN)),
        (at(10, 0), Vouch(BEN)),
        (at(11, 0), Unvouch(BEN)),
        (at(11, 0, nth=1), Vouch(CAT)),
        (at(10, 5, BEN), Unvouch(ANN)),
    ]:
        facts.apply(source, op)
    vouches = facts.opinions.vouches
    assert vouches(Epoch(9)) == frozenset()
    assert vouches(Epoch(10)) == {Pair(ANN, BEN)}
    assert vouches(Epoch(11)) == {Pair(ANN, CAT)}
    assert vouches(Epoch(12)) == vouches(Epoch(99)) == {Pair(ANN, BEN), Pair(ANN, CAT)}
    assert facts.opinions.vouch_epochs() == [10, 11, 12] and facts.opinions.changed.vouches == {10, 11, 12}
    facts.retract(at(11, 0), Unvouch(BEN))
    assert vouches(Epoch(11)) == {Pair(ANN, BEN), Pair(ANN, CAT)}


def test_reports_of_an_epoch() -> None:
    facts = Facts(SMALL)
    facts.apply(at(10, 0, CAT), report(ANN))
    facts.apply(at(10, 0, BEN), report(ANN))
    facts.apply(at(10, 1, BEN), report(ANN))
    facts.apply(at(11, 0, BEN), report(CAT))
    assert facts.opinions.reports(Epoch(10)) == {ANN: {BEN: (report(ANN),) * 2, CAT: (report(ANN),)}}
    assert facts.opinions.reports(Epoch(12)) == {}
    facts.retract(at(10, 0, BEN), report(ANN))
    facts.retract(at(10, 1, BEN), report(ANN))
    assert facts.opinions.reports(Epoch(10)) == {ANN: {CAT: (report(ANN),)}}


def test_a_witness_counts_once_for_a_session_and_performer_where_it_said_so_first() -> None:
    facts = Facts(SMALL)
    later, again, sooner, other = at(12, 0, BEN), at(12, 1, BEN), at(10, 0, BEN), at(13, 0, BEN)
    facts.apply(later, witness(ANN, 0, "late"))
    facts.apply(again, witness(ANN))
    facts.apply(other, witness(ANN, 1))
    assert facts.opinions.witnesses(Epoch(12)) == [(later, witness(ANN, 0, "late"))]
    facts.opinions.changed.witnesses.clear()
    facts.apply(sooner, witness(ANN))
    assert facts.opinions.changed.witnesses == {10, 12, 13}  # 13: it is more familiar with the performer
    assert facts.opinions.witnesses(Epoch(12)) == []
    assert facts.opinions.witnesses(Epoch(10)) == [(sooner, witness(ANN))]
    assert [facts.opinions.times_witnessed(BEN, ANN, Epoch(e)) for e in (10, 11, 13, 14)] == [0, 1, 1, 2]
    facts.opinions.changed.witnesses.clear()
    facts.retract(sooner, witness(ANN))
    assert facts.opinions.changed.witnesses == {10, 12, 13}
    assert facts.opinions.witnesses(Epoch(10)) == [] and len(facts.opinions.witnesses(Epoch(12))) == 1


def test_checkpoint_votes_are_asked_for_by_what_they_follow_and_by_round() -> None:
    facts = Facts(SMALL)
    said = [
        (at(14, 0), checkpoint(10, 1)),
        (at(14, 0, BEN), checkpoint(10, 2)),
        (at(15, 0), checkpoint(10, 1)),
        (at(15, 1), checkpoint(10, 2)),  # two in one round: both are shown
    ]
    for source, op in (said[2], said[0], said[3], said[1], (at(15, 2), checkpoint(10, 1, base=9))):
        facts.apply(source, op)
    ballots, base, both = facts.ballots, checkpoint(0).base, (ANN, BEN)
    assert ballots.checkpoint_votes(both, base) == ballots.checkpoint_votes(both[::-1], base) == said
    assert ballots.checkpoint_votes((BEN,), base) == [said[1]]
    assert ballots.checkpoint_votes((CAT,), base) == ballots.checkpoint_votes(both, Digest(b"x" * 32)) == []
    assert len(ballots.checkpoint_votes(both, checkpoint(0, base=9).base)) == 1
    assert {voted[::2] for voted in ballots.bases(both)} == {
        (ANN, base),
        (BEN, base),
        (ANN, checkpoint(0, base=9).base),
    }
    version = ballots.version
    facts.retract(*said[1])
    assert ballots.checkpoint_votes(both, base) == [said[0], *said[2:]] and ballots.version != version


def test_a_flood_of_votes_costs_its_voter_the_later_ones() -> None:
    facts = Facts(SMALL)
    for n in range(BALLOTS_PER_VOTER_MAX + 9):
        facts.apply(at(14, n), checkpoint(10, n % 250))
    counted = facts.ballots.checkpoint_votes((ANN,), checkpoint(0).base)
    assert [source.seq for source, _ in counted] == list(range(BALLOTS_PER_VOTER_MAX))


def test_the_last_wish_for_a_parameter_is_the_one_that_is_shown() -> None:
    facts = Facts(SMALL)
    facts.apply(at(11, 0), ParamVote("base_micro", 2))
    facts.apply(at(10, 0), ParamVote("base_micro", 1))
    facts.apply(at(10, 0, CAT), ParamVote("a", 4))
    facts.apply(at(10, 0, BEN), ParamVote("a", 3))
    assert list(facts.ballots.wishes()) == ["a", "base_micro"] and list(facts.ballots.wishes()["a"]) == [BEN, CAT]
    facts.retract(at(10, 0, CAT), ParamVote("a", 4))
    assert facts.ballots.wishes() == {"a": {BEN: 3}, "base_micro": {ANN: 2}}
    facts.retract(at(11, 0), ParamVote("base_micro", 2))
    facts.retract(at(10, 0, BEN), ParamVote("a", 3))
    assert facts.ballots.wishes() == {"base_micro": {ANN: 1}}


def test_spends_are_in_the_order_of_their_log_however_they_came() -> None:
    facts = Facts(SMALL)
    said = [(at(10, seq, ANN, nth), Stake((lot(1 + seq + nth),))) for seq in range(3) for nth in range(2)]
    for source, op in (said[3], said[0], said[5], said[4], said[1], said[2]):
        facts.apply(source, op)
    assert list(facts.spends.of(ANN, Epoch(10))) == said and facts.spends.changed == {(10, ANN): 0}
    facts.spends.changed.clear()
    facts.retract(*said[3])
    assert list(facts.spends.of(ANN, Epoch(10))) == said[:3] + said[4:]
    assert facts.spends.changed == {(10, ANN): 3}
    assert list(facts.spends.of(ANN, Epoch(11))) == list(facts.spends.of(BEN, Epoch(10))) == []


players = st.sampled_from([ANN, BEN, CAT])
sayings = st.tuples(
    st.builds(at, st.integers(10, 13), st.integers(0, 3), players, st.integers(0, 1)),
    st.one_of(
        st.builds(Vouch, players),
        st.builds(Unvouch, players),
        st.builds(report, players),
        st.builds(witness, players, st.integers(0, 1)),
        st.builds(checkpoint, st.integers(5, 8), st.integers(0, 1), st.integers(0, 1)),
        st.builds(ParamVote, st.sampled_from(["a", "b"]), st.integers(0, 2)),
        st.builds(lambda n: Stake((lot(n),)), st.integers(1, 3)),
    ),
)


def answers(facts: Facts) -> list[object]:
    """All that can be asked, about every epoch."""
    opinions, out = facts.opinions, []
    for epoch in map(Epoch, range(4, 15)):
        out += [opinions.vouches(epoch), opinions.reports(epoch), opinions.witnesses(epoch)]
        out += [facts.ballots.checkpoint_votes((ANN, BEN, CAT), checkpoint(0, 0, n).base) for n in range(2)]
        out += [list(facts.spends.of(player, epoch)) for player in (ANN, BEN, CAT)]
        out += [opinions.times_witnessed(a, b, epoch) for a in (ANN, BEN, CAT) for b in (ANN, BEN, CAT)]
    return [*out, facts.ballots.wishes(), opinions.vouch_epochs()]


@given(st.lists(sayings, max_size=20, unique_by=lambda said: said[0]), st.data())
@settings(max_examples=100, deadline=None)
def test_what_is_taken_back_was_never_said(said: list[tuple[Source, AnyOp]], data: st.DataObject) -> None:
    gone = data.draw(st.sets(st.sampled_from(said))) if said else set()
    facts, fresh = Facts(SMALL), Facts(SMALL)
    for source, op in data.draw(st.permutations(said)):
        facts.apply(source, op)
    for source, op in data.draw(st.permutations(sorted(gone, key=lambda one: one[0]))):
        facts.retract(source, op)
    for source, op in said:
        if (source, op) not in gone:
            fresh.apply(source, op)
    assert answers(facts) == answers(fresh)


@given(sayings, sayings)
@settings(max_examples=200, deadline=None)
def test_an_epoch_whose_answers_change_is_named(one: tuple[Source, AnyOp], other: tuple[Source, AnyOp]) -> None:
    """Reports and witnesses of every epoch; vouches of the epochs in which somebody spoke."""
    if one[0] == other[0]:
        return
    facts = Facts(SMALL)
    facts.apply(*one)
    before = {e: (facts.opinions.reports(Epoch(e)), facts.opinions.witnesses(Epoch(e))) for e in range(9, 15)}
    vouches = {e: facts.opinions.vouches(Epoch(e)) for e in range(9, 15)}
    for part in (facts.opinions.changed.reports, facts.opinions.changed.witnesses, facts.opinions.changed.vouches):
        part.clear()
    facts.apply(*other)
    for e, (reports, witnesses) in before.items():
        assert reports == facts.opinions.reports(Epoch(e)) or e in facts.opinions.changed.reports
        assert witnesses == facts.opinions.witnesses(Epoch(e)) or e in facts.opinions.changed.witnesses
        spoke = [epoch for epoch in facts.opinions.changed.vouches if epoch <= e]
        assert vouches[e] == facts.opinions.vouches(Epoch(e)) or spoke


def test_another_lag_of_checkpoints_moves_where_votes_count() -> None:
    params = msgspec.structs.replace(SMALL, checkpoint_lag=0)
    assert [Facts(params).has_place(Epoch(e), ANN, checkpoint(100)) for e in (99, 100, 101)] == [False, True, True]
