"""What follows from the ledger about blocks: verdicts and rewards, recomputed only where facts changed.

Three layers, each depending only on the one before, so that work never runs backwards:

  1. a *verdict* of each touched slot (consensus/tally.py): needs no other slot;
  2. *points* of that slot, and of the same proposer's later slots when its acceptance or its voters changed, because
     m and cluster look back over the proposer's accepted blocks; and where the proposer is another person than before;
  3. *payment* of the blocks whose points changed, and of those in the same window whose verifiers thereby cross the
     reputation cap; of all blocks of the epoch only where their points exceed its budget, because then each is paid
     its share.

Epochs are taken in their order (consensus/fold.py): who may vote in one rests on the accounts of earlier ones. What a
block mints, and what a fabricated one costs, goes to the books.

All of it is a function of the facts alone. What came first, and how often it was asked in between, leaves no trace;
tests/consensus/test_ledger.py holds that against random orders.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import NamedTuple

import msgspec

from consensus.agenda import Agenda, earliest
from consensus.books import Books
from consensus.cap import Cap
from consensus.census import Census
from consensus.content import AcceptedPart
from consensus.facts import Facts, Slot
from consensus.hashtree import GrowingTree
from consensus.logistic import weight_q16
from consensus.lots import parts_of
from consensus.ops import Block, Vote, Why
from consensus.params import Params
from consensus.proofs import Proofs
from consensus.reward import (
    Reward,
    Terms,
    blocks_budget,
    expected_meetings,
    familiarity,
    points_of,
    recent_of,
    reward_of,
    terms_of,
)
from consensus.tally import Ignored, Tallied, Tally
from consensus.verdict import Standing, is_fabricated, is_riff_believed, quorum
from crdt.canonical import digest, encode
from crdt.types import BlockId, Digest, EntryId, Epoch, MicroJam, NetworkId, PlayerId, Window


class CountedVote(msgspec.Struct, array_like=True, frozen=True):
    """A vote that counts, with the two numbers that its weight in a reward rests on."""

    verifier: PlayerId
    vote: Vote
    why: Why
    tranche: int
    m: int
    w_q16: int


class BlockState(msgspec.Struct, array_like=True, frozen=True):
    """A block and all that follows from the ledger about it. Votes and ignored votes are sorted by verifier."""

    id: BlockId
    proposer: PlayerId
    op: Block
    entry: EntryId
    standing: Standing
    rivals: int  # other blocks of this player for this window: with any, none is accepted
    eligible: int
    quorum: int
    open_tranches: int
    votes: tuple[CountedVote, ...]
    ignored: tuple[tuple[PlayerId, Ignored], ...]
    reward: Reward | None

    @property
    def window(self) -> Window:
        """The window it is about."""
        return self.op.window

    @property
    def voters(self) -> tuple[PlayerId, ...]:
        """Those whose votes count, sorted."""
        return tuple(vote.verifier for vote in self.votes)

    @property
    def is_fabricated(self) -> bool:
        """Whether its votes say that it is made up, which costs stake."""
        return is_fabricated(self.quorum, ((vote.vote, vote.why) for vote in self.votes))

    @property
    def reasons(self) -> tuple[Why, ...]:
        """The reasons given by votes that were not yes, each once, in their order of number."""
        return tuple(sorted({vote.why for vote in self.votes if vote.vote is not Vote.YES}))


class _Weighed(NamedTuple):
    """Layer 2: all but the payment."""

    state: BlockState
    terms: Terms | None  # unless accepted, none
    points_micro: MicroJam


class State:
    """All blocks derived from one set of facts, as far as `settle` has worked them out."""

    def __init__(
        self,
        params: Params,
        network: NetworkId,
        facts: Facts,
        books: Books,
        census: Census,
        proofs: Proofs | None = None,
    ) -> None:
        self._params, self._books, self._census = params, books, census
        self._tally = Tally(params, network, facts, census, proofs)
        self.blocks: dict[BlockId, BlockState] = {}
        self.in_epoch: dict[Epoch, set[Slot]] = {}
        self.changed: set[BlockId] = set()
        self.standings: Counter[Standing] = Counter()
        self.epoch_points: Counter[Epoch] = Counter()  # points of all accepted blocks, micro-JAM
        self._touched: Agenda[Slot] = Agenda()
        self._stale: Agenda[Slot] = Agenda()
        self._tallied: dict[Slot, tuple[Tallied, ...]] = {}
        self._voters: dict[Slot, frozenset[PlayerId]] = {}  # on a slot's accepted block
        self._weighed: dict[Slot, tuple[_Weighed, ...]] = {}
        self._cap = Cap(params)
        self._settled: dict[Slot, tuple[BlockState, ...]] = {}
        self._fabricated: Counter[tuple[Epoch, PlayerId]] = Counter()
        self._unhashed: set[Slot] = set()
        self._tree: GrowingTree[Digest, bytes] = GrowingTree()
        self._slots_of: dict[PlayerId, list[Slot]] = {}  # ascending by window
        self._earlier: dict[Slot, AcceptedPart] = {}  # accepted blocks of the final checkpoint

    def touch(self, slot: Slot) -> None:
        """What is known of a slot has changed, or of who may vote on it."""
        self._touched.add(self._params.epoch_of(slot.window), slot)

    def reprice(self, epoch: Epoch, players: frozenset[PlayerId] | None) -> None:
        """These players (None: any) may be other persons at the end of this epoch or of a later one."""
        first = Slot(Window((epoch + 1) * self._params.epoch_windows), PlayerId(b""))
        for player in sorted(self._slots_of if players is None else players & self._slots_of.keys()):
            mine = self._slots_of[player]
            for slot in mine[bisect_left(mine, first) :]:
                self._stale.add(self._params.epoch_of(slot.window), slot)

    def next_epoch(self) -> Epoch | None:
        """The earliest epoch in which there is something to work out."""
        return earliest(self._touched.next_epoch(), self._stale.next_epoch())

    def settle(self, epoch: Epoch) -> None:
        """Work out the blocks of one epoch; nothing of an earlier one may be waiting."""
        for slot in sorted(self._touched.take(epoch)):
            for stale in self._tally_slot(slot):
                self._stale.add(self._params.epoch_of(stale.window), stale)
        points_before, unpaid = self.epoch_points[epoch], set[Slot]()
        for slot in sorted(self._stale.take(epoch)):
            unpaid |= self._weigh_slot(slot, epoch)
        if unpaid:
            self._pay_epoch(epoch, unpaid, points_before)

    # layer 1: verdicts

    def _tally_slot(self, slot: Slot) -> set[Slot]:
        """Count a slot's votes anew; returns the slots whose points this may change."""
        before, after = self._tallied.get(slot, ()), self._tally.count(slot)
        if after == before:
            return set()
        mine = self._slots_of.setdefault(slot.proposer, [])
        if after and not before:
            insort(mine, slot)
        if after:
            self._tallied[slot] = after
        else:
            self._tallied.pop(slot)
            mine.remove(slot)
        stale = {slot}
        voters = _voters(after)
        if self._voters.get(slot) != voters:
            if voters is None:
                del self._voters[slot]
            else:
                self._voters[slot] = voters
            last = Slot(Window(slot.window + self._params.decay_horizon_windows + 1), slot.proposer)
            stale.update(mine[bisect_left(mine, slot) : bisect_left(mine, last)])
        return stale

    # layer 2: points

    def _weigh_slot(self, slot: Slot, epoch: Epoch) -> set[Slot]:
        """Work out m, w and points of a slot's blocks; returns the slots whose payment this may change."""
        before, tallied = self._weighed.get(slot, ()), self._tallied.get(slot, ())
        recent = recent_of(self._params, slot.window, self._accepted_before(slot)) if tallied else []
        met = familiarity(recent)
        person = self._census.person_q16(slot.proposer, Epoch(epoch - 1)) if tallied else 0
        after = tuple(self._weigh(slot.proposer, block, recent, met, person) for block in tallied)
        if after == before:
            return set()
        if after:
            self._weighed[slot] = after
        else:
            self._weighed.pop(slot)
        self.epoch_points[epoch] += sum(b.points_micro for b in after) - sum(b.points_micro for b in before)
        return {slot} | self._recap(slot.window, before, after)

    def _recap(self, window: Window, before: tuple[_Weighed, ...], after: tuple[_Weighed, ...]) -> set[Slot]:
        """Count a window's accepted blocks anew against the reputation cap; returns the other slots concerned."""
        moved = set[BlockId]()
        for old in before:
            if old.terms is not None:
                moved |= self._cap.remove(window, old.state.id, old.state.voters)
        for new in after:
            if new.terms is not None:
                moved |= self._cap.add(window, new.state.id, new.state.voters)
        # A block that is not yet among those settled is on its way to be paid for the first time.
        return {Slot(window, self.blocks[block].proposer) for block in moved if block in self.blocks}

    def _accepted_before(self, slot: Slot) -> list[tuple[Window, frozenset[PlayerId]]]:
        mine = self._slots_of.get(slot.proposer, [])
        first = Slot(Window(max(0, slot.window - self._params.decay_horizon_windows)), PlayerId(b""))
        found: list[tuple[Window, frozenset[PlayerId]]] = []
        for earlier in reversed(mine[bisect_left(mine, first) : bisect_left(mine, slot)]):
            voters = self._voters.get(earlier)
            if voters is not None:
                found.append((earlier.window, voters))
            if len(found) == self._params.decay_blocks:
                break
        return found[::-1]

    def _weigh(
        self,
        proposer: PlayerId,
        block: Tallied,
        recent: list[AbstractSet[PlayerId]],
        met: Counter[PlayerId],
        person_q16: int,
    ) -> _Weighed:
        expected = expected_meetings(self._params, len(recent), block.eligible) if block.counted else 0
        votes = tuple(
            CountedVote(v, vote.vote, vote.why, vote.tranche, met[v], weight_q16(max(0, met[v] - expected)))
            for v, vote in block.counted
        )
        state = BlockState(
            id=block.id,
            proposer=proposer,
            op=block.op,
            entry=block.entry,
            standing=block.verdict.standing,
            rivals=block.rivals,
            eligible=block.eligible,
            quorum=quorum(self._params, block.eligible),
            open_tranches=block.verdict.open_tranches,
            votes=votes,
            ignored=block.ignored,
            reward=None,
        )
        if state.standing is not Standing.LOCAL:
            return _Weighed(state, None, MicroJam(0))
        weights = [vote.w_q16 for vote in votes if vote.vote is Vote.YES]
        quality, riff = block.op.quality.total, block.op.riff and is_riff_believed(state.quorum, block.verdict)
        terms = terms_of(self._params, quality, riff, weights, set(state.voters), recent, person_q16)
        return _Weighed(state, terms, points_of(self._params, terms))

    # layer 3: payment

    def _pay_epoch(self, epoch: Epoch, unpaid: set[Slot], points_before: int) -> None:
        slots, total = self.in_epoch.setdefault(epoch, set()), MicroJam(self.epoch_points[epoch])
        is_shared = max(points_before, total) > blocks_budget(self._params)
        for slot in sorted(slots | unpaid if is_shared else unpaid):
            self._replace(slot, tuple(self._pay(epoch, block, total) for block in self._weighed.get(slot, ())))
            (slots.add if slot in self._weighed else slots.discard)(slot)
        if not slots:
            del self.in_epoch[epoch], self.epoch_points[epoch]

    def _pay(self, epoch: Epoch, block: _Weighed, total: MicroJam) -> BlockState:
        state = block.state
        if block.terms is None:
            return state
        unpaid = self._cap.unpaid(state.window, state.id, state.voters)
        return msgspec.structs.replace(
            state, reward=reward_of(self._params, epoch, block.terms, state.voters, unpaid, total)
        )

    def _replace(self, slot: Slot, after: tuple[BlockState, ...]) -> None:
        before = self._settled.pop(slot, ())
        if after:
            self._settled[slot] = after
        if before == after:
            return
        self._unhashed.add(slot)
        self._book(slot, before, after)
        for old in before:
            del self.blocks[old.id]
            self.changed.add(old.id)
            self.standings[old.standing] -= 1
        for new in after:
            self.blocks[new.id] = new
            self.changed.add(new.id)
            self.standings[new.standing] += 1

    def _book(self, slot: Slot, before: tuple[BlockState, ...], after: tuple[BlockState, ...]) -> None:
        """Tell others what is minted otherwise now, what is fabricated, and who acknowledged whom."""
        epoch = self._params.epoch_of(slot.window)
        minted: Counter[tuple[PlayerId, BlockId]] = Counter()
        voted: Counter[PlayerId] = Counter()
        fabricated = 0
        for sign, blocks in ((-1, before), (1, after)):
            for block in blocks:
                fabricated += sign * block.is_fabricated
                if block.reward is not None:
                    voted.update(dict.fromkeys(block.voters, sign))
                    parts = parts_of(block.proposer, block.reward)
                    minted.update({(player, block.id): sign * amount for player, amount in parts.items()})
        for (player, block_id), amount in minted.items():
            if amount:
                self._books.mint(epoch, player, block_id, amount)
        for voter, count in voted.items():
            if count:
                self._census.acknowledge(epoch, slot.proposer, voter, count)
        if fabricated:
            self._fabricated[epoch, slot.proposer] += fabricated
            self._books.fabricated(epoch, slot.proposer, self._fabricated[epoch, slot.proposer])

    # what a checkpoint holds of it

    def accepted_until(self, epoch: Epoch) -> list[AcceptedPart]:
        """The accepted blocks of windows up to the end of an epoch that a later one may look back on."""
        end = Window((epoch + 1) * self._params.epoch_windows)
        first, found = max(0, end - self._params.decay_horizon_windows), []
        for proposer in sorted(self._slots_of):
            mine = [slot for slot in self._slots_of[proposer] if first <= slot.window < end]
            accepted = [part for slot in mine if (part := self._accepted_in(slot)) is not None]
            found += accepted[-self._params.decay_blocks :]
        return found

    def agreed_until(self, epoch: Epoch, accepted: Iterable[AcceptedPart]) -> Epoch:
        """Up to which epoch this accepts, by the same votes, what a checkpoint says was: not where it was away, or
        where votes have come too late to be in the checkpoint."""
        others = set(self.accepted_until(epoch)).symmetric_difference(accepted)
        return min((Epoch(self._params.epoch_of(part.window) - 1) for part in others), default=epoch)

    def _accepted_in(self, slot: Slot) -> AcceptedPart | None:
        if slot in self._earlier:
            return self._earlier[slot]
        for block in self._tallied[slot]:
            if block.verdict.standing is Standing.LOCAL:
                voters = tuple(verifier for verifier, _ in block.counted)
                return AcceptedPart(slot.proposer, slot.window, block.id, voters)
        return None

    def plant(self, accepted: Iterable[AcceptedPart]) -> None:
        """Begin with what a checkpoint holds."""
        for part in accepted:
            slot = Slot(part.window, part.proposer)
            self._earlier[slot], self._voters[slot] = part, frozenset(part.voters)
            self._slots_of.setdefault(part.proposer, []).append(slot)

    # what is derived

    def states_of(self, epoch: Epoch) -> list[BlockState]:
        """The blocks of one epoch's windows, by window, proposer and id."""
        return [block for slot in sorted(self.in_epoch.get(epoch, ())) for block in self._settled[slot]]

    def digest(self) -> Digest:
        """Hash of all blocks, with what follows about each."""
        for window, proposer in self._unhashed:
            key = Digest(digest(b"symjam-slot", window.to_bytes(8, "big"), proposer))
            blocks = self._settled.get(Slot(window, proposer))
            if blocks is None:
                self._tree.drop(key)
            else:
                self._tree.put(key, digest(b"symjam-blocks", encode(blocks)))
        self._unhashed.clear()
        return self._tree.digest()


def _voters(blocks: tuple[Tallied, ...]) -> frozenset[PlayerId] | None:
    """Those whose votes counted on the accepted block of a slot; None when none is accepted."""
    for block in blocks:
        if block.verdict.standing is Standing.LOCAL:
            return frozenset(verifier for verifier, _ in block.counted)
    return None
