"""The ledger: a set of signed entries, and the state that is a pure function of that set (SPEC 8).

Entries come in any order, any number of times, from meshes that split and merged. Nothing is decided by arrival: an
account with one owner needs no global order, so the only dispute there can be is an author's with itself, and
consensus/chains.py settles that by cutting the author's chain. Entries are taken as already verified by the replica
(signature, form, network); this is what they mean.

A new entry costs what it touches. Memory grows with the entries held; history goes by dropping whole epochs below a
checkpoint.
"""

from __future__ import annotations

from typing import NamedTuple

from consensus.chains import Chains, Position, Source, position_of
from consensus.facts import Facts, SessionFacts, Slot
from consensus.lots import Lot
from consensus.ops import AnyOp, Attest, Pulse, decode_ops
from consensus.params import Params
from consensus.presence import Electorate
from consensus.state import BlockState, State
from consensus.verdict import Standing
from crdt.canonical import digest, encode
from crdt.entry import Entry
from crdt.errors import Misuse
from crdt.types import (
    BlockId,
    Digest,
    DocumentName,
    EntryId,
    Epoch,
    MicroJam,
    NetworkId,
    PlayerId,
    Seq,
    SessionId,
    Window,
    ledger_epoch,
)


class Counts(NamedTuple):
    """How much the ledger holds. `misplaced` operations stood in a document where they do not count."""

    entries: int
    authors: int
    sessions: int
    pending: int
    local: int
    rejected: int
    skipped: int
    misplaced: int
    cut: int


class _Said(NamedTuple):
    """What one entry says, whether it counts or not."""

    place: Position
    ops: tuple[tuple[Source, AnyOp], ...]  # those that have a place in its document
    skipped: int
    misplaced: int


