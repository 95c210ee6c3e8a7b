"""What players sign about the whole: the state at the end of an epoch, and the rules they would rather have (SPEC 8).

Here is only who said what, and in which document. What makes a checkpoint final is in consensus/checkpoint.py;
votes on parameters change nothing yet.
"""

from __future__ import annotations

from collections.abc import Iterable

from consensus.chains import Source
from consensus.claims import Claims
from consensus.ops import Checkpoint, ParamVote
from consensus.params import Params
from crdt.types import Digest, Epoch, PlayerId


class Ballots:
    """The index. `say` and `unsay` are inverse; `has_place` is asked first."""

    def __init__(self, params: Params) -> None:
        self._params = params
        self.changed: set[Epoch] = set()  # epochs whose checkpoint votes changed
        self._checkpoints: dict[Epoch, Claims[PlayerId, Digest]] = {}
        self._wishes: dict[str, Claims[PlayerId, int]] = {}

    def has_place(self, epoch: Epoch, op: Checkpoint | ParamVote) -> bool:
        """Whether a vote may stand in the document of this epoch."""
        if isinstance(op, ParamVote):
            return True
        return 0 <= epoch - op.epoch - self._params.checkpoint_lag <= self._params.checkpoint_open

    def say(self, source: Source, op: Checkpoint | ParamVote) -> None:
        """Take in a vote."""
        if isinstance(op, ParamVote):
            self._wishes.setdefault(op.name, Claims()).say(source.author, source, op.value)
        else:
            self._checkpoints.setdefault(op.epoch, Claims()).say(source.author, source, op.digest)
            self.changed.add(op.epoch)

    def unsay(self, source: Source, op: Checkpoint | ParamVote) -> None:
        """Take a vote back."""
        if isinstance(op, ParamVote):
            self._wishes[op.name].unsay(source.author, source)
        else:
            self._checkpoints[op.epoch].unsay(source.author, source)
            self.changed.add(op.epoch)

    def checkpoint_votes(self, epoch: Epoch, before: Epoch | None = None) -> dict[PlayerId, Digest]:
        """Each player's vote on the state at the end of an epoch, players sorted.

        Whoever signed two different ones has none. With `before`, only what stands in documents of earlier epochs
        than that is looked at.
        """
        claims, votes = self._checkpoints.get(epoch), {}
        for player in sorted(claims or ()):
            said = self._until(claims, player, before)
            if len(said) == 1:
                votes[player] = said.pop()
        return votes

    def _until(self, claims: Claims[PlayerId, Digest] | None, player: PlayerId, before: Epoch | None) -> set[Digest]:
        said: Iterable[tuple[Source, Digest]] = () if claims is None else claims.of(player).items()
        return {digest for source, digest in said if before is None or source.epoch < before}

    def checkpoint_epochs(self) -> list[Epoch]:
        """The epochs whose state anybody voted on, ascending."""
        return sorted(epoch for epoch, claims in self._checkpoints.items() if len(claims))

    def wishes(self) -> dict[str, dict[PlayerId, int]]:
        """The value that each player last asked for, by parameter; names and players sorted."""
        found: dict[str, dict[PlayerId, int]] = {}
        for name in sorted(name for name, claims in self._wishes.items() if len(claims)):
            claims = self._wishes[name]
            found[name] = {player: list(claims.of(player).values())[-1] for player in sorted(claims)}
        return found
