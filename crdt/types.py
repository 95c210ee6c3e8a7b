"""Ids, amounts and times as types of their own, checked where they are made.

`NewType` costs nothing at run time and keeps an `EntryId` from being passed as a `PlayerId`. The `...Field` aliases
carry the bounds that decoding enforces.
"""

from __future__ import annotations

import functools
import re
from typing import Annotated, Final, NewType

from msgspec import Meta

from crdt.errors import Misuse

PlayerId = NewType("PlayerId", bytes)  # Ed25519 public key, 32 bytes
EntryId = NewType("EntryId", bytes)  # BLAKE2b-256 of an unsigned body
BlockId = NewType("BlockId", bytes)
SessionId = NewType("SessionId", bytes)
NetworkId = NewType("NetworkId", bytes)
Digest = NewType("Digest", bytes)  # BLAKE2b-256 of something that has no id type
Signature = NewType("Signature", bytes)  # 64 bytes
Nonce = NewType("Nonce", bytes)  # 8 bytes: which of an author's logs in one document
DocumentName = NewType("DocumentName", str)  # ledger/<epoch> or jam/<session id>/<part>
Seq = NewType("Seq", int)
Window = NewType("Window", int)
Epoch = NewType("Epoch", int)
MicroJam = NewType("MicroJam", int)
Micros = NewType("Micros", int)  # microseconds: of the node's clock (Unix) or of session time

UINT63_MAX: Final = 2**63 - 1

PlayerIdField = Annotated[PlayerId, Meta(min_length=32, max_length=32)]
EntryIdField = Annotated[EntryId, Meta(min_length=32, max_length=32)]
BlockIdField = Annotated[BlockId, Meta(min_length=32, max_length=32)]
SessionIdField = Annotated[SessionId, Meta(min_length=32, max_length=32)]
NetworkIdField = Annotated[NetworkId, Meta(min_length=32, max_length=32)]
DigestField = Annotated[Digest, Meta(min_length=32, max_length=32)]
SignatureField = Annotated[Signature, Meta(min_length=64, max_length=64)]
NonceField = Annotated[Nonce, Meta(min_length=8, max_length=8)]
DocumentField = Annotated[DocumentName, Meta(min_length=1, max_length=96)]
SeqField = Annotated[Seq, Meta(ge=0, le=2**53 - 1)]
WindowField = Annotated[Window, Meta(ge=0, le=2**40)]
MicrosField = Annotated[Micros, Meta(ge=0, le=UINT63_MAX)]

NO_NONCE: Final = Nonce(bytes(8))
NO_ENTRY: Final = EntryId(bytes(32))  # the `prev` of an author's first entry

_LEDGER = re.compile(r"ledger/(0|[1-9][0-9]{0,11})\Z")
_JAM = re.compile(r"jam/([0-9a-f]{64})/(0|[1-9][0-9]{0,5})\Z")


def player_id(raw: bytes) -> PlayerId:
    """A player id from 32 bytes; Misuse on any other length."""
    if len(raw) != 32:
        raise Misuse(f"a player id has 32 bytes, not {len(raw)}")
    return PlayerId(raw)


def ledger_document(epoch: Epoch) -> DocumentName:
    """Name of the ledger's document for one epoch. Misuse below 0 and beyond twelve digits."""
    return _named(f"ledger/{epoch}")


def jam_document(session: SessionId, part: int = 0) -> DocumentName:
    """Name of a session's document; `part` counts up as documents fill. Misuse for ids or parts out of bounds."""
    return _named(f"jam/{session.hex()}/{part}")


@functools.lru_cache(maxsize=4_096)
def ledger_epoch(name: str) -> Epoch | None:
    """The epoch of a ledger document, None for any other name."""
    match = _LEDGER.match(name)
    return Epoch(int(match[1])) if match else None


def jam_session(name: str) -> tuple[SessionId, int] | None:
    """Session and part of a jam document, None for any other name."""
    match = _JAM.match(name)
    return (SessionId(bytes.fromhex(match[1])), int(match[2])) if match else None


def continues(name: str) -> bool:
    """Whether an author's first entry in this document may link to its last one in an earlier document."""
    jam = jam_session(name)
    return _LEDGER.match(name) is not None if jam is None else jam[1] > 0


def is_document(name: str) -> bool:
    """Whether a name is one that this protocol knows."""
    return _LEDGER.match(name) is not None or _JAM.match(name) is not None


def _named(name: str) -> DocumentName:
    if not is_document(name):
        raise Misuse(f"no document can be named {name!r}")
    return DocumentName(name)


def short(identifier: bytes) -> str:
    """The first eight hex digits, as people see an id."""
    return identifier[:4].hex()
