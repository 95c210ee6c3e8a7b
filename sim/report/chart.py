"""Plots as SVG: lines with bands, bars, axes, labels at the lines' ends or a legend.

Our own because the library for it, matplotlib with what it brings, is 60 MB that everyone would install with
`make run` for the sake of a few lines. Colours are CSS custom properties of the page, so that a plot is light or dark
with it; lines differ in their dashes too, not in colour alone. A viewBox is narrow on purpose: on a phone it shrinks
to two thirds and its words can still be read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby, pairwise
from typing import Final, NamedTuple

from crdt.errors import Misuse
from sim.report.plot import Line, Plot, Value
from sim.report.ticks import Axis, Number, checked, linear, short

WIDTH: Final = 480
PLOT_HEIGHT: Final = 220
RIGHT_MOST: Final = 150  # room for labels at the lines' ends
LABELLED: Final = 4  # that many lines get their name at their end; more get a legend
CHAR: Final = 6.6  # about how wide a letter of 12 px is
COLOURS: Final = 6
FEW_PLACES: Final = 8  # that many are named each, instead of round numbers between
DASHES: Final = ("", "6 3", "2 3", "8 3 2 3")

# Custom properties, light and dark; the page and a picture of its own use the same.
PALETTE: Final = """
:root { color-scheme: light dark; --ink: #22212b; --soft: #5d5a69; --rule: #dedbe6; --paper: #ffffff; --shade: #f5f4f9;
  --c0: #3f55c9; --c1: #b3491c; --c2: #1f7a55; --c3: #9a3399; --c4: #7a6400; --c5: #00748f }
@media (prefers-color-scheme: dark) { :root { --ink: #eceaf2; --soft: #aaa6b8; --rule: #3b3947; --paper: #17161d;
  --shade: #21202a; --c0: #8fa2ff; --c1: #ff9d6b; --c2: #5fd0a0; --c3: #e78fe6; --c4: #d9bd3d; --c5: #5cc8e4 } }
"""
STYLE: Final = """
.chart { font: 12px system-ui, sans-serif; display: block }
figure .chart { width: 100%; height: auto }
.chart text { fill: var(--soft) } .chart .end { text-anchor: end } .chart .mid { text-anchor: middle }
.chart .rule { stroke: var(--rule) } .chart .zero { stroke: var(--soft) }
.chart .line { fill: none; stroke-width: 2; stroke-linejoin: round } .chart .band { opacity: 0.18 }
.chart .whisker { stroke: var(--ink); stroke-width: 1.5 } .chart .name { font-weight: 600 }
""" + "\n".join(f".chart .s{n} {{ stroke: var(--c{n}) }} .chart .f{n} {{ fill: var(--c{n}) }}" for n in range(COLOURS))


class Frame(NamedTuple):
    """Where the plot lies in the picture, and what its two axes are; `over` is None when places are groups."""

    left: float
    right: float
    top: float
    bottom: float
    axis: Axis
    over: Axis | None
    groups: int

    def x(self, at: int, place: Number | str) -> float:
        """Across, of the place with that number."""
        wide = self.right - self.left
        if self.over is None or isinstance(place, str):
            return self.left + wide * (at + 0.5) / self.groups
        return self.left + wide * self.over.place(place)

    def y(self, value: Number) -> float:
        """Down, of a value."""
        return self.bottom - (self.bottom - self.top) * self.axis.place(value)


def draw(plot: Plot, ident: str) -> str:
    """The plot as an `<svg>` element; `ident` is unique in the page. Misuse when there is nothing to draw."""
    legend = [line.name for line in plot.lines] if len(plot.lines) > 1 else []
    at_ends = plot.kind == "line" and 1 < len(plot.lines) <= LABELLED
    rows = [] if at_ends else _legend_rows(legend)
    frame = _frame(plot, 26 + 18 * len(rows), at_ends)
    height = frame.bottom + 44
    shapes = _bars(plot, frame) if plot.kind == "bar" else _lines(plot, frame)
    parts = [
        f'<svg class="chart" viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-labelledby="{ident}-t {ident}-d">',
        f'<title id="{ident}-t">{escape(plot.title)}</title><desc id="{ident}-d">{escape(description(plot))}</desc>',
        *_legend(rows),
        *_scales(plot, frame),
        *shapes,
        *(_ends(plot, frame) if at_ends else ()),
        "</svg>",
    ]
    return "\n".join(parts)


def picture(plots: Sequence[Plot], across: int = 2) -> str:
    """Several plots with their titles as a file of its own, for documents, so many beside each other."""
    wide, high = WIDTH + 30, 26 + 18 + PLOT_HEIGHT + 60
    rows = -(-len(plots) // across)
    total = f"{wide * min(across, len(plots))} {high * rows}"
    title = "; ".join(plot.title for plot in plots)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total}" role="img" aria-labelledby="t" class="chart">',
        f'<title id="t">{escape(title)}</title><style>{PALETTE}{STYLE}.chart .head {{ fill: var(--ink) }}</style>',
        '<rect width="100%" height="100%" style="fill: var(--paper)"/>',
    ]
    for number, plot in enumerate(plots):
        x, y = 15 + wide * (number % across), high * (number // across)
        parts.append(_text(x, y + 22, "name head", plot.title))
        drawn = draw(plot, f"p{number}")
        box = drawn.split('viewBox="0 0 ', 1)[1].split('"', 1)[0].split()
        parts.append(drawn.replace("<svg ", f'<svg x="{x}" y="{y + 32}" width="{box[0]}" height="{box[1]}" ', 1))
    return "\n".join([*parts, "</svg>"]) + "\n"


def description(plot: Plot) -> str:
    """What a person hears who does not see it."""
    unit = f" {plot.unit}" if plot.unit else ""
    said = [f"{'Bars' if plot.kind == 'bar' else 'Lines'} over {spoken(plot.over)}, {len(plot.places)} places."]
    for line in plot.lines:
        values = [value for value in line.values if value is not None]
        if values:
            bounds = f"from {short(min(values))} to {short(max(values))}{unit}"
            said.append(f"{spoken(line.name)}: {bounds}, the last {short(values[-1])}.")
    return " ".join([*said, plot.says])


def spoken(name: str) -> str:
    """A column's name as words."""
    return name.replace("_", " ").strip() or "value"


def _frame(plot: Plot, top: float, at_ends: bool) -> Frame:
    values = [value for line in plot.lines for part in line[1:] for value in part if value is not None]
    if not values or not plot.places:
        raise Misuse(f"the plot {plot.title!r} has nothing to draw")
    for value in values:
        checked(value, plot.title)
    axis = linear(values, zero=plot.kind == "bar")
    places = [checked(place, plot.over) for place in plot.places if not isinstance(place, str)]
    over = None
    if len(places) == len(plot.places) and plot.kind == "line":
        over = _across(places)
    longest = max(len(_cut(spoken(line.name))) for line in plot.lines)
    right = WIDTH - (min(RIGHT_MOST, longest * CHAR * 1.12 + 12) if at_ends else 16)
    left = 12 + CHAR * max(len(label) for label in axis.labels)
    return Frame(left, right, top, top + PLOT_HEIGHT, axis, over, len(plot.places))


def _across(places: Sequence[Number]) -> Axis:
    """The axis below: from the first place to the last, with those round numbers as marks that lie between."""
    low, high = float(min(places)), float(max(places))
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        return Axis(low - 1 - abs(low), high + 1 + abs(high), (low,), (short(low),))
    few = sorted(set(places))
    if len(few) <= FEW_PLACES and _are_apart(few):
        return Axis(low, high, tuple(map(float, few)), tuple(short(place) for place in few))
    axis = linear(places, 6)
    slack = 1e-9 * (high - low)
    pairs = zip(axis.marks, axis.labels, strict=True)
    marks = [(mark, label) for mark, label in pairs if low - slack <= mark <= high + slack]
    return Axis(low, high, tuple(mark for mark, _ in marks), tuple(label for _, label in marks))


def _are_apart(places: Sequence[Number]) -> bool:
    """Whether there is room to name each place on an axis of its own."""
    least = min(after - before for before, after in pairwise(places))
    return least * 10 >= places[-1] - places[0]


def _text(x: float, y: float, kind: str, words: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}">{escape(words)}</text>'


def _cut(words: str, most: int = 20) -> str:
    return words if len(words) <= most else words[: most - 1] + "…"


def _scales(plot: Plot, frame: Frame) -> Iterator[str]:
    """Rules across with their numbers, marks below with theirs, what both mean."""
    for mark, label in zip(frame.axis.marks, frame.axis.labels, strict=True):
        y = frame.y(mark)
        kind = "zero" if mark == 0 else "rule"
        yield f'<line x1="{frame.left:.1f}" x2="{frame.right:.1f}" y1="{y:.1f}" y2="{y:.1f}" class="{kind}"/>'
        yield _text(frame.left - 6, y + 4, "end", label)
    if plot.unit:
        yield _text(4, frame.top - 12, "unit", plot.unit)
    yield _text((frame.left + frame.right) / 2, frame.bottom + 38, "mid", spoken(plot.over))
    if frame.over is not None:
        for mark, label in zip(frame.over.marks, frame.over.labels, strict=True):
            yield _text(
                frame.left + (frame.right - frame.left) * frame.over.place(mark), frame.bottom + 18, "mid", label
            )
        return
    room = int((frame.right - frame.left) / max(1, len(plot.places)) / CHAR)
    longest = min(12, max(len(str(place)) for place in plot.places))
    every = max(1, -(-(longest + 1) // max(1, room)))
    for at in range(0, len(plot.places), every):
        words = _cut(str(plot.places[at]), max(12, room))
        yield _text(frame.x(at, plot.places[at]), frame.bottom + 18, "mid", words)


def _legend_rows(names: Sequence[str]) -> list[list[tuple[float, int, str]]]:
    """Names with their places, in as many rows as they need."""
    rows: list[list[tuple[float, int, str]]] = []
    x = float(WIDTH)
    for number, name in enumerate(names):
        words = _cut(spoken(name), 28)
        wide = 30 + CHAR * len(words)
        if x + wide > WIDTH:
            rows.append([])
            x = 4.0
        rows[-1].append((x, number, words))
        x += wide
    return rows


def _legend(rows: Sequence[Sequence[tuple[float, int, str]]]) -> Iterator[str]:
    for down, row in enumerate(rows):
        y = 12 + 18 * down
        for x, number, words in row:
            yield f'<line x1="{x:.1f}" x2="{x + 18:.1f}" y1="{y - 4}" y2="{y - 4}" {_stroke(number)}/>'
            yield _text(x + 22, y, "key", words)


def _stroke(number: int) -> str:
    dashes = DASHES[(number // COLOURS + number) % len(DASHES)]
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'class="line s{number % COLOURS}"{dashed}'


def _runs(plot: Plot, frame: Frame, *values: Sequence[Value]) -> Iterator[list[tuple[float, ...]]]:
    """Stretches without a gap: across, then down for each of the columns."""
    across = [frame.x(at, place) for at, place in enumerate(plot.places)]
    down = [[None if value is None else frame.y(value) for value in column] for column in values]
    for is_whole, run in groupby(zip(across, *down, strict=True), key=lambda row: None not in row):
        if is_whole:
            yield [tuple(number for number in row if number is not None) for row in run]


def _lines(plot: Plot, frame: Frame) -> Iterator[str]:
    for number, line in enumerate(plot.lines):
        if line.low and line.high:
            for run in _runs(plot, frame, line.low, line.high):
                yield _band(run, number)
    for number, line in enumerate(plot.lines):
        has_dots = len(plot.places) <= 24
        for run in _runs(plot, frame, line.values):
            if len(run) > 1:
                yield f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in run)}" {_stroke(number)}/>'
            for x, y in run if has_dots or len(run) == 1 else ():
                yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" class="f{number % COLOURS}"/>'


def _band(run: Sequence[tuple[float, ...]], number: int) -> str:
    if len(run) == 1:
        x, low, high = run[0]
        return f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{low:.1f}" y2="{high:.1f}" class="whisker"/>'
    edge = [(x, low) for x, low, _ in run] + [(x, high) for x, _, high in reversed(run)]
    return f'<polygon points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in edge)}" class="band f{number % COLOURS}"/>'


def _bars(plot: Plot, frame: Frame) -> Iterator[str]:
    """Groups side by side, each bar from zero; a band is a whisker."""
    wide = (frame.right - frame.left) / len(plot.places) * 0.8 / len(plot.lines)
    for number, line in enumerate(plot.lines):
        for at, value in enumerate(line.values):
            if value is None:
                continue
            x = frame.x(at, plot.places[at]) + wide * (number - len(plot.lines) / 2)
            top, bottom = sorted((frame.y(value), frame.y(0)))
            yield (
                f'<rect x="{x:.1f}" y="{top:.1f}" width="{max(wide - 1, 0.5):.1f}" height="{bottom - top:.1f}" '
                f'class="f{number % COLOURS}"/>'
            )
            yield from _whisker(line, at, x + wide / 2, frame)
            if len(plot.places) * len(plot.lines) <= 12 and not line.low:
                yield _text(x + wide / 2, (top if value >= 0 else bottom + 16) - 4, "mid", short(value))


def _whisker(line: Line, at: int, x: float, frame: Frame) -> Iterator[str]:
    if line.low and line.high:
        low, high = line.low[at], line.high[at]
        if low is not None and high is not None:
            y1, y2 = frame.y(low), frame.y(high)
            yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y1:.1f}" y2="{y2:.1f}" class="whisker"/>'


def _ends(plot: Plot, frame: Frame) -> Iterator[str]:
    """The name of each line where it ends, moved apart where they would lie on each other."""
    wanted = []
    for number, line in enumerate(plot.lines):
        last = next((value for value in reversed(line.values) if value is not None), None)
        if last is not None:
            wanted.append((frame.y(last), number, line.name))
    wanted.sort()
    below = frame.top - 15
    placed = []
    for y, number, name in wanted:
        below = max(y, below + 15)
        placed.append((below, number, name))
    over = max(0.0, below - frame.bottom)
    for y, number, name in placed:
        yield _text(frame.right + 6, y - over + 4, f"name f{number % COLOURS}", _cut(spoken(name)))
