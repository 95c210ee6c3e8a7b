"""What `symjam sim soak` shows: a line for each run, what failed and how to have it again."""

from __future__ import annotations

from typing import Final

import click
import msgspec

from sim.result import Broken
from sim.soak import Line, Wish, soak

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
