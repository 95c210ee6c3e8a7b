"""What peers send, on its way in: decoded, verified, merged, saved, passed on, told.

Whatever is wrong with it ends here as a Violation that is counted by its reason and charged to the peer; nothing
that a peer can send raises beyond this module.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from consensus.events import decode_events
from consensus.ops import AnyOp, Block, Pulse, decode_ops
from crdt.canonical import encode
from crdt.entry import Entry
from crdt.errors import Reason, Violation
from crdt.gate import entry_at
from crdt.limits import EMPTY_ANSWERS_MAX
from crdt.quarantine import Quarantine
from crdt.replica import Admission
from crdt.shared import edit_in
from crdt.store.keys import entry_item, proof_key
from crdt.types import Micros, PlayerId, SessionId, jam_session
from node.engine import frames
from node.engine.bench import Bench
from node.engine.budget import (
    Room,
    is_answer,
    price_of,
    price_of_entries,
    price_of_news,
    price_of_proof,
    price_of_relay,
)
from node.engine.checkpointing import Checkpointing
from node.engine.documents import Documents
from node.engine.effects import Declined, Effect, Heard, Persist, Refuse, Send
from node.engine.fetching import Fetching, piece_of
from node.engine.frames import pack, unpack
from node.engine.inputs import ElementGiven
from node.engine.patience import Patience
from node.engine.peers import Asked, Peer
from node.engine.repeats import Repeats
from node.engine.sync import Sync
from node.engine.timing import told


class Intake:
    """The receiving half of the engine. Holds the counters of what was taken in and what was refused,
    and the quarantine."""

    def __init__(
        self,
        documents: Documents,
        sync: Sync,
        bench: Bench,
        peers: dict[PlayerId, Peer],
        checkpointing: Checkpointing,
        fetching: Fetching,
    ) -> None:
        self.checkpointing = checkpointing
        self.fetching = fetching
        self.documents = documents
        self.sync = sync
        self.bench = bench
        self.peers = peers
        self.counters: Counter[str] = Counter()
        self.refused: Counter[Reason] = Counter()
        self.quarantine = Quarantine()
        self.edited: set[SessionId] = set()  # jams whose board has changed since this was emptied
        self.patience = Patience()
        self._repeats = Repeats()

    def on_frame(self, now_us: int, player: PlayerId, raw: bytes) -> list[Effect]:
        """One frame of a linked peer; those of others are ignored."""
        peer = self.peers.get(player)
        if peer is None or peer.is_refused:
            return []
        self.counters["frames_in"] += 1
        try:
            if not is_answer(raw) and not self._may_cost(now_us, peer, price_of(raw)):
                return []
            if raw in self._repeats and peer.hello is not None:
                return []
            return self._dispatch(now_us, peer, raw)
        except Violation as violation:
            return self.blame(now_us, player, violation, raw)

    def _may_cost(self, now_us: int, peer: Peer, units: int) -> bool:
        """Charge a peer for what it does unasked; False when it is to be dropped. Violation FLOOD for far too much."""
        room = peer.work.spend(units, now_us)
        if room is Room.FLOOD:
            raise Violation(Reason.FLOOD, "more than this node is willing to do for one peer")
        if room is Room.BEYOND:
            self.counters["frames_beyond_budget"] += 1
            self.sync.hurry(peer, now_us)
        return room is Room.WITHIN

    def _dispatch(self, now_us: int, peer: Peer, raw: bytes) -> list[Effect]:
        frame = unpack(raw)
        if isinstance(frame, frames.Hello):
            return self._on_hello(peer, frame)
        if peer.hello is None:
            raise Violation(Reason.UNEXPECTED, "a frame before the hello")
        match frame:
            case frames.Entries():
                return self._on_entries(now_us, peer, frame, raw)
            case frames.Total():
                return self.sync.on_total(peer, frame, now_us)
            case frames.Documents():
                return self.sync.on_documents(peer, frame, now_us)
            case frames.Heads():
                return self.sync.on_heads(peer, frame, now_us)
            case frames.Ask():
                return self.sync.on_ask(peer, frame, now_us)
            case frames.Proof(first, second):
                admission = self.documents.prove(first, second)
                peer.work.spend(price_of_news(admission), now_us)
                return self._took(now_us, peer, admission, live=True)
            case frames.Probe() | frames.Echo() | frames.ClockTold():
                return _on_time(now_us, peer, frame)
            case frames.Links(players):
                peer.links = frozenset(players)
                return []
            case frames.Guests(players):
                peer.guests = frozenset(players)
                return []
            case frames.AskContent() | frames.ContentPiece():
                return self._on_content(now_us, peer, frame)

    def _on_content(self, now_us: int, peer: Peer, frame: frames.AskContent | frames.ContentPiece) -> list[Effect]:
        """Serve a piece of a checkpoint's content, or take one in that was asked for."""
        if isinstance(frame, frames.ContentPiece):
            asks, whole = self.fetching.on_piece(now_us, peer.player, frame)
            return [*asks, *(self.checkpointing.adopt(whole) if whole is not None else ())]
        if peer.served.is_spent(now_us):
            return []  # it asks again, or somebody else
        answer = pack(piece_of(frame, self.checkpointing.content(frame.digest)))
        peer.served.spend(len(answer), now_us)
        return [Send(peer.player, answer)]

    def _on_hello(self, peer: Peer, hello: frames.Hello) -> list[Effect]:
        if hello.network != self.documents.network or hello.protocol != frames.PROTOCOL:
            raise Violation(Reason.WRONG_NETWORK, hello.network.hex()[:8])
        if hello.player != peer.player:
            raise Violation(Reason.BAD_KEY, "a hello by another player than the link's")
        peer.hello = hello
        return []

    def _on_entries(self, now_us: int, peer: Peer, frame: frames.Entries, packed: bytes) -> list[Effect]:
        asked = self._question(now_us, peer, frame)
        price = _price_unasked(frame, packed) if asked is None else 0
        if price and not self._may_cost(now_us, peer, price):
            return []
        out: list[Effect] = []
        is_whole = frame.request == 0
        for raw in frame.entries:
            try:
                admission = self.documents.admit(frame.document, raw, peer.player, asked.want if asked else None)
            except Violation as violation:
                refusal = self.blame(now_us, peer.player, violation, raw)
                if refusal:  # the rest of the frame would cost a verification each
                    return out + refusal
                is_whole = False
                continue
            if admission.held:
                is_whole = False
                self.sync.hurry(peer, now_us)
            if asked is None:
                if news := price_of_news(admission):
                    peer.work.spend(news, now_us)
            elif admission.added:
                peer.empty_answers = 0
            out.extend(self._took(now_us, peer, admission, live=frame.request == 0))
        if is_whole:
            self._repeats.add(packed)
        if asked and frame.entries:
            out.extend(self.sync.on_answer(peer, frame.request, len(frame.entries), now_us))
        return out

    def _question(self, now_us: int, peer: Peer, frame: frames.Entries) -> Asked | None:
        """What these entries answer; None when they are live, or so late that they are taken as such."""
        if not frame.request:
            return None
        asked = peer.question(frame.request)
        if asked is None and not peer.is_late(frame.request, now_us):
            raise Violation(Reason.UNEXPECTED, "an answer to no question")
        if asked is not None and asked.document != frame.document:
            raise Violation(Reason.UNEXPECTED, "an answer from another document")
        if asked is not None and not frame.entries:
            peer.answered(frame.request)
            peer.empty_answers += 1  # an honest one comes of what is being synced there, or was frozen meanwhile
            if peer.empty_answers > EMPTY_ANSWERS_MAX:
                raise Violation(Reason.EMPTY, "it does not have what it says to have")
        return asked

    def on_given(self, now_us: int, given: ElementGiven) -> list[Effect]:
        """An element from a Yjs client: an entry where its author signed it, that follows what is held, or Declined.

        Nothing is held for such a client. Yjs itself sends nothing before what it follows.
        """
        element = given.element
        try:
            if self.documents.is_past(given.document):
                raise Violation(Reason.PAST, given.document)
            replica = self.documents.peek(given.document)
            entry = entry_at(replica, element)
            if entry.body.seq > len(replica.log(entry.log)):
                raise Violation(Reason.GAP, "entries before it are missing")
            return self._took(now_us, None, self.documents.author(entry), live=True)
        except Violation as violation:
            self.blame(now_us, None, violation, element.values[0])
            return [Declined(violation.reason, violation.detail)]

    def _took(self, now_us: int, giver: Peer | None, admission: Admission, live: bool) -> list[Effect]:
        """Save what was merged, pass it on to peers that the author does not reach, tell the user."""
        out: list[Effect] = []
        if admission.equivocation is not None:
            first, second = admission.equivocation
            if jam_session(first.body.document) is None:
                for entry in (first, second):
                    self.learn(entry, (op for op in decode_ops(entry.body.payload)[0] if isinstance(op, Pulse)), now_us)
            else:
                self.bench.repertoire.forked(first.log, first.body.document, admission.equivocation.seq)
            key = proof_key(first.body.document, first.log)
            frame = pack(frames.Proof(first.raw, second.raw))
            spread = tuple(
                Send(player, frame)
                for player, peer in self.peers.items()
                if (giver is None or player != giver.player) and _may_be_told(peer, price_of_proof(frame), now_us)
            )
            # What the fork cut off is no part of the log any more; left in the store it would outlive the log.
            cut = tuple((entry_item(entry)[0], None) for entry in admission.cut)
            out.append(Persist(((key, encode((first.raw, second.raw))), *cut), sync=True, then=spread))
        if admission.added:
            self.counters["entries_admitted"] += len(admission.added)
            onward = self._onward(now_us, giver, admission.added) if live else ()
            out.append(Persist(tuple(entry_item(entry) for entry in admission.added), then=onward))
            for entry in admission.added:
                out.extend(self._tell(now_us, entry))
        return out

    def _onward(self, now_us: int, giver: Peer | None, entries: Iterable[Entry]) -> tuple[Effect, ...]:
        out: list[Effect] = []
        for entry in entries:
            author, document = entry.body.author, entry.body.document
            frame = pack(frames.Entries(document, (entry.raw,), 0))
            units = price_of_relay(entry, frame)
            out.extend(
                Send(player, frame)
                for player, peer in self.peers.items()
                if player != author
                and author not in peer.links
                and not _has_it_from(giver, peer)
                and _may_be_told(peer, units, now_us)
            )
        return tuple(out)

    def _tell(self, now_us: int, entry: Entry) -> list[Effect]:
        jam = jam_session(entry.body.document)
        if jam is not None:
            events = decode_events(entry.body.payload)
            self.counters["events_heard"] += len(events)
            if not events and edit_in(entry.body.payload) is not None:
                self.edited.add(jam[0])
            return [Heard(entry.body.author, jam[0], events, 1)] if events else []
        self.learn(entry, decode_ops(entry.body.payload)[0], now_us)
        return []

    def learn(self, entry: Entry, ops: Iterable[AnyOp], now_us: int) -> None:
        """Note the blocks in an entry of the ledger, and when they came; and the pulses."""
        for op in ops:
            if isinstance(op, Block):
                self.bench.saw(entry.body.author, op, now_us)
            elif isinstance(op, Pulse):
                self.bench.heard(entry.body.author, entry.id, op)

    def blame(self, now_us: int, player: PlayerId | None, violation: Violation, raw: bytes = b"") -> list[Effect]:
        """Count a violation, keep what caused it for a person to see, refuse the peer when its patience has run out."""
        self.refused[violation.reason] += 1
        self.quarantine.put(violation, player, raw, now_us)
        if player is None:
            return []
        for_s = self.patience.blame(player, violation.reason, now_us)
        peer = self.peers.get(player)
        if peer is not None:
            peer.violations[violation.reason] += 1
            peer.is_refused = peer.is_refused or for_s > 0
        return [Refuse(player, violation.reason, for_s)] if for_s else []


def _on_time(now_us: int, peer: Peer, frame: frames.Probe | frames.Echo | frames.ClockTold) -> list[Effect]:
    match frame:
        case frames.Probe(sent_us):
            return [Send(peer.player, pack(frames.Echo(sent_us, Micros(now_us), Micros(now_us))))]
        case frames.Echo():
            peer.clock.echo(frame.sent_us, frame.received_there_us, frame.sent_there_us, now_us)
        case frames.ClockTold():
            peer.told_clock = told(peer.player, frame, now_us)
    return []


def _price_unasked(frame: frames.Entries, packed: bytes) -> int:
    """Units for entries that answer no question of now; of live ones the frame itself is paid for already."""
    units = price_of_entries(frame.document, frame.entries)
    return units + price_of(packed) if frame.request else units


def _may_be_told(peer: Peer, units: int, now_us: int) -> bool:
    """Whether a peer has room for what others say: their floods must not make a flooder of who passes them on.

    What is left out is found by comparing.
    """
    return peer.relayed.affords(units, now_us)


def _has_it_from(giver: Peer | None, peer: Peer) -> bool:
    """Whether a peer gave an entry, or gets it from the one who did."""
    return giver is not None and (peer.player == giver.player or giver.player in peer.links)
