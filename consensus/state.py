"""Derived state: verdicts, rewards and balances, recomputed only where facts changed.

Three layers, each depending only on the one before, so that work never runs backwards:

  1. a *verdict* of each touched slot, from its blocks, its votes and who was eligible: needs no other slot;
  2. *points* of that slot, and of the same proposer's later slots when its acceptance or its voters changed, because
     m looks back over the proposer's accepted blocks;
  3. *payment* of every block of an epoch whose points changed, because the epoch's budget is shared.

All of it is a function of the facts alone. What came first, and how often it was asked in between, leaves no trace;
tests/consensus/test_ledger.py holds that against random orders.
"""

from __future__ import annotations

import functools
from bisect import bisect_left, insort
from enum import IntEnum
from typing import NamedTuple

import msgspec

from consensus import vrf
from consensus.facts import Facts, Slot
from consensus.logistic import weight_q16
from consensus.lots import Purses, minted
from consensus.ops import Attest, Block, Vote, Why
from consensus.params import Params
from consensus.presence import Electorate
from consensus.reward import Reward, familiarity, points_of, reward_of
from consensus.selection import input_of, tranche_of
from consensus.verdict import Ballot, Standing, Verdict, decide, quorum
from crdt.limits import VRF_PROOFS_KNOWN_MAX
from crdt.types import BlockId, EntryId, Epoch, MicroJam, NetworkId, PlayerId, Window


class Ignored(IntEnum):
    """Why a vote is not counted."""

    NOT_ELIGIBLE = 1
    NOT_DRAWN = 2  # the proof does not show that this verifier was drawn in this tranche
    TWO_VOTES = 3  # it signed two different votes on one player's window
    OTHER_BLOCK = 4
    NOT_OPEN = 5  # its tranche did not have to open


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
    def reasons(self) -> tuple[Why, ...]:
        """The reasons given by votes that were not yes, each once, in their order of number."""
        return tuple(sorted({vote.why for vote in self.votes if vote.vote is not Vote.YES}))


class _Judged(NamedTuple):
    """Layer 1 of one block."""

    id: BlockId
    entry: EntryId
    op: Block
    rivals: int
    eligible: int
    verdict: Verdict
    counted: tuple[tuple[PlayerId, Attest], ...]
    ignored: tuple[tuple[PlayerId, Ignored], ...]


class _Weighed(NamedTuple):
    """Layer 2: all but the payment."""

    state: BlockState
    weights_q16: tuple[int, ...]  # of the verifiers that voted with the verdict; empty unless accepted
    points_micro: MicroJam


