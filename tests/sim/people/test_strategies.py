"""Strategies by name: what may be said of them, who they are to one another, and what they play."""

from __future__ import annotations

import json
from random import Random

import msgspec
import pytest

from consensus.events import Onset
from consensus.ops import Vote, Vouch, Why
from consensus.params import MAIN, ONE_Q16, SMALL
from consensus.quality.grid import Grid
from consensus.quality.measure import Report, measure
from consensus.quality.replay import ReplayIndex
from crdt.errors import Misuse
from crdt.types import Micros, PlayerId, Window
from jam.midi import Note
from sim.people.cast import POLICIES, cast, policy
from sim.people.cheats import NO, YES
from sim.people.judged import CASES, play
from sim.people.odds import ODDS, Odds
from sim.people.options import STRATEGIES, Faker, Honest, Lazy, Refuser, Ring, Strategy, Sybils
from sim.people.player import Habits
from sim.people.policy import Policy, Role, Scene

GRID = Grid(100_000, 4, 4)
FIRST = Window(40)


def player(number: int) -> PlayerId:
    return PlayerId(bytes([number]) * 32)


def somebody(options: Strategy, name: str = "s") -> Policy:
    return policy(Role(name, player(1), 0, Window(0), frozenset({player(1), player(2)})), options)


def scene(window: int, heard: tuple[tuple[Note, ...], ...] = ()) -> Scene:
    return Scene(GRID, Window(window), window * MAIN.window_us, (window + 1) * MAIN.window_us, lambda: heard)


def judged(notes: tuple[Note, ...], known: ReplayIndex | None = None) -> Report:
    return measure(MAIN, GRID, onsets(notes), known or ReplayIndex())


def onsets(notes: tuple[Note, ...]) -> list[Onset]:
    return [Onset(Micros(note.t_us), note.lane, note.velocity, note.pitch) for note in notes]


# options


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_has_words_a_policy_and_a_form(name: str) -> None:
    kind = STRATEGIES[name]
    assert len(kind.about) > 20
    assert kind in POLICIES
    made = msgspec.convert({"strategy": name, "count": 2, "habits": {"instrument": "keys"}}, Strategy)
    assert type(made) is kind and made.count == 2 and made.habits.instrument == "keys"
    assert msgspec.json.decode(msgspec.json.encode(made), type=Strategy) == made


@pytest.mark.parametrize(
    "wrong",
    [
        {"strategy": "saint"},
        {"strategy": "honest", "kind": "quantised"},
        {"strategy": "honest", "count": 0},
        {"strategy": "faker", "kind": "clever"},
        {"strategy": "faker", "sd_ms": -1},
        {"strategy": "faker", "answers": 1.5},
        {"strategy": "ring", "others": "maybe"},
        {"strategy": "sybils", "plays": "honest"},
        {"strategy": "withholder", "every": 0},
        {"strategy": "equivocator", "where": "both"},
        {"strategy": "flooder", "per_tick": 10**6},
        {"strategy": "honest", "habits": {"instrument": "gong"}},
        {"strategy": "honest", "habits": {"skill": 1}},
        {"count": 1},
    ],
    ids=json.dumps,
)
def test_options_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, Strategy)


# who they are


def test_a_cast_is_the_same_again_and_in_the_order_of_the_tables() -> None:
    tables = (Honest(count=3, friends=1), Ring(count=2), Sybils(count=3, edges=2), Lazy())
    players = [player(n) for n in range(1, 10)]
    one, again = cast(5, tables, players, FIRST), cast(5, tables, players, FIRST)
    assert [type(p.options) for p in one] == [Honest] * 3 + [Ring] * 2 + [Sybils] * 3 + [Lazy]
    assert [p.role for p in one] == [p.role for p in again]
    assert [p.role for p in one] != [p.role for p in cast(6, tables, players, FIRST)]
    assert one[3].role.members == {players[3], players[4]}
    assert one[5].role.members == set(players[5:8])


def test_as_many_honest_people_were_fooled_as_the_table_says() -> None:
    players = [player(n) for n in range(1, 20)]
    people = cast(1, (Honest(count=10, friends=2), Sybils(count=8, edges=3), Refuser()), players, FIRST)
    keys = set(players[10:18])
    fooled = [p for p in people[:10] if keys & set(p.role.knows)]
    assert len(fooled) == 3
    assert sum(len(set(p.role.knows) - keys) for p in people[10:18]) == 3
    assert not keys & set(people[18].role.knows)
    for person in people[:10]:
        assert person.role.player not in person.role.knows and len(set(person.role.knows) - keys) >= 2


def test_acquaintances_are_declared_when_somebody_comes_and_not_for_ever() -> None:
    tables = (Honest(count=3, friends=2, habits=Habits(comes=4)),)
    people = cast(1, tables, [player(n) for n in range(3)], FIRST)
    ops = people[0].conduct.declares(Window(FIRST + 4))
    assert set(ops) == {Vouch(player(1)), Vouch(player(2))}
    assert people[0].conduct.declares(FIRST) == () == people[0].conduct.declares(Window(FIRST + 20))


