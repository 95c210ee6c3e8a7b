"""Small files that are either the old one or the new one, whatever happens in between.

Temporary file, fsync, rename (or link, where an existing file must win), fsync of the directory: without the last
step a power cut can undo the rename after it was acknowledged.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from crdt.errors import OperatingFailure
from crdt.limits import SMALL_FILE_MAX_BYTES


def replace_file(path: Path, data: bytes) -> None:
    """Give the file this content, durably, readable by its owner only. Raises OperatingFailure."""
    try:
        temporary = _write_temporary(path, data)
        os.replace(temporary, path)
        sync_directory(path.parent)
    except OSError as error:
        raise _cannot(path, error) from error


def create_file(path: Path, data: bytes) -> bool:
    """As `replace_file`, but a file that exists already is left alone and the answer is False."""
    try:
        temporary = _write_temporary(path, data)
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
        finally:
            os.unlink(temporary)
        sync_directory(path.parent)
    except OSError as error:
        raise _cannot(path, error) from error
    return True


def read_small(path: Path) -> bytes | None:
    """All of a small file, None when there is none; OperatingFailure when it cannot be read or is not small."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            data = os.read(descriptor, SMALL_FILE_MAX_BYTES + 1)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise OperatingFailure(f"{path} cannot be read", error.strerror or str(error), "Check who owns it") from error
    if len(data) > SMALL_FILE_MAX_BYTES:
        raise OperatingFailure(f"{path} cannot be read", "it is larger than SymJam ever makes it", "Move it away")
    return data


def sync_directory(path: Path) -> None:
    """Make the directory's names durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_temporary(path: Path, data: bytes) -> Path:
    """A synced file beside `path`; its name has the process id, so that two processes never share one."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with suppress(FileNotFoundError):
        temporary.unlink()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(temporary, flags, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return temporary


def _cannot(path: Path, error: OSError) -> OperatingFailure:
    return OperatingFailure(
        f"{path} cannot be saved",
        error.strerror or str(error),
        "Make room on the disk, or check who owns the directory",
    )