class State:
    """Everything derived from one set of facts. Call `settle` before reading."""

    def __init__(self, params: Params, network: NetworkId, facts: Facts) -> None:
        self._params, self._network, self._facts = params, network, facts
        self.purses = Purses()
        self.blocks: dict[BlockId, BlockState] = {}
        self.in_epoch: dict[Epoch, set[Slot]] = {}
        self.changed: set[BlockId] = set()
        self.changed_epochs: set[Epoch] = set()
        self._judged: dict[Slot, tuple[_Judged, ...]] = {}
        self._weighed: dict[Slot, tuple[_Weighed, ...]] = {}
        self._settled: dict[Slot, tuple[BlockState, ...]] = {}
        self._slots_of: dict[PlayerId, list[Slot]] = {}  # ascending by window
        self._verify = functools.lru_cache(maxsize=VRF_PROOFS_KNOWN_MAX)(vrf.verify)

    def settle(self) -> None:
        """Bring everything up to date with the facts."""
        touched, self._facts.touched = self._facts.touched, set()
        stale: set[Slot] = set()
        for slot in sorted(touched):
            stale |= self._judge_slot(slot)
        unpaid: set[Epoch] = set()
        for slot in sorted(stale):
            unpaid |= self._weigh_slot(slot)
        for epoch in sorted(unpaid):
            self._pay_epoch(epoch)

    # layer 1: verdicts

    def _judge_slot(self, slot: Slot) -> set[Slot]:
        """Judge a slot's blocks anew; returns the slots whose points this may change."""
        before = self._judged.get(slot, ())
        after = self._judge(slot)
        if after == before:
            return set()
        mine = self._slots_of.setdefault(slot.proposer, [])
        if after and not before:
            insort(mine, slot)
            self.in_epoch.setdefault(self._params.epoch_of(slot.window), set()).add(slot)
        if after:
            self._judged[slot] = after
        else:
            self._judged.pop(slot)
            mine.remove(slot)
        stale = {slot}
        if _voters(before) != _voters(after):
            last = Slot(Window(slot.window + self._params.decay_horizon_windows + 1), slot.proposer)
            stale.update(mine[bisect_left(mine, slot) : bisect_left(mine, last)])
        return stale

    def _judge(self, slot: Slot) -> tuple[_Judged, ...]:
        blocks = self._facts.blocks_in(slot)
        if not blocks:
            return ()
        electorate = self._facts.presence.electorate(slot.window, slot.proposer)
        alpha = input_of(self._params, self._network, slot.proposer, slot.window)
        votes = self._facts.votes_in(slot)
        return tuple(
            self._judge_block(block, *blocks[block], len(blocks) - 1, electorate, alpha, votes)
            for block in sorted(blocks)
        )

    def _judge_block(
        self,
        block: BlockId,
        entry: EntryId,
        op: Block,
        rivals: int,
        electorate: Electorate,
        alpha: bytes,
        votes: dict[PlayerId, list[Attest]],
    ) -> _Judged:
        fit: list[tuple[PlayerId, Attest]] = []
        ignored: list[tuple[PlayerId, Ignored]] = []
        for verifier, signed in votes.items():
            fault = self._fault(block, verifier, signed, electorate, alpha)
            if fault is None:
                fit.append((verifier, signed[0]))
            else:
                ignored.append((verifier, fault))
        verdict = decide(self._params, len(electorate), [Ballot(vote.tranche, vote.vote) for _, vote in fit])
        counted = tuple((verifier, vote) for verifier, vote in fit if vote.tranche < verdict.open_tranches)
        ignored += [(verifier, Ignored.NOT_OPEN) for verifier, vote in fit if vote.tranche >= verdict.open_tranches]
        if rivals:
            verdict = verdict._replace(standing=Standing.REJECTED)
        return _Judged(block, entry, op, rivals, len(electorate), verdict, counted, tuple(sorted(ignored)))

    def _fault(
        self, block: BlockId, verifier: PlayerId, signed: list[Attest], electorate: Electorate, alpha: bytes
    ) -> Ignored | None:
        """Why a verifier's votes on a slot do not count for this block; None when the first of them does."""
        if len({(vote.block, vote.vote) for vote in signed}) > 1:
            return Ignored.TWO_VOTES
        if signed[0].block != block:
            return Ignored.OTHER_BLOCK
        elector = electorate.get(verifier)
        if elector is None:
            return Ignored.NOT_ELIGIBLE
        output = self._verify(elector.vrf_key, alpha, signed[0].proof)
        if output is None:
            return Ignored.NOT_DRAWN
        tranche = tranche_of(self._params, output, elector.weight, electorate.weight)
        return None if tranche == signed[0].tranche else Ignored.NOT_DRAWN

    # layer 2: points

    def _weigh_slot(self, slot: Slot) -> set[Epoch]:
        """Work out m, w and points of a slot's blocks; returns the epoch whose payments this changes."""
        before, judged = self._weighed.get(slot, ()), self._judged.get(slot, ())
        met = familiarity(self._params, slot.window, self._accepted_before(slot)) if judged else {}
        after = tuple(self._weigh(slot.proposer, block, met) for block in judged)
        if after == before:
            return set()
        if after:
            self._weighed[slot] = after
        else:
            self._weighed.pop(slot)
        return {self._params.epoch_of(slot.window)}

    def _accepted_before(self, slot: Slot) -> list[tuple[Window, frozenset[PlayerId]]]:
        mine = self._slots_of.get(slot.proposer, [])
        first = Slot(Window(max(0, slot.window - self._params.decay_horizon_windows)), PlayerId(b""))
        found: list[tuple[Window, frozenset[PlayerId]]] = []
        for earlier in reversed(mine[bisect_left(mine, first) : bisect_left(mine, slot)]):
            voters = _voters(self._judged[earlier])
            if voters is not None:
                found.append((earlier.window, voters))
            if len(found) == self._params.decay_blocks:
                break
        return found[::-1]

    def _weigh(self, proposer: PlayerId, block: _Judged, met: dict[PlayerId, int]) -> _Weighed:
        votes = tuple(
            CountedVote(verifier, vote.vote, vote.why, vote.tranche, m, weight_q16(m))
            for verifier, vote in block.counted
            for m in (met.get(verifier, 0),)
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
            return _Weighed(state, (), MicroJam(0))
        weights = tuple(vote.w_q16 for vote in votes if vote.vote is Vote.YES)
        return _Weighed(state, weights, points_of(self._params, block.op.quality.total, weights))

    # layer 3: payment

    def _pay_epoch(self, epoch: Epoch) -> None:
        slots = self.in_epoch.get(epoch, set())
        total = MicroJam(sum(block.points_micro for slot in slots for block in self._weighed.get(slot, ())))
        for slot in sorted(slots):
            self._replace(slot, tuple(self._pay(epoch, block, total) for block in self._weighed.get(slot, ())))
            if slot not in self._weighed:
                slots.discard(slot)
        if not slots:
            self.in_epoch.pop(epoch, None)
        self.changed_epochs.add(epoch)

    def _pay(self, epoch: Epoch, block: _Weighed, total: MicroJam) -> BlockState:
        if block.state.standing is not Standing.LOCAL:
            return block.state
        voters = [vote.verifier for vote in block.state.votes]
        quality = block.state.op.quality.total
        reward = reward_of(self._params, epoch, quality, block.weights_q16, voters, total)
        return msgspec.structs.replace(block.state, reward=reward)

    def _replace(self, slot: Slot, after: tuple[BlockState, ...]) -> None:
        before = self._settled.pop(slot, ())
        if after:
            self._settled[slot] = after
        if before == after:
            return
        for old in before:
            del self.blocks[old.id]
            self.changed.add(old.id)
            if old.reward is not None:
                self.purses.remove(minted(old.id, old.proposer, old.reward))
        for new in after:
            self.blocks[new.id] = new
            self.changed.add(new.id)
            if new.reward is not None:
                self.purses.add(minted(new.id, new.proposer, new.reward))

    def states_of(self, epoch: Epoch) -> list[BlockState]:
        """The blocks of one epoch's windows, by window, proposer and id."""
        slots = sorted(self.in_epoch.get(epoch, ()))
        return [block for slot in slots for block in self._settled[slot]]


def _voters(blocks: tuple[_Judged, ...]) -> frozenset[PlayerId] | None:
    """Those whose votes counted on the accepted block of a slot; None when none is accepted."""
    for block in blocks:
        if block.verdict.standing is Standing.LOCAL:
            return frozenset(verifier for verifier, _ in block.counted)
    return None
