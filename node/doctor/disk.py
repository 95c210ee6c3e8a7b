"""The data directory: may it be used, is there room, and is nobody else in it?"""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path
from typing import Final

from crdt.errors import OperatingFailure
from node.doctor.check import Check, fail, ok, warning
from node.runtime import NoNode, find

SPACE_FAIL_BYTES: Final = 16 * 1024 * 1024  # LevelDB's own files may grow by some before they shrink
SPACE_WARN_BYTES: Final = 256 * 1024 * 1024
INODES_MIN: Final = 100
_TRY_BYTES: Final = 64 * 1024
_DIRECTORY_MODES: Final = 0o077


def free_bytes(directory: Path) -> int | None:
    """What the user may still write there; None where it cannot be asked, 0 when there are no inodes left."""
    try:
        found = os.statvfs(directory)
    except OSError:
        return None
    if found.f_files and found.f_favail < INODES_MIN:
        return 0
    return found.f_bavail * found.f_frsize


def space(free: int | None) -> Check:
    """Whether there is room."""
    if free is None:
        return ok("disk-space", "the system does not say")
    seen = f"{free / 1_048_576:,.0f} MB are free for the data directory"
    why = "what cannot be saved is not said: a node on a full disk ends"
    remedy = "Make room on that disk, or move the data directory to another one (--data)."
    if free < SPACE_FAIL_BYTES:
        return fail("disk-space", seen, why, remedy)
    if free < SPACE_WARN_BYTES:
        return warning("disk-space", seen, why, remedy)
    return ok("disk-space", seen)


def writable(directory: Path) -> Check:
    """Whether something can be written there: it is tried."""
    place = directory
    while not place.exists() and place != place.parent:
        place = place.parent
    if place != directory and os.access(place, os.W_OK | os.X_OK):
        return ok("disk-write", f"{directory} is not there yet; `symjam up` makes it")
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(bytes(_TRY_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        remedy = "Make room, or give the directory to yourself (chown -R), or use another one (--data)."
        return fail("disk-write", f"cannot write in {place}: {error.strerror}", "nothing can be saved there", remedy)
    return ok("disk-write", f"{directory} can be written")


def permissions(directory: Path) -> Check:
    """Whether the places of secrets are of their owner alone."""
    open_ones = []
    for path in (directory / "keys", directory / "run", directory / "log"):
        try:
            found = path.lstat()
        except OSError:
            continue
        if found.st_uid != os.geteuid():
            remedy = f"chown -R {os.geteuid()} {path}, if it is yours"
            return fail("permissions", f"{path} belongs to another user", "it will not be used", remedy)
        if stat.S_IMODE(found.st_mode) & _DIRECTORY_MODES:
            open_ones.append(str(path))
    if open_ones:
        names = " ".join(open_ones)
        why = "others on this machine may read the key, or the token of the page"
        return fail("permissions", f"open to others: {names}", why, f"chmod 700 {names}")
    return ok("permissions", "the places of secrets are closed to others")


def runtime(directory: Path) -> Check:
    """Whether a node that ended has left something behind."""
    try:
        found = find(directory)
    except NoNode as absent:
        if (directory / "run" / "api.json").exists():
            why = "it was killed, or the machine went down; nothing that was acknowledged is lost"
            return warning("runtime", "a node ended here without a goodbye", why, "`symjam up` cleans it up.")
        return ok("runtime", absent.why)
    except OperatingFailure as failure:
        return fail("runtime", failure.what, failure.why, failure.remedy)
    return ok("runtime", f"a node runs here, process {found.pid}, page at port {found.port}")
