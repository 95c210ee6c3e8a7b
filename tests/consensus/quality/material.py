"""Onsets to judge: made-up playing, machines made from it, and hypothesis strategies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from hypothesis import strategies as st

from consensus.events import Onset
from consensus.params import Params
from consensus.quality.grid import Grid
from crdt.types import Micros
from jam import synthetic

GRID = Grid(120_000, 4, 4)  # a step is 125 ms, a bar 2 s: both whole
BAR_US = 2_000_000

grids = st.builds(Grid, st.integers(20_000, 400_000), st.integers(1, 32), st.integers(1, 12))
onset_lists = st.lists(
    st.builds(Onset, st.integers(0, 20_000_000).map(Micros), st.integers(0, 9), st.integers(1, 127)), max_size=80
)


def onset(t_us: int, lane: int = 0, velocity: int = 80) -> Onset:
    return Onset(Micros(t_us), lane, velocity)


def human_windows(params: Params, seed: int = 1, windows: int = 6, grid: Grid = GRID) -> list[tuple[Onset, ...]]:
    """Successive windows of a made-up performance with human timing."""
    played = synthetic.make(seed, windows * params.window_us, grid.tempo_mbpm).onsets()
    cut: list[list[Onset]] = [[] for _ in range(windows)]
    for o in played:
        cut[o.t_us // params.window_us].append(o)
    return [tuple(w) for w in cut]


def moved(onsets: Sequence[Onset], move: Callable[[int], float]) -> tuple[Onset, ...]:
    return tuple(Onset(Micros(max(0, round(move(o.t_us)))), o.lane, o.velocity) for o in onsets)


def quantised(onsets: Sequence[Onset], grid: Grid = GRID) -> tuple[Onset, ...]:
    return moved(onsets, lambda t: grid.step_at_us(grid.step(t)))


def jittered(onsets: Sequence[Onset], sd_ms: float, seed: int = 7) -> tuple[Onset, ...]:
    chance = Random(seed)
    return moved(onsets, lambda t: t + chance.gauss(0, 1_000 * sd_ms))
