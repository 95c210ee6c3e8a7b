"""24 words, and the keys that follow from them.

    32 random bytes --BIP-39--> 24 words --PBKDF2, 2,048 rounds--> 64 bytes --SLIP-0010--> m/44'/4866381'/account'

The words are of BIP-39's English list, without a further password: they are all that is needed to have the key again.
4866381 is 0x4A414D, the coin's name in ASCII (it is not registered in SLIP-0044). Ed25519 knows hardened steps only,
so a public key tells nothing of its siblings, and there is no extended public key.

SLIP-0010 for ed25519 is two HMACs, and is here; the library for it brings the other three curves, which nothing uses.
"""

from __future__ import annotations

import functools
import hmac
from typing import Final

from mnemonic import Mnemonic

from crdt.errors import Misuse, OperatingFailure

WORDS: Final = 24
ENTROPY_BYTES: Final = 32
PURPOSE: Final = 44  # BIP-44
COIN: Final = 0x4A414D  # "JAM"
HARDENED: Final = 1 << 31


class WordsRefused(OperatingFailure):
    """What was typed are not 24 words that belong together. Says where, never what."""


def words_of(entropy: bytes) -> tuple[str, ...]:
    """The 24 words of 32 random bytes."""
    if len(entropy) != ENTROPY_BYTES:
        raise Misuse("24 words hold 32 bytes")
    return tuple(_english().to_mnemonic(entropy).split(" "))


def every_word() -> frozenset[str]:
    """The 2,048 words of the list."""
    return frozenset(_english().wordlist)


def entropy_of(text: str) -> bytes:
    """The 32 bytes that these words hold, in any case and with any blanks between them. Raises WordsRefused."""
    words = Mnemonic.normalize_string(text).lower().split()
    if len(words) != WORDS:
        raise WordsRefused("these words are no key", f"there are {len(words)} of them", f"Type all {WORDS}, in order")
    known = every_word()
    wrong = next((place for place, word in enumerate(words, 1) if word not in known), None)
    if wrong is not None:
        raise WordsRefused(
            "these words are no key",
            f"word {wrong} is not in the list",
            "Look at how it is spelt: every word is English, and told from all others by its first four letters",
        )
    if not _english().check(" ".join(words)):
        raise WordsRefused(
            "these words are no key",
            "all of them are in the list, and they do not belong together: their checksum is wrong",
            "One of them is another word than was written down, or two have changed places",
        )
    return bytes(_english().to_entropy(words))


def seed_of(entropy: bytes, account: int = 0) -> bytes:
    """The 32-byte signing seed of an account of these words: m/44'/4866381'/account'."""
    return derive(Mnemonic.to_seed(" ".join(words_of(entropy))), (PURPOSE, COIN, account))


def derive(secret: bytes, path: tuple[int, ...]) -> bytes:
    """The ed25519 seed of SLIP-0010 at a path of hardened steps (each written without its 2**31), below a secret of
    16 to 64 bytes."""
    if not 16 <= len(secret) <= 64:
        raise Misuse("a secret to derive from has 16 to 64 bytes")
    if not all(0 <= step < HARDENED for step in path):
        raise Misuse("a step of a path is below 2**31, and all are hardened")
    node = hmac.digest(b"ed25519 seed", secret, "sha512")
    for step in path:
        key, chain = node[:32], node[32:]
        node = hmac.digest(chain, b"\0" + key + (step | HARDENED).to_bytes(4, "big"), "sha512")
    return node[:32]


@functools.cache
def _english() -> Mnemonic:
    return Mnemonic("english")
