"""Options that many commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

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
