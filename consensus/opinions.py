"""What players say of one another: vouches, reports and what they witnessed (SPEC 8).

Each is indexed by the epoch of the document in which it stands, because what is decided about an epoch may rest on
nothing that was said later. `changed` holds the epochs about which an answer here may differ from the last time; an
answer about vouches also differs from there on, until the same pair speaks again.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from consensus.chains import Source
from consensus.claims import Claims
from consensus.ops import Report, Unvouch, Vouch, Witness
from crdt.types import Epoch, PlayerId, SessionId

Opinion = Vouch | Unvouch | Report | Witness


class Pair(NamedTuple):
    """Who says something, and of whom."""

    author: PlayerId
    about: PlayerId


class Witnessed(NamedTuple):
    """What may be witnessed once."""

    witness: PlayerId
    session: SessionId
    performer: PlayerId


class _Met(NamedTuple):
    """Of a witness and a performer, how often in each epoch: all that was said, and of each session what was first."""

    said: Counter[Epoch]
    firsts: Counter[Epoch]


class Changes(NamedTuple):
    """Epochs whose opinions of a kind changed."""

    vouches: set[Epoch]
    reports: set[Epoch]
    witnesses: set[Epoch]


class Opinions:
    """The index. `say` and `unsay` are inverse; `has_place` is asked first."""

    def __init__(self) -> None:
        self.changed = Changes(set(), set(), set())
        self._vouches: Claims[Pair, Vouch | Unvouch] = Claims()
        self._reports: dict[Epoch, Claims[Pair, Report]] = {}
        self._witnesses: Claims[Witnessed, Witness] = Claims()
        self._witnessed_in: Claims[Epoch, Witnessed] = Claims()
        self._met: dict[Pair, _Met] = {}
        self._vouched: Counter[Epoch] = Counter()

    def has_place(self, author: PlayerId, op: Opinion) -> bool:
        """Whether an opinion may stand in a log: of others only, and ratings ascend, each tag once."""
        if isinstance(op, Witness):
            tags = [rating.tag for rating in op.ratings]
            return op.performer != author and tags == sorted(set(tags))
        return op.player != author

    def say(self, source: Source, op: Opinion) -> None:
        """Take in an opinion."""
        if isinstance(op, Witness):
            self._see(source, op)
        elif isinstance(op, Report):
            self._reports.setdefault(source.epoch, Claims()).say(Pair(source.author, op.player), source, op)
            self.changed.reports.add(source.epoch)
        else:
            self._vouches.say(Pair(source.author, op.player), source, op)
            self._vouched[source.epoch] += 1
            self.changed.vouches.add(source.epoch)

    def unsay(self, source: Source, op: Opinion) -> None:
        """Take an opinion back."""
        if isinstance(op, Witness):
            self._unsee(source, op)
        elif isinstance(op, Report):
            self._reports[source.epoch].unsay(Pair(source.author, op.player), source)
            self.changed.reports.add(source.epoch)
        else:
            self._vouches.unsay(Pair(source.author, op.player), source)
            self._vouched[source.epoch] -= 1
            if not self._vouched[source.epoch]:
                del self._vouched[source.epoch]
            self.changed.vouches.add(source.epoch)

    def _see(self, source: Source, op: Witness) -> None:
        key, first = self._sight(source, op)
        self._witnesses.say(key, source, op)
        self._witnessed_in.say(source.epoch, source, key)
        met = self._met.setdefault(Pair(source.author, op.performer), _Met(Counter(), Counter()))
        met.said[source.epoch] += 1
        self._recount(met, first, self._witnesses.first(key), source.epoch)

    def _unsee(self, source: Source, op: Witness) -> None:
        key, first = self._sight(source, op)
        met = self._met[Pair(source.author, op.performer)]
        self._witnesses.unsay(key, source)
        self._witnessed_in.unsay(source.epoch, source)
        self._recount(met, first, self._witnesses.first(key), source.epoch)
        met.said[source.epoch] -= 1
        if not met.said[source.epoch]:
            del met.said[source.epoch]
        if not met.said:
            del self._met[Pair(source.author, op.performer)]

    def _sight(self, source: Source, op: Witness) -> tuple[Witnessed, tuple[Source, Witness] | None]:
        key = Witnessed(source.author, op.session, op.performer)
        return key, self._witnesses.first(key)

    def _recount(
        self, met: _Met, before: tuple[Source, Witness] | None, after: tuple[Source, Witness] | None, epoch: Epoch
    ) -> None:
        """What one witnessed changes how familiar it is with the performer from the next epoch on."""
        for first, count in ((before, -1), (after, 1)):
            if first is not None:
                met.firsts[first[0].epoch] += count
        self.changed.witnesses.update(said for said in met.said if said >= epoch)

    def take_changes(self) -> Changes:
        """What `changed` holds; from here on it is about what changes later."""
        changes, self.changed = self.changed, Changes(set(), set(), set())
        return changes

    def vouches(self, epoch: Epoch) -> frozenset[Pair]:
        """Who vouches for whom at the end of an epoch: of what one says of another, the last in its log stands."""
        found = set()
        for pair in self._vouches:
            until = [op for source, op in self._vouches.of(pair).items() if source.epoch <= epoch]
            if until and isinstance(until[-1], Vouch):
                found.add(pair)
        return frozenset(found)

    def vouch_epochs(self) -> list[Epoch]:
        """The epochs in which anybody vouched or took it back, ascending; between them `vouches` stays the same."""
        return sorted(self._vouched)

    def reports(self, epoch: Epoch) -> dict[PlayerId, dict[PlayerId, tuple[Report, ...]]]:
        """What was reported in an epoch: by whom is reported, then by who reports, both sorted."""
        said = self._reports.get(epoch, ())
        found: dict[PlayerId, dict[PlayerId, tuple[Report, ...]]] = {}
        for about, author in sorted((pair.about, pair.author) for pair in said):
            found.setdefault(about, {})[author] = tuple(self._reports[epoch].of(Pair(author, about)).values())
        return found

    def witnesses(self, epoch: Epoch) -> list[tuple[Source, Witness]]:
        """What was witnessed in an epoch, in canonical order; only what its witness had not said of it before."""
        counted = []
        for source, key in self._witnessed_in.of(epoch).items():
            first = self._witnesses.first(key)
            if first is not None and first[0] == source:
                counted.append(first)
        return counted

    def has_witnessed(self, witness: PlayerId, session: SessionId, performer: PlayerId) -> bool:
        """Whether a witness has said so of a performer in a session: only the first time counts."""
        return self._witnesses.first(Witnessed(witness, session, performer)) is not None

    def times_witnessed(self, witness: PlayerId, performer: PlayerId, before: Epoch) -> int:
        """In how many sessions a witness saw a performer, going by what it said in earlier epochs."""
        met = self._met.get(Pair(witness, performer))
        return 0 if met is None else sum(count for epoch, count in met.firsts.items() if epoch < before)

    def witnessed_until(self, epoch: Epoch, each_max: int) -> list[Witnessed]:
        """Who witnessed whom in which session up to the end of an epoch; of each pair so many sessions at most."""
        found: dict[Pair, list[Witnessed]] = {}
        for key in self._witnesses:
            first = self._witnesses.first(key)
            if first is not None and first[0].epoch <= epoch:
                found.setdefault(Pair(key.witness, key.performer), []).append(key)
        return sorted(key for keys in found.values() for key in sorted(keys)[:each_max])
