"""What is in a key file, as bytes; where it lies is wallet/keystore.py's business.

    file       = magic || checksum || canonical body
    version 2  = [2, player, form, lock, passes, memory_kib, salt, held]
    version 1  = [1, "plain", "", seed]        of earlier versions: read, no longer written

`form` says what is kept: "words", the 32 bytes that 24 words hold, until somebody has written the words down; from then
on "seed", the signing seed that follows from them. `lock` says how: "none", protected by the file's mode alone, or
"argon2id": `held` is a SecretBox (XSalsa20-Poly1305, 24 bytes of nonce in front) under a key that Argon2id (RFC 9106)
makes of passphrase and salt. Its cost is in the file, so that it can rise later; a file that asks for more than this
program ever spends is refused before a byte of that memory is taken.

The player stands outside the box: a locked key can be shown, listed and watched. After opening, the key has to be that
player's. The checksum tells a damaged file from a wrong passphrase.
"""

from __future__ import annotations

import unicodedata
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import msgspec
import nacl.utils
from msgspec import Meta
from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id
from nacl.secret import SecretBox

from crdt.canonical import Canonical, digest
from crdt.errors import Misuse, OperatingFailure, Violation
from crdt.keys import Identity
from crdt.limits import SMALL_FILE_MAX_BYTES
from crdt.types import PlayerId, PlayerIdField
from wallet.words import seed_of

MAGIC: Final = b"symjam-key\n"
VERSION: Final = 2
PLAIN: Final = "plain"  # the one kind of version 1
NO_LOCK: Final = "none"
ARGON2ID: Final = "argon2id"
PASSPHRASE_MIN: Final = 8  # characters
PASSPHRASE_MAX_BYTES: Final = 1_024
PASSES_MAX: Final = 16
MEMORY_MAX_KIB: Final = 1 << 20
SALT_BYTES: Final = 16
SECRET_BYTES: Final = 32


class Cost(NamedTuple):
    """What one try of a passphrase takes: passes over so much memory."""

    passes: int
    memory_kib: int


MODERATE: Final = Cost(3, 256 * 1_024)  # libsodium's: 256 MiB, about half a second


class KeyRefused(OperatingFailure):
    """There is a key file, and it must not or cannot be used."""


class KeyLocked(OperatingFailure):
    """The key is under a passphrase, and none was given."""


class WrongPassphrase(OperatingFailure):
    """The passphrase is not the one that the key is under."""


class PassphraseRefused(OperatingFailure):
    """No key is put under a passphrase like this."""


class Form(StrEnum):
    """What of a key is kept."""

    WORDS = "words"
    SEED = "seed"


class Key:
    """A secret in one of its forms. Never prints itself."""

    __slots__ = ("form", "secret")

    def __init__(self, form: Form, secret: bytes) -> None:
        if len(secret) != SECRET_BYTES:
            raise Misuse("a key has 32 bytes in every form")
        self.form = form
        self.secret = secret

    def __repr__(self) -> str:
        return f"Key({self.form}, secret hidden)"

    def __reduce__(self) -> str:
        raise Misuse("a key is never pickled")

    def identity(self) -> Identity:
        """The player."""
        return Identity(seed_of(self.secret) if self.form is Form.WORDS else self.secret)

    def without_words(self) -> Key:
        """The same player's key, from which its words do not follow."""
        return Key(Form.SEED, self.identity().seed())


def new_key() -> Key:
    """A key that nobody has had before."""
    return Key(Form.WORDS, nacl.utils.random(SECRET_BYTES))


