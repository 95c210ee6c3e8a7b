"""What players sign about the whole: the state at the end of an epoch, and the rules they would rather have (SPEC 8).

Here is only who said what, and in which document. What makes a checkpoint final is in consensus/checkpoint.py;
votes on parameters change nothing yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consensus.chains import Source
from consensus.claims import Claims
from consensus.ops import Checkpoint, ParamVote
from consensus.params import Params
from crdt.limits import BALLOTS_PER_VOTER_MAX
from crdt.types import Digest, Epoch, PlayerId


class Ballots:
    """The index. `say` and `unsay` are inverse; `has_place` is asked first."""

    def __init__(self, params: Params) -> None:
        self._params = params
        self.version = 0  # another whenever votes on checkpoints are others
        self._checkpoints: dict[PlayerId, Claims[Digest, Checkpoint]] = {}  # by the checkpoint that they follow
        self._wishes: dict[str, Claims[PlayerId, int]] = {}

    def has_place(self, epoch: Epoch, op: Checkpoint | ParamVote) -> bool:
        """Whether a vote may stand in the document of this epoch."""
        return isinstance(op, ParamVote) or op.epoch + self._params.checkpoint_lag <= epoch

    def say(self, source: Source, op: Checkpoint | ParamVote) -> None:
        """Take in a vote."""
        if isinstance(op, ParamVote):
            self._wishes.setdefault(op.name, Claims()).say(source.author, source, op.value)
        else:
            self._checkpoints.setdefault(source.author, Claims()).say(op.base, source, op)
            self.version += 1

    def unsay(self, source: Source, op: Checkpoint | ParamVote) -> None:
        """Take a vote back."""
        if isinstance(op, ParamVote):
            self._wishes[op.name].unsay(source.author, source)
        else:
            self._checkpoints[source.author].unsay(op.base, source)
            self.version += 1

    def checkpoint_votes(self, voters: Iterable[PlayerId], base: Digest) -> list[tuple[Source, Checkpoint]]:
        """These players' votes on what follows a checkpoint, in canonical order, two of one in one round too. The round
        of a vote is the epoch of its source. Of each voter the first so many are looked at, far more than there are
        rounds: nobody else's votes, and no flood of one's own, cost anything to count."""
        found: list[tuple[Source, Checkpoint]] = []
        for voter in voters:
            claims = self._checkpoints.get(voter)
            if claims is not None:
                found += list(claims.of(base).items())[:BALLOTS_PER_VOTER_MAX]
        return sorted(found, key=lambda said: said[0])

    def bases(self, voters: Iterable[PlayerId]) -> Iterator[tuple[PlayerId, Epoch, Digest]]:
        """On top of which checkpoints these players have voted: voter, the latest epoch voted on, base."""
        for voter in voters:
            claims = self._checkpoints.get(voter, ())
            for base in sorted(claims):
                yield voter, max(op.epoch for op in self._checkpoints[voter].of(base).values()), base

    def wishes(self) -> dict[str, dict[PlayerId, int]]:
        """The value that each player last asked for, by parameter; names and players sorted."""
        found: dict[str, dict[PlayerId, int]] = {}
        for name in sorted(name for name, claims in self._wishes.items() if len(claims)):
            claims = self._wishes[name]
            found[name] = {player: list(claims.of(player).values())[-1] for player in sorted(claims)}
        return found
