"""Options that many commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from node.failures import PENDING

Command = Callable[..., Any]


def data(command: Command) -> Command:
    """Whose data directory."""
    return click.option(
        "--data",
        type=click.Path(path_type=Path, file_okay=False),
        envvar="SYMJAM_DATA_DIR",
        help="The node's data directory (default: the platform's).",
    )(command)


def as_json(command: Command) -> Command:
    """For programs."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, with a schema name.")(command)


def passphrase_fd(command: Command) -> Command:
    """A passphrase for programs."""
    return click.option(
        "--passphrase-fd",
        type=click.IntRange(0, 65_535),
        metavar="N",
        help="Read the passphrase from this file descriptor, one line, instead of asking.",
    )(command)


def words_fd(command: Command) -> Command:
    """The words for programs."""
    return click.option(
        "--words-fd",
        type=click.IntRange(0, 65_535),
        metavar="N",
        help="The 24 words by this file descriptor, in one line, instead of the terminal.",
    )(command)


_OF_A_NODE = (
    click.option(
        "--preset",
        type=click.Choice(["main", "small"]),
        default="main",
        show_default=True,
        help="Rules of the network; `small` has 10 s windows, for trying things out.",
        envvar="SYMJAM_PRESET",
    ),
    click.option(
        "--room",
        default="",
        metavar="NAME",
        help="Meet only nodes that were given the same room name.",
        envvar="SYMJAM_ROOM",
    ),
    click.option(
        "--interface",
        "interfaces",
        multiple=True,
        metavar="ADDRESS",
        help="Listen on this address only (repeatable; default: every usable interface).",
        envvar="SYMJAM_INTERFACES",
    ),
    click.option(
        "--port",
        type=click.IntRange(0, 65535),
        default=0,
        help="Port of the mesh (default: any free one).",
        envvar="SYMJAM_PORT",
    ),
    click.option(
        "--page-port",
        type=click.IntRange(0, 65535),
        default=0,
        help="Port of the page (default: any free one).",
        envvar="SYMJAM_PAGE_PORT",
    ),
    click.option(
        "--peer",
        "peers",
        multiple=True,
        metavar="ADDRESS",
        help="Also link to this peer: multiaddr or ws:// (repeatable).",
        envvar="SYMJAM_PEERS",
    ),
    click.option(
        "--websocket",
        "websocket_port",
        type=click.IntRange(0, 65535),
        metavar="PORT",
        help="Also take links by WebSocket, at this port (0: any free one).",
        envvar="SYMJAM_WEBSOCKET_PORT",
    ),
    click.option("--no-mdns", is_flag=True, help="Do not look for peers by multicast.", envvar="SYMJAM_NO_MDNS"),
    click.option(
        "--founders",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="Public keys of the network's founders, one a line: other founders, another network.",
        envvar="SYMJAM_FOUNDERS",
    ),
    click.option(
        "--checkpoint",
        metavar="DIGEST",
        help="A new node starts from this final checkpoint (64 hex digits).",
        envvar="SYMJAM_CHECKPOINT",
    ),
    click.option(
        "--refuse",
        "refused",
        multiple=True,
        metavar="PLAYER",
        help="Never judge what this player proposes (repeatable).",
        envvar="SYMJAM_REFUSED",
    ),
    click.option(
        "--guests",
        is_flag=True,
        help="Let guests on this Wi-Fi play through this node: prints a code to scan.",
        envvar="SYMJAM_GUESTS",
    ),
)


def data_and_file(command: Command) -> Command:
    """Whose data directory, with the settings in it."""
    return click.option(
        "--data",
        type=click.Path(path_type=Path, file_okay=False),
        envvar="SYMJAM_DATA_DIR",
        is_eager=True,
        callback=_with_file,
        help="The node's data directory (default: the platform's).",
    )(command)


def node_settings(command: Command) -> Command:
    """With what a node is started: on the command line, in the environment, in the file of its data directory."""
    for option in reversed(_OF_A_NODE):
        command = option(command)
    return data_and_file(command)


def _with_file(context: click.Context, _: click.Parameter, data_dir: Path | None) -> Path | None:
    from crdt.errors import OperatingFailure
    from node.settings import read
    from node.shell.config import default_data_dir

    try:
        read(context, data_dir or default_data_dir())
    except OperatingFailure as failure:  # said by the command, which knows how
        context.meta[PENDING] = failure
    return data_dir
