"""The ledger: a set of signed entries, and the state that is a pure function of that set (SPEC 8).

Entries come in any order, any number of times, from meshes that split and merged. Nothing is decided by arrival: an
account with one owner needs no global order, so the only dispute there can be is an author's with itself, and
consensus/chains.py settles that by cutting the author's chain. Entries are taken as already verified by the replica
(signature, form, network); this is what they mean.

A new entry costs what it touches (consensus/fold.py), and so does the root: it is the hash of trees in which a change
costs its path. Memory grows with the entries held; history goes by dropping whole epochs below a checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from consensus.accounts import Account, Funding, Spent
from consensus.books import Movement
from consensus.chains import Chains, Position, position_of
from consensus.checkpoint import NO_BASE, NO_VALUE, Count, ballot_of, named
from consensus.coins import Coins
from consensus.content import Content, value_of, voters_of
from consensus.counts import Counts
from consensus.facts import Facts, SessionFacts, Slot
from consensus.fold import Concert, Fold
from consensus.hashtree import GrowingTree
from consensus.lots import Lot, Place, Role
from consensus.ops import Attest, Pulse, Spend
from consensus.params import Params
from consensus.presence import Electorate
from consensus.proofs import Proofs
from consensus.reading import Said, read
from consensus.selection import input_of
from consensus.state import BlockState
from consensus.verdict import Standing
from crdt.canonical import digest
from crdt.entry import Entry
from crdt.errors import Misuse
from crdt.limits import FINAL_BLOCKS_KEPT_MAX
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


class Ledger:
    """Entries in, state out."""

    def __init__(self, params: Params, network: NetworkId, start: Content | None = None) -> None:
        self.params, self.network = params, network
        self.proofs = Proofs()  # verified once, whatever the ledger begins with
        self.finals: dict[BlockId, BlockState] = {}  # what a checkpoint has settled and is still shown
        self._begin(start)

    def _begin(self, start: Content | None) -> None:
        self._chains = Chains()
        self._facts = Facts(self.params)
        self.opinions = self._facts.opinions  # what players say of one another, to be read only
        self._fold = Fold(self.params, self.network, self._facts, self.proofs)
        self._start = start
        self.base = NO_VALUE if start is None else value_of(self.network, start)
        self.voters = voters_of(self.params, start)
        self._counted, self._count_of = Count(self.voters, ()), 0
        self._said: dict[PlayerId, dict[EntryId, Said]] = {}
        self._ids_in: dict[Epoch, set[EntryId]] = {}
        self._entries: GrowingTree[EntryId, None] = GrowingTree()
        self._cuts: GrowingTree[PlayerId, Position] = GrowingTree()
        self.skipped_ops = self.misplaced_ops = self.entries = 0
        self._is_stale = True  # something counts, or counts no more, since the fold was settled
        self._listed: dict[Window, list[BlockState]] = {}  # blocks since a window, until then
        if start is not None:
            self._plant(start)

    def _plant(self, start: Content) -> None:
        self._fold.plant(start)
        switch = Epoch(start.epoch + self.params.checkpoint_lag + self.params.seed_delay)
        self._facts.seeds = (*start.seeds, (switch, self.base.digest))
        for author in start.authors:
            place = Position(author.epoch, author.seq)
            self._chains.plant(start.epoch, author.author, place, author.entry, author.is_cut)
            if author.is_cut:
                self._recount(author.author, None)

    def restart(self, start: Content, entries: Iterable[Entry]) -> None:
        """Begin again with a checkpoint that is final, and the entries held of later epochs. Blocks up to it can still
        be asked for, as far as what was known of them is what has become final."""
        agreed = self._settled().state.agreed_until(start.epoch, start.accepted)
        kept = [block for block in self.blocks() if self.params.epoch_of(block.window) <= agreed]
        known, self.finals = self.finals, {block.id: block for block in kept[-FINAL_BLOCKS_KEPT_MAX:]}
        self._begin(start)
        self._fold.state.changed.update(self.finals.keys() - known.keys())
        for entry in entries:
            self.add(entry)

    # what comes in

    def add(self, entry: Entry) -> bool:
        """Take in a verified entry of a ledger document; False when it was known, or stands beyond a cut."""
        if entry.body.network != self.network[:8]:
            raise Misuse("an entry of another network")
        place, author = position_of(entry), entry.body.author
        if self.is_settled(place.epoch):
            return False
        cut = self._chains.cut_of(author)
        if not self._chains.add(entry):
            return False
        said = read(entry, place, self._facts)
        self._said.setdefault(author, {})[entry.id] = said
        counts = self._chains.counts(author, place)
        if self._chains.cut_of(author) != cut:
            self._recount(author, cut)
        elif counts:
            self._count(entry.id, said)
        return counts

    def freeze(self, author: PlayerId, document: DocumentName, seq: Seq) -> None:
        """Ignore an author's entries from this one on: two that stand here were proven to exist."""
        epoch = ledger_epoch(document)
        if epoch is None:
            raise Misuse(f"{document} is not part of the ledger")
        if self.is_settled(epoch):
            return
        cut = self._chains.cut_of(author)
        self._chains.fork(author, Position(epoch, seq))
        self._recount(author, cut)

    def is_settled(self, epoch: Epoch) -> bool:
        """Whether the final checkpoint has settled an epoch, with all that is in it and nothing else."""
        return self.base != NO_VALUE and epoch <= self.base.epoch

    def _recount(self, author: PlayerId, cut_before: Position | None) -> None:
        """An author's cut has moved: take back what is beyond it now, count what no longer is."""
        if cut_before is not None:
            self._fold.books.cut(cut_before.epoch, author, False)
        self._is_stale = True
        cut = self._chains.cut_of(author)
        if cut is None:
            self._cuts.drop(author)
        else:
            self._fold.books.cut(cut.epoch, author, True)
            self._cuts.put(author, cut)
        for entry, said in self._said.get(author, {}).items():
            counted = entry in self._ids_in.get(said.place.epoch, ())
            counts = self._chains.counts(author, said.place)
            if counts and not counted:
                self._count(entry, said)
            elif counted and not counts:
                self._discount(entry, said)

    def _count(self, entry: EntryId, said: Said) -> None:
        self._is_stale = True
        for source, op in said.ops:
            self._facts.apply(source, op)
        self._ids_in.setdefault(said.place.epoch, set()).add(entry)
        self._entries.put(entry, None)
        self.entries += 1
        self.skipped_ops += said.skipped
        self.misplaced_ops += said.misplaced

    def _discount(self, entry: EntryId, said: Said) -> None:
        self._is_stale = True
        for source, op in said.ops:
            self._facts.retract(source, op)
        ids = self._ids_in[said.place.epoch]
        ids.discard(entry)
        if not ids:
            del self._ids_in[said.place.epoch]
        self._entries.drop(entry)
        self.entries -= 1
        self.skipped_ops -= said.skipped
        self.misplaced_ops -= said.misplaced

    def _settled(self) -> Fold:
        if self._is_stale:
            self._fold.settle()
            self._listed.clear()
            self._is_stale = False
        return self._fold

    # what is asked

    def sessions(self) -> list[SessionFacts]:
        """All sessions, by when they began."""
        return self._facts.sessions()

    def session(self, session: SessionId) -> SessionFacts | None:
        """One session, or None."""
        return self._facts.session(session)

    def pulses(self, window: Window) -> Mapping[PlayerId, tuple[EntryId, Pulse]]:
        """Who was present in a window, and the entry that says so."""
        return self._facts.presence.pulses(window)

    def eligible(self, window: Window, proposer: PlayerId) -> Electorate:
        """Who may verify this proposer's block of this window."""
        self._settled()
        return self._facts.presence.electorate(window, proposer)

    def blocks(self, since: Window | None = None) -> Sequence[BlockState]:
        """Blocks by window, proposer and id; only those of windows from `since` on, if given."""
        state, first = self._settled().state, since or Window(0)
        if first not in self._listed:
            epochs = sorted(epoch for epoch in state.in_epoch if epoch >= self.params.epoch_of(first))
            live = [block for epoch in epochs for block in state.states_of(epoch) if block.window >= first]
            finals = [block for block in self.finals.values() if block.window >= first]
            self._listed = {first: [*finals, *live]}
        return self._listed[first]

    def block(self, block: BlockId) -> BlockState | None:
        """One block, or None."""
        return self._settled().state.blocks.get(block) or self.finals.get(block)

    def is_final(self, window: Window) -> bool:
        """Whether nothing about a window can change any more, because a final checkpoint holds it."""
        return self.is_settled(self.params.epoch_of(window))

    def take_changed(self) -> list[BlockState | BlockId]:
        """Blocks that changed since this was last asked, by id; the bare id of one that is gone."""
        state = self._settled().state
        changed, state.changed = state.changed, set()
        return [self.block(block) or block for block in sorted(changed)]

    def vote_of(self, verifier: PlayerId, proposer: PlayerId, window: Window) -> Attest | None:
        """What a verifier first signed about a player's window: nobody votes twice, across restarts too."""
        return self._facts.vote_of(verifier, Slot(window, proposer))

    def last_entry(self, author: PlayerId) -> tuple[Position, EntryId] | None:
        """An author's last entry: its next must come after it and name it."""
        return self._chains.last(author)

    def cuts(self) -> dict[PlayerId, Position]:
        """Authors that forked their own chain, and from where on they do not count."""
        return dict(self._chains.cuts())

    @property
    def last_epoch(self) -> Epoch:
        """The latest epoch in which an entry counts or a chain is cut, at least that of the checkpoint that this starts
        from: that of accounts when none is named."""
        cuts = (cut.epoch for cut in self._chains.cuts().values())
        return max(self.base.epoch, max(self._ids_in, default=Epoch(0)), max(cuts, default=Epoch(0)))

    def account(self, player: PlayerId, epoch: Epoch | None = None) -> tuple[Account, Coins]:
        """A player's account at the end of an epoch, and what is coming in."""
        return self._settled().books.account_at(player, self.last_epoch if epoch is None else epoch)

    def players(self) -> list[PlayerId]:
        """Everybody to whose account anything ever happened, sorted."""
        return list(self._settled().books.players())

    def balance(self, player: PlayerId) -> MicroJam:
        """What a player can spend now or from the next epoch on: free, and coming in."""
        account, coming = self.account(player)
        return MicroJam(account.free.total_micro + coming.total_micro)

    def balances(self) -> dict[PlayerId, MicroJam]:
        """Every balance above zero, players sorted."""
        return {player: balance for player in self.players() if (balance := self.balance(player))}

    def stake_at(self, player: PlayerId, epoch: Epoch) -> MicroJam:
        """What a player has staked at the end of an epoch."""
        return self._settled().books.stake_at(player, epoch)

    def lots(self, player: PlayerId) -> list[Lot]:
        """A player's lots, by place, then release, then block id. Those that are free or coming are its balance."""
        account, coming = self.account(player)
        heaps: list[tuple[Coins, Place, Epoch | None]] = [
            (account.free, Place.FREE, None),
            (coming, Place.COMING, None),
            (account.staked, Place.STAKED, None),
        ]
        heaps += [(coins, Place.LEAVING, release) for release, coins in account.leaving]
        return [
            Lot(block, amount, player, self.role_of(player, block), place, release)
            for coins, place, release in heaps
            for block, amount in coins.items()
        ]

    def role_of(self, player: PlayerId, block: BlockId) -> Role:
        """How a player came by coins of this origin."""
        state, concert = self.block(block), self._fold.concerts.get(block)
        if concert is not None and concert.performer == player:
            return Role.PERFORMED
        if state is None or state.reward is None:
            return Role.RECEIVED
        if state.proposer == player:
            return Role.PLAYED
        return Role.ATTESTED if player in dict(state.reward.verifiers) else Role.RECEIVED

    def concert(self, origin: BlockId) -> Concert | None:
        """The concerts that minted what has this origin, or None: then it is a block's."""
        return self._settled().concerts.get(origin)

    def spends(self, player: PlayerId) -> list[Spent]:
        """A player's transfers, stakes and unstakes and what became of each, in the order of its log; those beyond a
        cut too, which do not count."""
        books = self._settled().books
        said = self._said.get(player, {}).values()
        beyond = sorted(
            (source, op)
            for one in said
            if not self._chains.counts(player, one.place)
            for source, op in one.ops
            if isinstance(op, Spend)
        )
        account, _ = self.account(player)
        cut = [Spent(source, op, Funding.CUT, None, MicroJam(0), account) for source, op in beyond]
        return [*books.spends_of(player), *cut]

    def received(self, player: PlayerId) -> list[Spent]:
        """Transfers to a player and what became of each, in canonical order."""
        return self._settled().books.received_by(player)

    def movements(self, player: PlayerId) -> list[Movement]:
        """All that came into a player's account and left it for good, by epoch. Their sum is all that is in it."""
        return self._settled().books.movements_of(player)

    @property
    def minted_micro(self) -> MicroJam:
        """All that was ever minted and is still accepted."""
        return self._settled().books.minted_micro

    @property
    def burned_micro(self) -> MicroJam:
        """All that was taken from stakes."""
        return self._settled().books.burned_micro

    @property
    def supply_micro(self) -> MicroJam:
        """All that there is: minted and not burned."""
        books = self._settled().books
        return MicroJam(books.minted_micro - books.burned_micro)

    def epoch_points_micro(self, epoch: Epoch) -> MicroJam:
        """Points of all accepted blocks of an epoch: beyond its budget, each is paid pro rata."""
        return MicroJam(self._settled().state.epoch_points.get(epoch, 0))

    def counts(self) -> Counts:
        """How much there is of everything."""
        standings = self._settled().state.standings
        return Counts(
            entries=self.entries,
            authors=len(self._said),
            sessions=len(self._facts.sessions()),
            pending=standings[Standing.PENDING],
            local=standings[Standing.LOCAL],
            rejected=standings[Standing.REJECTED],
            skipped=self.skipped_ops,
            misplaced=self.misplaced_ops,
            cut=len(self._chains.cuts()),
        )

    # checkpoints

    def draw_input(self, proposer: PlayerId, window: Window) -> bytes:
        """The VRF input for one proposer and window."""
        return input_of(self.params, self.network, proposer, window, self._facts.seeds)

    def content_at(self, epoch: Epoch) -> Content:
        """S(epoch) in full, to be voted on as what follows the final checkpoint. Misuse up to that."""
        if self.is_settled(epoch):
            raise Misuse("what is final is not worked out again")
        return self._settled().content_at(epoch, self.base.digest, self._chains)

    def count(self) -> Count:
        """The votes on what follows the final checkpoint."""
        ballots = self._facts.ballots
        if self._count_of != ballots.version:
            self._count_of, votes = ballots.version, ballots.checkpoint_votes(self.voters, self.base.digest)
            self._counted = Count(self.voters, (ballot_of(source.epoch, source.author, op) for source, op in votes))
        return self._counted

    def named_base(self) -> Digest | None:
        """A later final checkpoint that more than two thirds of the voters here go on from, if there is one: this
        ledger has missed how it became final."""
        known = {self.base.digest, NO_BASE, *(() if self._start is None else (self._start.base,))}
        votes = self._facts.ballots.bases(self.voters)
        return named(self.voters, (vote for vote in votes if vote[1] > self.base.epoch and vote[2] not in known))

    def root(self) -> Digest:
        """Hash of the entries that count, of all that is derived from them, and of where chains are cut."""
        fold = self._settled()
        parts = (
            self.base.digest,
            self._entries.digest(),
            fold.state.digest(),
            fold.books.digest(),
            self._cuts.digest(),
        )
        return Digest(digest(b"symjam-root", self.network, *parts))
