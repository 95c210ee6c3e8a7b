"""`symjam sim`: what a researcher or an engineer types. Only parsing lives here; what a command does is imported when
it runs, so that `symjam --help` answers at once. node/cli.py finds this module by its name.

`run` ends with 1 when a law was broken, a figure is not as the scenario expects it, or the nodes did not become one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from node.failures import guarded

KINDS: Final = ("real", "shared", "cheap")
BROKEN_SHOWN: Final = 10


@click.group()
def sim() -> None:
    """The simulator: many nodes, every fault, every cheat, from one seed."""


@sim.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with a schema name.")
@guarded
def list_command(as_json: bool) -> int:
    """The scenarios that there are."""
    from sim.said import listing, listing_words

    if as_json:
        import msgspec

        click.echo(msgspec.json.encode(listing()))
    else:
        click.echo(listing_words(), nl=False)
    return 0


@sim.command()
@click.argument("scenario")
@click.option("--nodes", type=click.IntRange(1, 100_000), help="How many players (default: as the scenario says).")
@click.option(
    "--seed", type=click.IntRange(0, 2**63), default=1, show_default=True, help="Where all chance comes from."
)
@click.option("--windows", type=click.IntRange(1, 10_000), help="How many windows are played.")
@click.option("--signatures", type=click.Choice(KINDS), help="Real; real, verified once for all nodes; or stand-ins.")
@click.option("--set", "sets", multiple=True, metavar="PLACE=VALUE", help="Anything else in the file (repeatable).")
@click.option(
    "--trace", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Every input, a line each."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, with a schema name.")
@guarded
def run(
    scenario: str,
    nodes: int | None,
    seed: int,
    windows: int | None,
    signatures: str | None,
    sets: tuple[str, ...],
    trace: Path | None,
    as_json: bool,
) -> int:
    """Play a scenario: one of `symjam sim list`, or a TOML file of your own."""
    from sim.said import play
    from sim.scenario import load, parse_settings

    given = {"nodes": nodes, "windows": windows, "signatures": signatures}
    settings = {place: value for place, value in given.items() if value is not None} | parse_settings(sets)
    result, words = play(load(scenario, settings), seed, trace)
    if as_json:
        import msgspec

        click.echo(msgspec.json.encode(result))
    else:
        click.echo(words)
    for broken in result.broken[:BROKEN_SHOWN]:
        click.echo(f"symjam: {broken.at_us / 1_000_000:.3f} s: {broken.invariant}: {broken.words}", err=True)
    if result.broken:
        click.echo(f"  again: {result.replay}", err=True)
    return 1 if result.broken else 0


@sim.command()
@click.argument("scenario")
@click.option("--seeds", type=click.IntRange(1, 100_000), default=20, show_default=True, help="How many runs of each.")
@click.option("--seed", type=click.IntRange(0, 2**63), default=1, show_default=True, help="The first of the seeds.")
@click.option("--over", multiple=True, metavar="PLACE=A,B,C", help="Run with each of these values (repeatable).")
@click.option("--nodes", type=click.IntRange(1, 100_000), help="How many players (default: as the scenario says).")
@click.option("--windows", type=click.IntRange(1, 10_000), help="How many windows are played.")
@click.option("--signatures", type=click.Choice(KINDS), help="Real; real, verified once for all nodes; or stand-ins.")
@click.option("--set", "sets", multiple=True, metavar="PLACE=VALUE", help="Anything else in the file (repeatable).")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where results and report are kept (default: sweep-SCENARIO here).",
)
@click.option("--jobs", type=click.IntRange(1, 256), help="Processes (default: one for each core).")
@click.option("--cluster", metavar="ADDRESS", help="Run on this Dask scheduler instead, for example tcp://HOST:8786.")
@click.option("--json", "as_json", is_flag=True, help="Print what it came to as JSON, with a schema name.")
@guarded
def sweep(
    scenario: str,
    seeds: int,
    seed: int,
    over: tuple[str, ...],
    nodes: int | None,
    windows: int | None,
    signatures: str | None,
    sets: tuple[str, ...],
    out: Path | None,
    jobs: int | None,
    cluster: str | None,
    as_json: bool,
) -> int:
    """Run a scenario with many seeds and parameters: means with their 95% intervals, and a page.

    Interrupted, the same command goes on where it stopped.
    """
    from sim.scenario import parse_settings
    from sim.sweep_command import Asked, sweep_command

    given = {"nodes": nodes, "windows": windows, "signatures": signatures}
    settings = {place: value for place, value in given.items() if value is not None} | parse_settings(sets)
    return sweep_command(Asked(scenario, seeds, seed, over, settings, out), jobs, cluster, as_json)


@sim.command()
@click.argument("result", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="Where the page goes (default: beside the result)."
)
@click.option("--json", "as_json", is_flag=True, help="Print the page's place as JSON, with a schema name.")
@guarded
def report(result: Path, out: Path | None, as_json: bool) -> int:
    """The page of a result: a file from `symjam sim run --json`, or a sweep's directory."""
    from sim.sweep_command import report_command

    return report_command(result, out, as_json)


