"""The engine: one class that takes (now, input) and returns effects (SPEC 1).

It routes: frames to the intake, time to duties, what the player does to the pen. What each of
them does is theirs. Order of the effects is the order in which the shell carries them out.
"""

from __future__ import annotations

from consensus.ops import AnyOp
from consensus.params import Params
from consensus.parts import by_document, document_at
from crdt.entry import Entry
from crdt.errors import Misuse, Reason, Violation
from crdt.keys import Identity
from crdt.limits import PEERS_MAX
from crdt.store.keys import entry_item
from crdt.types import (
    NO_NONCE,
    Digest,
    Epoch,
    Micros,
    Nonce,
    PlayerId,
    SessionId,
    Window,
    ledger_document,
)
from jam.board import Change
from node.engine import frames
from node.engine.bench import Bench
from node.engine.boards import Boards
from node.engine.checkpointing import Checkpointing
from node.engine.conduct import HONEST, Conduct
from node.engine.documents import Documents, Stored
from node.engine.effects import (
    BlockChanged,
    BoardChanged,
    Confirm,
    Effect,
    Heard,
    Hint,
    Persist,
    Send,
    SessionChanged,
    Signed,
    WindowJudged,
)
from node.engine.fetching import Fetching
from node.engine.frames import pack
from node.engine.herald import Herald
from node.engine.inputs import (
    CloseSession,
    Confirmed,
    Edit,
    ElementGiven,
    FrameReceived,
    HintReceived,
    Input,
    OpenSession,
    PeerJoined,
    PeerLeft,
    PeerViolated,
    Play,
    Played,
    Probing,
    Sign,
    Tick,
    Worked,
)
from node.engine.intake import Intake
from node.engine.peers import NO_PAST, Past, Peer
from node.engine.pruning import Pruning
from node.engine.requests import Request, Requests
from node.engine.seat import Seat
from node.engine.seats import Seats
from node.engine.sessions import DEFAULT_SESSION, Placed, Sessions
from node.engine.sync import Sync
from node.engine.timing import Timing
from wallet.checks import Cannot, WillNotCount, require_counts

HINT_EVERY_US = 1_000_000
BOARD_NEWS_EVERY_US = 200_000
HINT_IN_EVERY_US = 20_000
SOFTWARE = "symjam/0.1"


