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
from consensus.opinions import Opinions
from consensus.ops import (
    AnyOp,
    Attest,
    Block,
    Checkpoint,
    ParamVote,
    Pulse,
    Report,
    SessionClose,
    SessionOpen,
    Stake,
    Transfer,
    Unstake,
    Unvouch,
    Vouch,
    Witness,
    block_id,
    session_id,
)
from consensus.params import Params
from consensus.presence import Presence
from consensus.spends import Spends
from crdt.types import BlockId, EntryId, Epoch, Micros, PlayerId, SessionId, Window


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
        self._opens: Claims[SessionId, tuple[PlayerId, SessionOpen]] = Claims()
        self._closes: Claims[tuple[SessionId, PlayerId], SessionClose] = Claims()
        self._blocks: Claims[Slot, Block] = Claims()
        self._votes: dict[Slot, Claims[PlayerId, Attest]] = {}
        self._proposed: dict[Epoch, set[Slot]] = {}
        self.weighed = Epochs()  # in which somebody's weight of two epochs before may matter

    def has_place(self, epoch: Epoch, author: PlayerId, op: AnyOp) -> bool:
        """Whether an operation may stand in the document of this epoch; others are ignored (SPEC 6)."""
        p = self._params
        if isinstance(op, Pulse):
            return p.epoch_of(op.window) == epoch and self.presence.is_usable(op)
        if isinstance(op, Block):
            return 0 <= epoch - p.epoch_of(op.window) <= 1
        if isinstance(op, Attest):
            last = p.epoch_of(Window(op.window + p.close_windows))
            return p.epoch_of(op.window) <= epoch <= last and author != op.proposer
        if isinstance(op, Transfer | Stake | Unstake):
            return self.spends.has_place(author, op)
        if isinstance(op, Vouch | Unvouch | Report | Witness):
            return self.opinions.has_place(author, op)
        if isinstance(op, Checkpoint | ParamVote):
            return self.ballots.has_place(epoch, op)
        return True

    def apply(self, source: Source, op: AnyOp) -> None:
        """Take in what a source says."""
        if isinstance(op, SessionOpen):
            self._opens.say(session_id(source.author, op), source, (source.author, op))
        elif isinstance(op, SessionClose):
            self._closes.say((op.session, source.author), source, op)
        elif isinstance(op, Pulse):
            self.presence.say(source, op)
        elif isinstance(op, Block):
            slot = Slot(op.window, source.author)
            self._blocks.say(slot, source, op)
            epoch = self._params.epoch_of(op.window)
            self._proposed.setdefault(epoch, set()).add(slot)
            self.weighed.add(epoch)
            self.touched.add(slot)
        elif isinstance(op, Attest):
            slot = Slot(op.window, op.proposer)
            self._votes.setdefault(slot, Claims()).say(source.author, source, op)
            self.touched.add(slot)
        elif isinstance(op, Transfer | Stake | Unstake):
            self.spends.say(source, op)
        elif isinstance(op, Checkpoint | ParamVote):
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
            self._blocks.unsay(slot, source)
            self.touched.add(slot)
        elif isinstance(op, Attest):
            slot = Slot(op.window, op.proposer)
            self._votes[slot].unsay(source.author, source)
            self.touched.add(slot)
        elif isinstance(op, Transfer | Stake | Unstake):
            self.spends.unsay(source, op)
        elif isinstance(op, Checkpoint | ParamVote):
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
        found: dict[BlockId, tuple[EntryId, Block]] = {}
        for source, block in self._blocks.of(slot).items():
            found.setdefault(block_id(slot.proposer, block), (source.entry, block))
        return found

    def votes_in(self, slot: Slot) -> dict[PlayerId, list[Attest]]:
        """What each verifier signed about a slot, in canonical order, verifiers sorted."""
        claims = self._votes.get(slot)
        return {} if claims is None else {verifier: list(claims.of(verifier).values()) for verifier in sorted(claims)}

    def vote_of(self, verifier: PlayerId, slot: Slot) -> Attest | None:
        """The first vote of a verifier on a slot."""
        claims = self._votes.get(slot)
        first = None if claims is None else claims.first(verifier)
        return None if first is None else first[1]