@sim.command()
@click.option("--seconds", type=click.FloatRange(0), help="For how long, if --runs does not end it (default: 60).")
@click.option("--runs", type=click.IntRange(1), help="How many, each from the next seed.")
@click.option("--seed", type=click.IntRange(0, 2**63), default=1, show_default=True, help="Of the first.")
@click.option("--nodes", type=click.IntRange(1, 1_000), help="In each (default: 2 to 16).")
@click.option("--hours", type=click.FloatRange(0.01, 24), help="Of simulated time, by the rules that rooms use.")
@click.option("--jobs", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Keep results; go on from them."
)
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for each, with a schema name.")
@guarded
def soak(
    seconds: float | None,
    runs: int | None,
    seed: int,
    nodes: int | None,
    hours: float | None,
    jobs: int,
    out: Path | None,
    as_json: bool,
) -> int:
    """Random scenarios with every fault, one after another; what fails is printed with the command that replays it."""
    from sim.soak import Wish
    from sim.soaked import run_soak

    return run_soak(Wish(seed, seconds, runs, nodes, hours, jobs, out), as_json)


@sim.command()
@click.argument("scenario")
@click.option("--nodes", type=click.IntRange(1, 2_000), help="As for `sim run`.")
@click.option("--seed", type=click.IntRange(0, 2**63), default=1, show_default=True, help="As for `sim run`.")
@click.option("--windows", type=click.IntRange(1, 10_000), help="As for `sim run`.")
@click.option("--signatures", type=click.Choice(KINDS), help="As for `sim run`.")
@click.option("--set", "sets", multiple=True, metavar="PLACE=VALUE", help="As for `sim run` (repeatable).")
@click.option("--tries", type=click.IntRange(1, 10_000), default=200, show_default=True, help="At most so many runs.")
@click.option("--seconds", type=click.FloatRange(0), default=600.0, show_default=True, help="At most so long.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with a schema name.")
@guarded
def shrink(
    scenario: str,
    nodes: int | None,
    seed: int,
    windows: int | None,
    signatures: str | None,
    sets: tuple[str, ...],
    tries: int,
    seconds: float,
    as_json: bool,
) -> int:
    """Make a failing run smaller: say what `symjam sim run` was given.

    For `soak` and every scenario with engines, your own files too: fewer people, windows and faults that still break
    the same law. An economy has nothing that could be left out one by one; run it with fewer players and windows.
    """
    from sim.scenario import load, parse_settings
    from sim.shrunk import run_shrink

    given = {"nodes": nodes, "windows": windows, "signatures": signatures}
    settings = {place: value for place, value in given.items() if value is not None} | parse_settings(sets)
    return run_shrink(load(scenario, settings), seed, tries, seconds, as_json)
