"""Making a data directory out of a backup: all or nothing.

Everything is written to a directory beside, checked there, and renamed into place as the last step. What stands in the
archive is trusted for nothing: places are checked (manifest.is_place), stores are built anew record by record, and
every signature, link, checksum and record is verified before the rename.

The restored key may have signed after the backup was made, here or elsewhere, and no node knows what. So a restored
data directory is to its node what a key restored from its words is: the same mark (wallet/keystore.py) lets it sign in
the ledger only from an epoch on that is later than the one in which it first runs, and after it has compared with a
peer; and each store gets a new nonce for jams. Guests' keys are held to the same (node/shell/node.py).
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from crdt.errors import OperatingFailure, Violation
from crdt.store.atomic import sync_directory
from crdt.store.audit import audit
from crdt.store.keys import ENTRY
from crdt.store.level import LevelStore
from crdt.store.mark import MARK_KEY, mark_clean, mark_open
from crdt.store.records import Item, items_in
from crdt.store.seal import SEAL_PREFIX
from crdt.store.upgrade import require_known
from crdt.types import NetworkId, Nonce
from node.engine.proven import PROVEN_PREFIX
from node.keep.archive import Archive, BackupDamaged
from node.keep.backup import PROGRESS_EVERY, Progress
from node.keep.judge import judge
from node.keep.manifest import STORE_NAME, Manifest, StoreKept, is_place
from node.shell.config import boot_id
from wallet import keystore

CLOCK_BEHIND_MAX_US: Final = 600_000_000
# How the original was left, and what had been verified there.
NOT_BELIEVED: Final = (MARK_KEY, SEAL_PREFIX, PROVEN_PREFIX)


@dataclass(frozen=True, slots=True)
class Restored:
    """A data directory that is in its place."""

    manifest: Manifest
    digest: str


def restore_backup(path: Path, data_dir: Path, now_us: int, progress: Progress) -> Restored:
    """Make `data_dir`, which must be empty or not there, out of a backup.

    OperatingFailure, BackupDamaged; then it is what it was.
    """
    _require_empty(data_dir)
    progress("reading the backup", 0, 0)
    with Archive(path) as archive:
        _require_time(archive, now_us)
        with _beside(data_dir) as beside:
            for file in archive.manifest.files:
                _write(archive, file.path, beside)
            _require_key(archive, beside)
            for store in archive.manifest.stores:
                _rebuild(archive, store, beside, progress)
            if archive.manifest.key in ("passphrase", "open"):
                keystore.mark_restored(beside / "keys")
            _put_in_place(beside, data_dir)
        return Restored(archive.manifest, archive.digest)


def _require_empty(data_dir: Path) -> None:
    what, remedy = "nothing was restored", "Give another one: --data. Two histories are never mixed"
    try:
        if data_dir.is_dir() and any(data_dir.iterdir()):
            raise OperatingFailure(what, f"{data_dir} is not empty", remedy)
    except OSError as error:
        raise OperatingFailure(what, f"{data_dir}: {error.strerror}", remedy) from error
    if os.path.lexists(data_dir) and (data_dir.is_symlink() or not data_dir.is_dir()):
        raise OperatingFailure(what, f"{data_dir} is no directory", remedy)


def _require_time(archive: Archive, now_us: int) -> None:
    """Which epochs are later than all that was signed is a matter of the clock."""
    behind_us = archive.manifest.created_us - now_us
    if behind_us > CLOCK_BEHIND_MAX_US:
        why = f"by this machine's clock the backup is made {behind_us // 60_000_000} minutes from now"
        raise OperatingFailure("nothing was restored", why, "Set the clock, then try again")


@contextmanager
def _beside(data_dir: Path) -> Iterator[Path]:
    """A directory of its owner's, on the same disk; gone afterwards, unless it was renamed."""
    beside = data_dir.with_name(f".{data_dir.name}.{secrets.token_hex(4)}.restoring")
    try:
        data_dir.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside.mkdir(mode=0o700)
        yield beside
    except OSError as error:
        why = f"{error.filename or beside}: {error.strerror}"
        raise OperatingFailure("nothing was restored", why, "Make room, or choose another place: --data") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _write(archive: Archive, place: str, root: Path) -> None:
    if not is_place(place):
        raise BackupDamaged(archive.path, f"{place[:80]!r} is no place in a data directory")
    path = root / place
    for above in reversed(path.relative_to(root).parents[:-1]):
        (root / above).mkdir(mode=0o700, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        for chunk in archive.chunks(place):
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())


def _require_key(archive: Archive, root: Path) -> None:
    """The key is there if the manifest says so, can be read, and is the player's."""
    kept = archive.manifest.key in ("passphrase", "open")
    if kept != keystore.exists(root / "keys"):
        raise BackupDamaged(archive.path, "the key is not there, or should not be")
    if kept and keystore.look(root / "keys").player.hex() != archive.manifest.player:
        raise BackupDamaged(archive.path, "the key in it is another player's than it says")


def _rebuild(archive: Archive, kept: StoreKept, root: Path, progress: Progress) -> None:
    network, match = NetworkId(bytes.fromhex(kept.network)), STORE_NAME.fullmatch(kept.name)
    if match is None or match[2] != kept.network[:8]:
        raise BackupDamaged(archive.path, f"{kept.name} is not that network's")
    path = root / kept.name
    path.mkdir(mode=0o700)
    with closing(LevelStore(path)) as store:
        for items in _pieces(archive, kept, progress):
            store.write([item for item in items if not item[0].startswith(NOT_BELIEVED)], sync=False)
        require_known(store)
        progress(f"verifying {kept.name}", 0, kept.entries)
        found = audit(network, _counted(store.scan(b""), kept, progress))
        judge(found, network)
        if found.faults:
            where, what = found.faults[0]
            raise BackupDamaged(archive.path, f"{kept.name}: {where}: {what}")
        if found.walk.entries != kept.entries:
            raise BackupDamaged(archive.path, f"{kept.name} has {found.walk.entries} entries, not {kept.entries}")
        mark_open(store, boot_id(), Nonce(secrets.token_bytes(8)))
        mark_clean(store)


def _pieces(archive: Archive, kept: StoreKept, progress: Progress) -> Iterator[tuple[Item, ...]]:
    written = 0
    for number, piece in enumerate(archive.pieces(kept)):
        try:
            items = items_in(piece)
        except Violation as error:
            raise BackupDamaged(archive.path, f"piece {number} of {kept.name}: {error}") from error
        yield items
        written += sum(key[:1] == ENTRY for key, _ in items)
        if number % PROGRESS_EVERY == 0:
            progress(f"writing {kept.name}", written, kept.entries)


def _counted(items: Iterator[Item], kept: StoreKept, progress: Progress) -> Iterator[Item]:
    for number, item in enumerate(items):
        if number % 1_000 == 999:
            progress(f"verifying {kept.name}", number + 1, kept.records)
        yield item


def _put_in_place(beside: Path, data_dir: Path) -> None:
    for directory, _, _ in os.walk(beside):
        sync_directory(Path(directory))
    beside.rename(data_dir)  # over an empty directory, or none
    sync_directory(data_dir.parent)
