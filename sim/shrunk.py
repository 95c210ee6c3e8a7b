"""What `symjam sim shrink` shows: each try as it is made, then what is left and the command that runs it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, NamedTuple

import click
import msgspec

from crdt.errors import Misuse
from sim.case import Case
from sim.economy.plan import Plan
from sim.faults import Fault
from sim.lessen import first_broken, lessen
from sim.result import Broken
from sim.run import replay
from sim.scenario import Scenario
from sim.setup import Setup
from sim.shapes import BrokenLaw, Shrunk
from sim.shrink import shrink
from sim.soak import play
from sim.soaked import at_words

NOTHING: Final = "symjam: nothing is broken in this run, so there is nothing to make smaller"


class Left(NamedTuple):
    """What is left, in words."""

    tries: int
    broken: Broken
    size: str
    faults: tuple[Fault, ...]
    replay: str


def run_shrink(scenario: Scenario, seed: int, tries: int, seconds: float, as_json: bool) -> int:
    """Make a failing run smaller and say what is left of it; 1 when nothing is broken in it."""
    ends_s = time.monotonic() + seconds

    def is_over() -> bool:
        return time.monotonic() > ends_s

    if isinstance(scenario.setup, Plan):
        raise Misuse(
            f"{scenario.name} is an economy, where no single fault or node can be left out by itself: run it with fewer"
            " players and windows (symjam sim run), or over several values (symjam sim sweep, --over)"
        )
    left = _of_soak(scenario.setup, seed, tries, is_over) if isinstance(scenario.setup, Case) else None
    if left is None and isinstance(scenario.setup, Setup):
        left = _of_scenario(scenario, seed, tries, is_over)
    if left is None:
        click.echo(NOTHING, err=True)
        return 1
    _say(left, as_json)
    return 0


def _of_soak(case: Case, seed: int, tries: int, is_over: Callable[[], bool]) -> Left | None:
    whole = msgspec.structs.replace(case, seed=seed)

    def fails(tried: Case) -> Broken | None:
        return None if is_over() else _told(_size(tried), next(iter(play(tried).broken), None))

    broken = fails(whole)
    if broken is None:
        return None
    small = shrink(whole, broken, fails, tries)
    return Left(small.tries, small.broken, _size(small.case), small.case.plan(), small.case.replay())


def _of_scenario(scenario: Scenario, seed: int, tries: int, is_over: Callable[[], bool]) -> Left | None:
    def fails(tried: Scenario) -> Broken | None:
        return None if is_over() else _told(_size(tried.setup), first_broken(tried, seed, is_over))

    broken = fails(scenario)
    if broken is None:
        return None
    small = lessen(scenario, seed, broken, fails, tries)
    setup = small.scenario.setup
    faults = setup.plan(seed) if isinstance(setup, Setup) else ()
    return Left(small.tries, small.broken, _size(setup), faults, replay(small.scenario, seed))


def _size(setup: Setup | Plan | Case) -> str:
    if isinstance(setup, Case):
        return f"{setup.nodes} nodes, {setup.seconds} s, {len(setup.plan())} faults"
    return f"{setup.nodes} nodes, {setup.windows} windows" if isinstance(setup, Setup) else ""


def _told(size: str, found: Broken | None) -> Broken | None:
    click.echo(f"{size}: {'holds' if found is None else found.invariant}", err=True)
    return found


def _say(left: Left, as_json: bool) -> None:
    if as_json:
        told = Shrunk(left.tries, BrokenLaw(*left.broken), left.replay, [fault.words() for fault in left.faults])
        click.echo(msgspec.json.encode(told))
        return
    click.echo(f"after {left.tries} tries: {left.size}")
    for fault in left.faults:
        click.echo(f"  {fault.words()}")
    click.echo(f"  {at_words(left.broken)}\nagain: {left.replay}")
