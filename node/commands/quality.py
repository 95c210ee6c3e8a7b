"""`symjam quality`: what the windows of a recording are worth by the rules, without a node.

The same measures that verifiers recompute, on the grid that `symjam jam` would declare for the file. Each window is
held against the recordings named as known and against the windows before it, as in a jam.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import Any, Final, NamedTuple

import click

from consensus.events import Onset
from consensus.ops import WORDS, Measures, Why
from consensus.params import Params, preset
from consensus.quality.explain import share
from consensus.quality.grid import Grid
from consensus.quality.measure import Report, measure
from consensus.quality.replay import ReplayIndex
from crdt.limits import KNOWN_ONSETS_MAX
from crdt.types import Window
from jam.grid import choose_subdivision
from jam.midi import Performance, load
from node.commands.common import as_json_line

MEASURES: Final = Measures.__struct_fields__
HEADINGS: Final = ("lively", "exact", "varied", "harmony", "human", "new", "total")
BETWEEN_TAKES: Final = 1_000_000  # windows; more than a recording of a day has
WIDTH: Final = 80
NO_PERSON: Final = "no_person"
NO_PERSON_WORDS: Final = "its timing is no person's by the mark"


class Scored(NamedTuple):
    """One window that holds notes."""

    number: int
    report: Report
    reason: str
    words: str


def run(file: Path, known: Sequence[Path], preset_name: str, explain: bool, as_json: bool) -> int:
    """Score a recording's windows and print them."""
    params = preset(preset_name)
    performance = load(file, "score")
    others = [load(other, "compare with") for other in known]
    onsets = performance.onsets()
    subdivision = choose_subdivision(onsets, performance.tempo_mbpm, performance.beats_per_bar)
    grid = Grid(performance.tempo_mbpm, performance.beats_per_bar, subdivision)
    scored = score(params, grid, onsets, [other.onsets() for other in others])
    if as_json:
        as_json_line(_document(preset_name, performance, grid, scored))
    else:
        for line in _lines(params, performance, grid, scored, explain):
            click.echo(line)
    return 0


def score(params: Params, grid: Grid, onsets: Sequence[Onset], known: Sequence[Sequence[Onset]]) -> list[Scored]:
    """The windows of a recording that hold notes, each judged knowing other recordings and its own earlier windows."""
    index = ReplayIndex(max(KNOWN_ONSETS_MAX, len(onsets) + sum(map(len, known))))
    for take, other in enumerate(known):
        for number, notes in _windows(params, other):
            index.add(take.to_bytes(4, "big"), Window(take * BETWEEN_TAKES + number), notes)
    scored: list[Scored] = []
    for number, notes in _windows(params, onsets):
        report = measure(params, grid, notes, index)
        scored.append(Scored(number, report, *_reason(params, report)))
        index.add(b"itself", Window(len(known) * BETWEEN_TAKES + number), notes)
    return scored


def _windows(params: Params, onsets: Sequence[Onset]) -> list[tuple[int, tuple[Onset, ...]]]:
    found: dict[int, list[Onset]] = {}
    for onset in onsets:
        found.setdefault(onset.t_us // params.window_us, []).append(onset)
    return [(number, tuple(found[number])) for number in sorted(found)]


def _reason(params: Params, report: Report) -> tuple[str, str]:
    """Why a window does not pass, for programs and for people; "fine" when it does."""
    if report.why is Why.FINE and report.measures.humanness < params.human_mark_q16:
        return NO_PERSON, NO_PERSON_WORDS
    return report.why.name.lower(), WORDS[report.why]


def _document(preset_name: str, performance: Performance, grid: Grid, scored: Sequence[Scored]) -> dict[str, Any]:
    return {
        "schema": "symjam.quality/1",
        "title": performance.title,
        "preset": preset_name,
        "tempo_mbpm": grid.tempo_mbpm,
        "beats_per_bar": grid.beats_per_bar,
        "subdivision": grid.subdivision,
        "windows": [
            {
                "index": window.number,
                "accepted": window.reason == "fine",
                "reason": window.reason,
                "words": window.words,
                **{name: getattr(window.report.measures, name) for name in MEASURES},
                "explain": list(window.report.words),
            }
            for window in scored
        ],
    }


def _lines(params: Params, performance: Performance, grid: Grid, scored: Sequence[Scored], explain: bool) -> list[str]:
    tempo = f"{grid.tempo_mbpm / 1_000:g} beats a minute, {grid.subdivision} steps to the beat"
    lines = [
        fill(f"{performance.title}: windows of {params.window_s} s, {tempo}", WIDTH),
        "window " + "".join(f"{heading:>9}" for heading in HEADINGS),
    ]
    for window in scored:
        numbers = "".join(f"{share(getattr(window.report.measures, name)):>9}" for name in MEASURES)
        lines.append(f"{window.number:6} {numbers}")
        told = [] if window.reason == "fine" else [f"not accepted: {window.words}"]
        told += window.report.words if explain else []
        lines += [fill(line, WIDTH, initial_indent=" " * 7, subsequent_indent=" " * 9) for line in told]
    passed = sum(window.reason == "fine" for window in scored)
    lines.append(f"{passed} of {len(scored)} windows accepted")
    return lines