class Engine:
    """A node without its hands. Not thread-safe; nothing in it blocks."""

    def __init__(
        self,
        identity: Identity,
        params: Params,
        now_us: int,
        *,
        stored: Stored | None = None,
        nonce: Nonce = NO_NONCE,
        signed: Signed | None = None,
        trusted: Digest | None = None,
        conduct: Conduct = HONEST,
        restored: Epoch | None = None,
    ) -> None:
        self.player = identity.player
        self.params = params
        stored = stored or Stored()
        self.documents = Documents(params, stored, now_us)
        self.requests = Requests(stored.requests)
        self.ledger = self.documents.ledger
        self.peers: dict[PlayerId, Peer] = {}
        self.timing = Timing(self.player, self.peers)
        self.sessions = Sessions(params, self.player, self.documents, self.timing)
        self.bench = Bench(params, self.documents, now_us)
        self.seats = Seats(identity, self.documents, self.bench, nonce, signed, conduct)
        self.authoring, self.duties = self.seats.own.authoring, self.seats.own.duties
        self.sync = Sync(self.documents, self.seats.may_leave)
        self.herald = Herald(self.seats.may_leave)
        self.documents.on_added = self.herald.add
        self.boards = Boards(self.documents)
        if restored is not None:
            self.seats.take_up(restored, signed, self._has_met)
        self._pasts: dict[PlayerId, Past] = {}  # of players that were linked
        self.pruning = Pruning(self.documents, self.peers)
        self.checkpointing = Checkpointing(params, self.documents, trusted)
        self.fetching = Fetching(self.documents.network)
        self.intake = Intake(self.documents, self.sync, self.bench, self.peers, self.checkpointing, self.fetching)
        self.counters = self.intake.counters
        self.refused = self.intake.refused
        self.quarantine = self.intake.quarantine
        self._held: Digest | None = None  # when hints were last looked at
        self._hinted: Digest | None = None
        self._next_hint_us = 0
        self._next_hint_in_us = 0
        self._current: SessionId | None = None
        self._next_board_us = 0
        self._guests_told = frames.Guests(())

    def handle(self, now_us: int, event: Input) -> list[Effect]:
        """Take one input in. Raises Misuse for a local command that makes no sense; never for anything remote."""
        out = self._route(now_us, event)
        if isinstance(event, Tick):  # folding waits for it: a note does not, nor does a flood of frames fold at each
            out.extend(BlockChanged(c if isinstance(c, bytes) else c.id) for c in self.ledger.take_changed())
        return out

    def _route(self, now_us: int, event: Input) -> list[Effect]:
        match event:
            case FrameReceived(player, raw):
                return self.intake.on_frame(now_us, player, raw)
            case Tick(listeners):
                return [*self._on_tick(now_us), *self.herald.due(now_us, listeners)]
            case Probing():
                return self._probe(now_us)
            case Confirmed(signed):
                self.seats.confirmed(signed)
                return []
            case Worked(ticket, result):
                return self._on_worked(ticket, result)
            case Play(events, guest):
                return self._on_play(now_us, events, self.seats.of(guest))
            case PeerJoined(player):
                return self._on_joined(now_us, player)
            case PeerLeft(player):
                return self._on_left(player)
            case PeerViolated(player, reason, detail):
                return self.intake.blame(now_us, player, Violation(reason, detail))
            case HintReceived(data):
                return self._on_hint(now_us, data)
            case ElementGiven():
                return self.intake.on_given(now_us, event)
            case OpenSession() | CloseSession() | Edit() | Sign():
                return self._on_command(now_us, event)

    def _on_worked(self, ticket: int, result: object) -> list[Effect]:
        if self.bench.worked(ticket, result):
            for seat in self.seats:
                seat.duties.hurry()
        return []

    def current_session(self, now_us: int) -> Placed | None:
        """The jam that is on."""
        return self.sessions.current(now_us, self.peers)

    def can_place(self, now_us: int) -> bool:
        """Whether `Play` may be given: it is kept back until the time of the jam that is on is known."""
        return self.sessions.can_place(now_us, self.peers)

    def guests_of(self, peer: Peer) -> list[PlayerId]:
        """Who is a guest of a peer's, as far as that can be: nobody who has a link of its own, whatever is said."""
        return sorted(peer.guests - {self.player, *self.peers, *self.seats.guests})

    def next_probe_us(self, now_us: int) -> int:
        """When to give `Probing` again."""
        return self.timing.next_probe_us(now_us)

    def may_sign(self, now_us: int) -> bool:
        """Whether this node's player may write to the ledger now."""
        return self._may_sign(now_us, self.seats.own)

    def _may_sign(self, now_us: int, seat: Seat) -> bool:
        return not seat.has_ended(now_us) and seat.authoring.may_sign_ledger(self._epoch(now_us))

    def _has_met(self) -> bool:
        """Whether this node has held the same as somebody else."""
        return any(peer.synced_us is not None for peer in self.peers.values())

    def _epoch(self, now_us: int) -> Epoch:
        return self.params.epoch_of(self.params.window_at(now_us))

    # peers

    def _on_joined(self, now_us: int, player: PlayerId) -> list[Effect]:
        replaced = self.peers.pop(player, None)
        past = replaced.past() if replaced else self._pasts.pop(player, NO_PAST)
        self.peers[player] = peer = Peer(player, now_us, past)
        hello = frames.Hello(frames.PROTOCOL, self.documents.network, self.player, SOFTWARE)
        peer.next_total_us = now_us
        guests = [Send(player, pack(self._guests_told))] if self._guests_told.players else []
        return [Send(player, pack(hello)), *self._tell_links(), *guests, *self.sync.due(peer, now_us)]

    def _on_left(self, player: PlayerId) -> list[Effect]:
        left = self.peers.pop(player, None)
        if left is None:
            return []
        while len(self._pasts) >= PEERS_MAX:
            del self._pasts[next(iter(self._pasts))]
        self._pasts[player] = left.past()
        for replica in self.documents.replicas.values():
            replica.forget_giver(player)
        return self._tell_links()

    def _tell_links(self) -> list[Effect]:
        frame = pack(frames.Links(tuple(sorted(self.peers))))
        return [Send(player, frame) for player in self.peers]

    def _tell_guests(self, now_us: int) -> list[Effect]:
        self.seats.clear(now_us)
        here = self.seats.here()
        if here == self._guests_told:
            return []
        self._guests_told = here
        return [Send(player, pack(here)) for player in self.peers]

    # gossip

    def _on_hint(self, now_us: int, data: bytes) -> list[Effect]:
        if len(data) != 32:
            return self.intake.blame(now_us, None, Violation(Reason.GARBAGE, "a hint is 32 bytes"), data)
        if now_us < self._next_hint_in_us:
            return []  # whoever floods hints costs one comparison each while; a hint lost is a second lost
        self._next_hint_in_us = now_us + HINT_IN_EVERY_US
        if data != self.documents.total():
            for peer in self.peers.values():
                self.sync.hurry(peer, now_us)
        return []

    # time

    def _on_tick(self, now_us: int) -> list[Effect]:
        out: list[Effect] = []
        for peer in self.peers.values():
            out.extend(self.sync.due(peer, now_us))
        for seat in self.seats:
            if self._may_sign(now_us, seat):
                out.extend(self._do_duties(now_us, seat))
        out.extend(self.bench.take_work())
        out.extend(self._tell_guests(now_us))
        out.extend(self.checkpointing.advance(now_us))
        out.extend(self.fetching.due(now_us, self.checkpointing.wanted, self.peers))
        out.extend(self._hint(now_us))
        out.extend(self.timing.tell(now_us))
        out.extend(self.pruning.due(now_us))
        return out + self._session_news(now_us) + self._board_news(now_us)

    def _do_duties(self, now_us: int, seat: Seat) -> list[Effect]:
        due = seat.duties.due(now_us, seat.is_here)
        ops = (*due.ops, *self.checkpointing.due(now_us, seat.player))
        judged = [WindowJudged(window, seat.player) for window in due.judged]
        return [*(self._record(now_us, ops, seat) if ops else ()), *judged]

    def _probe(self, now_us: int) -> list[Effect]:
        peer = self.timing.probe_due(now_us)
        if peer is None:
            return []
        peer.clock.probe_sent(now_us, self.timing.is_needed(peer.player))
        return [Send(peer.player, pack(frames.Probe(Micros(now_us))))]

    def _hint(self, now_us: int) -> list[Effect]:
        """Tell the mesh what is held, when that has changed, has stood for a while, and somebody is beyond the direct
        links to hear of it. While anybody plays, everybody holds something else at any moment, and it would say
        nothing."""
        if now_us < self._next_hint_us:
            return []
        self._next_hint_us = now_us + HINT_EVERY_US
        near = {self.player, *self.peers}
        if all(peer.links <= near for peer in self.peers.values()):
            return []
        total, before = self.documents.total(), self._held
        self._held = total
        if total == self._hinted or total != before:
            return []
        self._hinted = total
        return [Hint(total)]

    def _session_news(self, now_us: int) -> list[Effect]:
        placed = self.current_session(now_us)
        current = placed.facts.id if placed else None
        if current == self._current:
            return []
        self._current, self.timing.playing_by = current, placed.facts.creator if placed else None
        return [SessionChanged(current)]

    def _record(self, now_us: int, ops: tuple[AnyOp, ...], seat: Seat, asked: Request | None = None) -> list[Effect]:
        document = ledger_document(self._epoch(now_us))
        entry, signed = seat.authoring.record(document, ops)
        self.counters["entries_signed"] += 1
        self.intake.learn(entry, ops, now_us)
        items = (entry_item(entry), *(self.requests.remember(asked, entry) if asked else ()))
        return [Persist(items, sync=True, signed=signed, then=(Confirm(signed), *self._to_all(entry)))]

    def _to_all(self, entry: Entry) -> tuple[Effect, ...]:
        frame = pack(frames.Entries(entry.body.document, (entry.raw,), 0))
        return tuple(Send(player, frame) for player in self.peers)

    # who plays here

    def _on_play(self, now_us: int, events: tuple[Played, ...], seat: Seat) -> list[Effect]:
        self.sessions.check(events, now_us)
        out: list[Effect] = []
        placed = self.current_session(now_us)
        if placed is None:
            earliest_us = min((now_us, *(event.at_us for event in events)))
            out.extend(self._open_session(now_us, DEFAULT_SESSION, earliest_us))
            placed = self.current_session(now_us)
            assert placed is not None
        return out + self._play_in(placed, events, seat)

    def _play_in(self, placed: Placed, events: tuple[Played, ...], seat: Seat) -> list[Effect]:
        out: list[Effect] = []
        for document, inside in by_document(self.params, placed.facts, self.sessions.place(events, placed)).items():
            entry = seat.authoring.play(document, inside)
            self.counters["entries_signed"] += 1
            self.counters["events_played"] += len(inside)
            heard = Heard(seat.player, placed.facts.id, inside, 1)
            out.append(Persist((entry_item(entry),), then=(*self._to_all(entry), heard)))
        return out

    def _on_command(self, now_us: int, command: OpenSession | CloseSession | Edit | Sign) -> list[Effect]:
        if isinstance(command, Sign):
            return self._sign(now_us, command)
        if isinstance(command, Edit):
            return self._on_edit(now_us, command.change)
        return self._open_session(now_us, command) if isinstance(command, OpenSession) else self._close_session(now_us)

    def _on_edit(self, now_us: int, change: Change) -> list[Effect]:
        placed = self.current_session(now_us)
        if placed is None:
            raise Misuse("no jam is on: open one, or play")
        if placed.clock is None:
            raise Misuse("the time of this jam is not known here yet: try again in a moment")
        t_us = self.sessions.session_time(now_us, placed)
        document = document_at(self.params, placed.facts, t_us)
        entry = self.authoring.edit(document, self.boards.draft(document, self.authoring.key(document), change, t_us))
        self.counters["entries_signed"] += 1
        self.intake.edited.add(placed.facts.id)
        return [Persist((entry_item(entry),), then=self._to_all(entry))]

    def _sign(self, now_us: int, wanted: Sign) -> list[Effect]:
        if not self.may_sign(now_us):
            raise WillNotCount(Cannot.NOT_NOW, self.why_not(now_us))
        require_counts(self.ledger, self.player, self._epoch(now_us), wanted.ops)
        return self._record(now_us, wanted.ops, self.seats.own, wanted.request)

    def _board_news(self, now_us: int) -> list[Effect]:
        if not self.intake.edited or now_us < self._next_board_us:
            return []
        self._next_board_us = now_us + BOARD_NEWS_EVERY_US
        edited, self.intake.edited = sorted(self.intake.edited), set()
        return [BoardChanged(session) for session in edited]

    def _open_session(self, now_us: int, wanted: OpenSession, t0_us: int | None = None) -> list[Effect]:
        if not self.may_sign(now_us):
            raise Misuse(self.why_not(now_us))
        op = self.sessions.opening(wanted, now_us if t0_us is None else t0_us)  # signed in the epoch of now either way
        return [*self._record(now_us, (op,), self.seats.own), *self._session_news(now_us)]

    def why_not(self, now_us: int) -> str:
        """In words, where `may_sign` is false."""
        first = self.authoring.signs_from()
        if first is None or first <= self._epoch(now_us):
            return "this node may not sign in the ledger now: it is fetching its own log back from its peers"
        left_us = self.params.window_start_us(Window(first * self.params.epoch_windows)) - now_us
        minutes = max(1, -(-left_us // 60_000_000))
        when = f"signs in the ledger again in {minutes} min"
        return f"this key was restored from its words and {when}: until then it can play in others' jams"

    def _close_session(self, now_us: int) -> list[Effect]:
        op = self.sessions.closing(now_us)
        if op is None or not self.may_sign(now_us):
            raise Misuse("this player has no open jam to close")
        return [*self._record(now_us, (op,), self.seats.own), *self._session_news(now_us)]
