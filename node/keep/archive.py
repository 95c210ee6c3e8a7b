"""One file that holds a backup: a plain tar archive (POSIX ustar), so that any tool can look into it.

    stores/<name>/<number>     records of a store, in pieces (crdt/store/records.py)
    data/<path>                another file of the data directory
    manifest.json              what all of it is
    digest.blake2b             BLAKE2b-256 in hex over every byte before this member

The digest stands last and covers headers and padding too; what follows it can only be zeros. So there is no byte that
can change unnoticed. It tells damage, not malice: whoever can write the file can write another digest, but no entry.

Only what `Writer` writes is read: regular files by plain names in this order, no links, devices or extended headers. No
member is compressed, so an archive holds no more than its own size.
"""

from __future__ import annotations

import hashlib
import os
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final

import msgspec

from crdt.errors import OperatingFailure
from crdt.limits import BACKUP_MANIFEST_MAX_BYTES, BACKUP_MEMBERS_MAX, RECORDS_PIECE_MAX_BYTES
from crdt.store.atomic import sync_directory
from node.keep.manifest import SCHEMA, Manifest, StoreKept

MANIFEST: Final = "manifest.json"
DIGEST: Final = "digest.blake2b"
_BLOCK: Final = tarfile.BLOCKSIZE
_CHUNK: Final = 1 << 20
_TRAILER_MAX: Final = 3 * _BLOCK + tarfile.RECORDSIZE  # the digest's own bytes, and zeros


class BackupDamaged(OperatingFailure):
    """The archive is not what was written."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__("the backup is damaged", f"{path}: {why}", "Nothing of it was used. Take another copy of it")


class _Counted:
    """What tarfile writes to: passes on, and hashes."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.at = 0
        self.hash = hashlib.blake2b(digest_size=32)

    def write(self, data: bytes) -> int:
        self._file.write(data)
        self.hash.update(data)
        self.at += len(data)
        return len(data)

    def tell(self) -> int:
        return self.at


