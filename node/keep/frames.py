"""How a running node hands out its store: frames, one after the other (GET /api/store, docs/api.md).

    frame = kind, one byte || length, four bytes, big-endian || body

First a head, then pieces of records (crdt/store/records.py), then an end, or in its place what failed. Without one of
these two what came is not all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Final, Literal, NamedTuple

import msgspec
from msgspec import Meta

from crdt.errors import OperatingFailure
from crdt.limits import RECORDS_PIECE_MAX_BYTES
from crdt.store.base import StoreDamaged

HEAD: Final = b"h"
PIECE: Final = b"p"
END: Final = b"e"
FAILED: Final = b"f"

Hex = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class Head(msgspec.Struct, frozen=True):
    """Whose store, and what the node made of it at the moment that the records are of."""

    name: Annotated[str, Meta(max_length=64)]  # of the store's directory
    network: Hex
    preset: Annotated[str, Meta(max_length=16)]
    player: Hex
    root: Hex  # of the ledger
    entries: Annotated[int, Meta(ge=0)]  # about so many
    schema: Literal["symjam.store/1"] = "symjam.store/1"


class End(msgspec.Struct, frozen=True):
    """All is said."""

    pieces: Annotated[int, Meta(ge=0)]


class Failed(msgspec.Struct, frozen=True):
    """Why the rest does not come."""

    what: str
    why: str
    remedy: str
    damaged: bool


class Came(NamedTuple):
    """A head, and pieces that are read as they are asked for."""

    head: Head
    pieces: Iterator[bytes]


_heads = msgspec.json.Decoder(Head)
_ends = msgspec.json.Decoder(End)
_faileds = msgspec.json.Decoder(Failed)


def frame(kind: bytes, body: bytes) -> bytes:
    """One frame."""
    return kind + len(body).to_bytes(4, "big") + body


def said(body: Head | End | Failed) -> bytes:
    """A frame that is no piece."""
    kind = HEAD if isinstance(body, Head) else END if isinstance(body, End) else FAILED
    return frame(kind, msgspec.json.encode(body))


def failed(failure: OperatingFailure) -> Failed:
    """A failure in the midst of it."""
    return Failed(failure.what, failure.why, failure.remedy, isinstance(failure, StoreDamaged))


def read(take: Callable[[int], bytes]) -> Came:
    """A node's store from a stream of bytes; `take` gives so many of them, fewer only at its end.

    OperatingFailure, here or while pieces are asked for; StoreDamaged where the node found its store to be.
    """
    kind, body = _next(take)
    try:
        if kind != HEAD:
            raise _garbled("it does not begin with a head")
        return Came(_heads.decode(body), _pieces(take))
    except msgspec.DecodeError as error:
        raise _garbled(str(error)) from error


def _pieces(take: Callable[[int], bytes]) -> Iterator[bytes]:
    count = 0
    while True:
        kind, body = _next(take)
        if kind == PIECE:
            count += 1
            yield body
            continue
        try:
            if kind == END and _ends.decode(body).pieces == count:
                return
            told = _faileds.decode(body)
        except msgspec.DecodeError as error:
            raise _garbled(str(error)) from error
        raise (StoreDamaged if told.damaged else OperatingFailure)(told.what, told.why, told.remedy)


def _next(take: Callable[[int], bytes]) -> tuple[bytes, bytes]:
    head = take(5)
    size = int.from_bytes(head[1:], "big")
    if len(head) == 5 and size > RECORDS_PIECE_MAX_BYTES:
        raise _garbled(f"a frame of {size} bytes")
    body = take(size) if len(head) == 5 else b""
    if len(head) < 5 or len(body) < size:
        raise OperatingFailure("the node broke off", "its store did not come whole", "Is it still running? Try again")
    return head[:1], body


def _garbled(why: str) -> OperatingFailure:
    return OperatingFailure("cannot read the node's answer", why, "Are node and command of the same version?")
