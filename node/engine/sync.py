"""Keeping up with peers: totals, then digests of documents and of their shares, then the heads of the shares that
differ, then the entries that are missing (SPEC 3).

Live entries and gossip only make it fast. The guarantee is the exchange of totals: on joining, every few seconds,
and whenever a hint says that somebody holds something else. Nothing here depends on a frame arriving.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from crdt.entry import LogKey
from crdt.errors import Reason, Violation
from crdt.limits import DOCUMENTS_PER_FRAME_MAX, HEADS_PER_FRAME_MAX, SHARED_DOCUMENTS_MAX, SHARED_FROM_LOGS
from crdt.log import Head
from crdt.reconcile import Want, compare, serve
from crdt.summary import ALL_SHARES, bits_of, shares_in
from crdt.types import DocumentName, Nonce, Seq
from node.engine.budget import price_of_proof
from node.engine.documents import Documents
from node.engine.effects import Effect, Send
from node.engine.frames import Ask, DocumentDigest, Entries, Heads, LogHead, Proof, Total, pack
from node.engine.frames import Documents as DocumentsFrame
from node.engine.peers import Asked, Peer

TOTAL_EVERY_US: Final = 2_000_000
TOTAL_SOONEST_US: Final = 200_000
_LIST_TIMES: Final = 4  # a list takes more to gather than its bytes take to send


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
        while peer.pending and not peer.served.is_spent(now_us):
            out.append(self._serve(peer, peer.pending.popleft(), now_us))
        out.extend(self._asks(peer, now_us))
        return out

    def hurry(self, peer: Peer, now_us: int) -> None:
        """Exchange totals soon: something elsewhere has changed."""
        peer.next_total_us = min(peer.next_total_us, now_us + TOTAL_SOONEST_US)

    def on_total(self, peer: Peer, frame: Total, now_us: int) -> list[Effect]:
        """Equal totals end the talk; others are answered with all document digests."""
        peer.in_sync = frame.total == self.documents.total()
        if peer.in_sync:
            peer.synced(now_us)
            return []
        if peer.served.is_spent(now_us):
            return []
        names = peer.page(self.documents.names(), DOCUMENTS_PER_FRAME_MAX)
        listing = tuple(self._digests(name, number < SHARED_DOCUMENTS_MAX) for number, name in enumerate(names))
        return [_charged(peer, pack(DocumentsFrame(listing)), _LIST_TIMES, now_us)]

    def _digests(self, name: DocumentName, with_shares: bool) -> DocumentDigest:
        replica = self.documents.replicas[name]
        is_large = with_shares and len(replica.logs) >= SHARED_FROM_LOGS
        return DocumentDigest(name, replica.digest(), replica.summary.digests() if is_large else b"")

    def on_documents(self, peer: Peer, frame: DocumentsFrame, now_us: int) -> list[Effect]:
        """Heads of every document that differs, in the shares that do, and of those which the other did not name."""
        named = {theirs.document for theirs in frame.documents}
        theirs = [d for d in frame.documents if not self.documents.is_past(d.document)]
        differing: list[tuple[DocumentName, Sequence[int]]] = []
        for told in theirs:
            replica = self.documents.peek(told.document)
            if replica.digest() == told.digest:
                peer.alike(told.document, now_us)
            else:
                differing.append((told.document, replica.summary.differing(told.shares)))
        if len(frame.documents) < DOCUMENTS_PER_FRAME_MAX:
            differing += [(name, ALL_SHARES) for name in self.documents.names() if name not in named]
        out: list[Effect] = []
        for name, shares in differing:
            if peer.served.is_spent(now_us):
                break  # the rest with the next exchange
            out.append(self._heads(peer, name, shares, answer=False, now_us=now_us))
        return out

    def on_heads(self, peer: Peer, frame: Heads, now_us: int) -> list[Effect]:
        """Ask for what is missing; tell one's own heads if the other lacks something; hand over proofs due."""
        if self.documents.is_past(frame.document):  # by a clock a little behind this one's
            peer.compared(frame.document, 0, 0)
            return []
        replica = self.documents.peek(frame.document)
        theirs = [Head(h.author, h.nonce, h.length, h.head, h.frozen) for h in frame.heads]
        shares = shares_in(frame.shares)
        found = compare(replica, theirs, peer.player, shares)
        peer.compared(frame.document, found.missing, found.lacking)
        for want in found.wants:
            peer.enqueue(frame.document, want)
        out: list[Effect] = []
        for key in found.proofs_due:
            proof = replica.equivocations[key]
            handed = pack(Proof(proof.first.raw, proof.second.raw))
            if not peer.relayed.affords(price_of_proof(handed), now_us):
                break  # the rest with the next exchange
            out.append(Send(peer.player, handed))
        if found.lacking and not frame.answer:
            out.append(self._heads(peer, frame.document, shares, answer=True, now_us=now_us))
        return out + self._asks(peer, now_us)

    def on_ask(self, peer: Peer, frame: Ask, now_us: int) -> list[Effect]:
        """Serve entries, now or when the peer may be served again. Violation FLOOD when too many wait for that."""
        if not peer.pending and not peer.served.is_spent(now_us):
            return [self._serve(peer, frame, now_us)]
        if not peer.may_wait(frame):
            raise Violation(Reason.FLOOD, "more questions than can be answered")
        return []

    def _serve(self, peer: Peer, frame: Ask, now_us: int) -> Effect:
        replica = self.documents.replicas.get(frame.document)
        key = LogKey(frame.author, frame.nonce)
        limit = self._may_leave(frame.document, key)
        stop = frame.stop if limit is None else min(frame.stop, limit)
        raws = serve(replica, key, frame.start, stop) if replica else ()
        return _charged(peer, pack(Entries(frame.document, raws, frame.request)), 1, now_us)

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

    def _heads(self, peer: Peer, document: DocumentName, shares: Sequence[int], answer: bool, now_us: int) -> Effect:
        heads = peer.page(self.documents.peek(document).summary.heads(shares), HEADS_PER_FRAME_MAX)
        listing = tuple(LogHead(h.author, Nonce(h.nonce), h.length, h.head, h.frozen) for h in heads)
        return _charged(peer, pack(Heads(document, listing, answer, bits_of(shares))), _LIST_TIMES, now_us)


def _charged(peer: Peer, frame: bytes, times: int, now_us: int) -> Effect:
    """A frame that the peer has brought about, taken from what it may be served."""
    peer.served.spend(len(frame) * times, now_us)
    return Send(peer.player, frame)
