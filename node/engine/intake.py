"""What peers send, on its way in: decoded, verified, merged, saved, passed on, told.

Whatever is wrong with it ends here as a Violation that is counted by its reason and charged to the peer; nothing
that a peer can send raises beyond this module.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from consensus.events import decode_events
from consensus.ops import AnyOp, Block, decode_ops
from crdt.canonical import encode
from crdt.entry import Entry
from crdt.errors import Reason, Violation
from crdt.quarantine import Quarantine
from crdt.replica import Admission
from crdt.store.keys import entry_item, proof_key
from crdt.types import Micros, PlayerId, jam_session
from node.engine import frames
from node.engine.documents import Documents
from node.engine.duties import Duties
from node.engine.effects import Effect, Heard, Persist, Refuse, Send
from node.engine.frames import Frame, pack, unpack
from node.engine.peers import OTHER_NETWORK_S, REFUSE_S, Peer
from node.engine.sync import Sync


class Intake:
    """The receiving half of the engine. Holds the counters of what was taken in and what was refused,
    and the quarantine."""

    def __init__(self, documents: Documents, sync: Sync, duties: Duties, peers: dict[PlayerId, Peer]) -> None:
        self.documents = documents
        self.sync = sync
        self.duties = duties
        self.peers = peers
        self.counters: Counter[str] = Counter()
        self.refused: Counter[Reason] = Counter()
        self.quarantine = Quarantine()

    def on_frame(self, now_us: int, player: PlayerId, raw: bytes) -> list[Effect]:
        """One frame of a linked peer; those of others are ignored."""
        peer = self.peers.get(player)
        if peer is None:
            return []
        self.counters["frames_in"] += 1
        try:
            if not peer.may_send(now_us):
                raise Violation(Reason.FLOOD, "more frames than the rate allows")
            return self._dispatch(now_us, peer, unpack(raw))
        except Violation as violation:
            return self.blame(now_us, player, violation, raw)

    def _dispatch(self, now_us: int, peer: Peer, frame: Frame) -> list[Effect]:
        if isinstance(frame, frames.Hello):
            return self._on_hello(peer, frame)
        if peer.hello is None:
            raise Violation(Reason.UNEXPECTED, "a frame before the hello")
        match frame:
            case frames.Entries():
                return self._on_entries(now_us, peer, frame)
            case frames.Total():
                return self.sync.on_total(peer, frame)
            case frames.Documents():
                return self.sync.on_documents(peer, frame)
            case frames.Heads():
                return self.sync.on_heads(peer, frame, now_us)
            case frames.Ask():
                return self.sync.on_ask(peer, frame)
            case frames.Proof(first, second):
                return self._took(now_us, peer, self.documents.prove(first, second), live=True)
            case frames.Probe(sent_us):
                return [Send(peer.player, pack(frames.Echo(sent_us, Micros(now_us), Micros(now_us))))]
            case frames.Echo():
                peer.clock.echo(frame.sent_us, frame.received_there_us, frame.sent_there_us, now_us)
                return []
            case frames.Links(players):
                peer.links = frozenset(players)
                return []

    def _on_hello(self, peer: Peer, hello: frames.Hello) -> list[Effect]:
        if hello.network != self.documents.network or hello.protocol != frames.PROTOCOL:
            raise Violation(Reason.WRONG_NETWORK, hello.network.hex()[:8])
        if hello.player != peer.player:
            raise Violation(Reason.BAD_KEY, "a hello by another player than the link's")
        peer.hello = hello
        return []

    def _on_entries(self, now_us: int, peer: Peer, frame: frames.Entries) -> list[Effect]:
        out: list[Effect] = []
        for raw in frame.entries:
            try:
                admission = self.documents.admit(frame.document, raw, peer.player)
            except Violation as violation:
                refusal = self.blame(now_us, peer.player, violation, raw)
                if refusal:  # the rest of the frame would cost a verification each
                    return out + refusal
                continue
            if admission.held:
                self.sync.hurry(peer, now_us)
            out.extend(self._took(now_us, peer, admission, live=frame.request == 0))
        if frame.request:
            out.extend(self.sync.on_answer(peer, frame.request, len(frame.entries), now_us))
        return out

    def _took(self, now_us: int, giver: Peer, admission: Admission, live: bool) -> list[Effect]:
        """Save what was merged, pass it on to peers that the author does not reach, tell the user."""
        out: list[Effect] = []
        if admission.equivocation is not None:
            first, second = admission.equivocation
            key = proof_key(first.body.document, first.log)
            frame = pack(frames.Proof(first.raw, second.raw))
            spread = tuple(Send(player, frame) for player in self.peers if player != giver.player)
            out.append(Persist(((key, encode((first.raw, second.raw))),), sync=True, then=spread))
        if admission.added:
            self.counters["entries_admitted"] += len(admission.added)
            onward = self._onward(giver, admission.added) if live else ()
            out.append(Persist(tuple(entry_item(entry) for entry in admission.added), then=onward))
            for entry in admission.added:
                out.extend(self._tell(now_us, entry))
        return out

    def _onward(self, giver: Peer, entries: Iterable[Entry]) -> tuple[Effect, ...]:
        out: list[Effect] = []
        for entry in entries:
            author, document = entry.body.author, entry.body.document
            frame = pack(frames.Entries(document, (entry.raw,), 0))
            out.extend(
                Send(player, frame)
                for player, peer in self.peers.items()
                if player not in (giver.player, author) and author not in peer.links and giver.player not in peer.links
            )
        return tuple(out)

    def _tell(self, now_us: int, entry: Entry) -> list[Effect]:
        jam = jam_session(entry.body.document)
        if jam is not None:
            events = decode_events(entry.body.payload)
            self.counters["events_heard"] += len(events)
            return [Heard(entry.body.author, jam[0], events, 1)] if events else []
        self.learn(entry, decode_ops(entry.body.payload)[0], now_us)
        return []

    def learn(self, entry: Entry, ops: Iterable[AnyOp], now_us: int) -> None:
        """Note the blocks in an entry of the ledger, and when they came."""
        for op in ops:
            if isinstance(op, Block):
                self.duties.saw(entry.body.author, op, now_us)

    def blame(self, now_us: int, player: PlayerId | None, violation: Violation, raw: bytes = b"") -> list[Effect]:
        """Count a violation, keep what caused it for a person to see, refuse the peer when its patience has run out."""
        self.refused[violation.reason] += 1
        self.quarantine.put(violation, player, raw, now_us)
        peer = self.peers.get(player) if player is not None else None
        if peer is not None and peer.blame(violation.reason, now_us):
            for_s = OTHER_NETWORK_S if violation.reason is Reason.WRONG_NETWORK else REFUSE_S
            return [Refuse(peer.player, violation.reason, for_s)]
        return []
