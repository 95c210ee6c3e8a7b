"""LevelDB behind the Store protocol, opened so that it notices damage instead of hiding it.

Paranoid checks refuse a write-ahead log with a hole in it (opened silently in 183 of 200 trials otherwise), checksums
on every read find a flipped bit in a table (silent in 146 of 150 otherwise): notes/store.md. Tables stay uncompressed:
signatures and hashes do not shrink, and a damaged block that is not compressed can still be read for what is whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import plyvel

from crdt.errors import Misuse, OperatingFailure
from crdt.store.base import Batch, StoreDamaged, StoreInUse

_OPEN_FILES_MAX: Final = 128  # table files held open; sockets need descriptors too
_BLOCK_BYTES: Final = 32_768  # of a write-ahead log; a record's header is its checksum, length and type
_HEADER_BYTES: Final = 7
_RESTART: Final = "Start the node again: it sets a copy aside and keeps what can be verified"


class LevelStore:
    """One LevelDB directory. `tolerant` reads what paranoia refuses; it is for salvage alone."""

    kind = "leveldb"

    def __init__(self, path: Path, tolerant: bool = False) -> None:
        self.path = path
        self._failure: OperatingFailure | None = None
        self._checked = not tolerant
        names = {entry.name for entry in path.iterdir()} if path.is_dir() else set()
        if "CURRENT" not in names and any(name.endswith((".ldb", ".log")) for name in names):
            # LevelDB would take this for a new database, and delete the old one's files as obsolete.
            raise StoreDamaged("the store cannot be opened", f"{path} has data and no CURRENT file", _RESTART)
        if not tolerant:
            _refuse_zeros(path)
        self._db = _open(path, paranoid=not tolerant)

    def get(self, key: bytes) -> bytes | None:
        """See Store. Checksums are verified, tolerant or not."""
        try:
            value: bytes | None = self._db.get(key, verify_checksums=True)
        except plyvel.Error as error:
            raise _read_failure(error) from error
        except RuntimeError as error:
            raise Misuse("the store is closed") from error
        return value

    def scan(self, prefix: bytes, start: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """See Store."""
        yield from self._iterate(prefix, start, reverse=False)

    def scan_back(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """As `scan`, last key first: how salvage reads what lies behind a block that stops a scan."""
        yield from self._iterate(prefix, None, reverse=True)

    def _iterate(self, prefix: bytes, start: bytes | None, reverse: bool) -> Iterator[tuple[bytes, bytes]]:
        try:
            with self._db.iterator(
                start=max(prefix, start or b""),
                stop=_after(prefix),
                reverse=reverse,
                verify_checksums=self._checked,
                fill_cache=False,
            ) as items:
                yield from items
        except plyvel.Error as error:
            raise _read_failure(error) from error
        except RuntimeError as error:
            raise Misuse("the store is closed") from error

    def write(self, batch: Batch, sync: bool) -> None:
        """See Store."""
        if self._failure is not None:
            raise self._failure
        try:
            with self._db.write_batch(sync=sync) as writes:
                for key, value in batch:
                    if value is None:
                        writes.delete(key)
                    else:
                        writes.put(key, value)
        except plyvel.Error as error:
            self._failure = OperatingFailure(
                "the store cannot save",
                _words(error),
                f"Make room on the disk of {self.path} or repair it, then start again",
            )
            raise self._failure from error
        except RuntimeError as error:
            raise Misuse("the store is closed") from error

    def close(self) -> None:
        """See Store."""
        self._db.close()


def _refuse_zeros(path: Path) -> None:
    """Raise StoreDamaged when a log goes on in zeros where a record should begin: what a disk shows that had promised
    room and lost the data. LevelDB takes it for the end, paranoid or not, so a shorter log would pass for a whole one.
    """
    for log in path.glob("*.log"):
        data = log.read_bytes()
        at = 0
        while at + _HEADER_BYTES <= len(data):
            left = _BLOCK_BYTES - at % _BLOCK_BYTES
            if left < _HEADER_BYTES:  # too little for a record: LevelDB leaves zeros here
                at += left
                continue
            if not any(data[at : at + _HEADER_BYTES]):
                raise StoreDamaged("the store cannot be opened", f"{log.name} ends in zeros", _RESTART)
            at += _HEADER_BYTES + int.from_bytes(data[at + 4 : at + 6], "little")


def _open(path: Path, paranoid: bool) -> plyvel.DB:
    try:
        return plyvel.DB(
            str(path),
            create_if_missing=True,
            paranoid_checks=paranoid,
            compression=None,
            max_open_files=_OPEN_FILES_MAX,
        )
    except plyvel.CorruptionError as error:
        raise StoreDamaged("the store cannot be opened", _words(error), _RESTART) from error
    except plyvel.Error as error:
        why = _words(error)
        if "already held" in why or "temporarily unavailable" in why:  # by this process, by another
            raise StoreInUse(
                "the store is in use",
                f"another process holds {path}",
                "Stop it (symjam stop), or give another directory",
            ) from error
        full = "No space left" in why
        remedy = f"Make room on the disk of {path}" if full else f"Make {path} a directory you may write to"
        raise OperatingFailure("the store cannot be opened", why, remedy) from error


def _after(prefix: bytes) -> bytes | None:
    """The least key above all that begin with `prefix`; None when there is none."""
    stem = prefix.rstrip(b"\xff")
    return stem[:-1] + bytes([stem[-1] + 1]) if stem else None


def _words(error: plyvel.Error) -> str:
    first = error.args[0] if error.args else error
    return first.decode(errors="replace") if isinstance(first, bytes) else str(first)


def _read_failure(error: plyvel.Error) -> OperatingFailure:
    if isinstance(error, plyvel.CorruptionError):
        return StoreDamaged("the store cannot be read", _words(error), _RESTART)
    return OperatingFailure("the store cannot be read", _words(error), "Check the disk, then start again")
