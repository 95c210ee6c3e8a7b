"""The made-up performance says that it is one, repeats itself for a seed, and never within itself."""

from __future__ import annotations

import pytest

from consensus.events import Kind, encode_events
from consensus.ops import Why
from consensus.params import MAIN, SMALL, Params
from consensus.quality.grid import Grid
from consensus.quality.measure import measure
from consensus.quality.replay import ReplayIndex
from crdt.types import Window
from jam import synthetic
from jam.grid import choose_subdivision


def test_it_labels_itself_and_is_the_same_for_a_seed() -> None:
    first = synthetic.make(1, 20_000_000, 120_000)
    assert first.title.startswith("synthetic ")
    assert first == synthetic.make(1, 20_000_000, 120_000)
    assert first.events != synthetic.make(2, 20_000_000, 120_000).events


def test_its_events_are_events_in_order_and_every_note_ends() -> None:
    played = synthetic.make(5, 30_000_000, 94_000)
    encode_events(played.as_events()[:200])
    assert list(played.events) == sorted(played.events)
    assert 0 <= played.events[0].t_us <= played.events[-1].t_us <= played.duration_us == 30_000_000
    kinds = [e.kind for e in played.events]
    assert kinds.count(Kind.NOTE_ON) == kinds.count(Kind.NOTE_OFF) > 100


@pytest.mark.parametrize(("params", "windows"), [(SMALL, 8), (MAIN, 2)], ids=["small", "main"])
@pytest.mark.parametrize("tempo_mbpm", [70_000, 94_000, 120_000, 160_000])
def test_it_passes_for_playing(params: Params, windows: int, tempo_mbpm: int) -> None:
    for seed in range(2):
        onsets = synthetic.make(seed, windows * params.window_us, tempo_mbpm).onsets()
        grid = Grid(tempo_mbpm, 4, choose_subdivision(onsets, tempo_mbpm))
        assert grid.subdivision == 4
        known = ReplayIndex()
        for k in range(windows):
            window = tuple(o for o in onsets if o.t_us // params.window_us == k)
            assert measure(params, grid, window, known).why is Why.FINE
            known.add(b"take", Window(k), window)