class Writer:
    """An archive under way, beside its place under another name. A context manager: left before `finish`, nothing
    stays. Raises OperatingFailure for whatever the disk refuses."""

    def __init__(self, path: Path, created_s: int) -> None:
        self.path = path
        self._beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        self._created_s = created_s
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            self._file = os.fdopen(os.open(self._beside, flags, 0o600), "wb")
        except OSError as error:
            raise _cannot_write(path, error) from error
        self._counted = _Counted(self._file)
        self._tar = tarfile.open(fileobj=self._counted, mode="w", format=tarfile.USTAR_FORMAT)  # type: ignore[call-overload]  # noqa: SIM115

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        with suppress(OSError):
            self._file.close()
        with suppress(FileNotFoundError):
            self._beside.unlink()

    def add(self, name: str, data: bytes) -> None:
        """A member of these bytes."""
        self.add_file(name, BytesIO(data), len(data))

    def add_file(self, name: str, source: IO[bytes], size: int) -> None:
        """A member of so many bytes of a file; a file that grows meanwhile does no harm."""
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = size, 0o600, self._created_s
        try:
            self._tar.addfile(info, source)
        except OSError as error:
            raise _cannot_write(self.path, error) from error
        except ValueError as error:  # a name, or a size, for which ustar has no room
            why = f"{name[:200]} has no place in a tar archive: {error}"
            raise OperatingFailure("the backup is not made", why, "Move that file away") from error

    def finish(self, manifest: Manifest, replace: bool) -> str:
        """Close and sync it, and put it in its place; returns its digest. An existing file is replaced only if it may
        be. OperatingFailure."""
        self.add(MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")
        digest = self._counted.hash.hexdigest()
        self.add(DIGEST, digest.encode() + b"\n")
        try:
            self._tar.close()
            self._file.flush()
            os.fsync(self._file.fileno())
            if not replace and os.path.lexists(self.path):
                raise FileExistsError(17, "it exists by now", str(self.path))
            os.replace(self._beside, self.path)
            sync_directory(self.path.parent)
        except OSError as error:
            raise _cannot_write(self.path, error) from error
        return digest


class Archive:
    """A backup that was read once from end to end, and found to be whole. A context manager.

    BackupDamaged, or OperatingFailure for a file that cannot be read or is of a newer format.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise OperatingFailure("the backup cannot be read", f"{path}: {error.strerror}", "Give its path") from error
        try:
            self.bytes = os.fstat(self._file.fileno()).st_size
            self._members = self._look()
            self.digest = self._check_digest()
            self.manifest = self._read_manifest()
            self._check_names()
        except (tarfile.TarError, OSError, EOFError, ValueError) as error:
            self._file.close()
            raise BackupDamaged(path, str(error) or type(error).__name__) from error
        except OperatingFailure:
            self._file.close()
            raise

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: Any) -> None:
        self._file.close()

    def pieces(self, store: StoreKept) -> Iterator[bytes]:
        """The pieces of a store's records, in order."""
        for number in range(store.pieces):
            yield self._read(piece_name(store.name, number), RECORDS_PIECE_MAX_BYTES)

    def chunks(self, path: str) -> Iterator[bytes]:
        """A file of the data directory, in bounded pieces."""
        at, size = self._members[data_name(path)]
        self._file.seek(at)
        while size:
            chunk = self._file.read(min(size, _CHUNK))
            if not chunk:
                raise BackupDamaged(self.path, "it has become shorter")
            size -= len(chunk)
            yield chunk

    def _look(self) -> dict[str, tuple[int, int]]:
        """Where each member's bytes begin and how many they are. Refuses what `Writer` does not write."""
        found: dict[str, tuple[int, int]] = {}
        expected = 0
        with tarfile.open(fileobj=self._file, mode="r:", errorlevel=2) as tar:
            while (info := tar.next()) is not None:
                plain = info.type == tarfile.REGTYPE and not info.pax_headers and not info.linkname
                if not plain or info.offset != expected or info.offset_data != expected + _BLOCK:
                    raise BackupDamaged(self.path, f"{info.name[:80]!r} is no member that SymJam writes")
                if info.name in found or len(found) >= BACKUP_MEMBERS_MAX:
                    raise BackupDamaged(self.path, f"{info.name[:80]!r} is there twice, or one too many")
                found[info.name] = info.offset_data, info.size
                expected = info.offset_data + -(-info.size // _BLOCK) * _BLOCK
                tar.members.clear()  # type: ignore[attr-defined]  # it keeps them all
        if list(found)[-2:] != [MANIFEST, DIGEST] or expected > self.bytes:
            raise BackupDamaged(self.path, "it does not end as a backup does")
        return found

    def _check_digest(self) -> str:
        start, size = self._members[DIGEST]
        self._file.seek(0)
        hashed, left = hashlib.blake2b(digest_size=32), start - _BLOCK
        while left:
            chunk = self._file.read(min(left, _CHUNK))
            if not chunk:
                raise BackupDamaged(self.path, "it ends early")
            hashed.update(chunk)
            left -= len(chunk)
        header = self._file.read(_BLOCK)
        again = tarfile.TarInfo.frombuf(header, "ascii", "strict").tobuf(tarfile.USTAR_FORMAT, "ascii", "strict")
        rest = self._file.read(_TRAILER_MAX + 1)
        if header != again or size != 65 or rest[:65] != hashed.hexdigest().encode() + b"\n":
            raise BackupDamaged(self.path, "its digest does not match")
        if any(rest[65:]) or len(rest) > _TRAILER_MAX:
            raise BackupDamaged(self.path, "something follows its end")
        return hashed.hexdigest()

    def _read_manifest(self) -> Manifest:
        raw = self._read(MANIFEST, BACKUP_MANIFEST_MAX_BYTES)
        schema = msgspec.json.decode(raw)
        found = schema.get("schema") if isinstance(schema, dict) else None
        if found != SCHEMA:
            why = f"{self.path} is of format {str(found)[:40]!r}, and this version knows {SCHEMA!r}"
            raise OperatingFailure("the backup is of another format", why, "Use the version of SymJam that made it")
        return msgspec.json.decode(raw, type=Manifest)

    def _check_names(self) -> None:
        """The manifest names every member, and nothing else."""
        if sum(store.pieces for store in self.manifest.stores) > len(self._members):
            raise BackupDamaged(self.path, "its manifest names pieces that are not there")
        named = [piece_name(store.name, number) for store in self.manifest.stores for number in range(store.pieces)]
        sizes = {data_name(file.path): file.bytes for file in self.manifest.files}
        there = {name: size for name, (_, size) in self._members.items() if name not in (MANIFEST, DIGEST)}
        if sorted([*named, *sizes]) != sorted(there) or any(there[name] != size for name, size in sizes.items()):
            raise BackupDamaged(self.path, "what is in it is not what its manifest says")

    def _read(self, name: str, max_bytes: int) -> bytes:
        at, size = self._members[name]
        if size > max_bytes:
            raise BackupDamaged(self.path, f"{name} is too large")
        self._file.seek(at)
        return self._file.read(size)


def piece_name(store: str, number: int) -> str:
    """The member that holds a store's piece."""
    return f"stores/{store}/{number:08}"


def data_name(path: str) -> str:
    """The member that holds a file."""
    return f"data/{path}"


def _cannot_write(path: Path, error: OSError) -> OperatingFailure:
    return OperatingFailure(
        f"the backup {path} cannot be written",
        error.strerror or str(error),
        "Give a place that has room and that you may write to",
    )
