"""What in a data directory is the player's, and goes into a backup beside the stores.

Everything that is a regular file, but for what belongs to a process (`run/`, half-written files, logs), what a recovery
or an upgrade has set aside, and the records of where *this* copy of the key signs: a restored copy must not go by them
(docs/store.md, Restore).
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from crdt.errors import OperatingFailure
from crdt.limits import BACKUP_DEPTH_MAX, BACKUP_FILES_MAX
from node.keep.manifest import STORE_NAME, is_place
from wallet.keystore import MARK_NAME

SECRET: Final = ("keys", "guests")  # directories in which keys lie
_OF_A_PROCESS: Final = re.compile(r"(run|logs|.*[.](tmp|new|log|old)|.*[.]log[.].*|[.].*)")
_OF_THIS_COPY: Final = re.compile(rf"(last-signed-[^/]*|restored-[^/]*|keys/{MARK_NAME})")


def belongings(data_dir: Path, with_key: bool) -> list[str]:
    """Paths below a data directory, sorted. OperatingFailure when it cannot be read, or holds too much."""
    try:
        found = sorted(_files(data_dir, "", 1))
    except OSError as error:
        why = f"{error.filename}: {error.strerror}"
        raise OperatingFailure("the data directory cannot be read", why, "Check who owns it") from error
    if len(found) > BACKUP_FILES_MAX:
        why = f"there are {len(found)} files in {data_dir}, of which SymJam made at most {BACKUP_FILES_MAX}"
        raise OperatingFailure("no backup is made", why, "Move away what is not SymJam's")
    return [path for path in found if with_key or path.split("/")[0] not in SECRET]


def stores_in(data_dir: Path) -> list[str]:
    """Names of the stores there, one per network; also of one whose replacement a crash interrupted."""
    names = (name.removesuffix(".rebuilt") for name in os.listdir(data_dir)) if data_dir.is_dir() else ()
    return sorted({name for name in names if STORE_NAME.fullmatch(name)})


def _files(directory: Path, above: str, depth: int) -> Iterator[str]:
    with os.scandir(directory) as entries:
        for entry in entries:
            path = above + entry.name
            if _OF_A_PROCESS.fullmatch(entry.name) or _OF_THIS_COPY.fullmatch(path) or not is_place(path):
                continue
            if entry.is_dir(follow_symlinks=False) and depth < BACKUP_DEPTH_MAX:
                yield from _files(directory / entry.name, path + "/", depth + 1)
            elif stat.S_ISREG(entry.stat(follow_symlinks=False).st_mode):
                yield path
