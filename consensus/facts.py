"""What the ledger's entries say, indexed so that any of it can be taken back.

A fact counts because at least one entry that counts says it; when a chain is cut, what only the cut entries said is
gone. Everything here is keyed by its content and by the sources that say it, and where one source must be named it
is the first in canonical order, never the first to arrive.

Which facts changed is left in `touched` (slots) and in `changed` of each part (epochs): derived state is recomputed
from there, not from the beginning.
"""

from __future__ import annotations

from typing import NamedTuple

from consensus.agenda import Epochs
from consensus.ballots import Ballots
from consensus.chains import Source
from consensus.claims import Claims
from consensus.content import Content, SessionPart
from consensus.opinions import Opinions
from consensus.ops import (
    AnyOp,
    Attest,
    Block,
    Opinion,
    Pulse,
    SessionClose,
    SessionOpen,
    Spend,
    Vouch,
    Wish,
    Witness,
    block_id,
    session_id,
)
from consensus.params import Params
from consensus.presence import Presence
from consensus.selection import Seeds
from consensus.spends import Spends
from crdt.types import NO_ENTRY, BlockId, EntryId, Epoch, Micros, PlayerId, Seq, SessionId, Window


class Slot(NamedTuple):
    """One player's one window: where there may be at most one block. Compares by window first."""

    window: Window
    proposer: PlayerId


class SessionFacts(NamedTuple):
    """A jam as the ledger knows it. `closed_t_us` is the earliest end its creator declared, in session time."""

    id: SessionId
    creator: PlayerId
    op: SessionOpen
    closed_t_us: Micros | None


