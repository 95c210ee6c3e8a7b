"""When a checkpoint is final, and what an honest player votes (docs/rules.md, 9).

What follows a final checkpoint is agreed upon as in Tendermint (Buchman, 2016), without proposers: whoever holds the
same entries proposes the same. A *value* is an epoch and the digest of its state; a *round* is the epoch of the
document in which a vote stands, long enough for all who are linked to see one another's votes. In a round one
prepares a value, and commits to it when enough others have prepared it too. What enough have committed to in one
round is final.

Why no two values can be: when enough committed to one in round r, each honest one among them prepares only that from
then on, unless enough prepare another in a later round; for the first such round there are not enough left. This
needs less than a third of the weight to be hostile, and nothing of time, order or arrival.

Votes are counted for whoever signs two things where one may be signed, in both. So what is final stays so, whatever
comes later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from consensus.ops import Checkpoint, Stage
from crdt.types import Digest, Epoch, PlayerId

NO_BASE: Final = Digest(bytes(32))  # what the first checkpoint of a network follows


class Value(NamedTuple):
    """What is voted on: the state at the end of an epoch."""

    epoch: Epoch
    digest: Digest


NO_VALUE: Final = Value(Epoch(0), NO_BASE)  # before there is any


class Ballot(NamedTuple):
    """One vote on what follows a base. `round` is the epoch of the document in which it stands."""

    round: Epoch
    voter: PlayerId
    stage: Stage
    value: Value


def ballot_of(round_: Epoch, voter: PlayerId, op: Checkpoint) -> Ballot:
    """The ballot that an operation is."""
    return Ballot(round_, voter, op.stage, Value(op.epoch, op.digest))


class Count:
    """The votes on what follows one base. Weights are those of the base's voters; others' votes count for nothing."""

    def __init__(self, weights: Mapping[PlayerId, int], ballots: Iterable[Ballot]) -> None:
        self.total = sum(weights.values())
        self._mine: dict[PlayerId, list[Ballot]] = {}
        held: dict[tuple[Epoch, Stage, Value], int] = {}
        for ballot in sorted(set(ballots)):
            weight = weights.get(ballot.voter, 0)
            if weight:
                place = (ballot.round, ballot.stage, ballot.value)
                held[place] = held.get(place, 0) + weight
                self._mine.setdefault(ballot.voter, []).append(ballot)
        self._enough = sorted(place for place, weight in held.items() if is_enough(weight, self.total))

    def prepared(self, before: Epoch | None = None) -> tuple[Epoch, Value] | None:
        """The value that enough prepared in the latest round (below `before`, if given), and that round."""
        rounds = [
            (round_, value)
            for round_, stage, value in self._enough
            if stage is Stage.PREPARE and (before is None or round_ < before)
        ]
        return max(rounds, default=None)

    def prepared_in(self, round_: Epoch) -> Value | None:
        """What enough prepared in a round; the least, should a third be hostile and there be two."""
        return min((v for r, stage, v in self._enough if r == round_ and stage is Stage.PREPARE), default=None)

    def final(self) -> Value | None:
        """What enough committed to: of the earliest round, should a third be hostile and there be two."""
        return next((value for _, stage, value in self._enough if stage is Stage.COMMIT), None)

    def signed(self, voter: PlayerId, round_: Epoch, stage: Stage) -> Value | None:
        """What a voter has signed in a round, if anything."""
        return next((b.value for b in self._mine.get(voter, ()) if (b.round, b.stage) == (round_, stage)), None)

    def committed(self, voter: PlayerId) -> tuple[Epoch, Value] | None:
        """The latest round in which a voter committed, and to what."""
        return max(((b.round, b.value) for b in self._mine.get(voter, ()) if b.stage is Stage.COMMIT), default=None)


def is_enough(weight: int, total: int) -> bool:
    """More than two thirds."""
    return 3 * weight > 2 * total


def to_prepare(count: Count, voter: PlayerId, round_: Epoch, own: Value | None) -> Value | None:
    """What an honest voter prepares in a round, given the votes it knows and what it would propose itself; None when it
    has prepared in this round or has nothing to."""
    if count.signed(voter, round_, Stage.PREPARE) is not None:
        return None
    locked, known = count.committed(voter), count.prepared(before=round_)
    if locked is not None and (known is None or known[0] <= locked[0]):
        return locked[1]
    return own if known is None else known[1]


def to_commit(count: Count, voter: PlayerId, round_: Epoch) -> Value | None:
    """What an honest voter commits to in a round; None when it has, or when too few have prepared anything."""
    if count.signed(voter, round_, Stage.COMMIT) is not None:
        return None
    return count.prepared_in(round_)


def named(weights: Mapping[PlayerId, int], votes: Iterable[tuple[PlayerId, Epoch, Digest]]) -> Digest | None:
    """The base that enough of these voters have voted on top of, by (voter, epoch voted on, base); the one of the
    latest epochs, None without any. Among so many there is an honest one who has seen it become final."""
    who: dict[Digest, set[PlayerId]] = {}
    until: dict[Digest, Epoch] = {}
    for voter, epoch, base in votes:
        if voter in weights:
            who.setdefault(base, set()).add(voter)
            until[base] = max(epoch, until.get(base, epoch))
    total = sum(weights.values())
    enough = [base for base in who if is_enough(sum(weights[voter] for voter in who[base]), total)]
    return max(enough, key=lambda base: (until[base], base), default=None)
