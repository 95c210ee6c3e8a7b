"""Where the key lies: one file of its owner's, in a directory of its owner's (docs/keystore.md).

A key file that others can read is refused, not mended: whoever could read it may have done so. It is replaced whole or
not at all, so there is no moment at which neither the old passphrase nor the new one opens it.

A key that came back from its words may have signed elsewhere. Before it is saved a mark is, `restored`, and a node that
finds it signs nothing in the ledger until nothing it signs can stand beside what was (node/engine/authoring.py).
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

import nacl.utils

from crdt.errors import OperatingFailure
from crdt.keys import Identity
from crdt.store.atomic import create_file, read_small, replace_file
from wallet.keyfile import MODERATE, Cost, Key, KeyFile, KeyRefused, new_key, pack, unpack

FILE_NAME: Final = "identity.key"
MARK_NAME: Final = "restored"
MARK_BYTES: Final = 16


class KeyMissing(OperatingFailure):
    """There is no key file."""


def exists(directory: Path) -> bool:
    """Whether the directory has a key file, usable or not."""
    return os.path.lexists(directory / FILE_NAME)


def look(directory: Path) -> KeyFile:
    """The key file there, closed. Raises KeyMissing, KeyRefused."""
    path = directory / FILE_NAME
    if not exists(directory):
        raise KeyMissing("there is no key", f"{path} does not exist", "symjam up or symjam wallet init makes one")
    _require_private(directory, directory=True)
    _require_private(path, directory=False)
    raw = read_small(path)
    if raw is None:
        raise KeyMissing("there is no key", f"{path} went away while it was being read")
    return unpack(path, raw)


def load(directory: Path, passphrase: str | None = None) -> Identity:
    """The identity kept there. Raises KeyMissing, KeyRefused, KeyLocked, WrongPassphrase."""
    return look(directory).open(passphrase).identity()


def create(directory: Path) -> Identity:
    """A new identity under no passphrase, saved there durably. KeyRefused when there is a key already."""
    key = new_key()
    put(directory, key, None)
    return key.identity()


def load_or_create(directory: Path) -> Identity:
    """The identity kept there, made when there is none. Of two processes that both find none, one wins for both."""
    if not exists(directory):
        try:
            return create(directory)
        except KeyRefused:
            if not exists(directory):
                raise
    return load(directory)


def put(directory: Path, key: Key, passphrase: str | None, cost: Cost | None = None) -> None:
    """Save a key where there is none. KeyRefused when there is one already: it is never overwritten."""
    path = _prepared(directory) / FILE_NAME
    packed = pack(key, passphrase, cost or MODERATE)
    try:
        is_first = create_file(path, packed)
    except OperatingFailure:
        _tidy(directory)
        raise
    if not is_first:
        raise KeyRefused("no key was saved", f"{path} exists", "Move it away if you really want another identity")


def change(directory: Path, old: str | None, new: str, cost: Cost | None = None, keep_words: bool = True) -> KeyFile:
    """Put the key that is there under another passphrase; without its words, from then on, if they are not kept.

    Raises what `look` and `KeyFile.open` raise, and PassphraseRefused; then the file is what it was.
    """
    found = look(directory)
    key = found.open(old)
    packed = pack(key if keep_words else key.without_words(), new, cost or MODERATE)
    try:
        replace_file(found.path, packed)
    finally:
        _tidy(directory)
    return unpack(found.path, packed)


def mark_restored(directory: Path) -> None:
    """Say, durably, that this key may have signed elsewhere; saying it again is a new mark."""
    replace_file(_prepared(directory) / MARK_NAME, nacl.utils.random(MARK_BYTES))


def restored_mark(directory: Path) -> bytes | None:
    """The mark that `mark_restored` left, None when there is none."""
    return read_small(directory / MARK_NAME)


def _prepared(directory: Path) -> Path:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        remedy = "Choose another data directory, or check who owns this one"
        raise OperatingFailure(
            f"the directory {directory} cannot be made", error.strerror or str(error), remedy
        ) from error
    _require_private(directory, directory=True)
    return directory


def _tidy(directory: Path) -> None:
    """Drop half-written files that killed processes left: the passphrase they are under may be one given up since."""
    for left in directory.glob(f".{FILE_NAME}.*.tmp"):
        with suppress(OSError):
            left.unlink()


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