class _First(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """A body of version 1."""

    version: Annotated[int, Meta(ge=1, le=1)]
    kind: Annotated[str, Meta(max_length=32)]
    salt: Annotated[bytes, Meta(max_length=64)]
    secret: Annotated[bytes, Meta(max_length=256)]

    def __repr__(self) -> str:
        return f"_First({self.kind}, secret hidden)"


class _Second(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """A body of version 2."""

    version: Annotated[int, Meta(ge=VERSION, le=VERSION)]
    player: PlayerIdField
    form: Annotated[str, Meta(max_length=32)]
    lock: Annotated[str, Meta(max_length=32)]
    passes: Annotated[int, Meta(ge=0, le=2**53)]
    memory_kib: Annotated[int, Meta(ge=0, le=2**53)]
    salt: Annotated[bytes, Meta(max_length=64)]
    held: Annotated[bytes, Meta(max_length=256)]

    def __repr__(self) -> str:
        return f"_Second({self.player.hex()[:8]}, {self.lock}, secret hidden)"


_firsts: Canonical[_First] = Canonical(_First, SMALL_FILE_MAX_BYTES)
_seconds: Canonical[_Second] = Canonical(_Second, SMALL_FILE_MAX_BYTES)


class KeyFile:
    """A key file that was read: whose it is, and the key itself to whoever may open it. Never prints the secret."""

    def __init__(self, path: Path, player: PlayerId, form: Form, cost: Cost | None, salt: bytes, held: bytes) -> None:
        self.path, self.player, self.form = path, player, form
        self.cost = cost  # None: under no passphrase
        self._salt, self._held = salt, held

    def __repr__(self) -> str:
        return f"KeyFile({self.player.hex()[:8]}, {self.form}, {'locked' if self.is_locked else 'open'})"

    @property
    def is_locked(self) -> bool:
        """Whether a passphrase is needed."""
        return self.cost is not None

    def open(self, passphrase: str | None = None) -> Key:
        """The key. KeyLocked, WrongPassphrase; KeyRefused when what is in the box is not this player's."""
        if self.cost is None:
            return Key(self.form, self._held)
        if passphrase is None:
            raise KeyLocked(
                "the key is locked", f"{self.path} is under a passphrase", "Give it when asked, or by --passphrase-fd"
            )
        try:
            secret = _box(passphrase, self._salt, self.cost).decrypt(self._held)
        except CryptoError:  # without it: it would name what was tried
            raise WrongPassphrase(
                "the key stays locked",
                "that is not its passphrase",
                "Try again. Whoever has the 24 words can have the key anew: symjam wallet restore",
            ) from None
        key = Key(self.form, secret)
        if key.identity().player != self.player:
            raise _another_format(self.path, "it says to be another player's than it is")
        return key


def pack(key: Key, passphrase: str | None, cost: Cost) -> bytes:
    """A whole file for a key, under a passphrase or, with None, under none. PassphraseRefused."""
    salt, held = b"", key.secret
    if passphrase is not None:
        require_passphrase(passphrase)
        salt = nacl.utils.random(SALT_BYTES)
        held = bytes(_box(passphrase, salt, cost).encrypt(key.secret))
    lock, spent = (NO_LOCK, Cost(0, 0)) if passphrase is None else (ARGON2ID, cost)
    body = _seconds.encode(_Second(VERSION, key.identity().player, str(key.form), lock, *spent, salt, held))
    return MAGIC + digest(b"symjam-key", body) + body


def unpack(path: Path, raw: bytes) -> KeyFile:
    """What a file says, its secret still closed. KeyRefused for anything that is no key file of a known version."""
    head, body = raw[: len(MAGIC) + 32], raw[len(MAGIC) + 32 :]
    restore = f"Restore {path} from a backup, or make it anew from its words: symjam wallet restore"
    if not raw.startswith(MAGIC):
        raise KeyRefused("the key cannot be read", f"{path} is not a SymJam key file", restore)
    if head[len(MAGIC) :] != digest(b"symjam-key", body):
        raise KeyRefused("the key cannot be read", f"{path} is damaged: its checksum does not match", restore)
    is_first = body[1:2] == b"\x01"  # an array of few elements takes one byte, and so does a small number
    try:
        return _first(path, _firsts.decode(body)) if is_first else _second(path, _seconds.decode(body))
    except Violation as error:  # its detail may quote the secret
        raise _another_format(path, str(error.reason)) from None


def require_passphrase(passphrase: str) -> None:
    """PassphraseRefused unless a key may be put under it."""
    if len(passphrase) < PASSPHRASE_MIN or len(passphrase.encode("utf-8", "replace")) > PASSPHRASE_MAX_BYTES:
        raise PassphraseRefused(
            "the key is not put under this passphrase",
            f"it has fewer than {PASSPHRASE_MIN} characters, or more than {PASSPHRASE_MAX_BYTES} bytes",
            "Four or five words that do not belong together are easy to keep in mind and hard to guess",
        )


def _first(path: Path, found: _First) -> KeyFile:
    if found.kind != PLAIN:
        raise _unknown(path, found.kind)
    if len(found.secret) != SECRET_BYTES:
        raise _another_format(path, "it holds no seed of 32 bytes")
    return KeyFile(path, Identity(found.secret).player, Form.SEED, None, b"", found.secret)


def _second(path: Path, found: _Second) -> KeyFile:
    if found.lock not in (NO_LOCK, ARGON2ID):
        raise _unknown(path, found.lock)
    if found.form not in tuple(Form):
        raise _unknown(path, found.form)
    form, cost = Form(found.form), Cost(found.passes, found.memory_kib)
    if found.lock == NO_LOCK:
        if len(found.held) != SECRET_BYTES or found.salt or any(cost):
            raise _another_format(path, "it holds no key of 32 bytes")
        if Key(form, found.held).identity().player != found.player:
            raise _another_format(path, "it says to be another player's than it is")
        return KeyFile(path, found.player, form, None, b"", found.held)
    box_bytes = SECRET_BYTES + SecretBox.NONCE_SIZE + SecretBox.MACBYTES
    if len(found.salt) != SALT_BYTES or len(found.held) != box_bytes:
        raise _another_format(path, "salt or box are not as long as they must be")
    if not (1 <= cost.passes <= PASSES_MAX and 8 <= cost.memory_kib <= MEMORY_MAX_KIB):
        raise KeyRefused(
            "the key is not opened",
            f"{path} asks for {cost.passes} passes over {cost.memory_kib} KiB of memory, out of all proportion",
            "SymJam writes no such file. Make it anew from its words: symjam wallet restore",
        )
    return KeyFile(path, found.player, form, cost, found.salt, found.held)


def _box(passphrase: str, salt: bytes, cost: Cost) -> SecretBox:
    """NFKC first, so that one passphrase typed on two keyboards is one."""
    typed = unicodedata.normalize("NFKC", passphrase).encode("utf-8", "replace")
    try:
        made = argon2id.kdf(SecretBox.KEY_SIZE, typed, salt, cost.passes, cost.memory_kib * 1_024)
    except CryptoError:
        need = f"{cost.memory_kib // 1_024} MiB of memory are needed for a second, and are not to be had"
        raise OperatingFailure("the key is not opened", need, "End other programs, and try again") from None
    return SecretBox(made)


def _unknown(path: Path, kept: str) -> KeyRefused:
    why = f"{path} is kept as {kept!r}, which this version does not know"
    return KeyRefused("the key cannot be read", why, "Use the version of SymJam that made it, or a newer one")


def _another_format(path: Path, why: str) -> KeyRefused:
    return KeyRefused(
        "the key cannot be read",
        f"{path} is of another format ({why})",
        "If a newer SymJam made it, use that one. Else restore it from a backup, or from its words",
    )
