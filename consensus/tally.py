"""Which votes on a slot count, and the verdict they make (SPEC 6).

A vote counts when its verifier was eligible, shows by its proof that it was drawn in the tranche it names, has signed
no other vote on this player's window, and when that tranche had to open. Everything else is kept with the reason why
it does not count. The result depends on the slot's own facts and on who was eligible, on nothing else.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from consensus.census import Census
from consensus.facts import Facts, Slot
from consensus.ops import Attest, Block
from consensus.params import Params
from consensus.presence import Electorate
from consensus.proofs import Proofs
from consensus.selection import input_of, tranche_of
from consensus.verdict import Ballot, Standing, Verdict, decide, is_doubt
from crdt.types import BlockId, EntryId, NetworkId, PlayerId


class Ignored(IntEnum):
    """Why a vote is not counted."""

    NOT_ELIGIBLE = 1
    NOT_DRAWN = 2  # the proof does not show that this verifier was drawn in this tranche
    TWO_VOTES = 3  # it signed two different votes on one player's window
    OTHER_BLOCK = 4
    NOT_OPEN = 5  # its tranche did not have to open


class Tallied(NamedTuple):
    """One block of a slot with its verdict. `rivals` are other blocks for the slot; with any, none is accepted.

    Counted and ignored votes are sorted by verifier.
    """

    id: BlockId
    entry: EntryId
    op: Block
    rivals: int
    eligible: int
    verdict: Verdict
    counted: tuple[tuple[PlayerId, Attest], ...]
    ignored: tuple[tuple[PlayerId, Ignored], ...]


class Tally:
    """Counts the votes of slots. Remembers which proofs it has verified, nothing else."""

    def __init__(
        self, params: Params, network: NetworkId, facts: Facts, census: Census, proofs: Proofs | None = None
    ) -> None:
        self._params, self._network, self._facts, self._census = params, network, facts, census
        self._proofs = Proofs() if proofs is None else proofs

    def count(self, slot: Slot) -> tuple[Tallied, ...]:
        """The blocks of a slot, by id; none for a slot without a block."""
        blocks = self._facts.blocks_in(slot)
        if not blocks:
            return ()
        electorate = self._facts.presence.electorate(slot.window, slot.proposer)
        alpha = input_of(self._params, self._network, slot.proposer, slot.window, self._facts.seeds)
        votes = self._facts.votes_in(slot)
        return tuple(
            self._count_block(block, *blocks[block], len(blocks) - 1, electorate, alpha, votes)
            for block in sorted(blocks)
        )

    def _count_block(
        self,
        block: BlockId,
        entry: EntryId,
        op: Block,
        rivals: int,
        electorate: Electorate,
        alpha: bytes,
        votes: dict[PlayerId, list[Attest]],
    ) -> Tallied:
        fit: list[tuple[PlayerId, Attest]] = []
        ignored: list[tuple[PlayerId, Ignored]] = []
        for verifier, signed in votes.items():
            fault = self._fault(block, verifier, signed, electorate, alpha)
            if fault is None:
                fit.append((verifier, signed[0]))
            else:
                ignored.append((verifier, fault))
        is_reviewed = self._census.is_reviewed(electorate.proposer, self._params.epoch_of(op.window))
        ballots = [Ballot(vote.tranche, vote.vote, op.riff and is_doubt(vote.vote, vote.why)) for _, vote in fit]
        verdict = decide(self._params, len(electorate), ballots, is_reviewed)
        counted = tuple((verifier, vote) for verifier, vote in fit if vote.tranche < verdict.open_tranches)
        ignored += [(verifier, Ignored.NOT_OPEN) for verifier, vote in fit if vote.tranche >= verdict.open_tranches]
        if rivals:
            verdict = verdict._replace(standing=Standing.REJECTED)
        return Tallied(block, entry, op, rivals, len(electorate), verdict, counted, tuple(sorted(ignored)))

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
        output = self._proofs.output(elector.vrf_key, alpha, signed[0].proof)
        if output is None:
            return Ignored.NOT_DRAWN
        tranche = tranche_of(self._params, output, elector.weight, electorate.weight)
        return None if tranche == signed[0].tranche else Ignored.NOT_DRAWN
