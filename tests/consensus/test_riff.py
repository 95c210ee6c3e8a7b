"""What a player is asked for, who may decide it, and what answers it."""

from __future__ import annotations

from itertools import combinations, pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.events import LANES, Onset
from consensus.ops import Pulse, PulseRef, Why
from consensus.params import MAIN, SMALL, network_id
from consensus.quality.grid import Grid
from consensus.riff import NOTES, Call, Pulses, call, called, is_played, moments_us, ranked, settled
from crdt.canonical import digest
from crdt.types import EntryId, Micros, PlayerId, Window
from tests.consensus.quality.material import human_windows

NETWORK = network_id(MAIN)
AT = Window(14_900_000)
GRID = Grid(120_000, 4, 4)
ME = PlayerId(bytes(32))


def pulses(count: int, window: int = AT) -> dict[PlayerId, tuple[EntryId, Pulse]]:
    found = {}
    for n in range(1, count + 1):
        name = digest(b"test", n.to_bytes(8, "big"), window.to_bytes(8, "big"))
        found[PlayerId(bytes([n]) * 32)] = (EntryId(name), Pulse(Window(window), name[:16], bytes(32)))
    return found


def asked(others: Pulses, window: Window = AT, player: PlayerId = ME) -> Call:
    riff = call(MAIN, NETWORK, window, player, others)
    assert riff is not None
    return riff


def answered(riff: Call, start_us: int = 0, late_us: int = 0) -> list[Onset]:
    moments = moments_us(MAIN, GRID, start_us, riff)
    return [Onset(Micros(t + late_us), lane, 80) for t, lane in zip(moments, riff.lanes, strict=True)]


# who decides it


def test_only_others_who_were_there_in_the_window_before_too_decide() -> None:
    now, before = pulses(6), pulses(4, AT - 1)
    me = PlayerId(bytes([2]) * 32)
    assert sorted(settled(me, now, before)) == [PlayerId(bytes([n]) * 32) for n in (1, 3, 4)]
    assert call(MAIN, NETWORK, AT, me, settled(me, now, {})) is None


def test_each_player_and_window_has_an_order_and_a_riff_of_its_own() -> None:
    others = pulses(40)
    orders = [ranked(NETWORK, window, player, others) for window in (AT, Window(AT + 1)) for player in list(others)[:9]]
    assert len({tuple(order) for order in orders}) == len(orders)
    assert all(sorted(order) == sorted(others) for order in orders)
    riffs = {asked(others, Window(AT + n)).lanes for n in range(200)}
    assert len(riffs) > 190


def test_who_decides_is_evenly_spread() -> None:
    others = pulses(20)
    taken = [p for n in range(2_000) for p in ranked(NETWORK, Window(AT + n), ME, others)[: MAIN.riff_pulses]]
    assert all(400 < taken.count(other) < 600 for other in others)  # 500 expected, 4.5 times the deviation


def test_any_salt_changes_it_and_the_order_of_hearing_does_not() -> None:
    others = pulses(5)
    riff = asked(others)
    assert asked(dict(reversed(others.items()))) == riff
    for player, (entry, pulse) in others.items():
        other = others | {player: (entry, Pulse(AT, digest(b"test", pulse.salt)[:16], bytes(32)))}
        assert asked(other) != riff


def test_there_are_six_riffs_to_choose_from_however_many_are_there() -> None:
    others = pulses(9)
    found = set()
    for size in range(10):
        for names in combinations(others, size):
            refs = tuple(sorted(PulseRef(name, others[name][0]) for name in names))
            judged = called(MAIN, NETWORK, AT, ME, others, refs)
            if isinstance(judged, Call):
                found.add(judged)
            else:
                assert judged is Why.RIFF_PULSES
    assert len(found) == 1 + MAIN.riff_pulses
    assert asked(others) in found


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_with_few_others_one_may_be_missing_and_never_all(count: int) -> None:
    others = pulses(count)
    refs = asked(others).refs
    assert called(MAIN, NETWORK, AT, ME, others, refs) == asked(others)
    less = called(MAIN, NETWORK, AT, ME, others, refs[1:])
    assert isinstance(less, Call) == (count > 1)
    assert called(MAIN, NETWORK, AT, ME, others, refs[2:]) is Why.RIFF_PULSES