class Ledger:
    """Entries in, state out."""

    def __init__(self, params: Params, network: NetworkId) -> None:
        self.params, self.network = params, network
        self._chains = Chains()
        self._facts = Facts(params)
        self._state = State(params, network, self._facts)
        self._said: dict[PlayerId, dict[EntryId, _Said]] = {}
        self._ids_in: dict[Epoch, set[EntryId]] = {}
        self._parts: dict[Epoch, Digest] = {}
        self.skipped_ops = 0
        self.misplaced_ops = 0
        self.entries = 0

    # what comes in

    def add(self, entry: Entry) -> bool:
        """Take in a verified entry of a ledger document; False when it was known, or stands beyond a cut."""
        if entry.body.network != self.network[:8]:
            raise Misuse("an entry of another network")
        place, author = position_of(entry), entry.body.author
        cut = self._chains.cut_of(author)
        if not self._chains.add(entry):
            return False
        said = self._read(entry, place)
        self._said.setdefault(author, {})[entry.id] = said
        if self._chains.cut_of(author) != cut:
            self._recount(author)
        elif self._chains.counts(author, place):
            self._count(entry.id, said)
        return self._chains.counts(author, place)

    def freeze(self, author: PlayerId, document: DocumentName, seq: Seq) -> None:
        """Ignore an author's entries from this one on: two that stand here were proven to exist."""
        epoch = ledger_epoch(document)
        if epoch is None:
            raise Misuse(f"{document} is not part of the ledger")
        self._chains.fork(author, Position(epoch, seq))
        self._recount(author)

    def _read(self, entry: Entry, place: Position) -> _Said:
        author = entry.body.author
        ops, skipped = decode_ops(entry.body.payload)
        fit = tuple(
            (Source(place.epoch, place.seq, nth, author, entry.id), op)
            for nth, op in enumerate(ops)
            if self._facts.has_place(place.epoch, author, op)
        )
        return _Said(place, fit, skipped, len(ops) - len(fit))

    def _recount(self, author: PlayerId) -> None:
        """An author's cut has moved: take back what is beyond it now, count what no longer is."""
        for entry, said in self._said.get(author, {}).items():
            counted = entry in self._ids_in.get(said.place.epoch, ())
            counts = self._chains.counts(author, said.place)
            if counts and not counted:
                self._count(entry, said)
            elif counted and not counts:
                self._discount(entry, said)

    def _count(self, entry: EntryId, said: _Said) -> None:
        for source, op in said.ops:
            self._facts.apply(source, op)
        self._ids_in.setdefault(said.place.epoch, set()).add(entry)
        self._parts.pop(said.place.epoch, None)
        self.entries += 1
        self.skipped_ops += said.skipped
        self.misplaced_ops += said.misplaced

    def _discount(self, entry: EntryId, said: _Said) -> None:
        for source, op in said.ops:
            self._facts.retract(source, op)
        self._ids_in[said.place.epoch].discard(entry)
        self._parts.pop(said.place.epoch, None)
        self.entries -= 1
        self.skipped_ops -= said.skipped
        self.misplaced_ops -= said.misplaced

    def _settled(self) -> State:
        self._state.settle()
        return self._state

    # what is asked

    def sessions(self) -> list[SessionFacts]:
        """All sessions, by when they began."""
        return self._facts.sessions()

    def session(self, session: SessionId) -> SessionFacts | None:
        """One session, or None."""
        return self._facts.session(session)

    def pulses(self, window: Window) -> dict[PlayerId, tuple[EntryId, Pulse]]:
        """Who was present in a window, and the entry that says so."""
        return self._facts.presence.pulses(window)

    def eligible(self, window: Window, proposer: PlayerId) -> Electorate:
        """Who may verify this proposer's block of this window."""
        return self._facts.presence.electorate(window, proposer)

    def blocks(self, since: Window | None = None) -> list[BlockState]:
        """Blocks by window, proposer and id; only those of windows from `since` on, if given."""
        state, first = self._settled(), since or Window(0)
        epochs = sorted(epoch for epoch in state.in_epoch if epoch >= self.params.epoch_of(first))
        return [block for epoch in epochs for block in state.states_of(epoch) if block.window >= first]

    def block(self, block: BlockId) -> BlockState | None:
        """One block, or None."""
        return self._settled().blocks.get(block)

    def take_changed(self) -> list[BlockState | BlockId]:
        """Blocks that changed since this was last asked, by id; the bare id of one that is gone."""
        state = self._settled()
        changed, state.changed = state.changed, set()
        return [state.blocks.get(block, block) for block in sorted(changed)]

    def vote_of(self, verifier: PlayerId, proposer: PlayerId, window: Window) -> Attest | None:
        """What a verifier first signed about a player's window: nobody votes twice, across restarts too."""
        return self._facts.vote_of(verifier, Slot(window, proposer))

    def last_entry(self, author: PlayerId) -> tuple[Position, EntryId] | None:
        """An author's last entry: its next must come after it and name it."""
        return self._chains.last(author)

    def cuts(self) -> dict[PlayerId, Position]:
        """Authors that forked their own chain, and from where on they do not count."""
        return dict(self._chains.cuts())

    def balance(self, player: PlayerId) -> MicroJam:
        """Sum of a player's lots."""
        return self._settled().purses.balance(player)

    def balances(self) -> dict[PlayerId, MicroJam]:
        """Every balance above zero, players sorted."""
        return self._settled().purses.balances()

    def lots(self, player: PlayerId) -> list[Lot]:
        """A player's lots, by block id."""
        return self._settled().purses.lots(player)

    @property
    def supply_micro(self) -> MicroJam:
        """All that was ever minted and is still accepted."""
        return self._settled().purses.supply_micro

    def epoch_points_micro(self, epoch: Epoch) -> MicroJam:
        """Points of all accepted blocks of an epoch: beyond its budget, each is paid pro rata."""
        return MicroJam(self._settled().epoch_points.get(epoch, 0))

    def counts(self) -> Counts:
        """How much there is of everything."""
        standing = [block.standing for block in self._settled().blocks.values()]
        return Counts(
            entries=self.entries,
            authors=len(self._said),
            sessions=len(self._facts.sessions()),
            pending=standing.count(Standing.PENDING),
            local=standing.count(Standing.LOCAL),
            rejected=standing.count(Standing.REJECTED),
            skipped=self.skipped_ops,
            misplaced=self.misplaced_ops,
            cut=len(self._chains.cuts()),
        )

    def root(self) -> Digest:
        """Hash of the entries that count, of where chains are cut, and of all that is derived.

        One part for each epoch, worked out again only where something changed. Balances are sums of what the parts
        hold, so they need no part of their own.
        """
        state = self._settled()
        for epoch in state.changed_epochs:
            self._parts.pop(epoch, None)
        state.changed_epochs.clear()
        epochs = sorted({epoch for epoch, ids in self._ids_in.items() if ids} | set(state.in_epoch))
        for epoch in epochs:
            if epoch not in self._parts:
                part = (epoch, sorted(self._ids_in.get(epoch, ())), state.digests_of(epoch))
                self._parts[epoch] = Digest(digest(b"symjam-state", encode(part)))
        cuts = sorted((author, *place) for author, place in self._chains.cuts().items())
        whole = ([self._parts[epoch] for epoch in epochs], cuts)
        return Digest(digest(b"symjam-root", self.network, encode(whole)))
