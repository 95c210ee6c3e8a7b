"""The one encoding of everything signed, hashed or sent.

Typed structs as MessagePack arrays, no floats, no maps. A decoder accepts a value only when encoding it again gives
the same bytes: lenient decoders accept several spellings of one value, and two spellings are two ids (SPEC 2).
Ids are BLAKE2b-256, personalised by kind, of the unsigned body.
"""

from __future__ import annotations

import hashlib
from typing import Generic, TypeVar

import msgspec

from crdt.errors import Reason, Violation

T = TypeVar("T")

_encoder = msgspec.msgpack.Encoder()
encode = _encoder.encode


class Canonical(Generic[T]):
    """Encoder and strict decoder of one type.

    `decode` raises Violation: OVERSIZE beyond `max_bytes`, GARBAGE when types or bounds do not hold,
    NON_CANONICAL when another spelling of the same value was sent.
    """

    def __init__(self, type_: type[T] | object, max_bytes: int) -> None:
        self._decoder: msgspec.msgpack.Decoder[T] = msgspec.msgpack.Decoder(type_)
        self.max_bytes = max_bytes

    def encode(self, value: T) -> bytes:
        """Canonical bytes of a value."""
        return encode(value)

    def decode(self, raw: bytes) -> T:
        """The value that `raw` is the canonical encoding of."""
        if len(raw) > self.max_bytes:
            raise Violation(Reason.OVERSIZE, f"{len(raw)} bytes, at most {self.max_bytes}")
        value = self.decode_known(raw)
        if encode(value) != raw:
            raise Violation(Reason.NON_CANONICAL)
        return value

    def decode_known(self, raw: bytes) -> T:
        """The value of bytes that `decode` has accepted before. GARBAGE where that cannot be."""
        try:
            return self._decoder.decode(raw)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise Violation(Reason.GARBAGE, str(error)) from None


def digest(kind: bytes, *parts: bytes) -> bytes:
    """BLAKE2b-256 of the parts' concatenation, personalised by `kind` (at most 16 bytes).

    Callers pass either one canonical encoding or parts of fixed length, so that no two inputs concatenate alike.
    """
    h = hashlib.blake2b(digest_size=32, person=kind)
    for part in parts:
        h.update(part)
    return h.digest()
