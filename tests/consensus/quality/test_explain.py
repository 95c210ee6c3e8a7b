"""What a window's numbers are said to mean, word for word: rounding, units, and what would change each."""

from __future__ import annotations

import pytest

from consensus.ops import Measures, Why
from consensus.params import MAIN, ONE_Q16
from consensus.quality.explain import Findings, explain
from consensus.quality.grid import Grid
from consensus.quality.humanness import Signs
from consensus.quality.liveness import Liveness
from consensus.quality.replay import Match

GRID = Grid(120_000, 4, 4)
MATCH = Match(b"take", 3_200_000, 66_000, 150, 40_000, 11_500, 30_000, 20_000)
FULL = Findings(
    Liveness(200, 6, 95),
    12_000,
    4 * ONE_Q16 + ONE_Q16 // 2,
    50_000,
    Signs(21_000, 6_553, 19_660, 18_000, 2 * ONE_Q16, 3 * ONE_Q16),
    MATCH,
)
FEW = Findings(Liveness(70, 2, 50), 0, ONE_Q16, None, Signs(4_000, 30_000, None, None, None, None), None)
GOOD = Measures(65_536, 60_000, 50_000, 45_000, 50_000, 40_000, 55_000)
POOR = Measures(30_000, 0, 13_107, 32_768, 20_000, 65_536, 30_000)


def test_a_good_window_in_words() -> None:
    assert explain(MAIN, GRID, GOOD, Why.FINE, FULL) == (
        "quality 0.84",
        "liveness 1.00: 200 notes on 6 lanes in 95 of 120 s (at least 60, 2 and 40 s); full at 120 notes and 90 s with "
        "a note in them",
        "accuracy 0.92: 0 is what chance hits on 4 steps to the beat, 0.95 the most; a steady lag of 12 ms was taken "
        "out; nearer to the steps is more, and so is a jam opened with the subdivision that is played",
        "diversity 0.76: as varied as 4.50 lanes used evenly; 3 are full marks; other lanes played as often are more",
        "harmony 0.69: its intervals are consonant by 0.76 (0.44 is a chromatic run and worth a half, 0.62 full "
        "marks); more thirds, fourths and fifths near each other are more",
        "humanness 0.76 (mark 0.50): notes lie 21 ms around the beat (at least 5 ms), 10% of them off alike (at most "
        "30%), a step goes with the one before by 0.30, chords spread over 18 ms, bars drift 4.0 times as much as "
        "chance, lanes and places in the bar differ 8.0 times as much as chance; nothing more to gain",
        "originality 0.61: 61% of it lies within 12 ms of something played before, at 3 s of its take; playing it "
        "otherwise than then is more",
    )


def test_a_poor_window_in_words() -> None:
    verdict, *rest = explain(MAIN, GRID, POOR, Why.FINE, FEW)
    assert verdict == (
        "quality 0.46: its timing is no person's by the mark of 0.50, so it counts 0.02 of what it would"
    )
    assert rest[-3:] == [
        "harmony 0.50: drums, or too few notes with a pitch to judge: full marks",
        "humanness 0.31 (mark 0.50): notes lie 4 ms around the beat (at least 5 ms), 46% of them off alike (at most "
        "30%); what lowers it most is deviation, 0.00",
        "originality 1.00: nothing like it was played before; nothing more to gain",
    ]
    refused = explain(MAIN, GRID, POOR, Why.TOO_REGULAR, FEW)
    assert refused[0] == "refused: not human: closer to the grid than any person plays" and list(refused[1:]) == rest


@pytest.mark.parametrize(("t_us", "second"), [(-5, 0), (999_999, 0), (1_000_000, 1), (61_000_000, 61)])
def test_where_in_the_take_is_said_in_whole_seconds(t_us: int, second: int) -> None:
    words = explain(MAIN, GRID, GOOD, Why.FINE, FULL._replace(match=MATCH._replace(t_us=t_us)))
    assert f"at {second} s of its take" in words[-1]
