"""Putting a new store in the place of an old one, which is kept: for recovery after damage, and for upgrades.

The new one is built beside, under another name. Two renames then put it in place:

    path -> path.<kind>-<n>         the original, untouched
    path.rebuilt -> path

A crash before the first rename leaves everything to be done again; one between the two is finished at the next start,
since a missing `path` beside a `path.rebuilt` can have no other cause.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crdt.errors import OperatingFailure
from crdt.limits import REPLACED_COPIES_MAX
from crdt.store.atomic import sync_directory


def rebuilt(path: Path) -> Path:
    """Where the new store is built."""
    return path.with_name(f"{path.name}.rebuilt")


def scratch(path: Path) -> Path:
    """Where a copy of the old one may be spoilt."""
    return path.with_name(f"{path.name}.salvage")


def finish_swap(path: Path) -> None:
    """Complete what a crash interrupted. To be called before the path is opened."""
    with disk(path):
        new = rebuilt(path)
        if new.is_dir() and not path.exists():
            new.rename(path)
            sync_directory(path.parent)
        _remove(new)
        _remove(scratch(path))


def swap(path: Path, kind: str) -> Path:
    """Put the (closed) store at `rebuilt(path)` in place; returns where the original lies now. The newest
    REPLACED_COPIES_MAX originals of a kind are kept."""
    with disk(path):
        _sync_files(rebuilt(path))
        kept = sorted(_numbered(path, kind))
        aside = path.with_name(f"{path.name}.{kind}-{(kept[-1][0] if kept else 0) + 1}")
        path.rename(aside)
        sync_directory(path.parent)
        rebuilt(path).rename(path)
        sync_directory(path.parent)
        for _, old in kept[: max(0, len(kept) + 1 - REPLACED_COPIES_MAX)]:
            _remove(old)
        _remove(scratch(path))
    return aside


@contextmanager
def disk(path: Path) -> Iterator[None]:
    """Whatever the disk refuses, in words."""
    try:
        yield
    except (OSError, shutil.Error) as error:
        raise OperatingFailure(
            f"the store {path} cannot be replaced",
            str(error),
            "Make room for a copy of it on the same disk, then start again",
        ) from error


def _sync_files(directory: Path) -> None:
    """What was copied may be in memory only; LevelDB syncs what it wrote itself."""
    for file in directory.iterdir():
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    sync_directory(directory)


def _numbered(path: Path, kind: str) -> Iterator[tuple[int, Path]]:
    stem = f"{path.name}.{kind}-"
    for found in path.parent.iterdir():
        number = found.name.removeprefix(stem)
        if found.name.startswith(stem) and number.isascii() and number.isdigit():
            yield int(number), found


def _remove(path: Path) -> None:
    if path.exists():
        shutil.rmtree(path)
