"""Where the seed lies: one file of its owner's, in a directory of its owner's.

    key file = magic || checksum || canonical [version, kind, salt, secret]

`kind` says how the secret is kept; "plain" is the 32-byte seed itself, protected by the file's mode alone. The
checksum is BLAKE2b-256 of what follows it: a seed with a flipped bit is a valid seed, of another player.

A key file that others can read is refused, not mended: whoever could read it may have done so.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Annotated, Final

import msgspec
import nacl.utils
from msgspec import Meta

from crdt.canonical import Canonical, digest
from crdt.errors import OperatingFailure, Violation
from crdt.keys import Identity
from crdt.limits import SMALL_FILE_MAX_BYTES
from crdt.store.atomic import create_file, read_small

FILE_NAME: Final = "identity.key"
MAGIC: Final = b"symjam-key\n"
VERSION: Final = 1
PLAIN: Final = "plain"


class KeyMissing(OperatingFailure):
    """There is no key file."""


class KeyRefused(OperatingFailure):
    """There is a key file, and it must not or cannot be used."""


class _KeyFile(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """What is behind the checksum. `salt` is for kinds that derive a key from a passphrase."""

    version: Annotated[int, Meta(ge=VERSION, le=VERSION)]
    kind: Annotated[str, Meta(max_length=32)]
    salt: Annotated[bytes, Meta(max_length=64)]
    secret: Annotated[bytes, Meta(max_length=256)]

    def __repr__(self) -> str:
        return f"_KeyFile({self.kind}, secret hidden)"


_key_files: Canonical[_KeyFile] = Canonical(_KeyFile, SMALL_FILE_MAX_BYTES)


def exists(directory: Path) -> bool:
    """Whether the directory has a key file, usable or not."""
    return os.path.lexists(directory / FILE_NAME)


def load(directory: Path) -> Identity:
    """The identity kept there. Raises KeyMissing, KeyRefused."""
    path = directory / FILE_NAME
    if not exists(directory):
        raise KeyMissing("there is no key", f"{path} does not exist", "symjam up or symjam wallet init makes one")
    _require_private(directory, directory=True)
    _require_private(path, directory=False)
    raw = read_small(path)
    if raw is None:
        raise KeyMissing("there is no key", f"{path} went away while it was being read")
    return Identity(_seed_of(path, raw))


def create(directory: Path) -> Identity:
    """A new identity, saved there durably. KeyRefused when there is a key already: it is never overwritten."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise OperatingFailure(f"the directory {directory} cannot be made", error.strerror or str(error)) from error
    _require_private(directory, directory=True)
    seed = nacl.utils.random(32)
    body = _key_files.encode(_KeyFile(VERSION, PLAIN, b"", seed))
    path = directory / FILE_NAME
    if not create_file(path, MAGIC + digest(b"symjam-key", body) + body):
        raise KeyRefused("no new key was made", f"{path} exists", "Move it away if you really want another identity")
    return Identity(seed)


def load_or_create(directory: Path) -> Identity:
    """The identity kept there, made when there is none. Of two processes that both find none, one wins for both."""
    if not exists(directory):
        try:
            return create(directory)
        except KeyRefused:
            if not exists(directory):
                raise
    return load(directory)


def _seed_of(path: Path, raw: bytes) -> bytes:
    head, body = raw[: len(MAGIC) + 32], raw[len(MAGIC) + 32 :]
    restore = f"Restore {path} from a backup"
    if not raw.startswith(MAGIC):
        raise KeyRefused("the key cannot be read", f"{path} is not a SymJam key file", restore)
    if head[len(MAGIC) :] != digest(b"symjam-key", body):
        raise KeyRefused("the key cannot be read", f"{path} is damaged: its checksum does not match", restore)
    try:
        found = _key_files.decode(body)
    except Violation as error:  # its detail may quote the secret
        raise KeyRefused("the key cannot be read", f"{path} is of another format ({error.reason})", restore) from None
    if found.kind != PLAIN:
        why = f"it is kept as {found.kind!r}, which this version does not know"
        raise KeyRefused("the key cannot be read", why, "Use the version of SymJam that made it, or a newer one")
    if len(found.secret) != 32:
        raise KeyRefused("the key cannot be read", f"{path} holds no seed of 32 bytes", restore)
    return found.secret


def _require_private(path: Path, directory: bool) -> None:
    """Refuse what is not the right kind of thing, is not the caller's own, or is open to anybody else."""
    try:
        found = path.lstat()
    except OSError as error:
        raise OperatingFailure(f"{path} cannot be looked at", error.strerror or str(error)) from error
    right = stat.S_ISDIR(found.st_mode) if directory else stat.S_ISREG(found.st_mode)
    if not right:
        kind = "a directory" if directory else "a regular file"
        raise KeyRefused("the key is not used", f"{path} is not {kind}", "Put the key file itself there, not a link")
    if found.st_uid != os.geteuid():
        raise KeyRefused("the key is not used", f"{path} belongs to another user", f"Give it to yourself: chown {path}")
    if found.st_mode & 0o077:
        mode = "700" if directory else "600"
        raise KeyRefused(
            "the key is not used",
            f"other users of this machine can reach {path} (mode {stat.S_IMODE(found.st_mode):o})",
            f"If nobody else can have read it: chmod {mode} {path}. Otherwise move it away and make a new identity",
        )
