"""What is known of people at the end of each epoch: persons and reviews (docs/rules.md, 8).

Whatever is decided about an epoch rests on persons at the end of the epoch before last. So nothing here runs in a
circle: acknowledgements come of verdicts and of concerts, those of earlier weights. Answers are worked out when they
are asked for; what is kept meanwhile is which of them may have changed.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from consensus.agenda import Agenda, earliest
from consensus.census import Shift
from consensus.content import AckPart
from consensus.diversity import Generation, decayed_q16, effective_q16, generation_of, last_of
from consensus.opinions import Changes, Opinions
from consensus.params import Params
from consensus.personhood import Graph, graph_of, persons_q16
from consensus.presence import Presence
from consensus.reports import is_reviewed, review_of
from consensus.weights import person_of
from crdt.limits import GRAPHS_KNOWN_MAX
from crdt.types import Epoch, PlayerId


class _Acquaintances(NamedTuple):
    graph: Graph
    ranks: Mapping[PlayerId, int]


class Society:
    """Derived from opinions, presence, and who acknowledged whom. Nothing in it depends on order."""

    def __init__(self, params: Params, opinions: Opinions, presence: Presence) -> None:
        self._params, self._opinions, self._presence = params, opinions, presence
        self._acks: dict[PlayerId, dict[PlayerId, Counter[Epoch]]] = {}
        self._vouched_in: list[Epoch] = []
        self._known: OrderedDict[Epoch, _Acquaintances] = OrderedDict()
        self._called: dict[Epoch, frozenset[PlayerId]] = {}
        self._persons_other: Agenda[PlayerId | None] = Agenda()  # None: anybody
        self._reviews_other: Agenda[None] = Agenda()

    # what comes in

    def acknowledge(self, epoch: Epoch, player: PlayerId, by: PlayerId, count: int) -> None:
        """Note so many acknowledgements more (fewer, if negative) of a player in an epoch."""
        held = self._acks.setdefault(player, {}).setdefault(by, Counter())
        held[epoch] += count
        if not held[epoch]:
            del held[epoch]
        if not held:
            del self._acks[player][by]
        self._persons_other.add(epoch, player)

    def take(self, changes: Changes) -> None:
        """Note the epochs of which opinions changed."""
        if changes.vouches:
            first = min(changes.vouches)
            self._vouched_in = self._opinions.vouch_epochs()
            self._known = OrderedDict((epoch, known) for epoch, known in self._known.items() if epoch < first)
            self._persons_other.add(first, None)
            self._look_again(first)
        for epoch in changes.reports:
            self._reviews_other.add(epoch, None)

    def recount(self, epoch: Epoch) -> None:
        """Note that the snapshot two epochs before this one may be another."""
        if epoch in self._called:
            self._reviews_other.add(epoch, None)

    def _look_again(self, since: Epoch) -> None:
        """Reviews that were called for from this epoch on may not be, or be others."""
        for epoch in self._called:
            if epoch >= since:
                self._reviews_other.add(epoch, None)

    # working out

    def next_epoch(self) -> Epoch | None:
        """The earliest epoch in which there is something to work out."""
        return earliest(self._persons_other.next_epoch(), self._reviews_other.next_epoch())

    def settle(self, epoch: Epoch) -> Shift:
        """Work out an epoch; nothing of an earlier one may be waiting."""
        others = self._persons_other.take(epoch)
        shift = Shift()
        if others and self._params.founders:
            acknowledged = frozenset(player for player in others if player is not None)
            shift = Shift(True, None if None in others else acknowledged)
            self._look_again(Epoch(epoch + 2))
        if not self._reviews_other.take(epoch):
            return shift
        before, after = self._called.pop(epoch, frozenset()), self._called_in(epoch)
        if after or self._opinions.reports(epoch):
            self._called[epoch] = after
        reviews = frozenset((at, player) for player in before ^ after for at in review_of(self._params, epoch))
        return shift._replace(reviews=reviews)

    def _called_in(self, epoch: Epoch) -> frozenset[PlayerId]:
        """Those whom enough unrelated players reported in an epoch."""
        reports = self._opinions.reports(epoch)
        if not reports:
            return frozenset()
        graph, voices = self._at(epoch).graph, self._presence.snapshot(Epoch(epoch - 2))
        return frozenset(
            player
            for player, by in reports.items()
            if is_reviewed(self._params, graph, (who for who in by if who in voices))
        )

    # what a checkpoint holds of it

    def acks_until(self, epoch: Epoch) -> list[AckPart]:
        """All acknowledgements up to the end of an epoch, by the last epoch of each generation."""
        found = []
        for player in sorted(self._acks):
            for by in sorted(self._acks[player]):
                counts: Counter[Epoch] = Counter()
                for at, count in self._acks[player][by].items():
                    if at <= epoch:
                        counts[last_of(self._params, generation_of(self._params, at), epoch)] += count
                if counts:
                    found.append(AckPart(player, by, tuple(sorted(counts.items()))))
        return found

    def called_until(self, epoch: Epoch) -> list[tuple[Epoch, PlayerId]]:
        """In which epoch who was reported by enough, as far as the reviews go on after this epoch."""
        first = epoch - self._params.review_epochs
        return sorted((at, player) for at, who in self._called.items() if first < at <= epoch for player in who)

    def plant(self, acks: Iterable[AckPart], called: Iterable[tuple[Epoch, PlayerId]]) -> None:
        """Begin with what a checkpoint holds; the opinions have been given theirs."""
        for ack in acks:
            self._acks.setdefault(ack.player, {})[ack.by] = Counter(dict(ack.counts))
        for epoch, player in called:
            self._called[epoch] = self._called.get(epoch, frozenset()) | {player}
        self._vouched_in = self._opinions.vouch_epochs()

    # what is asked

    def _at(self, epoch: Epoch) -> _Acquaintances:
        """Edges and ranks at the end of an epoch. They stay as they are until anybody vouches again."""
        since = max((at for at in self._vouched_in if at <= epoch), default=Epoch(-1))
        if since not in self._known:
            graph = graph_of(self._opinions.vouches(since))
            self._known[since] = _Acquaintances(graph, persons_q16(self._params, graph))
            if len(self._known) > GRAPHS_KNOWN_MAX:
                self._known.popitem(last=False)
        return self._known[since]

    def effective_q16(self, player: PlayerId, epoch: Epoch) -> int:
        """D: the effective number of a player's acknowledgers at the end of an epoch, Q16."""
        now, amounts = generation_of(self._params, epoch), []
        for held in self._acks.get(player, {}).values():
            counts: Counter[Generation] = Counter()
            for at, count in held.items():
                if at <= epoch:
                    counts[generation_of(self._params, at)] += count
            amounts.append(decayed_q16(counts, now))
        return effective_q16(amounts)

    def person_q16(self, player: PlayerId, epoch: Epoch) -> int:
        """How much of a person a player is at the end of an epoch, 65536 being a whole one."""
        rank = self._at(epoch).ranks.get(player, 0) if self._params.founders else 0
        return person_of(self._params, player, rank, self.effective_q16(player, epoch) if rank else 0)

    def is_reviewed(self, player: PlayerId, epoch: Epoch) -> bool:
        """Whether a player's blocks of this epoch are under review."""
        earlier = range(epoch - self._params.review_epochs, epoch)
        return any(player in self._called.get(Epoch(called), ()) for called in earlier)
