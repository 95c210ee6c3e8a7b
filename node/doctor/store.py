"""Can the store be read? A quick look at a copy made of hard links, which costs no room and leaves the store as it is:
LevelDB opens it with its own checksums, and every record is read once. Signatures are `symjam verify`'s.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from crdt.errors import OperatingFailure
from crdt.store.base import StoreDamaged
from crdt.store.last_signed import LastSigned
from crdt.store.level import LevelStore
from node.doctor.check import Check, fail, ok, warning

LOOK_MAX_S: Final = 3.0
_STALE_S: Final = 60.0
_PREFIX: Final = ".doctor-"
_UP: Final = (
    "`symjam up` sets the store aside, keeps all that verifies, and fetches the rest from peers. Save a copy of the "
    "data directory first, and look at the disk: `dmesg`, `smartctl -a`."
)


def stores_in(directory: Path) -> list[Path]:
    """The stores of a data directory, one per network."""
    return sorted(path for path in directory.glob("store-*") if path.is_dir() and "." not in path.name)


def look(directory: Path) -> list[Check]:
    """A check for each store and record there. Not while a node runs, which knows better."""
    _sweep(directory)
    found = [_store(path) for path in stores_in(directory)]
    found += [_signed(path) for path in sorted(directory.glob("last-signed-*")) if path.is_file()]
    copies = sorted(directory.glob("store-*.damaged-*"))
    if copies:
        why = "a store was damaged once; what was set aside then is still there"
        remedy = "When nothing of yours is missing, remove the copies."
        found.append(warning("store-damaged", f"{len(copies)} damaged copies are kept, in {directory}", why, remedy))
    return found or [ok("store", "there is none yet")]


def recovered(was_damaged: bool, detail: str) -> Check:
    """What a running node says of its store."""
    if not was_damaged:
        return ok("store", "it was whole when the node started")
    why = "what was lost is fetched again from peers that have it; a damaged disk damages more"
    remedy = "Link with somebody who was there, and look at the disk: `dmesg`, `smartctl -a`."
    return warning("store", f"it was damaged: {detail}", why, remedy)


def _store(path: Path) -> Check:
    name = f"store {path.name.removeprefix('store-')}"
    copy = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=path.parent))
    try:
        for file in path.iterdir():
            if file.is_file() and not file.name.startswith("LO"):
                (copy / file.name).hardlink_to(file)
        records, whole = _read(copy)
    except StoreDamaged as damaged:
        why = "entries in it may be lost here; nothing in it is believed that does not verify"
        return fail(name, f"it is damaged: {damaged.why}", why, _UP)
    except OperatingFailure as failure:
        return fail(name, f"it cannot be read: {failure.why}", "a node cannot start with it", failure.remedy)
    except OSError as error:
        why = "whether it is whole is not known"
        return warning(name, f"it was not looked at: {error.strerror}", why, "Check the directory's owner and disk.")
    finally:
        shutil.rmtree(copy, ignore_errors=True)
    read = f"{records} records read" if whole else f"the first {records} records read"
    return ok(name, f"{read}, all with the right checksums; `symjam verify` checks signatures too")


def _read(path: Path) -> tuple[int, bool]:
    """How many records could be read, and whether those are all."""
    store, count, deadline = LevelStore(path), 0, time.monotonic() + LOOK_MAX_S
    try:
        for count, _ in enumerate(store.scan(b""), 1):
            if count % 1_024 == 0 and time.monotonic() > deadline:
                return count, False
        return count, True
    finally:
        store.close()


def _signed(path: Path) -> Check:
    name = f"record {path.name.removeprefix('last-signed-')}"
    try:
        LastSigned.load(path)
    except OperatingFailure as failure:
        why = "without it a node could sign a second entry at one place, and so it does not start"
        return fail(name, f"{failure.what}: {failure.why}", why, failure.remedy)
    return ok(name, "what was signed last is known")


def _sweep(directory: Path) -> None:
    """Remove what an earlier look left that was killed."""
    for left in directory.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _STALE_S:
                shutil.rmtree(left, ignore_errors=True)
