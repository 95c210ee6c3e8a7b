"""How well the measures of quality tell people from machines and playing from replaying, on real drummers.

Run with `python -m bench.quality --groove DIR`, DIR being the Groove MIDI dataset. Every `beat` take that is at least a
window long is cut into windows, as a node would, on the nominal tempo of its file and four steps to the beat. It
prints, for the windows of both presets: what became of the people's own windows (each judged against everything
played before it, by the same drummer and by others), the share of machine-made windows that pass, the same with the
mark set without each drummer in turn, the share of replays that are caught, and of other takes that are taken for
one. docs/quality.md keeps the figures. A window passes when it is not refused and its humanness is up to the mark.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

from bench import machines
from bench.takes import Piece, Take, moved, pieces, share, takes, windows
from consensus.events import Onset
from consensus.ops import Measures, Why
from consensus.params import MAIN, ONE_Q16, SMALL, Params
from consensus.quality.grid import Grid
from consensus.quality.measure import Report, measure
from consensus.quality.replay import ReplayIndex
from crdt.types import Micros, Window
from jam import grid as jam_grid

SHIFT_US = 3_700_123  # a replay starts here: no multiple of a window, a bar or a step
DEMO_TAKES = ("100_neworleans-secondline_94", "126_funk-fast", "3_funk_80", "5_jazz-funk_116")
REPLAYED_TAKES = 60
PAIRS_MAX = 1_000
PRESETS = (("main", MAIN, 3), ("small", SMALL, 1))  # and how often each machine plays each window
PERCENTILES = (1, 5, 25, 50, 75, 95, 99)
REPLAYS = (
    *((jitter_ms, 1.0) for jitter_ms in (0, 2, 5, 8, 10, 15)),
    *((jitter_ms, speed) for speed in (1.02, 0.98) for jitter_ms in (0, 2, 5, 10)),
    (0, 1.07),
    (5, 0.93),
)
PLAIN = ("gaussian 5 ms", "gaussian 10 ms", "gaussian 20 ms", "gaussian, spread matched")  # what the mark is for
TOO_LITTLE = (Why.TOO_FEW_EVENTS, Why.TOO_FEW_LANES, Why.TOO_SHORT)


class Judged(NamedTuple):
    """A window that a machine or a person made."""

    drummer: str
    why: Why
    humanness: int


def passes(params: Params, why: Why, humanness: int) -> bool:
    """Whether a window is paid."""
    return why is Why.FINE and humanness >= params.human_mark_q16


def people(params: Params, played: Sequence[Piece]) -> list[Judged]:
    """What becomes of honest windows, each against all that was played before."""
    known, why, by, reports = ReplayIndex(), Counter[str](), Counter[str](), list[Report]()
    costs_s: list[float] = []
    below = 0
    for at, piece in enumerate(played):
        started = time.process_time()
        report = measure(params, piece.take.grid, piece.onsets, known)
        costs_s.append(time.process_time() - started)
        reports.append(report)
        why[report.why.name] += 1
        below += report.why is Why.FINE and not passes(params, report.why, report.measures.humanness)
        if report.why is Why.REPLAY:
            match = known.closest(params, piece.onsets, grid=piece.take.grid)
            own = match is not None and match.key == piece.take.name.encode()
            by["own earlier windows" if own else "another take"] += 1
        known.add(piece.take.name.encode(), Window(at), piece.onsets)
    whole, count = len(reports), len({piece.take.name for piece in played})
    print(f"  people: {whole} windows of {count} takes; {len(known)} onsets known at the end")
    for reason, times in why.most_common():
        print(f"    {reason:<16}{times:6}{share(times, whole)}")
    print(f"    below the mark  {below:6}{share(below, whole)}")
    for source, times in by.items():
        print(f"    taken for a replay of {source}: {times}{share(times, whole)}")
    ordered = sorted(costs_s)
    print(f"    judged in {1e3 * ordered[whole // 2]:.1f} ms (median), {1e3 * ordered[-1]:.1f} ms at most")
    percentiles(reports)
    return [
        Judged(piece.take.drummer, report.why, report.measures.humanness)
        for piece, report in zip(played, reports, strict=True)
    ]


def percentiles(reports: Sequence[Report]) -> None:
    """How the measures of accepted windows are spread."""
    print(f"    percentiles of accepted   {'  '.join(f'p{p:<4}' for p in PERCENTILES)}")
    for name in Measures.__struct_fields__:
        row([getattr(r.measures, name) for r in reports if r.why is Why.FINE], name)


def row(values: list[int], name: str) -> None:
    """The percentiles of some Q16 numbers."""
    values.sort()
    cells = (values[min(len(values) - 1, len(values) * p // 100)] / ONE_Q16 for p in PERCENTILES)
    print(f"      {name:<24}{'  '.join(f'{cell:.3f}' for cell in cells)}")


def subdivisions(params: Params, played: Sequence[Take]) -> None:
    """Accuracy on the subdivision that fits each take."""
    chosen, values = Counter[int](), list[int]()
    for take in played:
        best = jam_grid.choose_subdivision(take.onsets, take.grid.tempo_mbpm)
        chosen[best] += 1
        grid = Grid(take.grid.tempo_mbpm, take.grid.beats_per_bar, best)
        for onsets in windows(params, take.onsets, take.duration_us):
            values.append(measure(params, grid, onsets, ReplayIndex()).measures.accuracy)
    row(values, "accuracy, best grid")
    print(f"    subdivision chosen for takes: {dict(chosen.most_common())}")


def attacks(who: Sequence[machines.Model]) -> dict[str, machines.Machine]:
    """Machines by name, the plain ones first."""
    return {
        "quantised": machines.quantised(),
        "gaussian 2 ms": machines.gaussian(2),
        **dict(zip(PLAIN, (*map(machines.gaussian, (5, 10, 20)), machines.matched), strict=True)),
        "AR(1), spread matched": machines.remembering,
        "1/f, spread matched": machines.pink,
        "another drummer's habits": machines.habits_of(who),
        "own template, 1/f, t noise": machines.template,
        "swung": machines.swung(0.4),
        "quantised to triplets": machines.to_other_steps(3),
        "quantised to 24ths": machines.to_other_steps(6),
        "quantised, 1.3% fast": machines.faster(1.013),
    }


def humans_and_machines(params: Params, played: Sequence[Piece], persons: Sequence[Judged], rounds: int) -> None:
    """The share of machine-made windows that pass, nothing else known. The last row is people again, their onsets
    stamped by a 60 Hz display."""
    who = [machines.model(piece) for piece in played if piece.onsets]
    judged: dict[str, list[Judged]] = {"people": list(persons)}
    for name, machine in attacks(who).items():
        chance = Random(name)
        rows = [one(params, model.piece, machines.made(model, machine(model, chance))) for model in who * rounds]
        judged[name] = rows
        passing(params, name, rows)
    stamped = [one(params, m.piece, moved(m.piece.onsets, lambda t: t // 16_667 * 16_667)) for m in who]
    passing(params, "people at 60 Hz", stamped)
    without_each_drummer(params, judged)


def one(params: Params, piece: Piece, onsets: Sequence[Onset]) -> Judged:
    """A window judged by itself."""
    report = measure(params, piece.take.grid, onsets, ReplayIndex())
    return Judged(piece.take.drummer, report.why, report.measures.humanness)


def passing(params: Params, name: str, rows: Sequence[Judged]) -> None:
    """How many of some windows pass, and what becomes of the others."""
    count = sum(passes(params, found.why, found.humanness) for found in rows)
    why = Counter(found.why.name if found.why is not Why.FINE else "BELOW" for found in rows)
    why["BELOW"] -= count
    rest = ", ".join(f"{reason} {times}" for reason, times in why.most_common() if times > 0)
    print(f"    {name:<28}passes {share(count, len(rows))} of {len(rows)}   {rest}")


def without_each_drummer(params: Params, judged: dict[str, list[Judged]]) -> None:
    """The rates with a mark that was set without the drummer it is used on: halfway between the people's lowest score
    and the plain machines' 99th percentile."""
    passed, marks = Counter[str](), dict[str, float]()
    for drummer in sorted({found.drummer for found in judged["people"]}):
        low = min(f.humanness for f in judged["people"] if f.drummer != drummer and f.why not in TOO_LITTLE)
        high = sorted(f.humanness for name in PLAIN for f in judged[name] if f.drummer != drummer)
        mark = (low + high[len(high) * 99 // 100]) // 2
        marks[drummer] = round(mark / ONE_Q16, 2)
        for name, rows in judged.items():
            passed[name] += sum(f.drummer == drummer and f.why is Why.FINE and f.humanness >= mark for f in rows)
    print(f"    with the mark set without each drummer (lies at {marks})")
    for name, rows in judged.items():
        print(f"      {name:<28}passes {share(passed[name], len(rows))}")
    print(f"    the mark of the preset is {params.human_mark_q16 / ONE_Q16:.2f}")


def mashing(params: Params) -> None:
    """What twelve random hits a second on ten lanes are worth."""
    grid, totals = Grid(120_000, 4, 4), list[float]()
    for seed in range(40):
        chance = Random(seed)
        hits = [
            Onset(Micros(chance.randrange(params.window_us)), chance.randrange(10), 80)
            for _ in range(12 * params.window_s)
        ]
        totals.append(measure(params, grid, hits, ReplayIndex()).measures.total / ONE_Q16)
    print(
        f"    random mashing, 40 windows: total {sum(totals) / len(totals):.2f} on average, {max(totals):.2f} at most"
    )


def replays(params: Params, played: Sequence[Take]) -> None:
    """The share of replayed windows that are caught among all takes, by jitter added and change of speed."""
    chance, known = Random(2), ReplayIndex()
    for number, take in enumerate(played):
        for piece in pieces(params, take):
            known.add(take.name.encode(), Window(1_000 * number + piece.number), piece.onsets)
    for jitter_ms, speed in REPLAYS:
        why, costs_s = Counter[str](), list[float]()
        for take in played[-REPLAYED_TAKES:]:
            end_us = take.duration_us // params.window_us * params.window_us  # what comes after is not known
            again = moved([o for o in take.onsets if o.t_us < end_us], replay_move(chance, jitter_ms, speed))
            grid = Grid(round(take.grid.tempo_mbpm * speed), take.grid.beats_per_bar, take.grid.subdivision)
            for onsets in windows(params, again, again[-1].t_us + params.window_us):
                started = time.process_time()
                report = measure(params, grid, onsets, known)
                if report.why not in TOO_LITTLE:
                    why[report.why.name] += 1
                    costs_s.append(time.process_time() - started)
        total = why.total()
        cost = f"{1e3 * sum(costs_s) / max(1, total):.1f} ms each"
        caught = f"{share(why['REPLAY'], total)} of {total}, {cost}   {dict(why)}"
        print(f"    jitter {jitter_ms:2} ms, speed {speed:.2f}   caught {caught}")


def replay_move(chance: Random, jitter_ms: float, speed: float) -> Callable[[int], float]:
    """Where a replay puts a note."""
    return lambda t_us: t_us / speed + SHIFT_US + chance.gauss(0, jitter_ms * 1_000)


def twins(params: Params, played: Sequence[Piece]) -> None:
    """How often a window is taken for a replay of another window of the same groove: the same style at the same tempo,
    in another take or another place of the take; and of anything else that was ever played."""
    grooves: dict[str, list[Piece]] = {}
    for piece in played:
        grooves.setdefault(piece.take.groove, []).append(piece)
    pairs = [(a, b) for group in grooves.values() for a in group for b in group if a is not b]
    for what, some in (
        ("two takes of one groove", [(a, b) for a, b in pairs if a.take is not b.take]),
        ("two places of one take", [(a, b) for a, b in pairs if a.take is b.take]),
    ):
        chosen = some if len(some) <= PAIRS_MAX else Random(3).sample(some, PAIRS_MAX)
        mistaken = 0
        for a, b in chosen:
            known = ReplayIndex()
            known.add(b"other", Window(0), b.onsets)
            mistaken += known.find(params, a.onsets, grid=a.take.grid) is not None
        print(f"    {what}: {mistaken} of {len(chosen)} pairs mistaken{share(mistaken, len(chosen))}")


def demonstration(params: Params, played: Sequence[Take]) -> None:
    """The takes that the demonstration is likely to play, each judged against itself."""
    for take in played:
        if take.name.startswith("drummer1/session1/") and any(f"/{name}" in take.name for name in DEMO_TAKES):
            known, why = ReplayIndex(), Counter[str]()
            for piece in pieces(params, take):
                why[measure(params, take.grid, piece.onsets, known).why.name] += 1
                known.add(b"demo", Window(piece.number), piece.onsets)
            print(f"    {take.name:<72}{dict(why)}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.quality", description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--groove", type=Path, required=True, help="directory of the Groove MIDI dataset")
    parser.add_argument("--preset", choices=[name for name, *_ in PRESETS], help="only one of them")
    asked = parser.parse_args()
    for name, params, rounds in PRESETS:
        if asked.preset not in (None, name):
            continue
        played = list(takes(asked.groove, params.window_us))
        cut = [piece for take in played for piece in pieces(params, take)]
        print(f"{name}: windows of {params.window_s} s")
        persons = people(params, cut)
        subdivisions(params, played)
        print("  machines")
        humans_and_machines(params, cut, persons, rounds)
        mashing(params)
        print(f"  replays, begun {SHIFT_US} us later than the original, of the last {REPLAYED_TAKES} takes")
        replays(params, played)
        twins(params, cut)
        print("  takes for the demonstration", flush=True)
        demonstration(params, played)


if __name__ == "__main__":
    main()
