"""One window in, a verdict, six numbers and words out."""

from __future__ import annotations

from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consensus.ops import Measures, Why
from consensus.params import MAIN, ONE_Q16, SMALL
from consensus.quality.measure import NOTHING, combined_q16, measure, total_q16
from consensus.quality.replay import ReplayIndex
from crdt.types import Window
from jam import midi
from jam.grid import choose_subdivision
from tests.consensus.quality.material import GRID, Grid, human_windows, jittered, moved, onset, onset_lists, quantised
from tests.groove import needs_groove, take

DEMO_TAKES = (
    "drummer1/session1/100_neworleans-secondline_94_beat_4-4",
    "drummer1/session1/3_funk_80_beat_4-4",
    "drummer1/session1/5_jazz-funk_116_beat_4-4",
)


@pytest.mark.parametrize("params", [SMALL, MAIN], ids=["small", "main"])
def test_made_up_playing_passes_with_every_number_in_words(params) -> None:
    known = ReplayIndex()
    for number, onsets in enumerate(human_windows(params, windows=3)):
        report = measure(params, GRID, onsets, known)
        assert report.why is Why.FINE
        assert report.measures.total > ONE_Q16 // 2
        names = ("quality", "liveness", "accuracy", "diversity", "harmony", "humanness", "originality")
        assert [w.split()[0] for w in report.words] == list(names)
        known.add(b"take", Window(number), onsets)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda o: (), Why.TOO_FEW_EVENTS),
        (lambda o: o[:11], Why.TOO_FEW_EVENTS),
        (lambda o: o[:11] + o[:11], Why.TOO_FEW_EVENTS),  # the same note twice is one note
        (lambda o: [onset(x.t_us, 2) for x in o], Why.TOO_FEW_LANES),
        (lambda o: [x for x in o if x.t_us < 3_000_000], Why.TOO_SHORT),
        (quantised, Why.TOO_REGULAR),
        (lambda o: moved(o, lambda t: t // 125_000 * 125_000 + 40_000 * (t // 125_000 % 2)), Why.TIES),
    ],
)
def test_refusals(spoil, why: Why) -> None:
    report = measure(SMALL, GRID, spoil(human_windows(SMALL)[0]), ReplayIndex())
    assert report.why is why
    assert report.measures.total == 0
    assert report.words[0].startswith("refused: ")


def test_the_same_again_is_a_replay() -> None:
    windows = human_windows(SMALL)
    known = ReplayIndex()
    known.add(b"take", Window(0), windows[0])
    again = moved(windows[0], lambda t: t + 31_234_567)
    report = measure(SMALL, GRID, again, known)
    assert (report.why, report.measures.total, report.measures.originality) == (Why.REPLAY, 0, 0)
    assert measure(SMALL, GRID, again, known, before=Window(0)).why is Why.FINE


def test_mashing_earns_little_on_average() -> None:
    """The median that is taken out as lag finds the luckiest place in few hits, so a single window can be lucky."""
    chance = Random(4)
    totals = []
    for _ in range(30):
        mashed = [onset(chance.randrange(10_000_000), chance.randrange(10)) for _ in range(120)]
        totals.append(measure(SMALL, GRID, mashed, ReplayIndex()).measures.total)
    played = measure(SMALL, GRID, human_windows(SMALL)[0], ReplayIndex()).measures.total
    assert sum(totals) * 2 < played * len(totals)


@settings(max_examples=60, deadline=None)
@given(onset_lists, st.randoms(use_true_random=False))
def test_numbers_are_integers_in_range_and_order_is_nothing(played, random) -> None:
    known = ReplayIndex()
    known.add(b"take", Window(0), human_windows(SMALL, windows=1)[0])
    report = measure(SMALL, GRID, played, known)
    for number in msgspec.structs.astuple(report.measures):
        assert type(number) is int
        assert 0 <= number <= ONE_Q16
    if report.why is not Why.FINE:
        assert report.measures.total == 0
    shuffled = list(played)
    random.shuffle(shuffled)
    assert measure(SMALL, GRID, shuffled, known) == report


@given(st.lists(st.integers(0, ONE_Q16), min_size=6, max_size=6))
def test_the_combination_lies_between_the_least_and_the_most(parts: list[int]) -> None:
    total = combined_q16(Measures(*parts, total=0))
    assert min(parts) - 1 <= total <= max(parts)
    assert (total == 0) == (0 in parts) or total <= 1


@given(st.lists(st.integers(0, ONE_Q16), min_size=6, max_size=6))
def test_below_the_mark_a_window_is_worth_a_sixty_fourth(parts: list[int]) -> None:
    measures = Measures(*parts, total=0)
    whole = combined_q16(measures)
    expected = whole if measures.humanness >= MAIN.human_mark_q16 else whole // 64
    assert total_q16(MAIN, measures) == expected


def test_a_machine_below_the_mark_is_told_so() -> None:
    machine = jittered(quantised(human_windows(MAIN, windows=1)[0]), 20)
    report = measure(MAIN, GRID, machine, ReplayIndex())
    assert report.why is Why.FINE
    assert 0 < report.measures.total < ONE_Q16 // 50
    assert "no person's" in report.words[0]


def test_every_number_says_what_would_change_it() -> None:
    report = measure(MAIN, GRID, human_windows(MAIN, windows=1)[0], ReplayIndex())
    for line in report.words[1:]:
        assert any(word in line for word in ("more", "full", "lowers")), line


def test_the_ends_of_the_combination() -> None:
    assert combined_q16(Measures(*[ONE_Q16] * 6, total=0)) == ONE_Q16
    assert combined_q16(NOTHING) == 0


@needs_groove
@pytest.mark.parametrize("name", DEMO_TAKES)
def test_real_drummers_pass_and_their_copies_do_not(name: str) -> None:
    played = midi.load(take(name))
    onsets = played.onsets()
    grid = Grid(played.tempo_mbpm, 4, choose_subdivision(onsets, played.tempo_mbpm))
    windows = [tuple(o for o in onsets if o.t_us // SMALL.window_us == k) for k in range(8)]
    known = ReplayIndex()
    whys = []
    for number, window in enumerate(windows):
        whys.append(measure(SMALL, grid, window, known).why)
        known.add(b"take", Window(number), window)
    assert whys.count(Why.FINE) >= 7
    later = [o for o in onsets if 3_700_000 <= o.t_us < 73_700_000]
    for k in range(7):
        copy = [o for o in later if (o.t_us - 3_700_000) // SMALL.window_us == k]
        assert measure(SMALL, grid, moved(copy, lambda t: t + 500_000_123), known).why is Why.REPLAY
        assert measure(SMALL, grid, quantised(copy, grid), known).why is Why.TOO_REGULAR
