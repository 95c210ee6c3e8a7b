"""The reputation cap: for how many blocks of one window a verifier is paid (SPEC 7).

A person listens to a few performances in two minutes, not to hundreds. Votes beyond `paid_votes_per_window` count like
any other, so that nothing hangs on who is paid; but their part of the reward is not minted, so that signing everything
in sight is no trade. Which blocks are paid follows from the set alone: those with the lowest ids, of all accepted
blocks of the window on which the verifier's vote counted. An id is a hash; a proposer that tries many wins nothing.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping

from consensus.params import Params
from crdt.types import BlockId, PlayerId, Window


def unpaid_of(params: Params, accepted: Mapping[BlockId, Iterable[PlayerId]]) -> dict[BlockId, frozenset[PlayerId]]:
    """For each accepted block of one window, those of its voters who are not paid for it."""
    paid: dict[PlayerId, int] = {}
    unpaid: dict[BlockId, frozenset[PlayerId]] = {}
    for block in sorted(accepted):
        tired = frozenset(voter for voter in accepted[block] if paid.get(voter, 0) >= params.paid_votes_per_window)
        for voter in set(accepted[block]) - tired:
            paid[voter] = paid.get(voter, 0) + 1
        unpaid[block] = tired
    return unpaid


class Cap:
    """`unpaid_of` for every window, kept up to date: a block more or less costs its voters, not its window."""

    def __init__(self, params: Params) -> None:
        self._most = params.paid_votes_per_window
        self._voted: dict[Window, dict[PlayerId, list[BlockId]]] = {}

    def add(self, window: Window, block: BlockId, voters: Iterable[PlayerId]) -> set[BlockId]:
        """An accepted block with those whose votes count; returns other blocks for which somebody no longer is paid."""
        of, pushed = self._voted.setdefault(window, {}), set[BlockId]()
        for voter in voters:
            mine = of.setdefault(voter, [])
            insort(mine, block)
            if len(mine) > self._most and block < mine[self._most]:
                pushed.add(mine[self._most])
        return pushed

    def remove(self, window: Window, block: BlockId, voters: Iterable[PlayerId]) -> set[BlockId]:
        """The inverse: returns other blocks for which somebody is paid now."""
        of, pulled = self._voted[window], set[BlockId]()
        for voter in voters:
            mine = of[voter]
            if len(mine) > self._most and block < mine[self._most]:
                pulled.add(mine[self._most])
            mine.pop(bisect_left(mine, block))
            if not mine:
                del of[voter]
        if not of:
            del self._voted[window]
        return pulled

    def unpaid(self, window: Window, block: BlockId, voters: Iterable[PlayerId]) -> frozenset[PlayerId]:
        """Those of a block's voters who are not paid for it."""
        of = self._voted[window]
        return frozenset(voter for voter in voters if bisect_left(of[voter], block) >= self._most)
