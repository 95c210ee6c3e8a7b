"""Fetching a checkpoint's content from a peer, piece by piece, until it has the digest that was asked for.

One peer is asked at a time, and one piece: a content is megabytes at most, and music goes before it. Who does not have
it says so, who does not answer in time is passed over, and who sends what has another digest is blamed for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from consensus.content import digest_of
from crdt.errors import Reason, Violation
from crdt.limits import CONTENT_MAX_BYTES, CONTENT_PIECE_BYTES
from crdt.types import Digest, NetworkId, PlayerId
from node.engine.effects import Send
from node.engine.frames import AskContent, ContentPiece, pack

ANSWER_TIMEOUT_US: Final = 3_000_000


class Fetching:
    """The content under way: from whom, and how much of it."""

    def __init__(self, network: NetworkId) -> None:
        self._network = network
        self._wanted: Digest | None = None
        self._giver: PlayerId | None = None
        self._held = bytearray()
        self._until_us = 0

    def due(self, now_us: int, wanted: Digest | None, peers: Iterable[PlayerId]) -> list[Send]:
        """Ask somebody, when something is wanted and nobody is about to answer."""
        if wanted != self._wanted:
            self._wanted, self._giver, self._until_us = wanted, None, 0
        if wanted is None or now_us < self._until_us:
            return []
        linked = sorted(peers)
        if not linked:
            return []
        last = self._giver or b""
        self._giver = next((player for player in linked if player > last), linked[0])
        self._held.clear()
        return [self._ask(now_us)]

    def _ask(self, now_us: int) -> Send:
        assert self._wanted is not None and self._giver is not None
        self._until_us = now_us + ANSWER_TIMEOUT_US
        return Send(self._giver, pack(AskContent(self._wanted, len(self._held))))

    def on_piece(self, now_us: int, giver: PlayerId, piece: ContentPiece) -> tuple[list[Send], bytes | None]:
        """Take a piece in: what to ask next, and the content once it is whole. Raises Violation."""
        if (giver, piece.digest, piece.start) != (self._giver, self._wanted, len(self._held)):
            return [], None  # an answer that was given up, or to a question of before
        if piece.total > CONTENT_MAX_BYTES or len(self._held) + len(piece.part) > piece.total:
            self._until_us = 0
            raise Violation(Reason.OVERSIZE, f"a content of {piece.total} bytes")
        self._held += piece.part
        if len(self._held) < piece.total and piece.part:
            return [self._ask(now_us)], None
        raw = bytes(self._held)
        self._held.clear()
        if not piece.total:
            self._until_us = min(self._until_us, now_us + ANSWER_TIMEOUT_US // 10)  # somebody else may have it
            return [], None
        self._until_us = 0
        if digest_of(self._network, raw) != self._wanted:
            raise Violation(Reason.GARBAGE, "a checkpoint's content with another digest")
        return [], raw


def piece_of(ask: AskContent, raw: bytes | None) -> ContentPiece:
    """The answer to a question, from a content or from not having it."""
    held = raw or b""
    return ContentPiece(ask.digest, ask.start, len(held), held[ask.start : ask.start + CONTENT_PIECE_BYTES])
