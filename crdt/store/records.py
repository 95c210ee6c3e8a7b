"""A store's records as bytes, in pieces of bounded size: how they leave it for a backup or a check, and come back.

piece = canonical [[key, value], ...], in order of keys; about RECORDS_PIECE_BYTES, and one record more at most
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Final

from msgspec import Meta

from crdt.canonical import Canonical
from crdt.limits import RECORDS_PIECE_BYTES, RECORDS_PIECE_MAX_BYTES

Item = tuple[bytes, bytes]

_pieces: Final[Canonical[tuple[Item, ...]]] = Canonical(
    Annotated[tuple[Item, ...], Meta(min_length=1)], RECORDS_PIECE_MAX_BYTES
)


def pieces(items: Iterable[Item]) -> Iterator[bytes]:
    """All records, piece by piece, each read when it is asked for."""
    piece: list[Item] = []
    size = 0
    for item in items:
        piece.append(item)
        size += len(item[0]) + len(item[1])
        if size >= RECORDS_PIECE_BYTES:
            yield _pieces.encode(tuple(piece))
            piece, size = [], 0
    if piece:
        yield _pieces.encode(tuple(piece))


def items_in(piece: bytes) -> tuple[Item, ...]:
    """The records of one piece. Raises Violation."""
    return _pieces.decode(piece)
