"""Draws docs/img/decay-30.svg, the tale of decay. Run with `python -m tests.sim.economy.picture`."""

from __future__ import annotations

from pathlib import Path

from sim.economy.plan import Group, Plan, Society
from sim.economy.run import run_economy
from sim.report import chart
from sim.report.plot import plot_of

PICTURE = Path(__file__).resolve().parents[3] / "docs" / "img" / "decay-30.svg"


def picture() -> str:
    """The whole of it."""
    plan = Plan("decay", "", 30, (Group("honest", 2),), Society(founders=0), tale="decay")
    plot = plot_of(run_economy(plan, 1).series[0])
    assert plot is not None
    return chart.picture([plot], 1)


if __name__ == "__main__":
    PICTURE.write_text(picture())
