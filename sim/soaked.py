"""What `symjam sim soak` and `symjam sim shrink` show: a line for each run, what failed and how to have it again."""

from __future__ import annotations

import time
from typing import Final

import click
import msgspec

from sim.case import Case
from sim.result import Broken
from sim.shrink import shrink
from sim.soak import Line, Wish, play, soak

SHRINK_SCHEMA: Final = "symjam.sim.shrink/1"
BROKEN_SHOWN: Final = 3


def run_soak(wish: Wish, as_json: bool) -> int:
    """Run it, telling as it goes; 1 when anything failed."""

    def tell(line: Line) -> None:
        if as_json:
            click.echo(msgspec.json.encode(line))
        click.echo(words_of(line), err=as_json or not line.broken)

    lines = soak(wish, tell)
    failed = sum(1 for line in lines if line.broken)
    seconds = sum(line.figures["seconds"] for line in lines)
    faults = sum(line.figures["faults"] for line in lines)
    cpu_s = sum(line.cpu_s for line in lines)
    words = f"{len(lines)} runs, {seconds:,} s simulated in {cpu_s:,.0f} s of a processor, {faults:,} faults"
    click.echo(f"{words}: {failed} failed" if failed else f"{words}: none failed", err=as_json)
    return 1 if failed else 0


def words_of(line: Line) -> str:
    """One run."""
    case, figures = line.case, line.figures
    what = f"seed {case.seed}: {case.nodes} nodes, {figures['seconds']} s, {figures['faults']} faults"
    what += f", {figures['entries']} entries, {figures['accepted']} of {figures['blocks']} blocks accepted"
    if not line.broken:
        return f"{what}: fine ({line.cpu_s} s)"
    found = [f"  {at_words(broken)}" for broken in line.broken[:BROKEN_SHOWN]]
    return "\n".join([f"{what}: FAILED", *found, f"  again: {line.replay}"])


def at_words(broken: Broken) -> str:
    """What was found, and when."""
    return f"{broken.at_us / 1_000_000:.3f} s: {broken.invariant}: {broken.words}"


def run_shrink(case: Case, tries: int, seconds: float, as_json: bool) -> int:
    """Make a case smaller and say what is left of it; 1 when nothing is broken in it."""
    began_s = time.monotonic()

    def fails(tried: Case) -> Broken | None:
        if time.monotonic() > began_s + seconds:
            return None
        found = next(iter(play(tried).broken), None)
        outcome = "holds" if found is None else found.invariant
        click.echo(f"{tried.nodes} nodes, {tried.seconds} s, {len(tried.plan())} faults: {outcome}", err=True)
        return found

    broken = fails(case)
    if broken is None:
        click.echo("symjam: nothing is broken in this run, so there is nothing to make smaller", err=True)
        return 1
    small = shrink(case, broken, fails, tries)
    if as_json:
        told = {
            "schema": SHRINK_SCHEMA,
            "tries": small.tries,
            "broken": small.broken._asdict(),
            "replay": small.case.replay(),
            "faults": [fault.words() for fault in small.case.plan()],
        }
        click.echo(msgspec.json.encode(told))
        return 0
    click.echo(f"after {small.tries} tries: {small.case.nodes} nodes, {small.case.seconds} s")
    for fault in small.case.plan():
        click.echo(f"  {fault.words()}")
    click.echo(f"  {at_words(small.broken)}\nagain: {small.case.replay()}")
    return 0
