"""What the page says, before it is HTML: the same form for a run and for a sweep."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from sim.joined import Estimate, Point, Sweep, check
from sim.report.ticks import Number
from sim.report.words import FIDELITIES, figure
from sim.result import Result, Series

NAME: Final = re.compile(r"[^a-z0-9]+")


class Row(NamedTuple):
    """A line of the table of figures: name as in the files, what it is called, and its value as words."""

    name: str
    label: str
    means: str
    shown: str
    interval: str = ""
    runs: str = ""  # how many it is the mean of; "3 of 5" where others did not have it


class Part(NamedTuple):
    """Figures of one point of a sweep, or of the run."""

    title: str
    rows: tuple[Row, ...]


class Wrong(NamedTuple):
    """Something that did not hold or did not end: which, where, what was seen, how to see it again."""

    what: str
    where: str
    words: str
    replay: str


class View(NamedTuple):
    """The page."""

    title: str
    kind: str  # "run" or "sweep"
    says: str
    signatures: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    command: str
    verdict: str
    wrong: tuple[Wrong, ...]
    parts: tuple[Part, ...]
    series: tuple[Series, ...]
    files: tuple[str, ...]  # the CSV of each series
    sections: tuple[tuple[str, int], ...]  # titles, and how many of the series stand under each


def view(subject: Result | Sweep, says: str = "") -> View:
    """Of either; Misuse when a figure is no number."""
    return _of_run(subject, says) if isinstance(subject, Result) else _of_sweep(subject, says)


def _of_run(result: Result, says: str) -> View:
    check(result)
    facts = (
        ("Fidelity", f"{result.fidelity}: {FIDELITIES[result.fidelity]}"),
        ("Players", f"{result.nodes:,}"),
        ("Windows", f"{result.windows:,}"),
        ("Seed", str(result.seed)),
        *((name.replace("_", " "), str(value)) for name, value in sorted(result.settings.items())),
    )
    wrong = _together(
        Wrong(broken.invariant, f"at {broken.at_us / 1e6:,.3f} s", broken.words, result.replay)
        for broken in result.broken
    )
    rows = tuple(
        Row(name, figure(name).label, figure(name).means, figure(name).shown(value))
        for name, value in result.figures.items()
    )
    return View(
        result.scenario,
        "run",
        says,
        (result.signatures,),
        facts,
        result.replay,
        _verdict(len(result.broken), 0, 1),
        wrong,
        (Part("", rows),),
        result.series,
        names_of(result.series),
        (("Plots and their numbers", len(result.series)),),
    )


def _of_sweep(sweep: Sweep, says: str) -> View:
    facts = (
        *(("Fidelity", f"{name}: {FIDELITIES.get(name, '')}") for name in sweep.fidelities),
        ("Players", ", ".join(f"{number:,}" for number in sweep.nodes)),
        ("Windows", ", ".join(f"{number:,}" for number in sweep.windows)),
        ("Seeds", _span(sweep.seeds)),
        *((f"Varied: {name}", ", ".join(map(str, values))) for name, values in sweep.over.items()),
        ("Code", sweep.code),
    )
    wrong = (
        *(Wrong("no result", said(run.overrides, run.seed), run.error, run.replay) for run in sweep.failed),
        *_together(
            Wrong(run.invariant, f"{said(run.overrides, run.seed)}, at {run.at_us / 1e6:,.3f} s", run.words, run.replay)
            for run in sweep.broken
        ),
    )
    over = over_parameters(sweep)
    series = (*over, *_averages(sweep.points))
    is_one = len(sweep.points) == 1
    named = [
        (f"In the course of a run, mean over the seeds{'' if is_one else ': ' + said(point.overrides)}", point)
        for point in sweep.points
    ]
    sections = (("Plots and their numbers", len(over)), *((title, len(point.series)) for title, point in named))
    runs = sum(len(point.seeds) for point in sweep.points)
    broken = len({(run.seed, *sorted(run.overrides.items())) for run in sweep.broken})
    parts = tuple(Part(said(point.overrides), _rows(point)) for point in sweep.points)
    return View(
        sweep.scenario,
        "sweep",
        says,
        sweep.signatures,
        facts,
        sweep.command,
        _verdict(broken, len(sweep.failed), runs),
        wrong,
        parts,
        series,
        names_of(series),
        sections,
    )


def _together(wrong: Iterable[Wrong]) -> tuple[Wrong, ...]:
    """One for each invariant and run: the first, and how often it was seen again."""
    several: dict[tuple[str, str], list[Wrong]] = {}
    for one in wrong:
        several.setdefault((one.what, one.replay), []).append(one)
    return tuple(
        first if not again else first._replace(words=f"{first.words} (and {len(again)} more of it in the same run)")
        for first, *again in several.values()
    )


def said(overrides: Mapping[str, object], seed: int | None = None) -> str:
    """A choice of parameters in words."""
    words = [f"{name} = {value}" for name, value in overrides.items()]
    return ", ".join(words if seed is None else [*words, f"seed {seed}"])


def _span(seeds: Sequence[int]) -> str:
    if len(seeds) > 1 and list(seeds) == list(range(seeds[0], seeds[0] + len(seeds))):
        return f"{seeds[0]} to {seeds[-1]} ({len(seeds)} runs of each)"
    return ", ".join(map(str, seeds))


def _verdict(broken: int, failed: int, runs: int) -> str:
    if not broken and not failed:
        return (
            "Nothing that was checked was broken."
            if runs == 1
            else f"Nothing that was checked was broken in {runs:,} runs."
        )
    said = []
    if broken:
        said.append(
            "Invariants did not hold." if runs == 1 else f"Invariants did not hold in {broken:,} of {runs:,} runs."
        )
    if failed:
        said.append(f"{failed:,} runs came to no result." if failed > 1 else "One run came to no result.")
    return " ".join(said)


def _rows(point: Point) -> tuple[Row, ...]:
    return tuple(_row(name, found, len(point.seeds)) for name, found in point.figures.items())


def _row(name: str, found: Estimate, runs: int) -> Row:
    how = figure(name)
    interval = ""
    if found.low is not None and found.high is not None:
        is_same = found.least == found.most
        interval = "the same in all" if is_same else f"{how.number(found.low)} to {how.number(found.high)}"
    had = str(runs) if found.runs == runs else f"{found.runs} of {runs}"
    return Row(name, how.label, how.means, how.shown(found.mean), interval, had)


def over_parameters(sweep: Sweep) -> tuple[Series, ...]:
    """Each figure that changes, over the first parameter that varies; a line for each choice of the others."""
    varied = [name for name, values in sweep.over.items() if len(values) > 1]
    if not varied:
        return ()
    first, others = varied[0], varied[1:]
    lines = dict.fromkeys(said({name: point.overrides[name] for name in others}) for point in sweep.points)
    names = [name for name in dict.fromkeys(n for point in sweep.points for n in point.figures) if _moves(sweep, name)]
    return tuple(_over(sweep, name, first, others, tuple(lines)) for name in names)


def _moves(sweep: Sweep, name: str) -> bool:
    found = [point.figures[name] for point in sweep.points if name in point.figures]
    return len({value for one in found for value in (one.least, one.most)}) > 1


def _over(sweep: Sweep, name: str, first: str, others: Sequence[str], lines: Sequence[str]) -> Series:
    how = figure(name)
    found = {
        (point.overrides[first], said({other: point.overrides[other] for other in others})): point.figures.get(name)
        for point in sweep.points
    }
    columns = [first]
    for line in lines:
        columns += [f"{line or name}{end}" for end in ("", "_low", "_high")]
    rows = []
    for place in sweep.over[first]:
        row: list[Number | str | None] = [str(place) if isinstance(place, bool) else place]
        for line in lines:
            row += _three(found.get((place, line)), how.unit.factor)
        rows.append(tuple(row))
    is_axis = all(isinstance(place, int | float) and not isinstance(place, bool) for place in sweep.over[first])
    words = f"{how.means[:1].upper()}{how.means[1:]}. " if how.means else ""
    words += "The mean over the seeds; the band is its 95% interval."
    title = f"{how.label}, by {first.replace('_', ' ')}"
    return Series(
        f"by_{first}_{name}", title, words, tuple(columns), tuple(rows), how.unit.sign, "line" if is_axis else "bar"
    )


def _three(found: Estimate | None, factor: float) -> tuple[Number | None, ...]:
    if found is None:
        return (None, None, None)
    return tuple(None if value is None else value * factor for value in (found.mean, found.low, found.high))


def _averages(points: Sequence[Point]) -> tuple[Series, ...]:
    """The series of each point; with several points, each says whose it is."""
    if len(points) == 1:
        return points[0].series
    return tuple(_of_point(series, point) for point in points for series in point.series)


def _of_point(series: Series, point: Point) -> Series:
    where = said(point.overrides)
    return Series(
        f"{series.name}_{where}",
        f"{series.title} ({where})",
        series.words,
        series.columns,
        series.rows,
        series.unit,
        series.kind,
    )


def names_of(series: Sequence[Series]) -> tuple[str, ...]:
    """A file name for each, made of small letters, digits and _ only, and no two the same."""
    used: set[str] = {"index"}
    names = []
    for one in series:
        base = NAME.sub("_", one.name.lower()).strip("_")[:80] or "series"
        name, count = base, 1
        while name in used:
            count += 1
            name = f"{base}_{count}"
        used.add(name)
        names.append(f"{name}.csv")
    return tuple(names)