def test_pulses_that_a_verifier_does_not_see() -> None:
    others = pulses(5)
    refs = asked(others).refs
    fewer = {player: others[player] for player in list(others)[1:]}
    assert called(MAIN, NETWORK, AT, ME, fewer, refs) is Why.MISSING
    forged = (PulseRef(refs[0].player, EntryId(bytes(32))), *refs[1:])
    assert called(MAIN, NETWORK, AT, ME, others, forged) is Why.MISSING


# when it is due


@given(
    st.sampled_from([MAIN, SMALL]),
    st.integers(20_000, 400_000),
    st.integers(1, 12),
    st.integers(0, 10**9),
    st.integers(),
)
def test_it_lies_inside_its_window_on_beats(params, tempo: int, subdivision: int, start_us: int, salt: int) -> None:
    others = pulses(3, salt % 10**9)
    riff = call(params, NETWORK, AT, ME, others)
    assert riff is not None
    moments = moments_us(params, Grid(tempo, 4, subdivision), start_us, riff)
    assert start_us + params.window_us // 5 <= moments[0]
    assert moments[-1] + params.riff_tolerance_us < start_us + params.window_us
    gap = moments[1] - moments[0]
    assert all(abs((b - a) - gap) <= 1 for a, b in pairwise(moments))
    beat_us = 60_000_000_000 // tempo
    assert any(abs(gap * halves - beat_us) <= halves for halves in (1, 2, 4, 8))
    assert all(0 <= lane < LANES for lane in riff.lanes)


# what answers it


def test_the_riff_is_answered_by_playing_it() -> None:
    riff = asked(pulses(5))
    for start_us in (-3_000_000, 0, 7_777_777_777):
        for late_us in (-MAIN.riff_tolerance_us, 0, MAIN.riff_tolerance_us):
            assert is_played(MAIN, GRID, start_us, riff, answered(riff, start_us, late_us))


def test_what_does_not_answer_it() -> None:
    riff = asked(pulses(5))
    notes = answered(riff)
    assert not is_played(MAIN, GRID, 0, riff, [])
    assert not is_played(MAIN, GRID, 0, riff, notes[:3])
    assert not is_played(MAIN, GRID, 0, riff, answered(riff, late_us=MAIN.riff_tolerance_us + 1))
    assert not is_played(MAIN, GRID, 0, riff, answered(riff, late_us=-MAIN.riff_tolerance_us - 1))
    assert not is_played(MAIN, GRID, 1_000_000, riff, notes)
    for n in range(NOTES):
        wrong = Onset(notes[n].t_us, (notes[n].lane + 1) % LANES, 80)
        assert not is_played(MAIN, GRID, 0, riff, [*notes[:n], wrong, *notes[n + 1 :]])
        late = [Onset(Micros(o.t_us + 20_000), o.lane, 80) for o in notes]
        assert not is_played(MAIN, GRID, 0, riff, sorted([*late, Onset(notes[n].t_us, wrong.lane, 80)]))


def test_other_notes_between_do_no_harm() -> None:
    riff = asked(pulses(5))
    notes = answered(riff, late_us=30_000)
    between = [Onset(Micros(o.t_us + 200_000), (o.lane + 3) % LANES, 80) for o in notes]
    assert is_played(MAIN, GRID, 0, riff, sorted([*notes, *between]))


def test_what_was_recorded_before_contains_a_riff_once_in_ten_thousand() -> None:
    """Grinding included: 3,000 windows of six riffs each. Expected 1.8 at most; 9 or more has odds of 1 in 10,000."""
    chance = Random(5)
    mashed = sorted(Onset(Micros(chance.randrange(MAIN.window_us)), chance.randrange(LANES), 80) for _ in range(6_000))
    for recording in (human_windows(MAIN, windows=1)[0], mashed):
        found = 0
        for n in range(3_000):
            others = pulses(6, n)
            order = ranked(NETWORK, AT, ME, others)
            for left_out in order[: MAIN.riff_pulses + 1]:
                riff = asked({player: others[player] for player in others if player != left_out})
                found += is_played(MAIN, GRID, 0, riff, recording)
        assert found < 9
