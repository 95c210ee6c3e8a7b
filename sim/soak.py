"""Random cases, one seed after another, until the time is over or enough were run; each that fails, with its replay.

What is fixed by the wish (nodes, hours) is the same in all of them; all else is drawn from the seed. Results can be
kept as lines of JSON, and a soak that finds its file goes on where it was: a seed whose case is there is not run again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from crdt.errors import OperatingFailure
from sim import crypto
from sim.case import HOSTILE, Case, Outcome, Run
from sim.collector import collecting_rarely
from sim.faults import Kind
from sim.result import Broken

SCHEMA: Final = "symjam.sim.soak/1"
SECONDS_DEFAULT: Final = 60
SMALL_SECONDS: Final = (30, 240)
NODES: Final = (2, 3, 4, 5, 6, 8, 8, 10, 12, 16)


class Wish(msgspec.Struct, frozen=True):
    """What is asked of a soak."""

    seed: int = 1
    seconds: float | None = None  # of the machine's time
    runs: int | None = None
    nodes: Annotated[int, Meta(ge=1)] | None = None
    hours: float | None = None  # of simulated time; the preset is then main, as rooms use it
    jobs: int = 1
    out: Path | None = None


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One case that was run. `cpu_s` is the machine's."""

    case: Case
    broken: tuple[Broken, ...]
    figures: dict[str, int]
    cpu_s: float
    replay: str
    schema: Literal["symjam.sim.soak/1"] = SCHEMA


Tell = Callable[[Line], None]


def draw(seed: int, wish: Wish) -> Case:
    """The case of a seed."""
    chance = Random(f"soak {seed}")
    if wish.hours is not None:
        return Case(seed, nodes=wish.nodes or 16, seconds=int(wish.hours * 3_600))
    nodes = wish.nodes or chance.choice(NODES)
    kinds = sorted(kind for kind in Kind if chance.random() < 0.8) or [Kind.KILL]
    hostile = [name for name in HOSTILE if nodes >= 5 and chance.random() < 0.1][: nodes // 5]
    return Case(
        seed,
        nodes=nodes,
        seconds=chance.randint(*SMALL_SECONDS),
        preset="small",
        players=chance.randint(1, 4),
        share=chance.choice((0.3, 0.7, 1.0)),
        notes_per_s=chance.choice((2.0, 4.0)),
        links=chance.randint(2, 8),
        founders=chance.choice((0, 0, 3, 4, nodes)),
        hostile=",".join(hostile),
        faults="all" if len(kinds) == len(Kind) else ",".join(kinds),
        intensity=chance.choice((0.3, 1.0, 2.0)),
        tick_ms=chance.choice((50, 100, 200)),
    )


def play(case: Case) -> Outcome:
    """Run a case with signatures that are verified once for all its nodes."""
    with collecting_rarely(), crypto.shared():
        return Run(case).run()


def run_line(case: Case) -> Line:
    """The same, measured."""
    began_s = time.process_time()
    outcome = play(case)
    return Line(case, outcome.broken, outcome.figures, round(time.process_time() - began_s, 1), case.replay())


def soak(wish: Wish, tell: Tell) -> list[Line]:
    """Run cases until the time is over or enough were run; all lines, those of the file too. OperatingFailure when
    there is no writing to it."""
    done = _kept(wish)
    ends_s = _ends_s(wish)
    if wish.jobs <= 1:
        for case in _cases(wish, done):
            if time.monotonic() >= ends_s:
                break
            _keep(wish, done, run_line(case), tell)
        return list(done.values())
    with ProcessPoolExecutor(wish.jobs, mp_context=get_context("spawn")) as pool:
        waiting: set[Future[Line]] = set()
        for case in _cases(wish, done):
            if time.monotonic() >= ends_s:
                break
            waiting.add(pool.submit(run_line, case))
            if len(waiting) >= wish.jobs:
                waiting = _collect(wish, done, waiting, tell)
        while waiting:
            waiting = _collect(wish, done, waiting, tell)
    return list(done.values())


def _collect(wish: Wish, done: dict[Case, Line], waiting: set[Future[Line]], tell: Tell) -> set[Future[Line]]:
    ready, still = wait(waiting, return_when=FIRST_COMPLETED)
    for line in sorted((future.result() for future in ready), key=lambda line: line.case.seed):
        _keep(wish, done, line, tell)
    return still


def _ends_s(wish: Wish) -> float:
    """When to begin no more."""
    if wish.seconds is None and wish.runs is not None:
        return float("inf")
    return time.monotonic() + (SECONDS_DEFAULT if wish.seconds is None else wish.seconds)


def _cases(wish: Wish, done: dict[Case, Line]) -> Iterator[Case]:
    seed = wish.seed
    while wish.runs is None or seed < wish.seed + wish.runs:
        case = draw(seed, wish)
        if case not in done:
            yield case
        seed += 1


def _kept(wish: Wish) -> dict[Case, Line]:
    """Lines of the file whose cases are among those wished for."""
    if wish.out is None or not wish.out.exists():
        return {}
    lines: dict[Case, Line] = {}
    try:
        raws = wish.out.read_bytes().splitlines()
    except OSError as error:
        raise OperatingFailure(f"cannot read {wish.out}", error.strerror or "it cannot be read") from None
    for raw in raws:
        try:
            line = msgspec.json.decode(raw, type=Line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue  # the end of one was not written
        last = None if wish.runs is None else wish.seed + wish.runs
        is_wanted = line.case.seed >= wish.seed and (last is None or line.case.seed < last)
        if is_wanted and line.case == draw(line.case.seed, wish):
            lines[line.case] = line
    return lines


def _keep(wish: Wish, done: dict[Case, Line], line: Line, tell: Tell) -> None:
    done[line.case] = line
    if wish.out is not None:
        try:
            with wish.out.open("ab") as file:
                file.write(msgspec.json.encode(line) + b"\n")
        except OSError as error:
            raise OperatingFailure(f"cannot write {wish.out}", error.strerror or "it cannot be written") from None
    tell(line)
