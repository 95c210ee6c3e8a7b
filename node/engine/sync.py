"""Keeping up with peers: totals, then document digests, then heads, then the entries that are missing (SPEC 3).

Live entries and gossip only make it fast. The guarantee is the exchange of totals: on joining, every few seconds,
and whenever a hint says that somebody holds something else. Nothing here depends on a frame arriving.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from crdt.entry import LogKey
from crdt.limits import DOCUMENTS_PER_FRAME_MAX, HEADS_PER_FRAME_MAX
from crdt.reconcile import Want, compare, serve
from crdt.replica import Head
from crdt.types import DocumentName, Nonce, Seq
from node.engine.documents import Documents
from node.engine.effects import Effect, Send
from node.engine.frames import Ask, DocumentDigest, Entries, Heads, LogHead, Proof, Total, pack
from node.engine.frames import Documents as DocumentsFrame
from node.engine.peers import Asked, Peer

TOTAL_EVERY_US: Final = 2_000_000
TOTAL_SOONEST_US: Final = 200_000


class Sync:
    """The reconciliation half of the engine."""

    def __init__(self, documents: Documents, may_leave: Callable[[DocumentName, LogKey], Seq | None]) -> None:
        self.documents = documents
        self._may_leave = may_leave

    def due(self, peer: Peer, now_us: int) -> list[Effect]:
        """What to send a peer because time has passed."""
        out: list[Effect] = []
        if now_us >= peer.next_total_us:
            peer.next_total_us = now_us + TOTAL_EVERY_US
            out.append(Send(peer.player, pack(Total(self.documents.total()))))
        out.extend(self._asks(peer, now_us))
        return out

    def hurry(self, peer: Peer, now_us: int) -> None:
        """Exchange totals soon: something elsewhere has changed."""
        peer.next_total_us = min(peer.next_total_us, now_us + TOTAL_SOONEST_US)

    def on_total(self, peer: Peer, frame: Total) -> list[Effect]:
        """Equal totals end the talk; others are answered with all document digests."""
        peer.in_sync = frame.total == self.documents.total()
        if peer.in_sync:
            peer.behind.clear()
            return []
        names = peer.page(self.documents.names(), DOCUMENTS_PER_FRAME_MAX)
        listing = tuple(DocumentDigest(name, self.documents.replicas[name].digest()) for name in names)
        return [Send(peer.player, pack(DocumentsFrame(listing)))]

    def on_documents(self, peer: Peer, frame: DocumentsFrame) -> list[Effect]:
        """Heads of every document that differs, and of those which the other did not name."""
        out: list[Effect] = [
            self._heads(peer, theirs.document, answer=False)
            for theirs in frame.documents
            if self.documents.peek(theirs.document).digest() != theirs.digest
        ]
        named = {theirs.document for theirs in frame.documents}
        if len(frame.documents) < DOCUMENTS_PER_FRAME_MAX:
            out.extend(self._heads(peer, name, answer=False) for name in self.documents.names() if name not in named)
        return out

    def on_heads(self, peer: Peer, frame: Heads, now_us: int) -> list[Effect]:
        """Ask for what is missing; tell one's own heads if the other lacks something; hand over proofs due."""
        replica = self.documents.peek(frame.document)
        theirs = [Head(h.author, h.nonce, h.length, h.head, h.frozen) for h in frame.heads]
        found = compare(replica, theirs, peer.player)
        if found.missing:
            peer.behind[frame.document] = found.missing
        else:
            peer.behind.pop(frame.document, None)
        for want in found.wants:
            peer.enqueue(frame.document, want)
        out: list[Effect] = []
        for key in found.proofs_due:
            proof = replica.equivocations[key]
            out.append(Send(peer.player, pack(Proof(proof.first.raw, proof.second.raw))))
        if found.they_lack and not frame.answer:
            out.append(self._heads(peer, frame.document, answer=True))
        return out + self._asks(peer, now_us)

    def on_ask(self, peer: Peer, frame: Ask) -> list[Effect]:
        """Serve entries."""
        replica = self.documents.replicas.get(frame.document)
        key = LogKey(frame.author, frame.nonce)
        limit = self._may_leave(frame.document, key)
        stop = frame.stop if limit is None else min(frame.stop, limit)
        raws = serve(replica, key, frame.start, stop) if replica else ()
        return [Send(peer.player, pack(Entries(frame.document, raws, frame.request)))]

    def on_answer(self, peer: Peer, request: int, count: int, now_us: int) -> list[Effect]:
        """After an answer's entries were taken in: ask for the rest of what it was part of."""
        asked = peer.answered(request)
        if asked is None:
            return []
        self._go_on(peer, asked, count)
        return self._asks(peer, now_us)

    def _go_on(self, peer: Peer, asked: Asked, count: int) -> None:
        document, want = asked
        reached = want.start + count
        if count and reached < want.stop:
            peer.enqueue(document, Want(want.log, Seq(reached), want.stop))
        if document in peer.behind:
            peer.behind[document] = max(0, peer.behind[document] - count)
            if not peer.behind[document]:
                del peer.behind[document]

    def _asks(self, peer: Peer, now_us: int) -> list[Effect]:
        return [
            Send(
                peer.player,
                pack(Ask(document, want.log.author, want.log.nonce, want.start, want.stop, request)),
            )
            for request, (document, want) in peer.next_asks(now_us)
        ]

    def _heads(self, peer: Peer, document: DocumentName, answer: bool) -> Effect:
        heads = peer.page(self.documents.peek(document).heads(), HEADS_PER_FRAME_MAX)
        listing = tuple(LogHead(h.author, Nonce(h.nonce), h.length, h.head, h.frozen) for h in heads)
        return Send(peer.player, pack(Heads(document, listing, answer)))