class Facts:
    """The index. `apply` and `retract` are inverse; whether an operation has a place at all is asked first."""

    def __init__(self, params: Params) -> None:
        self._params = params
        self.presence = Presence(params)
        self.spends = Spends()
        self.opinions = Opinions()
        self.ballots = Ballots(params)
        self.touched: set[Slot] = set()
        self.floor: Epoch | None = None  # of the final checkpoint: nothing is said of windows up to its end any more
        self.seeds: Seeds = ()
        self._opens: Claims[SessionId, tuple[PlayerId, SessionOpen]] = Claims()
        self._closes: Claims[tuple[SessionId, PlayerId], SessionClose] = Claims()
        self._blocks: dict[Slot, Claims[BlockId, Block]] = {}
        self._votes: dict[Slot, Claims[PlayerId, Attest]] = {}
        self._proposed: dict[Epoch, set[Slot]] = {}
        self.weighed = Epochs()  # in which somebody's weight of two epochs before may matter

    def has_place(self, epoch: Epoch, author: PlayerId, op: AnyOp) -> bool:
        """Whether an operation may stand in the document of this epoch; others are ignored (SPEC 6)."""
        p = self._params
        if isinstance(op, Spend):
            return self.spends.has_place(author, op)
        if isinstance(op, Pulse):
            return p.epoch_of(op.window) == epoch and self.presence.is_usable(op)
        if isinstance(op, Block | Attest) and self.floor is not None and p.epoch_of(op.window) <= self.floor:
            return False
        if isinstance(op, Block):
            return 0 <= epoch - p.epoch_of(op.window) <= 1
        if isinstance(op, Attest):
            last = p.epoch_of(Window(op.window + p.close_windows))
            return p.epoch_of(op.window) <= epoch <= last and author != op.proposer
        if isinstance(op, Opinion):
            return self.opinions.has_place(author, op)
        if isinstance(op, Wish):
            return self.ballots.has_place(epoch, op)
        return True

    def apply(self, source: Source, op: AnyOp) -> None:
        """Take in what a source says."""
        if isinstance(op, Spend):
            self.spends.say(source, op)
        elif isinstance(op, SessionOpen):
            self._opens.say(session_id(source.author, op), source, (source.author, op))
        elif isinstance(op, SessionClose):
            self._closes.say((op.session, source.author), source, op)
        elif isinstance(op, Pulse):
            self.presence.say(source, op)
        elif isinstance(op, Block):
            slot = Slot(op.window, source.author)
            self._blocks.setdefault(slot, Claims()).say(block_id(source.author, op), source, op)
            epoch = self._params.epoch_of(op.window)
            self._proposed.setdefault(epoch, set()).add(slot)
            self.weighed.add(epoch)
            self.touched.add(slot)
        elif isinstance(op, Attest):
            slot = Slot(op.window, op.proposer)
            self._votes.setdefault(slot, Claims()).say(source.author, source, op)
            self.touched.add(slot)
        elif isinstance(op, Wish):
            self.ballots.say(source, op)
        else:
            self.opinions.say(source, op)
            self.weighed.add(source.epoch)

    def retract(self, source: Source, op: AnyOp) -> None:
        """Take back what `apply` took in."""
        if isinstance(op, SessionOpen):
            self._opens.unsay(session_id(source.author, op), source)
        elif isinstance(op, SessionClose):
            self._closes.unsay((op.session, source.author), source)
        elif isinstance(op, Pulse):
            self.presence.unsay(source, op)
        elif isinstance(op, Block):
            slot = Slot(op.window, source.author)
            self._blocks[slot].unsay(block_id(source.author, op), source)
            self.touched.add(slot)
        elif isinstance(op, Attest):
            slot = Slot(op.window, op.proposer)
            self._votes[slot].unsay(source.author, source)
            self.touched.add(slot)
        elif isinstance(op, Spend):
            self.spends.unsay(source, op)
        elif isinstance(op, Wish):
            self.ballots.unsay(source, op)
        else:
            self.opinions.unsay(source, op)

    def slots_in(self, epoch: Epoch) -> list[Slot]:
        """The slots of an epoch's windows for which anybody ever proposed a block, sorted."""
        return sorted(self._proposed.get(epoch, ()))

    def sessions(self) -> list[SessionFacts]:
        """All sessions, by when they began, then by id."""
        found = [facts for session in self._opens if (facts := self.session(session)) is not None]
        return sorted(found, key=lambda facts: (facts.op.t0_us, facts.id))

    def session(self, session: SessionId) -> SessionFacts | None:
        """A session, or None when no entry that counts opened it. Only its creator closes it."""
        opened = self._opens.first(session)
        if opened is None:
            return None
        creator, op = opened[1]
        ends = [close.t_us for close in self._closes.of((session, creator)).values()]
        return SessionFacts(session, creator, op, min(ends) if ends else None)

    def blocks_in(self, slot: Slot) -> dict[BlockId, tuple[EntryId, Block]]:
        """The blocks proposed for a slot, by id; more than one is a fault of the proposer."""
        claims = self._blocks.get(slot)
        firsts = [] if claims is None else [(block, claims.first(block)) for block in sorted(claims)]
        return {block: (first[0].entry, first[1]) for block, first in firsts if first is not None}

    def votes_in(self, slot: Slot) -> dict[PlayerId, list[Attest]]:
        """What each verifier signed about a slot, in canonical order, verifiers sorted."""
        claims = self._votes.get(slot)
        return {} if claims is None else {verifier: list(claims.of(verifier).values()) for verifier in sorted(claims)}

    def vote_of(self, verifier: PlayerId, slot: Slot) -> Attest | None:
        """The first vote of a verifier on a slot."""
        claims = self._votes.get(slot)
        first = None if claims is None else claims.first(verifier)
        return None if first is None else first[1]

    # what a checkpoint holds of it

    def sessions_until(self, epoch: Epoch) -> list[SessionPart]:
        """The sessions opened up to the end of an epoch, without those whose recordings nobody keeps any more."""
        p, found = self._params, []
        end_us = p.window_start_us(Window((epoch + 1) * p.epoch_windows))
        for session in self._opens:
            creator, op = self._opens.of(session)[min(self._opens.of(session))]
            if min(self._opens.of(session)).epoch > epoch:
                continue
            closes = self._closes.of((session, creator)).items()
            ends = [close.t_us for source, close in closes if source.epoch <= epoch]
            if not ends or op.t0_us + min(ends) + p.keep_windows * p.window_us > end_us:
                found.append(SessionPart(creator, op, min(ends) if ends else None))
        return sorted(found, key=lambda part: session_id(part.creator, part.op))

    def plant(self, content: Content) -> None:
        """Begin with what a checkpoint holds: said in the last document up to it, by who has said it there."""
        epoch = self.floor = content.epoch
        last = Window((epoch + 1) * self._params.epoch_windows - 1)
        for part in content.sessions:
            source, session = Source(epoch, Seq(0), 0, part.creator, NO_ENTRY), session_id(part.creator, part.op)
            self._opens.say(session, source, (part.creator, part.op))
            if part.closed_t_us is not None:
                close = SessionClose(session, part.closed_t_us)
                self._closes.say((session, part.creator), source, close)
        for present, at in ((content.before, Epoch(epoch - 1)), (content.present, epoch)):
            window = last if at == epoch else Window(last - self._params.epoch_windows)
            for somebody in present:
                source = Source(at, Seq(0), 0, somebody.player, NO_ENTRY)
                self.presence.say(source, Pulse(window, bytes(16), somebody.vrf_key))
        for author, about in content.vouches:
            self.opinions.say(Source(epoch, Seq(0), 0, author, NO_ENTRY), Vouch(about))
        for witness, performer, heard in content.witnesses:
            self.opinions.say(Source(epoch, Seq(0), 0, witness, NO_ENTRY), Witness(heard, performer, (), False))
        self.presence.changed.clear()
        self.opinions.take_changes()
