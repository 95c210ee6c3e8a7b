"""A node's store as a stream: whole, or said not to be."""

from __future__ import annotations

import io

import pytest

from crdt.errors import OperatingFailure
from crdt.store.base import StoreDamaged
from node.keep.frames import END, HEAD, PIECE, End, Head, failed, frame, read, said

HEAD_SAID = said(Head("store-small-00000000", "00" * 32, "small", "11" * 32, "22" * 32, 7))
WHOLE = HEAD_SAID + frame(PIECE, b"one") + frame(PIECE, b"two") + said(End(2))


def test_pieces_come_in_order() -> None:
    came = read(io.BytesIO(WHOLE).read)
    assert came.head.entries == 7 and list(came.pieces) == [b"one", b"two"]


def test_what_is_cut_off_anywhere_is_not_taken_for_whole() -> None:
    for end in range(len(WHOLE)):
        with pytest.raises(OperatingFailure, match="did not come whole"):
            list(read(io.BytesIO(WHOLE[:end]).read).pieces)


@pytest.mark.parametrize(
    "stream",
    [
        WHOLE[len(HEAD_SAID) :],
        frame(HEAD, b"{}"),
        frame(HEAD, b"\xff"),
        HEAD_SAID + frame(PIECE, b"one") + said(End(2)),
        HEAD_SAID + frame(b"?", b"{}"),
        HEAD_SAID + frame(END, b"[]"),
        HEAD_SAID + PIECE + b"\xff\xff\xff\xff" + bytes(64),
    ],
)
def test_what_is_no_stream_is_refused(stream: bytes) -> None:
    with pytest.raises(OperatingFailure, match="cannot read the node's answer"):
        list(read(io.BytesIO(stream).read).pieces)


@pytest.mark.parametrize("kind", [OperatingFailure, StoreDamaged])
def test_what_failed_in_the_node_fails_here_in_its_words(kind: type[OperatingFailure]) -> None:
    stream = HEAD_SAID + frame(PIECE, b"one") + said(failed(kind("the store cannot be read", "block 7", "Help it")))
    pieces = read(io.BytesIO(stream).read).pieces
    assert next(pieces) == b"one"
    with pytest.raises(OperatingFailure) as caught:
        next(pieces)
    assert (type(caught.value), caught.value.why, caught.value.remedy) == (kind, "block 7", "Help it")
