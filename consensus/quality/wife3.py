"""How well hits are timed: the wife3 curve of Etterna at judge 4, as a literal integer table (notes/jam.md).

A hit `e` ms from the grid is worth 1 up to 5 ms, erf((65 - e) / 22.7) up to 65 ms, then falls in a straight line to
-2.75 at 180 ms, where it stays: half of Etterna's 2 .. -5.5, so that perfect timing is one. The table holds one Q16
value per millisecond and is read by linear interpolation; tests/consensus/quality/test_wife3.py derives it again.

Two corrections make a share of it. A constant lag is the device's, not the player's, so the median deviation is taken
out first. And the *nearest* step is never far: random mashing scores 0.83 on sixteenths at 120. So what a uniformly
random hit would score on this very grid is subtracted: (A - A_random) / (1 - A_random), 0 for chance, 1 for perfect.
The result saturates at a cap that people reach, because beyond it the curve rewards machines.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from consensus.params import ONE_Q16, Params
from consensus.quality.grid import Grid

# fmt: off
TABLE_Q16: Final[tuple[int, ...]] = (
    65536, 65536, 65536, 65536, 65536, 65536, 65520, 65516, 65511, 65504,
    65496, 65486, 65473, 65458, 65439, 65415, 65387, 65353, 65313, 65263,
    65205, 65135, 65052, 64954, 64839, 64704, 64546, 64362, 64149, 63904,
    63621, 63297, 62928, 62509, 62033, 61498, 60896, 60222, 59471, 58637,
    57714, 56698, 55582, 54362, 53034, 51592, 50035, 48358, 46560, 44639,
    42595, 40429, 38142, 35737, 33217, 30587, 27853, 25022, 22101, 19100,
    16029, 12897, 9716, 6499, 3256, 0, -1567, -3134, -4701, -6269,
    -7836, -9403, -10970, -12537, -14104, -15672, -17239, -18806, -20373, -21940,
    -23507, -25075, -26642, -28209, -29776, -31343, -32910, -34478, -36045, -37612,
    -39179, -40746, -42313, -43881, -45448, -47015, -48582, -50149, -51716, -53284,
    -54851, -56418, -57985, -59552, -61119, -62687, -64254, -65821, -67388, -68955,
    -70522, -72090, -73657, -75224, -76791, -78358, -79925, -81493, -83060, -84627,
    -86194, -87761, -89328, -90896, -92463, -94030, -95597, -97164, -98731, -100299,
    -101866, -103433, -105000, -106567, -108134, -109702, -111269, -112836, -114403, -115970,
    -117537, -119105, -120672, -122239, -123806, -125373, -126940, -128508, -130075, -131642,
    -133209, -134776, -136343, -137911, -139478, -141045, -142612, -144179, -145746, -147314,
    -148881, -150448, -152015, -153582, -155149, -156717, -158284, -159851, -161418, -162985,
    -164552, -166120, -167687, -169254, -170821, -172388, -173955, -175523, -177090, -178657,
    -180224,
)
# fmt: on
MISS_MS: Final = len(TABLE_Q16) - 1


def worth_q16(error_us: int) -> int:
    """What a hit this far from its step is worth, -2.75 to 1 in Q16."""
    ms, rest = divmod(abs(error_us), 1_000)
    if ms >= MISS_MS:
        return TABLE_Q16[MISS_MS]
    return TABLE_Q16[ms] + (TABLE_Q16[ms + 1] - TABLE_Q16[ms]) * rest // 1_000


def chance_q16(grid: Grid) -> int:
    """The expected worth of a uniformly random hit: the curve's mean over half a step, by exact trapezoids."""
    half_us = grid.step_us // 2
    ms, rest = divmod(half_us, 1_000)
    whole = min(ms, MISS_MS)
    twice_area = sum(TABLE_Q16[i] + TABLE_Q16[i + 1] for i in range(whole)) * 1_000  # of Q16 times microseconds
    if ms >= MISS_MS:
        twice_area += 2 * TABLE_Q16[MISS_MS] * (half_us - 1_000 * MISS_MS)
    else:
        twice_area += rest * (TABLE_Q16[ms] + worth_q16(half_us))
    return twice_area // (2 * half_us)


def accuracy_q16(params: Params, grid: Grid, deviations_us: Sequence[int]) -> int:
    """Accuracy of hits by their deviations after calibration (timing.calibrated): 0 for chance, at most the cap."""
    if not deviations_us:
        return 0
    mean = sum(worth_q16(d) for d in deviations_us) // len(deviations_us)
    chance = chance_q16(grid)
    share = (mean - chance) * ONE_Q16 // (ONE_Q16 - chance)
    return min(max(share, 0), params.accuracy_cap_q16)
