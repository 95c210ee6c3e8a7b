"""How well the measures of quality tell people from machines and playing from replaying, on real drummers.

Run with `python -m bench.quality --groove DIR`, DIR being the Groove MIDI dataset. Every 4-4 `beat` take that is at
least a window long is cut into windows, as a node would, on the nominal tempo of its file and four steps to the beat.
It prints, for the windows of both presets: what became of the people's own windows (each judged against everything
played before it, by the same drummer and by others), the share of machine-made windows that pass, and the share of
replays that are caught. docs/quality.md keeps the figures.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

from consensus.events import Onset
from consensus.ops import Why
from consensus.params import MAIN, ONE_Q16, SMALL, Params
from consensus.quality.grid import MINUTE_MBPM_US, Grid
from consensus.quality.measure import Report, measure
from consensus.quality.replay import ReplayIndex
from crdt.types import Micros, Window
from jam import grid as jam_grid
from jam import midi

SHIFT_US = 3_700_123  # a replay starts here: no multiple of a window, a bar or a step
DEMO_TAKES = ("100_neworleans-secondline_94", "126_funk-fast", "3_funk_80", "5_jazz-funk_116")
REPLAYED_TAKES = 60
PERCENTILES = (1, 5, 25, 50, 75, 95, 99)


class Take(NamedTuple):
    """A recording: its path within the dataset, its grid and its onsets."""

    name: str
    grid: Grid
    onsets: tuple[Onset, ...]
    duration_us: int


def takes(groove: Path, least_us: int) -> Iterator[Take]:
    """The takes to measure on, in the order of info.csv."""
    with (groove / "info.csv").open(newline="") as table:
        for row in csv.DictReader(table):
            if row["beat_type"] == "beat" and row["time_signature"] == "4-4":
                played = midi.load(groove / row["midi_filename"])
                if played.duration_us >= least_us:
                    grid = Grid(played.tempo_mbpm, played.beats_per_bar, 4)
                    yield Take(row["midi_filename"], grid, played.onsets(), played.duration_us)


def windows(params: Params, onsets: Sequence[Onset], until_us: int) -> list[tuple[Onset, ...]]:
    """Onsets cut into the windows that are complete before `until_us`."""
    cut: list[list[Onset]] = [[] for _ in range(until_us // params.window_us)]
    for onset in onsets:
        number = onset.t_us // params.window_us
        if number < len(cut):
            cut[number].append(onset)
    return [tuple(window) for window in cut]


def moved(onsets: Sequence[Onset], move: Callable[[int], float]) -> tuple[Onset, ...]:
    """Onsets at other times."""
    return tuple(sorted(Onset(Micros(max(0, round(move(o.t_us)))), o.lane, o.velocity) for o in onsets))


def share(part: int, whole: int) -> str:
    """A percentage."""
    return f"{100 * part / whole:7.2f}%" if whole else "   none"


def people(params: Params, played: Sequence[Take]) -> None:
    """What becomes of honest windows, each against all that was played before."""
    known, why, by, slowest_s, reports = ReplayIndex(), Counter[str](), Counter[str](), 0.0, list[Report]()
    for number, take in enumerate(played):
        key = number.to_bytes(4, "big")
        for window, onsets in enumerate(windows(params, take.onsets, take.duration_us)):
            started = time.process_time()
            report = measure(params, take.grid, onsets, known)
            slowest_s = max(slowest_s, time.process_time() - started)
            reports.append(report)
            why[report.why.name] += 1
            if report.why is Why.REPLAY:
                match = known.closest(params, onsets, grid=take.grid)
                by["own earlier windows" if match is not None and match.key == key else "another take"] += 1
            known.add(key, Window(1_000 * number + window), onsets)
    print(f"  people: {len(reports)} windows of {len(played)} takes; {len(known)} onsets known at the end")
    for reason, count in why.most_common():
        print(f"    {reason:<16}{count:6}{share(count, len(reports))}")
    for source, count in by.items():
        print(f"    taken for a replay of {source}: {count}{share(count, len(reports))}")
    print(f"    longest judgement {slowest_s:.2f} s")
    print(f"    percentiles of accepted   {'  '.join(f'p{p:<4}' for p in PERCENTILES)}")
    for name in ("liveness", "accuracy", "diversity", "humanness", "originality", "total"):
        values = sorted(getattr(r.measures, name) for r in reports if r.why is Why.FINE)
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
    values.sort()
    cells = (values[min(len(values) - 1, len(values) * p // 100)] / ONE_Q16 for p in PERCENTILES)
    print(f"    accuracy, best grid       {'  '.join(f'{cell:.3f}' for cell in cells)}")
    print(f"    subdivision chosen for takes: {dict(chosen.most_common())}")


def machines(params: Params, played: Sequence[Take]) -> None:
    """The share of machine-made windows that pass, nothing else known. The last row is people again, their onsets
    stamped by a 60 Hz display."""
    chance = Random(1)

    def snapped(grid: Grid, t_us: int, subdivision: int, swing: float = 0.0) -> float:
        on = Grid(grid.tempo_mbpm, grid.beats_per_bar, subdivision)
        step = on.step(t_us)
        return (step + swing * (step % 2)) * MINUTE_MBPM_US / on.steps_per_minute_e3

    def normal(sd_ms: float) -> float:
        return chance.gauss(0, sd_ms * 1_000)

    attacks: dict[str, Callable[[Grid, int], float]] = {
        "quantised": lambda g, t: snapped(g, t, 4),
        "quantised, gaussian 2 ms": lambda g, t: snapped(g, t, 4) + normal(2),
        "quantised, gaussian 5 ms": lambda g, t: snapped(g, t, 4) + normal(5),
        "quantised, gaussian 10 ms": lambda g, t: snapped(g, t, 4) + normal(10),
        "quantised, lagging half a step": lambda g, t: snapped(g, t, 4) + g.step_us / 2,
        "quantised with swing": lambda g, t: snapped(g, t, 4, 0.4),
        "quantised to triplets": lambda g, t: snapped(g, t, 3),
        "quantised to 24ths": lambda g, t: snapped(g, t, 6),
        "quantised, 1.3% fast": lambda g, t: snapped(g, t, 4) / 1.013,
        "people at 60 Hz": lambda _, t: t // 16_667 * 16_667,
    }
    for name, attack in attacks.items():
        why = Counter[str]()
        for take in played:
            for onsets in windows(params, take.onsets, take.duration_us):
                made = moved(onsets, lambda t, attack=attack, grid=take.grid: attack(grid, t))  # type: ignore[misc]
                why[measure(params, take.grid, made, ReplayIndex()).why.name] += 1
        rest = ", ".join(f"{reason} {count}" for reason, count in why.most_common() if reason != "FINE")
        print(f"    {name:<32}passes {share(why['FINE'], why.total())}   {rest}")


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
        for window, onsets in enumerate(windows(params, take.onsets, take.duration_us)):
            known.add(take.name.encode(), Window(1_000 * number + window), onsets)
    for jitter_ms, speed in ((0, 1.0), (2, 1.0), (5, 1.0), (8, 1.0), (10, 1.0), (0, 1.07), (5, 0.93)):
        why, judged_s = Counter[str](), 0.0
        for take in played[-REPLAYED_TAKES:]:
            end_us = take.duration_us // params.window_us * params.window_us  # what comes after is not known
            copied = [o for o in take.onsets if o.t_us < end_us]
            move = replay_move(chance, jitter_ms, speed)
            again = moved(copied, move)
            grid = Grid(round(take.grid.tempo_mbpm * speed), take.grid.beats_per_bar, take.grid.subdivision)
            for onsets in windows(params, again, again[-1].t_us + params.window_us):
                started = time.process_time()
                report = measure(params, grid, onsets, known)
                judged_s += time.process_time() - started
                if report.why not in (Why.TOO_FEW_EVENTS, Why.TOO_FEW_LANES, Why.TOO_SHORT):
                    why[report.why.name] += 1
        name, total = f"jitter {jitter_ms} ms, speed {speed:.2f}", why.total()
        cost = f"{judged_s / max(1, total):.3f} s each"
        print(f"    {name:<32}caught {share(total - why['FINE'], total)} of {total}, {cost}   {dict(why)}")


def replay_move(chance: Random, jitter_ms: float, speed: float) -> Callable[[int], float]:
    """Where a replay puts a note."""
    return lambda t_us: t_us / speed + SHIFT_US + chance.gauss(0, jitter_ms * 1_000)


def demonstration(params: Params, played: Sequence[Take]) -> None:
    """The takes that the demonstration is likely to play, each judged against itself."""
    for take in played:
        if take.name.startswith("drummer1/session1/") and any(f"/{name}" in take.name for name in DEMO_TAKES):
            known, why = ReplayIndex(), Counter[str]()
            for window, onsets in enumerate(windows(params, take.onsets, take.duration_us)):
                why[measure(params, take.grid, onsets, known).why.name] += 1
                known.add(b"demo", Window(window), onsets)
            print(f"    {take.name:<72}{dict(why)}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.quality", description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--groove", type=Path, required=True, help="directory of the Groove MIDI dataset")
    groove = parser.parse_args().groove
    for name, params in (("small", SMALL), ("main", MAIN)):
        played = list(takes(groove, params.window_us))
        print(f"{name}: windows of {params.window_s} s")
        people(params, played)
        subdivisions(params, played)
        print("  machines")
        machines(params, played)
        mashing(params)
        print(f"  replays, begun {SHIFT_US} us later than the original, of the last {REPLAYED_TAKES} takes")
        replays(params, played)
        print("  takes for the demonstration")
        demonstration(params, played)


if __name__ == "__main__":
    main()
