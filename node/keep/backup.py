"""Making a backup: stores first, each as of one moment, then the files beside them.

In this order because a history's rows are written before the store drops what they tell of (node/shell/journal.py):
rows too many are found out at the next start, rows too few would be missing.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from crdt.errors import OperatingFailure, Violation
from crdt.store.base import StoreDamaged
from crdt.store.keys import ENTRY
from crdt.store.records import items_in
from node.keep.archive import Writer, data_name, piece_name
from node.keep.belongings import belongings
from node.keep.hold import Hold, Source
from node.keep.manifest import FileKept, Manifest, StoreKept
from wallet import keystore

Progress = Callable[[str, int, int], None]  # what is being done, how many, of about how many (0: not known)
KeyState = Literal["passphrase", "open", "left-out", "none"]

PROGRESS_EVERY: Final = 16  # pieces


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that is in its place."""

    manifest: Manifest
    bytes: int
    digest: str


def make_backup(
    data_dir: Path, path: Path, now_us: int, version: str, replace: bool, with_key: bool, progress: Progress
) -> Made:
    """Write a backup of a data directory to a file, while a node runs there or not.

    `replace`: an existing file may be. `with_key`: keys go with it, as they are on the disk. OperatingFailure; then
    there is no new file, and an existing one is what it was.
    """
    _require_place(data_dir, path, replace)
    with Hold(data_dir) as hold:
        names = hold.names()
        keys = data_dir / "keys"
        found = keystore.look(keys) if keystore.exists(keys) else None
        if found is None and not names:
            why = f"no node has run in {data_dir}, and there is no key"
            raise OperatingFailure("there is nothing to back up", why, "Give its data directory: --data")
        state: KeyState = "none" if found is None else "passphrase" if found.is_locked else "open"
        with Writer(path, now_us // 1_000_000) as writer:
            stores = tuple(_add_store(hold, name, writer, progress) for name in names)
            manifest = Manifest(
                version=version,
                created_us=now_us,
                player=found.player.hex() if found else None,
                key=state if with_key or found is None else "left-out",
                stores=stores,
                files=tuple(_add_file(data_dir, one, writer) for one in belongings(data_dir, with_key)),
            )
            digest = writer.finish(manifest, replace)
    return Made(manifest, path.stat().st_size, digest)


def _require_place(data_dir: Path, path: Path, replace: bool) -> None:
    what = "no backup was made"
    if not replace and os.path.lexists(path):
        raise OperatingFailure(what, f"{path} exists", "Give another name, or --force to replace it")
    if path.is_dir():
        raise OperatingFailure(what, f"{path} is a directory", "Give the name of a file in it")
    if path.resolve().is_relative_to(data_dir.resolve()):
        why = f"{path} would lie in the data directory, and go where that goes"
        raise OperatingFailure(what, why, "Give a place elsewhere, best on another disk")


def _add_store(hold: Hold, name: str, writer: Writer, progress: Progress) -> StoreKept:
    with hold.source(name) as source:
        return _copied(source, writer, progress)


def _copied(source: Source, writer: Writer, progress: Progress) -> StoreKept:
    count = records = entries = 0
    for piece in source.pieces:
        try:
            items = items_in(piece)
        except Violation as error:
            why = f"a piece of {source.name} came garbled: {error}"
            raise StoreDamaged("no backup was made", why, "Try again; symjam verify looks at all of it") from error
        writer.add(piece_name(source.name, count), piece)
        count += 1
        records += len(items)
        entries += sum(key[:1] == ENTRY for key, _ in items)
        if count % PROGRESS_EVERY == 1:
            progress(f"copying {source.name}", entries, source.about)
    return StoreKept(
        name=source.name,
        network=source.network.hex(),
        pieces=count,
        records=records,
        entries=entries,
        root=source.running_root,
    )


def _add_file(data_dir: Path, name: str, writer: Writer) -> FileKept:
    path = data_dir / name
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            writer.add_file(data_name(name), file, size)
    except OSError as error:
        why = f"{path}: {error.strerror or error}"
        raise OperatingFailure("no backup was made", why, "Check who owns it, and try again") from error
    return FileKept(path=name, bytes=size)
