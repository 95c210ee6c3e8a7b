"""What players sign about the whole: the state at the end of an epoch, and the rules they would rather have (SPEC 8).

Here is only who said what, and in which document. What makes a checkpoint final is in consensus/checkpoint.py;
votes on parameters change nothing yet.
"""

from __future__ import annotations

from consensus.chains import Source
from consensus.claims import Claims
from consensus.ops import Checkpoint, ParamVote
from consensus.params import Params
from crdt.types import Digest, Epoch, PlayerId


class Ballots:
    """The index. `say` and `unsay` are inverse; `has_place` is asked first."""

    def __init__(self, params: Params) -> None:
        self._params = params
        self.changed: set[Epoch] = set()  # documents whose checkpoint votes changed
        self._checkpoints: Claims[Digest, Checkpoint] = Claims()  # by the checkpoint that they follow
        self._wishes: dict[str, Claims[PlayerId, int]] = {}

    def has_place(self, epoch: Epoch, op: Checkpoint | ParamVote) -> bool:
        """Whether a vote may stand in the document of this epoch."""
        return isinstance(op, ParamVote) or op.epoch + self._params.checkpoint_lag <= epoch

    def say(self, source: Source, op: Checkpoint | ParamVote) -> None:
        """Take in a vote."""
        if isinstance(op, ParamVote):
            self._wishes.setdefault(op.name, Claims()).say(source.author, source, op.value)
        else:
            self._checkpoints.say(op.base, source, op)
            self.changed.add(source.epoch)

    def unsay(self, source: Source, op: Checkpoint | ParamVote) -> None:
        """Take a vote back."""
        if isinstance(op, ParamVote):
            self._wishes[op.name].unsay(source.author, source)
        else:
            self._checkpoints.unsay(op.base, source)
            self.changed.add(source.epoch)

    def checkpoint_votes(self, base: Digest, before: Epoch | None = None) -> list[tuple[Source, Checkpoint]]:
        """All votes on what follows a checkpoint, in canonical order, two of one player in one round too.

        The round of a vote is the epoch of its source. With `before`, only what stands in documents of earlier epochs
        than that is looked at.
        """
        said = self._checkpoints.of(base).items()
        return [(source, op) for source, op in said if before is None or source.epoch < before]

    def all(self) -> list[tuple[Source, Checkpoint]]:
        """All votes on checkpoints, whatever they follow, in canonical order by that."""
        return [one for base in sorted(self._checkpoints) for one in self.checkpoint_votes(base)]

    def wishes(self) -> dict[str, dict[PlayerId, int]]:
        """The value that each player last asked for, by parameter; names and players sorted."""
        found: dict[str, dict[PlayerId, int]] = {}
        for name in sorted(name for name, claims in self._wishes.items() if len(claims)):
            claims = self._wishes[name]
            found[name] = {player: list(claims.of(player).values())[-1] for player in sorted(claims)}
        return found
