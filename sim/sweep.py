"""Many runs of one scenario: each choice of parameters with each seed, in processes of their own.

What has run is remembered (sim/cells.py), so the same command after an interruption does what is missing. A run that
raises, or takes its process down with it, is reported with the command that repeats it and holds up no other. What is
joined depends on the results alone, never on how many processes there were or which was first.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from math import isfinite
from typing import Final, NamedTuple

from crdt.errors import Misuse
from sim.cells import Cell, Ledger, Plan
from sim.joined import BrokenIn, FailedRun, Point, Sweep, Value, check, point
from sim.result import Result
from sim.scenario import value_of

Runner = Callable[[Cell], Result]
MOST_JOBS: Final = 256
AHEAD: Final = 2  # cells given to the pool for each process, so that none waits


class Ended(NamedTuple):
    """A cell that came to a result, or the error that it came to."""

    cell: Cell
    result: Result | None
    error: str


Spread = Callable[[Sequence[Cell]], Iterator[Ended]]


def parse_over(words: Sequence[str]) -> dict[str, tuple[Value, ...]]:
    """`name=a,b,c`, several times. Misuse with what is wrong."""
    over: dict[str, tuple[Value, ...]] = {}
    for word in words:
        name, equals, values = word.partition("=")
        name = name.strip()
        if not equals or not name or not all(value.strip() for value in values.split(",")):
            raise Misuse(f"--over {word!r}: say name=a,b,c")
        if name in over:
            raise Misuse(f"--over {name} is given twice: say it once, with all its values")
        found = tuple(_number(value_of(value.strip())) for value in values.split(","))
        if len({(type(value), value) for value in found}) < len(found):
            raise Misuse(f"--over {word!r}: a value is there twice")
        over[name] = found
    return over


def _number(value: Value) -> Value:
    if isinstance(value, float) and not isfinite(value):
        raise Misuse(f"{value} is no number")
    return value


def sweep(
    plan: Plan,
    cells: Sequence[Cell],
    ledger: Ledger,
    spread: Spread,
    command: str,
    replay: Callable[[Cell], str],
    tell: Callable[[int, int, Ended | None], None] = lambda done, of, ended: None,
) -> Sweep:
    """Run what is missing of the plan's cells, join all. `tell` hears how many are there, and of each that ended."""
    missing = [cell for cell in cells if cell.key not in ledger.done]
    there = len(cells) - len(missing)
    failed: dict[str, FailedRun] = {}
    tell(there, len(cells), None)
    for cell, result, error in map(_kept, spread(missing) if missing else ()):
        there += 1
        if result is None:
            failed[cell.key] = FailedRun(dict(cell.overrides), cell.seed, error, replay(cell))
        else:
            ledger.add(cell, result)
        tell(there, len(cells), Ended(cell, result, error))
    return joined(plan, cells, ledger.done, failed, command, replay)


def _kept(end: Ended) -> Ended:
    """The same, unless the result holds numbers that are none: a file would lose them."""
    if end.result is not None:
        try:
            check(end.result)
        except Misuse as misuse:
            return Ended(end.cell, None, str(misuse))
    return end


def joined(
    plan: Plan,
    cells: Sequence[Cell],
    done: Mapping[str, Result],
    failed: Mapping[str, FailedRun],
    command: str,
    replay: Callable[[Cell], str],
) -> Sweep:
    """All that the cells came to, in the order of the plan."""
    by_choice: dict[tuple[tuple[str, Value], ...], list[Result]] = {}
    for cell in cells:
        if cell.key in done:
            by_choice.setdefault(cell.overrides, []).append(done[cell.key])
    results = [done[cell.key] for cell in cells if cell.key in done]
    points: list[Point] = [point(dict(choice), runs) for choice, runs in by_choice.items()]
    broken = tuple(
        BrokenIn(dict(cell.overrides), cell.seed, *one, replay=replay(cell))  # as asked now: a file may have been moved
        for cell in cells
        if cell.key in done
        for one in done[cell.key].broken
    )
    return Sweep(
        plan.scenario,
        command,
        plan.code,
        plan.seeds,
        dict(plan.over),
        _distinct(result.fidelity for result in results),
        _distinct(result.signatures for result in results),
        tuple(sorted({result.nodes for result in results})),
        tuple(sorted({result.windows for result in results})),
        tuple(points),
        broken,
        tuple(failed[cell.key] for cell in cells if cell.key in failed),
    )


def _distinct(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(words)))


# local processes


def local(jobs: int, runner: Runner) -> Spread:
    """Spread cells over processes of this machine, each a fresh interpreter (spawn)."""
    if not 1 <= jobs <= MOST_JOBS:
        raise Misuse(f"--jobs is 1 to {MOST_JOBS}")

    def spread(cells: Sequence[Cell]) -> Iterator[Ended]:
        left = iter(cells)
        while first := next(left, None):
            suspects: list[Cell] = []
            yield from _pool(jobs, runner, _chain(first, left), suspects)
            # A process died and took the pool with it; whose fault it was shows when each runs alone.
            for cell in suspects:
                yield from _alone(runner, cell)

    return spread


def _chain(first: Cell, rest: Iterator[Cell]) -> Iterator[Cell]:
    yield first
    yield from rest


def _executor(jobs: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"), initializer=settle_in)


def _pool(jobs: int, runner: Runner, cells: Iterator[Cell], suspects: list[Cell]) -> Iterator[Ended]:
    """Cells as they end; those that were under way when the pool broke are left in `suspects`."""
    pool = _executor(jobs)
    under_way: dict[Future[Result], Cell] = {}
    try:
        while not suspects:
            for cell in islice(cells, jobs * AHEAD - len(under_way)):
                try:
                    under_way[pool.submit(runner, cell)] = cell
                except BrokenProcessPool:
                    suspects.append(cell)
                    break
            if not under_way:
                break
            for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                cell = under_way.pop(future)
                if isinstance(future.exception(), BrokenProcessPool):
                    suspects.append(cell)
                else:
                    yield ended(cell, future)
        suspects += under_way.values()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _alone(runner: Runner, cell: Cell) -> Iterator[Ended]:
    with _executor(1) as pool:
        future = pool.submit(runner, cell)
        wait([future])
        if isinstance(future.exception(), BrokenProcessPool):
            yield Ended(cell, None, "its process ended without a word: killed, or out of memory")
        else:
            yield ended(cell, future)


def ended(cell: Cell, future: Future[Result]) -> Ended:
    """What a finished future came to."""
    error = future.exception()
    return Ended(cell, future.result(), "") if error is None else Ended(cell, None, said(error))


def said(error: BaseException) -> str:
    """An error in one line."""
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def settle_in() -> None:
    """In a new process: Ctrl-C ends it without a traceback, and it ends when the one that started it is gone."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
