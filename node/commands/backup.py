"""`symjam backup` and `symjam restore`."""

from __future__ import annotations

import os
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from node.commands.common import as_json_line
from node.commands.keys import RESTORED
from node.commands.progress import Progress
from node.keep.backup import make_backup
from node.keep.manifest import Manifest
from node.keep.restore import restore_backup
from node.shell.config import default_data_dir

OPEN_KEY = (
    "the key in it is under no passphrase: whoever has this file has the key,",
    "and can spend what was earned.",
    "  symjam wallet passwd puts it under one; then make the backup again.",
    "  --without-key leaves it out.",
)
WITHOUT_KEY = ("the key is not in it: without its 24 words nobody will ever be this player",)
NO_KEY = ("there is no key in it: symjam wallet restore makes it of its words",)


def backup(data: Path | None, file: Path, force: bool, without_key: bool, as_json: bool) -> int:
    """Copy the data directory into one file, while the node runs or not."""
    data_dir = data or default_data_dir()
    with Progress() as progress:
        made = make_backup(data_dir, file, _now_us(), version("symjam"), force, not without_key, progress)
    if as_json:
        what = {"schema": "symjam.backup/1", "file": str(file), "bytes": made.bytes, "digest": made.digest}
        as_json_line({**what, **_contents(made.manifest)})
    else:
        click.echo(str(file))
        _say(made.manifest)
    for line in {"open": OPEN_KEY, "left-out": WITHOUT_KEY}.get(made.manifest.key, ()):
        click.echo(line, err=True)
    return 0


def restore(data: Path | None, file: Path, as_json: bool) -> int:
    """Make a data directory of a backup."""
    data_dir = data or default_data_dir()
    before = os.umask(0o077)  # LevelDB makes its files by it
    try:
        with Progress() as progress:
            done = restore_backup(file, data_dir, _now_us(), progress)
    finally:
        os.umask(before)
    if as_json:
        what = {"schema": "symjam.restore/1", "data_dir": str(data_dir), "digest": done.digest}
        as_json_line({**what, **_contents(done.manifest)})
    else:
        click.echo(str(data_dir))
        _say(done.manifest)
        click.echo("every signature, link and checksum was verified", err=True)
    has_key = done.manifest.key in ("passphrase", "open")
    for line in RESTORED if has_key else NO_KEY:
        click.echo(line, err=True)
    return 0


def _contents(manifest: Manifest) -> dict[str, Any]:
    """What both say of what is in a backup."""
    stores = [
        {"name": one.name, "network": one.network, "records": one.records, "entries": one.entries, "root": one.root}
        for one in manifest.stores
    ]
    about = {"created_us": manifest.created_us, "player": manifest.player, "key": manifest.key}
    return {**about, "stores": stores, "files": [file.path for file in manifest.files]}


def _say(manifest: Manifest) -> None:
    for store in manifest.stores:
        click.echo(f"{store.name}: {store.entries:,} entries, {store.records:,} records", err=True)
    click.echo(f"other files: {len(manifest.files)}", err=True)


def _now_us() -> int:
    return time.time_ns() // 1_000
