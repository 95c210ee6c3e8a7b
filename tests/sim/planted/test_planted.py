"""Bugs that are planted are found within 200 seeds, and the same seeds are clean without them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import pytest

from sim import crypto
from sim.case import Case, Outcome, Run
from sim.checks import Law
from tests.sim.planted.mutations import (
    Forger,
    double_mint,
    lost_sync,
    order_of_arrival,
    quorum_less_one,
    skipped_signature_check,
)

SEEDS = 200
Plant = Callable[[], AbstractContextManager[object]]


def case(seed: int, **fields: object) -> Case:
    """A few nodes, less than a minute, everything of it."""
    few = Case(seed, nodes=5, seconds=45, preset="small", players=2, share=1.0, notes_per_s=4.0, tick_ms=200)
    return Case(**{**{name: getattr(few, name) for name in few.__struct_fields__}, **fields})  # type: ignore[arg-type]


def play(of: Case, plant: Plant, forger: bool = False) -> Outcome:
    with crypto.shared(), plant():
        run = Run(of)
        if forger:  # it sits where the case has somebody hostile
            run.policies[-1] = Forger(run.policies[-1].role, run.policies[-1].options)
        return run.run()


@pytest.mark.parametrize(
    ("plant", "laws", "fields"),
    [
        (skipped_signature_check, {Law.VERIFIABLE}, {"hostile": "refuser", "seconds": 20}),
        (lost_sync, {Law.KEPT, Law.ONE_ENTRY}, {"faults": "power", "intensity": 4.0}),
        (double_mint, {Law.CONSERVED}, {}),
        (order_of_arrival, {Law.SAME_ROOT, Law.FROM_NOTHING}, {}),
        (quorum_less_one, {Law.QUORUM}, {}),
    ],
    ids=lambda what: what.__name__ if callable(what) else "",
)
def test_a_planted_bug_is_found(
    plant: Plant, laws: set[Law], fields: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    is_forged = plant is skipped_signature_check
    for seed in range(1, SEEDS + 1):
        of = case(seed, **fields)
        clean = play(of, nullcontext, is_forged)
        assert not clean.broken, f"without the bug: {clean.broken}\n{of.replay()}"
        found = {Law(broken.invariant) for broken in play(of, plant, is_forged).broken}
        if found & laws:
            with capsys.disabled():
                print(f"\n{plant.__name__}: found with seed {seed}: {', '.join(sorted(found))}")
            return
        assert not found, f"found as {found}"
    pytest.fail(f"not found in {SEEDS} seeds")
