"""Runs joined: per point of a sweep, the mean of each figure over its seeds and how sure that mean is.

The interval is Student's: mean ± t · s / √n, with s the sample's standard deviation and t the 97.5% point of the t
distribution with n - 1 degrees of freedom (Student, "The probable error of a mean", Biometrika 6, 1908). It covers
the true mean in 95 of 100 sweeps when runs are independent, which seeds make them. One run alone has no interval.
Everything is summed in the order of the seeds, so that the same runs give the same bytes; what the machine decides,
such as how long a run took, is not joined at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from math import sqrt
from statistics import fmean, stdev
from typing import Final, Literal

import msgspec

from sim.figures import MACHINE
from sim.report.plot import rows_checked
from sim.report.ticks import checked
from sim.result import Number, Result, Series

SCHEMA: Final = "symjam.sim.sweep/1"
MOST_SERIES: Final = 200  # averaged ones kept for each point
Value = Number | str | bool

# t at 0.975 for 1, 2, ... degrees of freedom; beyond 30 the next lower line counts, which errs to the wide side.
T_975: Final = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)
T_975_BEYOND: Final = ((120, 1.980), (60, 2.000), (40, 2.021), (30, 2.042))


class Estimate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A figure over seeds: mean, its 95% interval (None for one run), how many runs, the least and the greatest."""

    mean: float
    low: float | None
    high: float | None
    runs: int
    least: Number
    most: Number


class Point(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One choice of the swept parameters: its figures, its series averaged."""

    overrides: dict[str, Value]
    seeds: tuple[int, ...]
    figures: dict[str, Estimate]
    series: tuple[Series, ...] = ()


class BrokenIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An invariant that did not hold in one of the runs, and the command that shows it again."""

    overrides: dict[str, Value]
    seed: int
    invariant: str
    at_us: int
    words: str
    replay: str


class FailedRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A run that came to no result: what it said, and the command that runs it again."""

    overrides: dict[str, Value]
    seed: int
    error: str
    replay: str


class Sweep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Many runs of one scenario."""

    scenario: str
    command: str
    code: str  # hash of the sources that ran
    seeds: tuple[int, ...]
    over: dict[str, tuple[Value, ...]]
    fidelities: tuple[str, ...]
    signatures: tuple[str, ...]
    nodes: tuple[int, ...]
    windows: tuple[int, ...]
    points: tuple[Point, ...]
    broken: tuple[BrokenIn, ...] = ()
    failed: tuple[FailedRun, ...] = ()
    schema: Literal["symjam.sim.sweep/1"] = SCHEMA


def check(result: Result) -> None:
    """Misuse when a figure or a series holds what is no number: a file could not keep it, nor a mean be made of it."""
    for name, value in result.figures.items():
        checked(value, name)
    for series in result.series:
        rows_checked(series)


def t_975(freedom: int) -> float:
    """The 97.5% point of Student's t."""
    if freedom <= len(T_975):
        return T_975[freedom - 1]
    return next(t for least, t in T_975_BEYOND if freedom >= least)


def estimate(values: Sequence[Number], where: str = "a figure") -> Estimate:
    """Mean and interval of at least one value; Misuse for what is no number."""
    for value in values:
        checked(value, where)
    mean = fmean(values)
    half = t_975(len(values) - 1) * stdev(values) / sqrt(len(values)) if len(values) > 1 else None
    low, high = (None, None) if half is None else (mean - half, mean + half)
    return Estimate(mean, low, high, len(values), min(values), max(values))


def point(overrides: Mapping[str, Value], results: Iterable[Result]) -> Point:
    """Runs that differ in their seed only."""
    runs = sorted(results, key=lambda result: result.seed)
    names = dict.fromkeys(name for run in runs for name in run.figures if name not in MACHINE)
    figures = {name: estimate([run.figures[name] for run in runs if name in run.figures], name) for name in names}
    return Point(dict(overrides), tuple(run.seed for run in runs), figures, averaged(runs))


def averaged(runs: Sequence[Result]) -> tuple[Series, ...]:
    """Each series that the runs have under one name, with the mean of each column and its interval."""
    every = sorted((series for run in runs for series in run.series), key=lambda series: series.name)
    named = {name: list(group) for name, group in groupby(every, key=lambda series: series.name)}
    order = dict.fromkeys(series.name for run in runs for series in run.series)
    return tuple(_average(named[name]) for name in list(order)[:MOST_SERIES])


def _average(several: Sequence[Series]) -> Series:
    """Rows that are at the same place are joined; a column that has words in any run is kept from the first."""
    first = several[0]
    over, *names = first.columns
    alike = [series for series in several if series.columns == first.columns]
    if len(alike) < 2 or first.kind == "table":
        return first
    places: dict[Number | str | None, list[tuple[Number | str | None, ...]]] = {}
    for series in alike:
        for row in series.rows:
            places.setdefault(row[0], []).append(row)
    ordered = list(places)
    if all(isinstance(place, int | float) for place in ordered):
        ordered.sort(key=lambda place: place)  # type: ignore[arg-type, return-value]
    columns = [over]
    for name in names:
        columns += [name, f"{name}_low", f"{name}_high"]
    rows = tuple((place, *_means([row[1:] for row in places[place]], first.name)) for place in ordered)
    return msgspec.structs.replace(first, columns=tuple(columns), rows=rows)


def _means(rows: Sequence[tuple[Number | str | None, ...]], where: str) -> Iterable[Number | str | None]:
    for column in zip(*rows, strict=True):
        numbers = [value for value in column if isinstance(value, int | float)]
        if not numbers:
            yield from (column[0], None, None)
            continue
        found = estimate(numbers, where)
        yield from (found.mean, found.low, found.high)
