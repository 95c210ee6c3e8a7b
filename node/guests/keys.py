"""The keys that a node keeps for its guests, each in a folder of its own (0700, the files in it 0600).

    guests/<number>/guest.key            magic || checksum || canonical [version, entropy, player, secret's hash, taken]
    guests/<number>/last-signed-<network>

The key follows from 24 words (wallet/words.py), so its player can take it home. Whoever knows the secret that the
guest's browser keeps is that guest; only the secret's hash is here. A key is saved and synced before anything is
signed with it. One that was taken home is never given a seat again: two nodes with one key would fork its log.
"""

from __future__ import annotations

import logging
import stat
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from crdt.canonical import Canonical, digest
from crdt.errors import OperatingFailure, Violation
from crdt.keys import Identity
from crdt.limits import GUEST_KEYS_MAX, SMALL_FILE_MAX_BYTES
from crdt.store.atomic import create_file, read_small, replace_file, sync_directory
from crdt.types import PlayerId, PlayerIdField
from wallet.words import ENTROPY_BYTES, seed_of, words_of

FILE_NAME: Final = "guest.key"
MAGIC: Final = b"symjam-guest\n"
VERSION: Final = 1

log = logging.getLogger("symjam.guests")


class _KeyFile(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """What is behind the checksum."""

    version: Annotated[int, Meta(ge=VERSION, le=VERSION)]
    entropy: Annotated[bytes, Meta(min_length=ENTROPY_BYTES, max_length=ENTROPY_BYTES)]
    player: PlayerIdField
    secret_hash: Annotated[bytes, Meta(min_length=32, max_length=32)]
    taken: bool

    def __repr__(self) -> str:
        return f"_KeyFile({self.player.hex()[:8]}, secret hidden)"


_key_files: Canonical[_KeyFile] = Canonical(_KeyFile, SMALL_FILE_MAX_BYTES)


class GuestKey:
    """One guest's key. Never prints itself."""

    def __init__(self, directory: Path, kept: _KeyFile) -> None:
        self.directory = directory
        self._kept = kept

    def __repr__(self) -> str:
        return f"GuestKey({self.player.hex()[:8]}, secret hidden)"

    @property
    def player(self) -> PlayerId:
        """Whose it is."""
        return self._kept.player

    @property
    def is_taken(self) -> bool:
        """Whether its words have been shown."""
        return self._kept.taken

    def is_known_by(self, secret: str) -> bool:
        """Whether this is the secret that the guest's browser keeps. What is compared are hashes of 256 random bits."""
        return _hash(secret) == self._kept.secret_hash

    def identity(self) -> Identity:
        """The key itself: some milliseconds of hashing."""
        return Identity(seed_of(self._kept.entropy))

    def take_home(self) -> tuple[str, ...]:
        """Its 24 words. That they were given away is synced before they are."""
        if not self.is_taken:
            self._kept = replace(self._kept, taken=True)
            replace_file(self.directory / FILE_NAME, _encode(self._kept))
        return words_of(self._kept.entropy)

    @property
    def is_idle(self) -> bool:
        """Whether nothing was ever signed with it in a ledger, and nobody has its words."""
        return not self.is_taken and not any(self.directory.glob("last-signed-*"))

    def begin_anew(self, kept: _KeyFile) -> None:
        """Be another's key from now on."""
        replace_file(self.directory / FILE_NAME, _encode(kept))
        self._kept = kept

    def signed_path(self, network_name: str) -> Path:
        """Where it is recorded what this key signed last."""
        return self.directory / f"last-signed-{network_name}"


class GuestKeys:
    """All of them. OperatingFailure when the directory cannot be read; damaged ones are left alone and logged."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._keys: list[GuestKey] = []
        self._last = self._count = 0
        try:
            found = sorted(directory.iterdir()) if directory.is_dir() else []
        except OSError as error:
            raise _cannot(directory, error) from error
        for folder in found:
            if folder.name.isdecimal():
                self._last, self._count = max(self._last, int(folder.name)), self._count + 1
                self._read(folder)

    def _read(self, folder: Path) -> None:
        try:
            raw = read_small(folder / FILE_NAME)
            if raw is None:
                return  # the process died before it was made
            if stat.S_IMODE((folder / FILE_NAME).stat().st_mode) & 0o077:
                raise OperatingFailure("a guest's key is not used", f"others can read {folder}", "Move it away.")
            self._keys.append(GuestKey(folder, _decode(folder, raw)))
        except OperatingFailure as failure:
            log.warning("%s: %s", failure.what, failure.why)

    def players(self) -> list[PlayerId]:
        """Whose keys are kept here."""
        return [key.player for key in self._keys]

    def of(self, secret: str) -> GuestKey | None:
        """The key of whoever has this secret; None for one that was taken home, or for nobody."""
        return next((key for key in self._keys if key.is_known_by(secret) and not key.is_taken), None)

    def make(self, entropy: bytes, secret: str, in_use: Collection[PlayerId] = ()) -> GuestKey:
        """A new key, saved and synced; when many are kept, in the place of an idle one: who knocks and goes leaves
        nothing. OperatingFailure when there is none such, or it cannot be saved.
        """
        if self._count >= GUEST_KEYS_MAX:
            idle = next((key for key in self._keys if key.player not in in_use and key.is_idle), None)
            if idle is not None:
                idle.begin_anew(_new(entropy, secret))
                return idle
            remedy = f"Whoever runs it can move folders out of {self._directory}: keys, with what was earned by them."
            raise OperatingFailure("no more guests", f"{GUEST_KEYS_MAX} guests' keys are kept at this node", remedy)
        folder = self._directory / str(self._last + 1)
        kept = _new(entropy, secret)
        try:
            folder.mkdir(mode=0o700, parents=True)
            self._directory.chmod(0o700)
            sync_directory(self._directory)
        except OSError as error:
            raise _cannot(folder, error) from error
        self._last, self._count = self._last + 1, self._count + 1
        if not create_file(folder / FILE_NAME, _encode(kept)):
            raise OperatingFailure("a guest's key cannot be made", f"{folder} is in use", "Try again.")
        made = GuestKey(folder, kept)
        self._keys.append(made)
        return made


def _new(entropy: bytes, secret: str) -> _KeyFile:
    return _KeyFile(VERSION, entropy, Identity(seed_of(entropy)).player, _hash(secret), False)


def _hash(secret: str) -> bytes:
    return digest(b"symjam-secret", secret.encode("utf-8", "replace"))


def _encode(kept: _KeyFile) -> bytes:
    body = _key_files.encode(kept)
    return MAGIC + digest(b"symjam-guest", body) + body


def _decode(folder: Path, raw: bytes) -> _KeyFile:
    head, body = raw[: len(MAGIC) + 32], raw[len(MAGIC) + 32 :]
    if head != MAGIC + digest(b"symjam-guest", body):
        raise OperatingFailure("a guest's key is not used", f"{folder} is damaged", "Restore it from a backup.")
    try:
        return _key_files.decode(body)
    except Violation as violation:  # its detail may quote the secret
        why = f"{folder} is of another format ({violation.reason})"
        raise OperatingFailure("a guest's key is not used", why, "Use the version that made it.") from None


def _cannot(path: Path, error: OSError) -> OperatingFailure:
    why = f"{path}: {error.strerror or error}"
    return OperatingFailure("guests' keys cannot be kept", why, "Check who owns the directory, and the disk.")
