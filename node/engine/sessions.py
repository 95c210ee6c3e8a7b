"""Which jam is on, and what time it is there.

Sessions are facts of the ledger. The current one is the newest that is open and whose creator is still about; its
time is the creator's clock minus t0 (node/engine/timing.py says how others know that clock).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from consensus.events import LANES, Event
from consensus.facts import SessionFacts
from consensus.ops import SessionClose, SessionOpen
from consensus.params import Params
from crdt.errors import Misuse
from crdt.limits import EVENT_DATA_MAX_BYTES, EVENTS_PER_ENTRY_MAX
from crdt.types import Micros, PlayerId, Window
from node.engine.documents import Documents
from node.engine.inputs import OpenSession, Played
from node.engine.peers import Peer
from node.engine.timing import Shown, Timing

CREATOR_GONE_WINDOWS: Final = 3
FUTURE_MAX_US: Final = 2_000_000
PAST_MAX_US: Final = 30_000_000
LOOK_EVERY_US: Final = 100  # for each session there ever was

DEFAULT_SESSION: Final = OpenSession("Open jam", tempo_mbpm=120_000, beats_per_bar=4, subdivision=4)


class Placed(NamedTuple):
    """A session, and the offset of its clock against this node's (None while it is not known yet)."""

    facts: SessionFacts
    clock: Shown | None


class Sessions:
    """The jams this node knows of."""

    def __init__(self, params: Params, player: PlayerId, documents: Documents, timing: Timing) -> None:
        self.params = params
        self.player = player
        self.documents = documents
        self.timing = timing
        self._known: tuple[int, tuple[SessionFacts, ...]] = (-1, ())
        self._next_look_us = 0

    def opening(self, wanted: OpenSession, now_us: int) -> SessionOpen:
        """The operation that opens a jam now. Misuse when it is out of bounds."""
        if not (20_000 <= wanted.tempo_mbpm <= 400_000 and 1 <= wanted.beats_per_bar <= 32):
            raise Misuse("a tempo is 20 to 400 beats a minute, a bar 1 to 32 beats")
        if not (1 <= wanted.subdivision <= 12 and len(wanted.title) <= 80 and len(wanted.tags) <= 8):
            raise Misuse("a grid has 1 to 12 steps a beat, a title 80 characters, a jam 8 tags at most")
        if any(len(tag) > 24 for tag in wanted.tags):
            raise Misuse("a tag has 24 characters at most")
        self._next_look_us = 0
        return SessionOpen(
            wanted.title, wanted.tempo_mbpm, wanted.beats_per_bar, wanted.subdivision, Micros(now_us), wanted.tags
        )

    def closing(self, now_us: int) -> SessionClose | None:
        """The operation that closes the jam that this player opened last, None when there is none open."""
        newest = next((s for s in self._open(now_us) if s.creator == self.player), None)
        if newest is None:
            return None
        self._next_look_us = 0
        return SessionClose(newest.id, Micros(max(0, now_us - newest.op.t0_us)))

    def current(self, now_us: int, peers: dict[PlayerId, Peer]) -> Placed | None:
        """The newest open jam whose creator is here."""
        candidates = [s for s in self._open(now_us) if self._creator_is_here(s, now_us, peers)]
        if not candidates:
            return None
        newest = max(candidates, key=lambda s: (s.op.t0_us, s.id))
        return Placed(newest, self.timing.clock(newest.creator, now_us))

    def check(self, played: tuple[Played, ...], now_us: int) -> None:
        """Misuse for events that cannot be of now. Asked before anything is changed on their account."""
        if not 0 < len(played) <= EVENTS_PER_ENTRY_MAX:
            raise Misuse(f"1 to {EVENTS_PER_ENTRY_MAX} events are played at a time")
        for event in played:
            if not now_us - PAST_MAX_US <= event.at_us <= now_us + FUTURE_MAX_US:
                raise Misuse("an event's time is not near this node's clock")
            if not (0 <= event.kind < 64 and 0 <= event.lane < LANES):
                raise Misuse("an event has a kind below 64 and a lane below 10")
            if not (0 <= event.pitch < 128 and 0 <= event.velocity < 128):
                raise Misuse("an event has a pitch and a velocity below 128")
            if event.data is not None and not 0 < len(event.data) <= EVENT_DATA_MAX_BYTES:
                raise Misuse(f"an event carries 1 to {EVENT_DATA_MAX_BYTES} bytes of data, or none")

    def can_place(self, now_us: int, peers: dict[PlayerId, Peer]) -> bool:
        """Whether what is played now has a place in time: in a jam whose creator's clock is not known yet it would lie
        as wrong as the two clocks are apart, for good."""
        placed = self.current(now_us, peers)
        return placed is None or placed.clock is not None

    def session_time(self, now_us: int, placed: Placed) -> int:
        """The session time of a moment, 0 before the jam began."""
        return max(0, now_us + (placed.clock.offset_us if placed.clock else 0) - placed.facts.op.t0_us)

    def place(self, played: tuple[Played, ...], placed: Placed) -> tuple[Event, ...]:
        """Local events in session time."""
        since_us = placed.facts.op.t0_us - (placed.clock.offset_us if placed.clock else 0)
        return tuple(
            Event(Micros(max(0, e.at_us - since_us)), e.kind, e.lane, e.pitch, e.velocity, e.data) for e in played
        )

    def _open(self, now_us: int) -> tuple[SessionFacts, ...]:
        """Each creator's newest open session. Asked at every tick, so looked up again only when the ledger has grown,
        and the less often the more there are: anybody may open thousands."""
        size = self.documents.ledger.entries
        if self._known[0] != size and now_us >= self._next_look_us:
            sessions = self.documents.ledger.sessions()
            newest = {s.creator: s for s in sessions if s.closed_t_us is None}  # they come sorted by when they began
            self._known = (size, tuple(newest.values()))
            self._next_look_us = now_us + len(sessions) * LOOK_EVERY_US
        return self._known[1]

    def _creator_is_here(self, facts: SessionFacts, now_us: int, peers: dict[PlayerId, Peer]) -> bool:
        if facts.creator == self.player or facts.creator in peers:
            return True
        window = self.params.window_at(now_us)
        pulses = self.documents.ledger.pulses
        return any(facts.creator in pulses(Window(window - back)) for back in range(CREATOR_GONE_WINDOWS))
