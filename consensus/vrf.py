"""A verifiable random function: ECVRF-EDWARDS25519-SHA512-TAI of RFC 9381, on libsodium's group operations.

One key and one input have exactly one output, nobody can foresee it without the secret, and everybody can check it
with the public key. A signature will not do instead: one key can sign one message in many valid ways, and a
verifier that may choose among signatures chooses whether it is drawn.

Stricter than the RFC in one point: Gamma, like the key, must be a canonical point of the prime-order subgroup. An
honest prover makes no other, and what is refused here need not be reasoned about anywhere else.
"""

from __future__ import annotations

import functools
import hashlib
from typing import Final, NamedTuple

from nacl.bindings import (
    crypto_core_ed25519_add,
    crypto_core_ed25519_is_valid_point,
    crypto_core_ed25519_scalar_add,
    crypto_core_ed25519_scalar_mul,
    crypto_core_ed25519_scalar_reduce,
    crypto_core_ed25519_sub,
    crypto_scalarmult_ed25519_base_noclamp,
    crypto_scalarmult_ed25519_noclamp,
)
from nacl.exceptions import CryptoError

from crdt.errors import Misuse
from crdt.limits import VRF_KEYS_KNOWN_MAX

PROOF_BYTES: Final = 80  # Gamma, c, s
OUTPUT_BYTES: Final = 64
GROUP_ORDER: Final = 2**252 + 27742317777372353535851937790883648493

_SUITE: Final = b"\x03"
_FIELD_PRIME: Final = 2**255 - 19
_IDENTITY: Final = b"\x01" + bytes(31)
_ATTEMPTS: Final = 256  # each succeeds with a chance of one half


class _Secret(NamedTuple):
    scalar: bytes
    prefix: bytes
    public: bytes


def _sha512(*parts: bytes) -> bytes:
    return hashlib.sha512(b"".join(parts)).digest()


def _expand(seed: bytes) -> _Secret:
    """RFC 8032 5.1.5: the secret scalar (clamped, then reduced), the nonce prefix and the public key."""
    if len(seed) != 32:
        raise Misuse("a VRF seed has 32 bytes")
    h = bytearray(_sha512(seed))
    h[0] &= 248
    h[31] = (h[31] & 127) | 64
    scalar = crypto_core_ed25519_scalar_reduce(bytes(h[:32]) + bytes(32))
    return _Secret(scalar, bytes(h[32:]), crypto_scalarmult_ed25519_base_noclamp(scalar))


def _times_cofactor(point: bytes) -> bytes:
    for _ in range(3):
        point = crypto_core_ed25519_add(point, point)
    return point


def _encode_to_curve(public: bytes, alpha: bytes) -> bytes:
    """RFC 9381 5.4.1.1, try and increment; libsodium takes non-canonical y, so those are refused here."""
    for attempt in range(_ATTEMPTS):
        candidate = _sha512(_SUITE, b"\x01", public, alpha, bytes([attempt]), b"\x00")[:32]
        if int.from_bytes(candidate, "little") & (2**255 - 1) >= _FIELD_PRIME:
            continue
        try:
            point = _times_cofactor(candidate)
        except CryptoError:  # not on the curve
            continue
        if point != _IDENTITY:
            return point
    raise Misuse("no point found for this input")  # chance 2^-256


def _challenge(*points: bytes) -> bytes:
    return _sha512(_SUITE, b"\x02", *points, b"\x00")[:16]


def _output(gamma: bytes) -> bytes:
    return _sha512(_SUITE, b"\x03", _times_cofactor(gamma), b"\x00")


def public_key(seed: bytes) -> bytes:
    """The 32-byte VRF key of a 32-byte seed."""
    return _expand(seed).public


@functools.lru_cache(maxsize=VRF_KEYS_KNOWN_MAX)
def is_valid_key(public: bytes) -> bool:
    """Whether bytes are a usable VRF key: a canonical point of the prime-order subgroup, and not the identity."""
    return len(public) == 32 and bool(crypto_core_ed25519_is_valid_point(public))


def prove(seed: bytes, alpha: bytes) -> bytes:
    """The 80-byte proof of a seed's output for `alpha` (RFC 9381 5.1)."""
    secret = _expand(seed)
    h = _encode_to_curve(secret.public, alpha)
    gamma = crypto_scalarmult_ed25519_noclamp(secret.scalar, h)
    k = crypto_core_ed25519_scalar_reduce(_sha512(secret.prefix, h))
    u, v = crypto_scalarmult_ed25519_base_noclamp(k), crypto_scalarmult_ed25519_noclamp(k, h)
    c = _challenge(secret.public, h, gamma, u, v)
    s = crypto_core_ed25519_scalar_add(k, crypto_core_ed25519_scalar_mul(c + bytes(16), secret.scalar))
    return gamma + c + s


def evaluate(seed: bytes, alpha: bytes) -> bytes:
    """The 64-byte output of a seed for `alpha`, without a proof: a third of its price, and enough to see whether one
    is drawn at all. Equal to what `verify` returns for `prove(seed, alpha)`."""
    secret = _expand(seed)
    return _output(crypto_scalarmult_ed25519_noclamp(secret.scalar, _encode_to_curve(secret.public, alpha)))


def verify(public: bytes, alpha: bytes, proof: bytes) -> bytes | None:
    """The 64-byte output that `proof` shows for `alpha`, or None when it shows nothing (RFC 9381 5.3).

    Never raises on foreign bytes.
    """
    if len(proof) != PROOF_BYTES or not is_valid_key(public):
        return None
    gamma, c, s = proof[:32], proof[32:48], proof[48:]
    if int.from_bytes(s, "little") >= GROUP_ORDER or not crypto_core_ed25519_is_valid_point(gamma):
        return None
    h = _encode_to_curve(public, alpha)
    c_scalar = c + bytes(16)
    try:
        u = crypto_core_ed25519_sub(
            crypto_scalarmult_ed25519_base_noclamp(s), crypto_scalarmult_ed25519_noclamp(c_scalar, public)
        )
        v = crypto_core_ed25519_sub(
            crypto_scalarmult_ed25519_noclamp(s, h), crypto_scalarmult_ed25519_noclamp(c_scalar, gamma)
        )
    except CryptoError:  # a zero scalar
        return None
    return _output(gamma) if _challenge(public, h, gamma, u, v) == c else None
