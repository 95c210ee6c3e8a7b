"""The command line of what is kept: backup, restore, verify. As in node/cli.py, only parsing lives here."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from node import options
from node.failures import guarded

_FILE = click.Path(path_type=Path)


@click.command("backup")
@options.data
@click.argument("file", type=_FILE)
@click.option("--force", is_flag=True, help="Replace FILE if it exists.")
@click.option(
    "--without-key", is_flag=True, help="Leave out the key, and those of guests: only what is public goes in."
)
@options.as_json
@guarded
def backup(data: Path | None, file: Path, force: bool, without_key: bool, as_json: bool) -> int:
    """Copy everything that is kept into one FILE (a tar archive), while the node runs or not: stores, key, history,
    names, addresses. The key is in it as it is on the disk."""
    from node.commands.backup import backup as run

    return run(data=data, file=file, force=force, without_key=without_key, as_json=as_json)


@click.command("restore")
@options.data
@click.argument("file", type=_FILE)
@options.as_json
@guarded
def restore(data: Path | None, file: Path, as_json: bool) -> int:
    """Make an (empty) data directory out of a backup, after everything in it was verified. The key in it signs in the
    ledger from the next epoch on, for it may have signed since. Run it on one machine only."""
    from node.commands.backup import restore as run

    return run(data=data, file=file, as_json=as_json)


@click.command("verify")
@options.data
@options.as_json
@guarded
def verify(data: Path | None, as_json: bool) -> int:
    """Look at all that is kept, while the node runs or not: checksums, signatures and links of every entry, every other
    record, and the ledger worked out twice. Mends nothing; ends with 6 when something is damaged."""
    from node.commands.verify import run

    return run(data=data, as_json=as_json)


COMMANDS: Final = (backup, restore, verify)
