"""A content in pieces: from one peer at a time, whole or not at all, and nobody's word for it."""

from __future__ import annotations

import pytest

from consensus.content import digest_of, pack
from consensus.ledger import Ledger
from consensus.params import SMALL
from crdt.errors import Violation
from crdt.limits import CONTENT_MAX_BYTES, CONTENT_PIECE_BYTES
from crdt.types import Digest, Epoch, NetworkId, PlayerId
from node.engine.effects import Send
from node.engine.fetching import ANSWER_TIMEOUT_US, Fetching, piece_of
from node.engine.frames import AskContent, ContentPiece, unpack
from node.engine.record import CHECKPOINT_KEY, checkpoint_in, checkpoint_item

NETWORK = NetworkId(bytes(32))
RAW = bytes(range(256)) * 400
DIGEST = digest_of(NETWORK, RAW)
ONE, OTHER = PlayerId(b"\x01" * 32), PlayerId(b"\x02" * 32)


def asked(sends: list[Send]) -> AskContent:
    assert len(sends) == 1
    frame = unpack(sends[0].frame)
    assert isinstance(frame, AskContent)
    return frame


def test_piece_by_piece_until_it_is_whole() -> None:
    fetching = Fetching(NETWORK)
    sends = fetching.due(0, DIGEST, [ONE])
    whole, pieces = None, 0
    while whole is None:
        sends, whole = fetching.on_piece(0, ONE, piece_of(asked(sends), RAW))
        pieces += 1
    assert whole == RAW and pieces == -(-len(RAW) // CONTENT_PIECE_BYTES) and sends == []


def test_nothing_is_asked_when_nothing_is_wanted_or_nobody_is_there() -> None:
    fetching = Fetching(NETWORK)
    assert fetching.due(0, None, [ONE]) == [] == fetching.due(0, DIGEST, [])
    assert fetching.due(0, DIGEST, [ONE]) != []
    assert fetching.due(1, DIGEST, [ONE]) == []


def test_who_does_not_answer_is_passed_over() -> None:
    fetching = Fetching(NETWORK)
    assert fetching.due(0, DIGEST, [OTHER, ONE])[0].player == ONE
    assert fetching.due(ANSWER_TIMEOUT_US - 1, DIGEST, [OTHER, ONE]) == []
    assert fetching.due(ANSWER_TIMEOUT_US, DIGEST, [OTHER, ONE])[0].player == OTHER
    assert fetching.due(2 * ANSWER_TIMEOUT_US, DIGEST, [OTHER, ONE])[0].player == ONE


def test_who_does_not_have_it_says_so() -> None:
    fetching = Fetching(NETWORK)
    ask = asked(fetching.due(0, DIGEST, [ONE, OTHER]))
    assert fetching.on_piece(0, ONE, piece_of(ask, None)) == ([], None)
    assert fetching.due(ANSWER_TIMEOUT_US // 10, DIGEST, [ONE, OTHER])[0].player == OTHER


@pytest.mark.parametrize(
    ("giver", "piece"),
    [
        (OTHER, ContentPiece(DIGEST, 0, len(RAW), RAW[:9])),
        (ONE, ContentPiece(Digest(bytes(32)), 0, len(RAW), RAW[:9])),
        (ONE, ContentPiece(DIGEST, 9, len(RAW), RAW[:9])),
    ],
)
def test_what_was_not_asked_for_changes_nothing(giver: PlayerId, piece: ContentPiece) -> None:
    fetching = Fetching(NETWORK)
    ask = asked(fetching.due(0, DIGEST, [ONE]))
    assert fetching.on_piece(0, giver, piece) == ([], None)
    sends, _ = fetching.on_piece(0, ONE, piece_of(ask, RAW))
    assert asked(sends).start == CONTENT_PIECE_BYTES


@pytest.mark.parametrize(
    "piece",
    [
        ContentPiece(DIGEST, 0, CONTENT_MAX_BYTES + 1, b"x"),
        ContentPiece(DIGEST, 0, 3, b"four"),
        ContentPiece(DIGEST, 0, 4, b"lies"),
        ContentPiece(DIGEST, 0, 0, b"more"),
        ContentPiece(DIGEST, 0, 9, b""),
    ],
)
def test_lies_are_the_givers_fault_and_another_is_asked(piece: ContentPiece) -> None:
    fetching = Fetching(NETWORK)
    fetching.due(0, DIGEST, [ONE, OTHER])
    with pytest.raises(Violation):
        fetching.on_piece(0, ONE, piece)
    assert asked(fetching.due(1, DIGEST, [ONE, OTHER])).start == 0


def test_a_piece_is_never_larger_than_a_frame_allows() -> None:
    for start in (0, 1, len(RAW) - 1, len(RAW), CONTENT_MAX_BYTES):
        piece = piece_of(AskContent(DIGEST, start), RAW)
        assert len(piece.part) <= CONTENT_PIECE_BYTES and piece.total == len(RAW)


def test_a_damaged_record_is_no_record() -> None:
    raw = pack(Ledger(SMALL, NETWORK).content_at(Epoch(5)))
    key, value = checkpoint_item(digest_of(NETWORK, raw), raw)
    assert key == CHECKPOINT_KEY and checkpoint_in(NETWORK, value) == raw
    for bad in (None, b"", value[:31], value[:-1], bytes(32) + raw, value + b"x", checkpoint_item(DIGEST, RAW)[1]):
        assert checkpoint_in(NETWORK, bad) is None
