"""What a node owes as windows open and close: pulse, block, votes (SPEC 6).

    window opens            pulse: I am here
    + an eighth of it       the riff is drawn from the others' pulses, for the page to show
    window ends + grace     block of what this player played, if it may be one; else the reason is kept and shown
    ... + vote delay        votes on the others' blocks, all of one moment in one entry
    ... + a tranche delay   votes of later tranches, while a block is undecided

Nothing here is done twice across restarts: what was said is in the ledger, and the ledger is asked first. A node that
was away when a block was due says nothing about its lateness.

What has to be measured is measured at the bench (node/engine/bench.py), and a duty whose finding is not back yet is
simply taken up again at a later look.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Final, NamedTuple

from consensus import vrf
from consensus.blocks import Draft, Judgement, is_open_in, judge, span_of, too_late
from consensus.events import decode_events
from consensus.facts import SessionFacts
from consensus.ops import AnyOp, Attest, Block, Measures, Pulse, Vote, Why, block_id
from consensus.params import Params
from consensus.parts import part_of
from consensus.quality.grid import grid_of
from consensus.riff import Call, Pulses, call, moments_us, settled
from consensus.selection import Draw, draw
from consensus.state import BlockState
from consensus.verdict import Standing, is_doubt
from crdt.canonical import digest
from crdt.entry import Entry
from crdt.keys import Identity
from crdt.limits import VOTES_PER_ENTRY_MAX
from crdt.types import BlockId, EntryId, PlayerId, Window, jam_session
from node.engine.bench import SEEN_MAX, Bench, OwnWindow
from node.engine.conduct import HONEST, Conduct
from node.engine.documents import Documents
from node.engine.repertoire import entries_around

LOOK_EVERY_US: Final = 50_000
VOTES_EVERY_SHARE: Final = 20  # of the delay before votes are cast: so often the blocks are looked through
OUTCOMES_MAX: Final = 256
LOOK_BACK_WINDOWS: Final = 3  # own windows still proposed after a restart
RIFF_READY_SHARE: Final = 8  # of a window, until the riff is drawn: the others' pulses take a moment to come
LOOK_BACK_ENTRIES: Final = 64  # entries without an event of the window before looking further back is given up


class Outcome(NamedTuple):
    """What became of one of this player's own windows: `proposed` or `refused`."""

    window: Window
    kind: str
    block: BlockId | None
    why: Why
    events: int
    measures: Measures | None
    words: tuple[str, ...]


class Due(NamedTuple):
    """What is to be signed now, in one entry; own windows just judged."""

    ops: tuple[AnyOp, ...] = ()
    judged: tuple[Window, ...] = ()


class PlayedIn(NamedTuple):
    """This player's entries around a window in one session's document."""

    session: SessionFacts
    entries: Sequence[Entry]
    events: int


