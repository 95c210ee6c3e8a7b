"""What the simulator's commands show: scenarios as a list, a run's progress, a result in words."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from textwrap import fill
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from crdt.errors import OperatingFailure
from sim import run
from sim.case import NAME as SOAK
from sim.case import Case
from sim.economy.plan import Plan
from sim.result import Result
from sim.scenario import Scenario, load, names
from sim.shapes import Described, Scenarios

WIDTH: Final = 100
SIGNATURES: Final = {
    "real": "real, verified by every node",
    "shared": "real, each verified once for all nodes of this process",
    "cheap": "STAND-INS, not Ed25519 (sim/crypto.py)",
    "none": "none: in an economy nobody sends anything",
}


def listing() -> Scenarios:
    """All scenarios."""
    return Scenarios([_described(load(name)) for name in [*names(), SOAK]])


def _described(scenario: Scenario) -> Described:
    setup = scenario.setup
    if isinstance(setup, Plan):
        players, signatures, who = setup.players, "none", {group.name for group in setup.groups}
    elif isinstance(setup, Case):
        players, signatures, who = setup.nodes, "shared", {"honest"}
    else:
        players, signatures = setup.nodes, setup.signatures
        who = {str(table.__struct_config__.tag) for table in setup.people}
    return Described(
        name=scenario.name,
        title=scenario.title,
        about=" ".join(scenario.about.split()),
        fidelity=scenario.fidelity,
        nodes=players,
        windows=setup.windows,
        preset=setup.preset,
        signatures=signatures,
        who=sorted(who),
    )


def listing_words() -> str:
    """All scenarios, for a person."""
    parts = []
    for told in listing().scenarios:
        facts = f"{told.fidelity}, {told.nodes:,} players, {told.windows} windows ({told.preset})"
        about = fill(told.about, WIDTH, initial_indent="    ", subsequent_indent="    ")
        head = f"{told.name}: {told.title}\n    {facts}, signatures {told.signatures}; {', '.join(told.who)}"
        parts.append(f"{head}\n{about}\n")
    return "\n".join(parts)


def play(scenario: Scenario, seed: int, trace_path: Path | None) -> tuple[Result, str]:
    """Run a scenario, with progress where stderr is a terminal: the result, and its words."""
    with _file(trace_path) as file, _progress(sys.stderr.isatty()) as progress:
        task = progress.add_task(f"{scenario.name}, seed {seed}", total=None, deliveries=0)

        def tell(far: run.Progress) -> None:
            progress.update(task, completed=far.done_us, total=far.of_us, deliveries=far.deliveries)

        result = run.run(scenario, seed, file, tell)
    return result, words(scenario, result)


def _file(path: Path | None) -> Any:
    if path is None:
        return nullcontext(None)
    try:
        return path.open("w", encoding="ascii", newline="\n")
    except OSError as error:
        raise OperatingFailure(f"no trace can be written to {path}", error.strerror or str(error)) from None


def _progress(shown: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[deliveries]:,} deliveries"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        refresh_per_second=1,
        transient=True,
        disable=not shown,
    )


def words(scenario: Scenario, result: Result) -> str:
    """A result for a person: what was run, how, and every figure."""
    lines = [
        f"{result.scenario}: {scenario.title}",
        f"{result.fidelity}, seed {result.seed}, {result.nodes:,} players, {result.windows} windows",
        f"signatures: {SIGNATURES[result.signatures]}",
        "",
    ]
    width = max(map(len, result.figures), default=0)
    lines += [f"  {name:{width}}  {_figure(value)}" for name, value in result.figures.items()]
    if result.fingerprint:
        lines += ["", f"fingerprint {result.fingerprint}"]
    verdict = f"{len(result.broken)} things were not as they have to be" if result.broken else "nothing was broken"
    return "\n".join([*lines, verdict, f"again: {result.replay}"])


def _figure(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}" if abs(value) < 1_000 else f"{value:,.0f}"
