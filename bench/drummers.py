"""What people's timing is made of: the numbers in sim/people/drummers.py, worked out from real drummers.

Run with `python -m bench.drummers --groove DIR`, DIR being the Groove MIDI dataset. Every `beat` take of a minute or
more is cut into minutes, on the nominal tempo of its file and four steps to the beat. What a note is late by is taken
apart: swing; a lag of its own for each lane and place in the bar (template); a wandering that all notes share and that
is remembered from step to step (drift); what is common to one step and to no other (step); what is left (limb). It
prints these for each drummer as they are committed (medians over the minutes), their quantiles over all minutes, and
the same quantiles of minutes that sim/people plays, to see that what was put in comes out.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, median, pstdev

from msgspec import structs

from bench.takes import pieces, takes
from consensus.events import Onset
from consensus.params import MAIN
from consensus.quality.grid import Grid
from consensus.quality.timing import Timed, lag_us, timed
from crdt.types import Micros, Window
from sim.people.drummers import FIGURES
from sim.people.player import Habits, Player

MINUTE = structs.replace(MAIN, window_s=60)
LEAST_NOTES = 100
PLAYED_MINUTES = 340  # by sim/people: as many as there are of the drummers
PERCENTILES = (5, 25, 50, 75, 95)
NEAR, FAR = 2, 8  # steps apart at which the drift is measured: nearer the hands of one stroke interfere

Figures = dict[str, float]


def figures(grid: Grid, onsets: Sequence[Onset]) -> Figures | None:
    """What a minute's timing is made of; milliseconds, but for shares. None where there is too little of it."""
    if len(onsets) < LEAST_NOTES:
        return None
    hits = timed(grid, onsets)
    whole_ms = [hit.deviation_us / 1_000 for hit in hits]
    odd = [late for hit, late in zip(hits, whole_ms, strict=True) if hit.step % 2]
    even = [late for hit, late in zip(hits, whole_ms, strict=True) if not hit.step % 2]
    swing = fmean(odd) - fmean(even) if len(odd) >= 10 else 0.0
    late_ms = [late - swing * (hit.step % 2) for hit, late in zip(hits, whole_ms, strict=True)]
    rests, within, template = _without_template(grid, hits, late_ms)
    parts = _parts(hits, rests, within)
    if parts is None:
        return None
    lag = lag_us(grid, onsets)
    velocities = [float(onset.velocity) for onset in onsets]
    return {
        "spread_ms": pstdev(whole_ms),
        "template_ms": template**0.5,
        **parts,
        "swing": swing * 1_000 / grid.step_us,
        "lag_ms": (lag if lag < grid.step_us / 2 else lag - grid.step_us) / 1_000,
        "velocity_sd": pstdev(velocities),
        "notes_per_s": len(onsets) / MINUTE.window_s,
    }


def _without_template(grid: Grid, hits: Sequence[Timed], late_ms: Sequence[float]) -> tuple[list[float], float, float]:
    """What is left without the lag of each lane and place, its variance, and the variance of these lags."""
    cells: dict[tuple[int, int], list[float]] = defaultdict(list)
    for hit, late in zip(hits, late_ms, strict=True):
        cells[hit.lane, hit.step % grid.steps_per_bar].append(late)
    means = {cell: fmean(values) for cell, values in cells.items()}
    rests = [late - means[hit.lane, hit.step % grid.steps_per_bar] for hit, late in zip(hits, late_ms, strict=True)]
    within = sum(rest * rest for rest in rests) / max(1, len(hits) - len(cells))
    return rests, within, max(0.0, pstdev(late_ms) ** 2 - within)


def _parts(hits: Sequence[Timed], rests: Sequence[float], within: float) -> Figures | None:
    """Limb, step and drift; the drift's memory from its covariance at two distances."""
    steps: dict[int, list[float]] = defaultdict(list)
    times: dict[int, list[int]] = defaultdict(list)
    for hit, rest in zip(hits, rests, strict=True):
        steps[hit.step].append(rest)
        times[hit.step].append(hit.t_us)
    pairs = [(both[0] - both[1]) ** 2 / 2 for both in steps.values() if len(both) > 1]
    means = {step: fmean(values) for step, values in steps.items()}
    near, far = (
        [mean * means[step + apart] for step, mean in means.items() if step + apart in means] for apart in (NEAR, FAR)
    )
    if min(len(pairs), len(near), len(far)) < 10:
        return None
    memory = min(max(fmean(far) / max(fmean(near), 1e-9), 0.01), 0.99) ** (1 / (FAR - NEAR))
    drift = min(max(0.0, fmean(near) / memory**NEAR), within)
    limb = min(fmean(pairs), within - drift)
    return {
        "limb_ms": limb**0.5,
        "step_ms": max(0.0, within - drift - limb) ** 0.5,
        "drift_ms": drift**0.5,
        "memory": memory,
        "chord_ms": fmean((max(t) - min(t)) / 1_000 for t in times.values() if len(t) > 1),
    }


def show(title: str, rows: Sequence[Figures]) -> None:
    """The quantiles of each figure."""
    print(f"{title}, {len(rows)} minutes" + "".join(f"{p:>9}%" for p in PERCENTILES))
    for name in FIGURES:
        ordered = sorted(row[name] for row in rows)
        print(f"  {name:<14}" + "".join(f"{ordered[(len(ordered) - 1) * p // 100]:10.2f}" for p in PERCENTILES))


def played() -> list[Figures]:
    """The figures of minutes that sim/people plays."""
    rows = []
    for number in range(PLAYED_MINUTES):
        player = Player(f"bench/{number}", Habits())
        grid = Grid(90_000 + number * 173 % 50_000, 4, 4)
        notes = player.notes(grid, Window(number), 0, MINUTE.window_us)
        row = figures(grid, [Onset(Micros(note.t_us), note.lane, note.velocity) for note in notes])
        if row is not None:
            rows.append(row)
    return rows


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.drummers", description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--groove", type=Path, required=True, help="directory of the Groove MIDI dataset")
    by: dict[str, list[Figures]] = defaultdict(list)
    for take in takes(parser.parse_args().groove, MINUTE.window_us):
        found = (figures(take.grid, piece.onsets) for piece in pieces(MINUTE, take))
        by[take.drummer].extend(row for row in found if row is not None)
    print("medians by drummer:", ", ".join(FIGURES))
    for drummer, rows in sorted(by.items()):
        if rows:
            medians = ", ".join(f"{median(row[name] for row in rows):.3g}" for name in FIGURES)
            print(f"    ({medians}),  # {drummer}, {len(rows)} minutes")
    show("all drummers", [row for rows in by.values() for row in rows])
    show("as sim/people plays", played())


if __name__ == "__main__":
    main()