class Duties:
    """The part of a node that takes part in consensus, for one of those who play at it."""

    def __init__(
        self, params: Params, identity: Identity, documents: Documents, bench: Bench, conduct: Conduct = HONEST
    ) -> None:
        self.params = params
        self.conduct = conduct
        self.player = identity.player
        self.documents = documents
        self.ledger = documents.ledger
        self.bench = bench
        self.repertoire = bench.repertoire
        self.outcomes: OrderedDict[Window, Outcome] = OrderedDict()
        self._vrf_seed = identity.vrf_seed()
        self._vrf_key = vrf.public_key(self._vrf_seed)
        self.since = Window(0)  # blocks of windows before it may have been proposed on another machine
        self._draws: OrderedDict[tuple[BlockId, int], Draw | None] = OrderedDict()
        self._calls: OrderedDict[Window, Call] = OrderedDict()  # what this player was asked for
        self._silent: deque[Window] = deque(maxlen=LOOK_BACK_WINDOWS)  # own windows without a note
        self._kept: OrderedDict[BlockId, None] = OrderedDict()  # findings that this player keeps to itself
        self._next_look_us = 0
        self._next_votes_us = 0

    def hurry(self) -> None:
        """A finding has come back: look at once."""
        self._next_votes_us = 0

    def due(self, now_us: int, is_here: bool = True) -> Due:
        """What this player owes at this moment; who is not here signs no pulse."""
        if now_us < self._next_look_us:
            return Due()
        self._next_look_us = now_us + LOOK_EVERY_US
        ops: list[AnyOp] = []
        window = self.params.window_at(now_us)
        if is_here and self.conduct.pulses(window) and self.player not in self.ledger.pulses(window):
            ops.extend((self._pulse(window), *self.conduct.declares(window)))
        self._draw_riff(window, now_us)
        judged = [w for w in self._unjudged(window, now_us) if self._propose(w, ops, now_us)]
        if now_us >= self._next_votes_us:
            self._next_votes_us = now_us + self.params.vote_delay_ms * 1_000 // VOTES_EVERY_SHARE
            ops.extend(islice(self._votes(window, now_us), VOTES_PER_ENTRY_MAX))
        return Due(tuple(ops), tuple(judged))

    def _pulse(self, window: Window) -> Pulse:
        # Nobody can foresee the salt, and this node never says two of them: it follows from the secret key.
        salt = digest(b"symjam-pulse", self._vrf_seed, window.to_bytes(8, "big"))[:16]
        return Pulse(window, salt, self._vrf_key)

    # the riff

    def riff(self, window: Window) -> Call | None:
        """The riff that this player is asked for in a window, once it is drawn."""
        return self._calls.get(window)

    def riff_moments_us(self, session: SessionFacts, window: Window) -> tuple[int, ...]:
        """The session times at which its notes are due; empty while none is drawn."""
        asked = self.riff(window)
        start_us, _ = span_of(self.params, session, window)
        return moments_us(self.params, grid_of(session.op), start_us, asked) if asked else ()

    def _draw_riff(self, window: Window, now_us: int) -> None:
        """What a player was once asked for stands: pulses that come later change it no more."""
        ready_us = self.params.window_start_us(window) + self.params.window_us // RIFF_READY_SHARE
        if window not in self._calls and now_us >= ready_us:
            asked = call(self.params, self.documents.network, window, self.player, self._settled(window, self.player))
            if asked is not None:
                self._calls[window] = asked
                if len(self._calls) > LOOK_BACK_WINDOWS + 1:
                    self._calls.popitem(last=False)

    def _settled(self, window: Window, player: PlayerId) -> Pulses:
        return settled(player, self.ledger.pulses(window), self.ledger.pulses(Window(window - 1)))

    # blocks

    def _unjudged(self, current: Window, now_us: int) -> Iterator[Window]:
        for back in range(LOOK_BACK_WINDOWS, 0, -1):
            window = Window(current - back)
            is_settled = window < self.since or window in self.outcomes or window in self._silent
            if not is_settled and now_us >= self._end_us(window) + self.params.grace_ms * 1_000:
                yield window

    def _propose(self, window: Window, ops: list[AnyOp], now_us: int) -> bool:
        """Propose a window's block, or keep why there is none. False when there was nothing to judge (yet)."""
        if any(state.proposer == self.player and state.window == window for state in self.ledger.blocks(window)):
            return False
        played = self.most_played(window)
        if played is None:
            self._silent.append(window)
            return False
        if not self.repertoire.is_complete_before(window, now_us):
            return False
        self._draw_riff(window, now_us)  # it was before a restart
        asked = self.riff(window)
        task = partial(
            self.conduct.draft, self.params, played.session, window, played.entries, asked, self.repertoire.index
        )
        draft = self.bench.finding(OwnWindow(self.player, window), now_us, task, Draft)
        if draft is None:
            return False
        block, finding = draft.block, draft.judgement
        proposed = block_id(self.player, block) if block else None
        kind = "proposed" if block else "refused"
        self.outcomes[window] = Outcome(
            window, kind, proposed, finding.why, played.events, finding.measures, finding.words
        )
        if len(self.outcomes) > OUTCOMES_MAX:
            self.outcomes.popitem(last=False)
        if block is not None:
            ops.append(block)
        return True

    def most_played(self, window: Window) -> PlayedIn | None:
        """The one of this player's logs that holds most of a window, for there is one block per player and window."""
        found: list[PlayedIn] = []
        for name, replica in self.documents.replicas.items():
            jam = jam_session(name)
            session = self.ledger.session(jam[0]) if jam else None
            if session is None or jam is None or not is_open_in(self.params, session, window):
                continue
            if jam[1] != part_of(self.params, session, window):
                continue
            for key, log in replica.logs.items():
                if key.author == self.player and log.entries:
                    played = self._around(session, log.entries, window)
                    if played.events:
                        found.append(played)
        return max(found, key=lambda p: (p.events, p.session.id)) if found else None

    def _around(self, session: SessionFacts, entries: Sequence[Entry], window: Window) -> PlayedIn:
        """The tail of a log that reaches from before a window to the log's end, and the window's events in it."""
        start, end = span_of(self.params, session, window)
        events = 0
        first = len(entries)
        before = 0
        while first > 0 and before < LOOK_BACK_ENTRIES:
            first -= 1
            times = [event.t_us for event in decode_events(entries[first].body.payload)]
            inside = sum(start <= t < end for t in times)
            events += inside
            before = 0 if inside or any(t >= end for t in times) else before + 1
        return PlayedIn(session, entries[first:], events)

    # votes

    def _votes(self, current: Window, now_us: int) -> Iterator[Attest]:
        since = Window(max(0, current - self.params.close_windows))
        for state in self.ledger.blocks(since):
            after_us = now_us - self._end_us(state.window)
            if state.proposer == self.player or after_us < self.params.vote_delay_ms * 1_000:
                continue
            if state.standing is not Standing.PENDING and after_us >= self.params.vote_deadline_ms * 1_000:
                continue  # decided, and nobody waits for more
            if not self.conduct.verifies(state.proposer) or state.id in self._kept:
                continue
            if self.ledger.vote_of(self.player, state.proposer, state.window) is None:
                vote = self._vote(state, now_us)
                if vote is not None:
                    yield vote

    def _vote(self, state: BlockState, now_us: int) -> Attest | None:
        """This node's vote on a block, if it is drawn, its tranche is open, and it has a finding."""
        after_us = now_us - self._end_us(state.window)
        own = self._drawn(state)
        if own is None or after_us < (self.params.vote_delay_ms + own.tranche * self.params.tranche_delay_ms) * 1_000:
            return None
        if state.standing is Standing.PENDING:
            is_open = own.tranche < max(1, state.open_tranches)
        else:  # all of tranche 0 have worked and are counted, even when a quorum of them was quicker
            is_asked = own.tranche == 0 or _is_looked_into(state, own.tranche)
            is_open = is_asked and after_us < self.params.vote_deadline_ms * 1_000
        said = self._say(state, now_us) if is_open else None
        if said is None:
            return None
        return Attest(state.id, state.proposer, state.window, said.vote, said.why, own.tranche, own.proof)

    def _say(self, state: BlockState, now_us: int) -> Judgement | None:
        """What this player says of a block; None to wait, or for good."""
        looks = self.conduct.looks(state)
        finding = self._judge(state, now_us) if looks else None
        if looks and finding is None:
            return None
        said = self.conduct.says(state, finding)
        if said is None:
            self._kept[state.id] = None
            if len(self._kept) > SEEN_MAX:
                self._kept.popitem(last=False)
        return said

    def _end_us(self, window: Window) -> int:
        return self.params.window_start_us(window) + self.params.window_us

    def _judge(self, state: BlockState, now_us: int) -> Judgement | None:
        """The finding on a block; None to wait, or to abstain because this node was not here in time."""
        deadline_us = self.params.vote_deadline_ms * 1_000
        ended_us = self._end_us(state.window)
        seen_us = self.bench.seen_us(state.id)
        if seen_us is not None and seen_us - ended_us > deadline_us:
            return too_late() if self.bench.started_us <= ended_us else None
        session = self.ledger.session(state.op.session)
        entries = entries_around(self.documents, state.proposer, state.op)
        if session is None or not self.repertoire.is_complete_before(state.window, now_us):
            return None
        others = {**self._settled(state.window, state.proposer), **self._cut_since(state.op)}
        is_held = bool(entries) and entries[-1].body.seq >= state.op.last
        if state.op.riff and not all(ref.player in others for ref in state.op.pulses):
            is_held = False
        if not is_held and (now_us - ended_us < deadline_us or self.bench.started_us > ended_us):
            return None
        task = partial(judge, self.params, session, state.op, state.proposer, entries, self.repertoire.index, others)
        return self.bench.finding(state.id, now_us, task, Judgement)

    def _cut_since(self, block: Block) -> dict[PlayerId, tuple[EntryId, Pulse]]:
        """Pulses that a block names, once heard here from settled players, that count no more: their author forked."""
        counted, before = self.ledger.pulses(block.window), Window(block.window - 1)
        found = {}
        for ref in block.pulses:
            pulse = (self.bench.pulses(block.window, ref.player) or {}).get(ref.entry)
            was_there = self.bench.pulses(before, ref.player) is not None
            if pulse is not None and ref.player not in counted and was_there:
                found[ref.player] = (ref.entry, pulse)
        return found

    def _drawn(self, state: BlockState) -> Draw | None:
        """Whether this node is drawn to verify a block, and the proof."""
        electorate = self.ledger.eligible(state.window, state.proposer)
        own = electorate.get(self.player)
        if own is None or own.vrf_key != self._vrf_key:
            return None
        drawn = (state.id, electorate.weight)
        if drawn not in self._draws:
            alpha = self.ledger.draw_input(state.proposer, state.window)
            self._draws[drawn] = draw(self.params, self._vrf_seed, alpha, own.weight, electorate.weight)
            if len(self._draws) > SEEN_MAX:
                self._draws.popitem(last=False)
        return self._draws[drawn]


def _is_looked_into(state: BlockState, tranche: int) -> bool:
    """Whether those of a later tranche look at what seems decided: somebody said no, or its player is under review.
    A tranche that opened because too few had spoken has nothing to add once they are enough."""
    if tranche >= state.open_tranches:
        return False
    earlier = sum(vote.vote is Vote.YES and vote.tranche < tranche for vote in state.votes)
    return earlier >= state.quorum or any(v.vote is Vote.NO or is_doubt(v.vote, v.why) for v in state.votes)
