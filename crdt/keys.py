"""Identities: one 32-byte seed gives the signing key, the peer id and the VRF key.

Signatures are Ed25519 (RFC 8032) by libsodium only: libraries disagree on small-order and mixed-order keys, so no
other one verifies, and a key that libsodium does not call a valid point is refused before anything else is asked.
"""

from __future__ import annotations

import functools

from nacl.bindings import crypto_core_ed25519_is_valid_point, crypto_sign_open
from nacl.exceptions import BadSignatureError, CryptoError
from nacl.signing import SigningKey

from crdt.canonical import digest
from crdt.errors import Misuse
from crdt.types import PlayerId, Signature


class Identity:
    """A player's secret. Never prints itself."""

    __slots__ = ("_key", "_seed", "player")

    def __init__(self, seed: bytes) -> None:
        if len(seed) != 32:
            raise Misuse("a seed has 32 bytes")
        self._seed = seed
        self._key = SigningKey(seed)
        self.player = PlayerId(bytes(self._key.verify_key))

    def __repr__(self) -> str:
        return f"Identity({self.player.hex()[:8]}, secret hidden)"

    def __reduce__(self) -> str:
        raise Misuse("an identity is never pickled")

    def sign(self, message: bytes) -> Signature:
        """Ed25519 signature of a message (callers put the domain in front)."""
        return Signature(self._key.sign(message).signature)

    def seed(self) -> bytes:
        """The secret itself, for the keystore and the transport's handshake key."""
        return self._seed

    def vrf_seed(self) -> bytes:
        """Seed of the separate VRF key (SPEC 2): personalised BLAKE2b of the signing seed."""
        return digest(b"symjam-vrf-seed", self._seed)


@functools.lru_cache(maxsize=4_096)
def is_valid_player(player: bytes) -> bool:
    """Whether 32 bytes are a usable public key: a canonical point of the prime-order subgroup."""
    return len(player) == 32 and bool(crypto_core_ed25519_is_valid_point(player))


def verify(player: PlayerId, message: bytes, signature: bytes) -> bool:
    """Whether `signature` is the player's over `message`. Never raises on foreign bytes."""
    if len(signature) != 64 or not is_valid_player(player):
        return False
    try:
        crypto_sign_open(signature + message, player)
    except (BadSignatureError, CryptoError):
        return False
    return True
