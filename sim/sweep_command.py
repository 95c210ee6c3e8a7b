"""`symjam sim sweep` and `symjam sim report`: what their options mean, their progress, what they say at the end."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from crdt.errors import Misuse
from sim import scenario
from sim.cells import Cell, Ledger, Plan, code_hash
from sim.joined import Sweep
from sim.report import files
from sim.report.view import said
from sim.result import Result
from sim.scenario import Scenario, Value
from sim.shapes import ReportPage
from sim.sweep import Ended, Spread, local, parse_over, sweep

REPLAYS_SHOWN: Final = 10


def run_cell(cell: Cell) -> Result:
    """One run, in whatever process this is."""
    from sim.run import run

    return run(cell.what, cell.seed)


class Asked(NamedTuple):
    """What was typed, but for what changes nothing about the result."""

    name: str
    seeds: int
    first: int
    over: tuple[str, ...]
    settings: dict[str, Value]
    out: Path | None

    def command(self) -> str:
        """What gives the same again, whatever the number of processes was."""
        varied = [word for one in self.over for word in ("--over", one)]
        words = ["symjam", "sim", "sweep", self.name, "--seeds", str(self.seeds), "--seed", str(self.first)]
        return shlex.join([*words, *varied, *_sets(self.settings), *(["--out", str(self.out)] if self.out else [])])

    def replay(self, cell: Cell) -> str:
        """What runs one of the cells by itself."""
        words = ["symjam", "sim", "run", self.name, "--seed", str(cell.seed)]
        return shlex.join([*words, *_sets({**self.settings, **dict(cell.overrides)})])

    def load(self, choice: dict[str, Value]) -> Scenario:
        """The scenario with a choice of what varies."""
        return scenario.load(self.name, {**self.settings, **choice})


def sweep_command(asked: Asked, jobs: int | None, cluster: str | None, as_json: bool) -> int:
    """Run it, write its report; 1 when an invariant did not hold or a run came to nothing."""
    over = parse_over(asked.over)
    twice = sorted(over.keys() & asked.settings.keys())
    if twice:
        raise Misuse(f"{', '.join(twice)}: given with --over and as one value too; leave one of them out")
    code, told = code_hash(), asked.load({})
    plan = Plan(asked.name, tuple(range(asked.first, asked.first + asked.seeds)), over, code, asked.load)
    cells = plan.cells()
    directory = asked.out or Path(f"sweep-{told.name}")
    spread = _spread(cluster, jobs, code)
    with Ledger(directory) as ledger:
        _greet(told.name, cells, ledger, directory)
        try:
            with _progress(told.name) as tell:
                found = sweep(plan, cells, ledger, spread, asked.command(), asked.replay, tell)
        except KeyboardInterrupt:
            there = sum(cell.key in ledger.done for cell in cells)
            click.echo(f"stopped: {there:,} of {len(cells):,} are kept; the same command does the others", err=True)
            return 130
        page = files.write(found, directory, f"{told.title}. {told.about}")
    _say(found, page, as_json)
    return 1 if found.broken or found.failed else 0


def report_command(source: Path, out: Path | None, as_json: bool) -> int:
    """The report of a result that was kept."""
    subject = files.read(source)
    directory = out or (source if source.is_dir() else source.parent / f"report-{source.stem}")
    page = files.write(subject, directory, _about(subject.scenario))
    if as_json:
        click.echo(msgspec.json.encode(ReportPage(str(page))).decode())
    else:
        click.echo(page)
    return 0


def _about(name: str) -> str:
    """What one of the scenarios that come with the program says of itself; nothing of a file's of the user's."""
    if name not in scenario.names():
        return ""
    told = scenario.load(name)
    return f"{told.title}. {told.about}"


def _spread(cluster: str | None, jobs: int | None, code: str) -> Spread:
    if cluster is None:
        return local(jobs or os.cpu_count() or 1, run_cell)
    from sim.cluster import on_cluster

    return on_cluster(cluster, run_cell, code)


def _sets(settings: dict[str, Value]) -> list[str]:
    return [word for place, value in settings.items() for word in ("--set", f"{place}={_word(value)}")]


def _word(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _greet(name: str, cells: Sequence[Cell], ledger: Ledger, directory: Path) -> None:
    there = sum(cell.key in ledger.done for cell in cells)
    words = f"{len(cells):,} runs of {name}, results in {directory}"
    if there:
        words += f"; {there:,} are there already"
    others = len(ledger.done) - there
    if others:
        words += f" ({others:,} more there are of other parameters, seeds or sources, and are left alone)"
    if ledger.unreadable:
        words += f"; {ledger.unreadable:,} lines there are no results and are not used"
    click.echo(words, err=True)


@contextmanager
def _progress(name: str) -> Iterator[Callable[[int, int, Ended | None], None]]:
    """A bar on a terminal, a line for what failed anywhere."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(name, total=None)

        def tell(done: int, of: int, ended: Ended | None) -> None:
            bar.update(task, completed=done, total=of)
            if ended is None:
                return
            where = said(dict(ended.cell.overrides), ended.cell.seed)
            if ended.result is None:
                bar.console.print(f"{where}: no result: {ended.error}", markup=False, highlight=False)
            elif ended.result.broken:
                bar.console.print(
                    f"{where}: {ended.result.broken[0].invariant} did not hold", markup=False, highlight=False
                )

        yield tell


def _say(found: Sweep, page: Path, as_json: bool) -> None:
    replays = list(dict.fromkeys([*(run.replay for run in found.failed), *(run.replay for run in found.broken)]))
    for replay in replays[:REPLAYS_SHOWN]:
        click.echo(f"again: {replay}", err=True)
    if len(replays) > REPLAYS_SHOWN:
        click.echo(f"and {len(replays) - REPLAYS_SHOWN} more, in the report", err=True)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        click.echo(f"the report is {page}", err=True)
    else:
        click.echo(page)
