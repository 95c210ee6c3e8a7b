"""The command line: `symjam`. Only parsing lives here; what a command does is imported when it runs.

`--help` must answer at once, so neither libp2p nor trio nor the engine is imported before a command needs it.
Exit codes are in node/failures.py.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Final

import click

from node import options
from node.failures import guarded, told
from node.keeping_cli import COMMANDS as KEEPING
from node.operator_cli import COMMANDS
from node.wallet_cli import wallet

SIMULATOR: Final = "sim.cli"  # of the room above this one: found by its name, and only when it is asked for

_FOR_A_PROGRAM: Final = "symjam.for_a_program"  # key of click's meta: whether `--json` was asked for

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Commands(click.Group):
    """The commands of this module, and the simulator's."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """See click."""
        return [*super().list_commands(ctx), "sim"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """See click."""
        if cmd_name != "sim":
            return super().get_command(ctx, cmd_name)
        found = import_module(SIMULATOR).sim
        assert isinstance(found, click.Group)
        return found

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See click."""
        ctx.meta[_FOR_A_PROGRAM] = "--json" in args
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """See click, which says on standard error how a command is used; a program is told by an object too."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            if ctx.meta[_FOR_A_PROGRAM]:
                told(error)
            raise


@click.group(cls=Commands, context_settings=CONTEXT)
@click.version_option(package_name="symjam", prog_name="symjam")
def main() -> None:
    """Play music together in one room, without a server, and be paid for what you really played."""


@main.command()
@options.node_settings
@options.passphrase_fd
@options.as_json
@guarded
def up(
    data: Path | None,
    preset: str,
    room: str,
    interfaces: tuple[str, ...],
    port: int,
    page_port: int,
    peers: tuple[str, ...],
    websocket_port: int | None,
    no_mdns: bool,
    founders: Path | None,
    checkpoint: str | None,
    refused: tuple[str, ...],
    guests: bool,
    passphrase_fd: int | None,
    as_json: bool,
) -> int:
    """Start a node: find peers, serve the page, keep the ledger. Ctrl-C ends it."""
    from node import settings
    from node.commands.up import run

    return run(
        origins=settings.origins(click.get_current_context()),
        data=data,
        preset=preset,
        room=room,
        interfaces=interfaces,
        port=port,
        page_port=page_port,
        peers=peers,
        mdns=not no_mdns,
        websocket_port=websocket_port,
        founders=founders,
        checkpoint=checkpoint,
        refused=refused,
        guests=guests,
        passphrase_fd=passphrase_fd,
        as_json=as_json,
    )


@main.command()
@options.data
@click.option("--midi", type=click.Path(path_type=Path), help="Play this MIDI file, in real time, into the jam.")
@click.option(
    "--synthetic",
    type=click.IntRange(1, 3600),
    metavar="SECONDS",
    help="Play a made-up performance of this length, labelled as such.",
)
@click.option("--seconds", type=click.IntRange(1, 36_000), help="Play only this much of it.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the made-up performance.")
@click.option("--quantise", is_flag=True, help="Put every note on the grid first: shows how a machine is told apart.")
@click.option("--title", help="Title of the jam (default: the file's name).")
@click.option("--join", is_flag=True, help="Play into the jam that is on, instead of opening one.")
@click.option(
    "--chart",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Share a chart of this MIDI file with the jam; plays nothing.",
)
@click.option("--lanes", type=click.IntRange(4, 10), default=10, show_default=True, help="Of the chart.")
@click.option("--players", type=click.IntRange(1, 8), default=1, show_default=True, help="At least so many parts.")
@click.option("--level", type=click.Choice(["easy", "medium", "hard"]), default="medium", show_default=True)
@options.as_json
@guarded
def jam(
    data: Path | None,
    midi: Path | None,
    synthetic: int | None,
    seconds: int | None,
    seed: int,
    quantise: bool,
    title: str | None,
    join: bool,
    chart: Path | None,
    lanes: int,
    players: int,
    level: str,
    as_json: bool,
) -> int:
    """Play into the running node; without a file, print the address of the page to play on."""
    if chart is not None:
        from node.commands.chart import share

        return share(data, chart, {"title": title, "lanes": lanes, "players": players, "level": level}, as_json)
    from node.commands.jam import run

    return run(
        data=data,
        midi=midi,
        synthetic_s=synthetic,
        seconds=seconds,
        seed=seed,
        quantise=quantise,
        title=title,
        join=join,
        as_json=as_json,
    )


@main.command()
@options.data
@options.as_json
@guarded
def status(data: Path | None, as_json: bool) -> int:
    """What the running node is doing: peers, jam, blocks, and everything it refused."""
    from node.commands.status import run

    return run(data=data, as_json=as_json)


@main.command()
@options.data
@options.as_json
@guarded
def watch(data: Path | None, as_json: bool) -> int:
    """Who is here, what they play, blocks and the clock, live in the terminal. Ctrl-C ends it."""
    from node.commands.watch import run

    return run(data=data, as_json=as_json)


@main.command()
@options.data
@options.as_json
@guarded
def peers(data: Path | None, as_json: bool) -> int:
    """The players that the running node is linked with: where, how fast, how well, and how far in step."""
    from node.commands.peers import run

    return run(data=data, as_json=as_json)


@main.command()
@options.data
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@options.as_json
@guarded
def blocks(data: Path | None, limit: int, as_json: bool) -> int:
    """Blocks and what became of them, and of this player's own windows, with every reason."""
    from node.commands.blocks import run

    return run(data=data, limit=limit, as_json=as_json)


@main.command()
@options.data
@click.argument("what", type=click.Choice(["verdict", "reward", "refusal", "balance", "operation"]))
@click.argument("about", metavar="[ID]", default="")
@options.as_json
@guarded
def explain(data: Path | None, what: str, about: str, as_json: bool) -> int:
    """Why a block was accepted or not (verdict), what it is paid, term by term (reward); why a window of yours brought
    no block (refusal); how a balance comes about; how something you signed stands (operation).

    ID: of the block or entry, or how it begins; the window of a refusal (default: the latest); none for a balance.
    """
    from node.commands.explain import run

    return run(data=data, what=what, about=about, as_json=as_json)


@main.command()
@options.data
@options.as_json
@guarded
def stop(data: Path | None, as_json: bool) -> int:
    """End the running node cleanly."""
    from node.commands.stop import run

    return run(data=data, as_json=as_json)


main.add_command(wallet)
for command in (*COMMANDS, *KEEPING):
    main.add_command(command)


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--known", multiple=True, type=click.Path(path_type=Path), help="Something played before (repeatable).")
@click.option(
    "--preset",
    type=click.Choice(["main", "small"]),
    default="main",
    show_default=True,
    help="By whose rules: windows of 120 s, or of 10 s.",
)
@click.option("--explain", is_flag=True, help="Say what each number means, and what would change it.")
@options.as_json
@guarded
def quality(file: Path, known: tuple[Path, ...], preset: str, explain: bool, as_json: bool) -> int:
    """What the windows of a MIDI file are worth: the six measures, as verifiers work them out."""
    from node.commands.quality import run

    return run(file=file, known=known, preset_name=preset, explain=explain, as_json=as_json)


@main.command()
@click.option("--nodes", type=click.IntRange(2, 16), default=4, show_default=True, help="How many node processes.")
@click.option("--play", type=click.Path(path_type=Path), help="A MIDI file (default: a made-up performance).")
@click.option(
    "--blocks",
    "wanted",
    type=click.IntRange(1, 1000),
    default=3,
    show_default=True,
    help="How many accepted blocks make it a success.",
)
@click.option("--seconds", type=click.IntRange(20, 3600), help="Stop playing after this long.")
@click.option("--kill", is_flag=True, help="Kill -9 one node while playing, and start it again.")
@click.option("--trials", is_flag=True, help="Then play 35 s of it again, and quantised: both must be refused.")
@click.option("--keep", is_flag=True, help="Keep the nodes' data directories, and print where they are.")
@options.as_json
@guarded
def demo(
    nodes: int, play: Path | None, wanted: int, seconds: int | None, kill: bool, trials: bool, keep: bool, as_json: bool
) -> int:
    """Separate nodes on this machine: they meet, one plays, blocks are attested and paid."""
    from node.commands.demo import run

    return run(
        nodes=nodes, play=play, wanted=wanted, seconds=seconds, kill=kill, trials=trials, keep=keep, as_json=as_json
    )