def test_those_whom_a_table_refuses_are_refused_by_number() -> None:
    people = cast(1, (Honest(count=2, refuses=(2,)), Faker()), [player(n) for n in range(3)], FIRST)
    assert [p.conduct.verifies(player(2)) for p in people] == [False, False, True]


@pytest.mark.parametrize("count", [0, 2, 4])
def test_a_cast_for_another_number_of_players_is_misuse(count: int) -> None:
    with pytest.raises(Misuse):
        cast(1, (Honest(count=3),), [player(n) for n in range(count)], FIRST)


# what they say


def _state(proposer: PlayerId) -> object:
    class State:
        pass

    state = State()
    state.proposer = proposer  # type: ignore[attr-defined]
    return state


@pytest.mark.parametrize(
    ("others", "of_member", "of_other", "looks_at_other"),
    [("honest", YES, None, True), ("yes", YES, YES, False), ("no", YES, NO, False), ("nothing", YES, None, True)],
)
def test_what_a_ring_says(others: str, of_member: object, of_other: object, looks_at_other: bool) -> None:
    conduct = somebody(msgspec.convert({"strategy": "ring", "others": others}, Strategy)).conduct
    member, other = _state(player(2)), _state(player(9))
    assert not conduct.looks(member)  # type: ignore[arg-type]
    assert conduct.says(member, None) == of_member  # type: ignore[arg-type]
    assert conduct.looks(other) is looks_at_other  # type: ignore[arg-type]
    assert conduct.says(other, None) == of_other  # type: ignore[arg-type]
    assert conduct.verifies(player(9)) is (others != "nothing") and conduct.verifies(player(2))
    assert (NO.vote, YES.vote, YES.why) == (Vote.NO, Vote.YES, Why.FINE)


def test_a_refuser_verifies_nobody_and_the_lazy_do_not_look() -> None:
    assert not somebody(Refuser()).conduct.verifies(player(9))
    lazy = somebody(Lazy()).conduct
    assert lazy.verifies(player(9)) and not lazy.looks(_state(player(9)))  # type: ignore[arg-type]
    assert lazy.says(_state(player(9)), None) == YES  # type: ignore[arg-type]


# what they play


def test_machines_are_on_the_grid_or_pass_as_docs_quality_says() -> None:
    found = {
        kind: judged(somebody(msgspec.convert({"strategy": "faker", "kind": kind}, Strategy)).notes(scene(1)))
        for kind in ("quantised", "jittered", "drifting", "template")
    }
    assert found["quantised"].why is Why.TOO_REGULAR
    assert found["jittered"].measures.total < ONE_Q16 // 32  # below the mark: no person's
    assert found["drifting"].why is found["template"].why is Why.FINE
    assert min(found[kind].measures.humanness for kind in ("drifting", "template")) >= MAIN.human_mark_q16


@pytest.mark.parametrize("source", ["own", "another"])
@pytest.mark.parametrize("sd_ms", [0.0, 5.0])
def test_a_recording_is_known_again(source: str, sd_ms: float) -> None:
    faker = somebody(
        msgspec.convert({"strategy": "faker", "kind": "replay", "source": source, "sd_ms": sd_ms}, Strategy)
    )
    other = somebody(Honest(), "other").notes(scene(0))
    first = faker.notes(scene(0))
    known = ReplayIndex()
    known.add(b"self", Window(0), onsets(first))
    known.add(b"other", Window(0), onsets(other))
    heard = tuple(note._replace(t_us=note.t_us) for note in other)
    again = faker.notes(scene(1, (heard,)))
    assert again and judged(again, known).why is Why.REPLAY
    assert all(MAIN.window_us <= note.t_us < 2 * MAIN.window_us for note in again)


def test_a_machine_answers_as_many_riffs_as_it_is_told() -> None:
    moments, lanes = (40_000_000, 41_000_000, 42_000_000, 43_000_000), (0, 1, 2, 3)
    for answers, expected in ((0.0, 0), (1.0, 30)):
        faker = somebody(Faker(kind="template", answers=answers))
        changed = [faker.answered((), Window(n), moments, lanes) for n in range(30)]
        assert sum(map(bool, changed)) == expected


def test_a_ring_that_plays_itself_plays_as_people_do() -> None:
    assert judged(somebody(Ring(plays="honest")).notes(scene(1))).why is Why.FINE
    assert judged(somebody(Ring()).notes(scene(1))).why is Why.TOO_REGULAR


# odds


def test_the_odds_are_of_strategies_that_are_judged_again_alike() -> None:
    assert set(ODDS["main"]) == set(ODDS["small"]) == set(CASES)
    for name in ("honest", "faker, quantised", "ring, quantised"):
        found = play(SMALL, 9, name, 3)
        accepted = sum(one.why is Why.FINE for one in found) / len(found)
        assert accepted == pytest.approx(ODDS["small"][name].accepted, abs=0.05)


def test_a_total_is_drawn_between_the_percentiles() -> None:
    odds = Odds(1.0, 0.5, (100, 200, 300, 400, 500))
    drawn = sorted(odds.total_q16(Random(n)) for n in range(2_000))
    assert drawn[0] == 100 and drawn[-1] == 500
    assert drawn[1_000] == pytest.approx(300, abs=15)
    assert drawn[500] == pytest.approx(200, abs=15)
