"""What everybody got in an economy, and for what: by group, epoch by epoch."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from consensus.params import ONE_Q16
from consensus.state import BlockState
from consensus.verdict import Standing
from crdt.types import Epoch
from sim.economy.crowd import Performance
from sim.economy.plan import Group
from sim.economy.town import Town


@dataclass(slots=True)
class Earned:
    """By one group, all heads together. Amounts are micro-JAM."""

    heads: int
    proposed: int = 0
    accepted: int = 0
    rejected: int = 0
    fabricated: int = 0
    fakes: int = 0
    fakes_accepted: int = 0
    played_micro: int = 0  # as proposers
    friends_micro: int = 0  # for verifying blocks of the same group
    strangers_micro: int = 0  # for verifying others' blocks
    burned_micro: int = 0

    @property
    def own_micro(self) -> int:
        """What the group's own blocks brought it, less what they cost it."""
        return self.played_micro + self.friends_micro - self.burned_micro

    @property
    def income_micro(self) -> int:
        """All of it: the pay for looking at others' playing too."""
        return self.own_micro + self.strangers_micro


class EpochRow(NamedTuple):
    """What one epoch came to."""

    windows: int
    proposed: int
    accepted: int
    minted_micro: int
    mean_w: float
    weights: dict[str, float]  # persons and their stakes, of a group together, at its end
    income_micro: dict[str, int]  # of a group together


class Earnings:
    """Takes note of each epoch of a town once it is settled; groups' earnings from the plan's `measured_from` on."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self.groups = {group.name: Earned(group.count) for group in town.plan.groups}
        self.rows: list[EpochRow] = []
        self.tranches: Counter[int] = Counter()  # how many opened for the blocks that were measured

    def note(self, epoch: Epoch) -> None:
        """An epoch is over."""
        town, fold = self._town, self._town.book.fold
        before = {name: earned.income_micro for name, earned in self.groups.items()}
        rewards = []
        for window, block, player, played in town.proposed:
            state = fold.state.blocks[block]
            if state.reward is not None:
                rewards.append(state.reward)
            if window - town.start >= town.plan.measured_from:
                self._count(player.group, played, state)
        weights: Counter[str] = Counter()
        for player in town.crowd.players:
            weights[player.group.name] += fold.weight(player.id, epoch)
        minted = sum(reward.minted_micro for reward in rewards)
        w = sum(reward.mean_w_q16 for reward in rewards) / ONE_Q16 / len(rewards) if rewards else 0.0
        self.rows.append(
            EpochRow(
                town.windows_played,
                len(town.proposed),
                len(rewards),
                minted,
                w,
                {name: weights[name] / ONE_Q16 for name in self.groups},
                {name: earned.income_micro - before[name] for name, earned in self.groups.items()},
            )
        )

    def _count(self, group: Group, played: Performance, state: BlockState) -> None:
        mine = self.groups[group.name]
        is_accepted, is_fake = state.standing is Standing.LOCAL, played.fake is not None
        mine.proposed += 1
        mine.accepted += is_accepted
        mine.rejected += state.standing is Standing.REJECTED
        mine.fabricated += state.is_fabricated
        mine.fakes += is_fake
        mine.fakes_accepted += is_accepted and is_fake
        self.tranches[state.open_tranches] += 1
        if state.reward is None:
            return
        mine.played_micro += state.reward.proposer_micro
        for verifier, part in state.reward.verifiers:
            of = self._town.crowd.by_id[verifier].group
            if of is group:
                mine.friends_micro += part
            else:
                self.groups[of.name].strangers_micro += part

    def close(self) -> None:
        """The last epoch is over: what was taken from stakes, by group."""
        for player in self._town.crowd.players:
            mine = self.groups[player.group.name]
            if mine.fabricated:
                moves = self._town.book.fold.books.movements_of(player.id)
                mine.burned_micro -= sum(m.amount_micro for m in moves if m.amount_micro < 0 and m.to is None)
