"""The schedule of faults: by the seed alone, rough enough, and never all at once."""

from __future__ import annotations

import pytest

from tests.chaos.schedule import CABLE, CALM_MS, DOWN_AT_ONCE, FREEZE_MS, Fault, Kind, plan

SEEDS = range(40)


def _at(faults: list[Fault], at_ms: int, cable: bool) -> list[int]:
    return [n for f in faults if (f.kind in CABLE) == cable and f.at_ms <= at_ms < f.ends_ms for n in f.nodes]


def test_the_same_seed_is_the_same_schedule() -> None:
    assert plan(5, 8, 40) == plan(5, 8, 40) != plan(6, 8, 40)


@pytest.mark.parametrize("nodes", [2, 3, 8])
def test_no_node_suffers_two_faults_of_a_kind_and_some_always_run(nodes: int) -> None:
    for seed in SEEDS:
        faults = plan(seed, nodes, 40)
        for at_ms in range(0, 40_000, 50):
            for cable in (False, True):
                down = _at(faults, at_ms, cable)
                assert len(down) == len(set(down))
                assert cable or len(down) <= min(DOWN_AT_ONCE, nodes - 1)


def test_everything_is_undone_by_the_end_and_some_of_it_only_then() -> None:
    for seed in SEEDS:
        faults = plan(seed, 8, 40)
        assert all(f.at_ms > CALM_MS and f.ends_ms <= 40_000 for f in faults)
        assert {f.kind for f in faults if f.ends_ms == 40_000} == {Kind.FREEZE, Kind.KILL, Kind.CUT}
        assert all(f.lasts_ms == FREEZE_MS for f in faults if f.kind is Kind.FREEZE)


def test_every_kind_happens_and_faults_overlap() -> None:
    plans = [plan(seed, 8, 40) for seed in SEEDS]
    assert {f.kind for faults in plans for f in faults} == set(Kind)
    for faults in plans:
        assert len(faults) >= 6
        assert max(len(_at(faults, at_ms, cable=False)) for at_ms in range(0, 40_000, 50)) >= 2


def test_without_cables_none_is_cut() -> None:
    assert not [f for seed in SEEDS for f in plan(seed, 8, 40, cables=False) if f.kind in CABLE]
