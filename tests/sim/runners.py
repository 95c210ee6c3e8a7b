"""What a sweep runs in its tests, in processes of their own: each a function of a module, as spawn needs it.

A run is worked out from its parameters at once, so that a sweep of dozens takes no longer than its processes do; a
sweep of the simulator's own scenarios is in test_sweep_command.
"""

from __future__ import annotations

import os
import signal
from math import nan
from pathlib import Path

from sim.cells import Cell
from sim.result import Broken, Result, Series


def made(cell: Cell) -> Result:
    """Figures that hang on the parameters and the seed; an invariant broken at seed 13."""
    told = dict(cell.overrides)
    base = float(told.get("ring", 1)) * 10
    series = Series("s", "S", "", ("window", "earned"), tuple((n, base + n * cell.seed) for n in range(3)), "JAM")
    broken = (Broken("no coin twice", 5, "twice"),) if cell.seed == 13 else ()
    figures = {"earned_micro": base + cell.seed, "pid": 0}
    return Result(cell.scenario, "network", "shared", cell.seed, 4, 3, figures, (series,), broken)


def failing(cell: Cell) -> Result:
    """Raises for every third seed."""
    if cell.seed % 3 == 0:
        raise ValueError(f"seed {cell.seed}\nis <bad>")
    return made(cell)


def dying(cell: Cell) -> Result:
    """The process is killed at seed 2, as the kernel does when memory is out."""
    if cell.seed == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return made(cell)


def not_a_number(cell: Cell) -> Result:
    """A figure that is NaN at seed 1."""
    one = made(cell)
    return Result(
        *(one.scenario, one.fidelity, one.signatures, one.seed, 4, 3), {"earned_micro": nan if cell.seed == 1 else 1}
    )


def noting(cell: Cell) -> Result:
    """Leaves a file for each run, in the directory that is the scenario's name."""
    (Path(cell.scenario) / f"{cell.seed}").touch(exist_ok=False)
    return made(cell)
