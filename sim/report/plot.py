"""What is drawn of a series: its lines or bars, their bands, and the axis they stand on.

A column `x` that is followed anywhere by `x_low` and `x_high` is drawn with a band between them (a sweep's 95%
interval). Columns that hold words are in the table only.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Final, Literal, NamedTuple

from crdt.errors import Misuse
from sim.report.ticks import Number, checked
from sim.result import Series

MOST_LINES: Final = 12  # more cannot be told apart; the table and the CSV have them all
MOST_POINTS: Final = 600  # of one line: about what the plot is wide
BAND: Final = ("_low", "_high")

Value = Number | None


class Line(NamedTuple):
    """One column: None is a gap. The band is empty or as long as the values."""

    name: str
    values: tuple[Value, ...]
    low: tuple[Value, ...] = ()
    high: tuple[Value, ...] = ()


class Plot(NamedTuple):
    """What `sim.report.chart` draws. Numbers in `places` make an axis, words make groups."""

    title: str
    over: str
    places: tuple[Number | str, ...]
    lines: tuple[Line, ...]
    unit: str = ""
    kind: Literal["line", "bar"] = "line"
    says: str = ""
    left_out: int = 0  # columns that could not be told apart from the others


def rows_checked(series: Series) -> None:
    """Refuse what is no table of numbers, words and gaps: Misuse."""
    if not series.columns or len(set(series.columns)) != len(series.columns):
        raise Misuse(f"the series {series.name!r} needs columns with names of their own")
    for row in series.rows:
        if len(row) != len(series.columns):
            raise Misuse(f"the series {series.name!r} has {len(series.columns)} columns and a row of {len(row)}")
        for value, column in zip(row, series.columns, strict=True):
            if isinstance(value, int | float):
                checked(value, f"{series.name}.{column}")


def plot_of(series: Series) -> Plot | None:
    """What there is to draw, None where it is nothing but a table."""
    rows_checked(series)
    rows = [row for row in series.rows if row[0] is not None]
    if series.kind == "table" or not rows:
        return None
    columns = {name: [row[at] for row in rows] for at, name in enumerate(series.columns)}
    over, *names = series.columns
    bands = {name + end for name in names for end in BAND if all(name + other in columns for other in BAND)}
    lines = [
        Line(name, _numbers(columns[name]), *(_numbers(columns[name + end]) for end in BAND if name + end in bands))
        for name in names
        if name not in bands and _is_drawn(columns[name])
    ]
    if not lines:
        return None
    is_axis = series.kind == "line" and not any(isinstance(place, str) for place in columns[over])
    order = sorted(range(len(rows)), key=lambda at: columns[over][at]) if is_axis else range(len(rows))  # type: ignore[arg-type, return-value]
    places = tuple(place if is_axis else _said(place) for place in (columns[over][at] for at in order))
    drawn = tuple(_ordered(line, order) for line in lines[:MOST_LINES])
    left_out = len(lines) - len(drawn)
    return thinned(Plot(series.title, over, places, drawn, series.unit, series.kind, series.words, left_out=left_out))  # type: ignore[arg-type]


def _said(place: object) -> str:
    return place if isinstance(place, str) else f"{place:g}" if isinstance(place, float) else str(place)


def _is_drawn(values: Sequence[object]) -> bool:
    return any(isinstance(value, int | float) for value in values) and not any(isinstance(v, str) for v in values)


def _numbers(values: Sequence[Number | str | None]) -> tuple[Value, ...]:
    return tuple(None if isinstance(value, str) else value for value in values)


def _ordered(line: Line, order: Sequence[int]) -> Line:
    return Line(line.name, *(tuple(part[at] for at in order) if part else () for part in line[1:]))


def thinned(plot: Plot) -> Plot:
    """Of long lines the least and the greatest of each stretch, so that no peak is lost."""
    if plot.kind == "bar" or len(plot.places) <= MOST_POINTS:
        return plot
    stretch = -(-len(plot.places) // (MOST_POINTS // 2))
    kept: set[int] = {0, len(plot.places) - 1}
    for start in range(0, len(plot.places), stretch):
        part = range(start, min(start + stretch, len(plot.places)))
        for line in plot.lines:
            values = line.values
            kept.add(min(part, key=lambda at: inf if values[at] is None else values[at]))  # type: ignore[arg-type, return-value]
            kept.add(max(part, key=lambda at: -inf if values[at] is None else values[at]))  # type: ignore[arg-type, return-value]
    order = sorted(kept)
    lines = tuple(_ordered(line, order) for line in plot.lines)
    return plot._replace(places=tuple(plot.places[at] for at in order), lines=lines)
