"""What a player may decide for itself, and no rule can forbid: whom it verifies, what it says, what it proposes.

Everything here is honest by default, and the daemon adds one decision of its owner's: players that it refuses (SPEC 8).
It neither verifies nor votes on what they propose. It still holds and passes on what they wrote, and counts their
votes: the state is a function of all entries, and a refusal only reshapes who verifies whom.

The simulator's cheats are other `Conduct`s around the same engine (sim/people/). Nothing in here is trusted by anybody:
whatever a conduct does, the others judge it by the rules.

`draft` runs where `Work` does (node/engine/effects.py), so like all of these it is pure: it reads what it is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from consensus.blocks import Draft, Judgement, build
from consensus.facts import SessionFacts
from consensus.ops import AnyOp
from consensus.params import Params
from consensus.quality.replay import ReplayIndex
from consensus.riff import Call
from consensus.state import BlockState
from crdt.entry import Entry
from crdt.types import PlayerId, Window


@dataclass(frozen=True)
class Conduct:
    """The honest player's, who may refuse some."""

    refused: frozenset[PlayerId] = frozenset()

    def pulses(self, window: Window) -> bool:
        """Whether to say in a window that one is here."""
        return True

    def declares(self, window: Window) -> tuple[AnyOp, ...]:
        """What else to sign in the entry of a window's pulse."""
        return ()

    def draft(
        self,
        params: Params,
        session: SessionFacts,
        window: Window,
        entries: Sequence[Entry],
        asked: Call | None,
        known: ReplayIndex,
    ) -> Draft:
        """The block to propose for one's own window, or why there is none (consensus/blocks.py)."""
        return build(params, session, window, entries, asked, known)

    def verifies(self, proposer: PlayerId) -> bool:
        """Whether to vote on a player's blocks at all."""
        return proposer not in self.refused

    def looks(self, state: BlockState) -> bool:
        """Whether to judge a block before voting on it."""
        return True

    def says(self, state: BlockState, finding: Judgement | None) -> Judgement | None:
        """What to vote, given the finding (None for whoever does not look); None to keep it to oneself."""
        return finding


HONEST: Final = Conduct()
