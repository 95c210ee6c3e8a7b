"""From facts to everything that follows, epoch by epoch (docs/rules.md, 1).

What is decided about an epoch rests on what entries say, and on the ends of earlier epochs: who may verify on weights,
weights on stakes and persons, stakes on coins, coins on verdicts. So whatever changed is worked out in the order of
epochs, and within one in this order: who may vote, blocks, concerts, accounts, people. A change reaches later epochs
only by what has really become another there: the snapshot that an epoch's verifiers were drawn from is compared by its
hash, and its votes are counted again only when that differs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from consensus.agenda import Agenda, earliest
from consensus.books import Books
from consensus.chains import Chains
from consensus.concerts import SEEN_MAX, Seen, familiarity_q16, origin_of, payments
from consensus.content import AuthorPart, Content, PresencePart, total_of
from consensus.facts import Facts, Slot
from consensus.opinions import Pair
from consensus.params import Params
from consensus.proofs import Proofs
from consensus.selection import seeds_after
from consensus.society import Society
from consensus.state import State
from consensus.weights import weight_of
from crdt.types import BlockId, Digest, Epoch, MicroJam, NetworkId, PlayerId, Window


class Concert(NamedTuple):
    """What a performer was paid for being witnessed in an epoch."""

    epoch: Epoch
    performer: PlayerId
    paid_micro: MicroJam


class Fold:
    """Everything derived from one set of facts. Call `settle` before reading. `proofs` is who looks at proofs of having
    been drawn; the simulator has its own (sim/economy/book.py)."""

    def __init__(self, params: Params, network: NetworkId, facts: Facts, proofs: Proofs | None = None) -> None:
        self._params, self._facts = params, facts
        self.census = Society(params, facts.opinions, facts.presence)
        self.books = Books(params, facts.spends)
        self.state = State(params, network, facts, self.books, self.census, proofs)
        facts.presence.weigh = self.weight
        self._pulsed: Agenda[Window] = Agenda()
        self._recount: Agenda[None] = Agenda()  # epochs whose electorate may be another
        self._witnessed: Agenda[None] = Agenda()  # epochs whose witnesses may be others
        self.concerts: dict[BlockId, Concert] = {}  # by the origin of what they pay
        self._played: dict[Epoch, Mapping[PlayerId, MicroJam]] = {}
        self._saw: dict[Epoch, list[Pair]] = {}  # which witness saw whom in an epoch
        self._before: dict[PlayerId, int] = {}  # weights one epoch before the final checkpoint, where they differ
        self._drawn_from: dict[Epoch, Digest] = {}  # the snapshot with which an epoch's votes were counted

    def weight(self, player: PlayerId, epoch: Epoch) -> int:
        """What a player weighs at the end of an epoch."""
        if self._facts.floor is not None and epoch < self._facts.floor:
            return self._before.get(player, self.weight(player, self._facts.floor))
        return weight_of(self._params, self.census.person_q16(player, epoch), self.books.stake_at(player, epoch))

    def settle(self) -> None:
        """Bring everything up to date with the facts."""
        self._collect()
        while (epoch := self._next_epoch()) is not None:
            self._elect(epoch)
            self.state.settle(epoch)
            self._pay_concerts(epoch)
            self.books.settle(epoch)
            self._reweigh(epoch)

    def _collect(self) -> None:
        """Put on the agenda what has changed among the facts."""
        facts = self._facts
        touched, facts.touched = facts.touched, set()
        for slot in touched:
            self.state.touch(slot)
        pulsed, facts.presence.changed = facts.presence.changed, set()
        for window in pulsed:
            epoch = self._params.epoch_of(window)
            self._pulsed.add(epoch, window)
            self._recount.add(Epoch(epoch + 2), None)
        changes = facts.opinions.take_changes()
        for epoch in changes.witnesses:
            self._witnessed.add(epoch, None)
        self.census.take(changes)
        self.books.take_spends()

    def _next_epoch(self) -> Epoch | None:
        return earliest(
            self._pulsed.next_epoch(),
            self._recount.next_epoch(),
            self._witnessed.next_epoch(),
            self.state.next_epoch(),
            self.books.next_epoch(),
            self.census.next_epoch(),
        )

    def _elect(self, epoch: Epoch) -> None:
        """Have votes counted again where those who may cast them are others, or weigh otherwise."""
        windows, is_recount = self._pulsed.take(epoch), bool(self._recount.take(epoch))
        if is_recount:
            self.census.recount(epoch)
            if epoch in self._played:
                self._witnessed.add(epoch, None)
        presence, slots = self._facts.presence, self._facts.slots_in(epoch)
        if not slots or not (windows or is_recount or epoch not in self._drawn_from):
            return
        snapshot = presence.snapshot_digest(Epoch(epoch - 2))
        if self._drawn_from.get(epoch) != snapshot:
            self._drawn_from[epoch] = snapshot
            self._touch(slots)
        else:
            # Those who were in the window have the weights of S(e-2) too, and no hash is kept of them.
            here = [slot for slot in slots if is_recount or slot.window in windows]
            self._touch(slot for slot in here if not presence.is_settled_for(slot.window, slot.proposer))

    def _touch(self, slots: Iterable[Slot]) -> None:
        for slot in slots:
            self.state.touch(slot)

    def _pay_concerts(self, epoch: Epoch) -> None:
        """Mint what an epoch's witnesses bring to whom they saw."""
        if not self._witnessed.take(epoch):
            return
        opinions, snapshot = self._facts.opinions, self._facts.presence.snapshot(Epoch(epoch - 2))
        seen, pairs = [], []
        for source, op in opinions.witnesses(epoch):
            weight = snapshot[source.author].weight if source.author in snapshot else 0
            times = opinions.times_witnessed(source.author, op.performer, epoch)
            seen.append(Seen(op.performer, weight, times, op.is_remote))
            if weight and familiarity_q16(times):
                pairs.append(Pair(source.author, op.performer))
        self._acknowledge(epoch, pairs)
        before, after = self._played.pop(epoch, {}), payments(self._params, seen)
        if seen:
            self._played[epoch] = after
        for performer in before.keys() | after.keys():
            origin, paid = origin_of(epoch, performer), after.get(performer, MicroJam(0))
            self.books.mint(epoch, performer, origin, paid - before.get(performer, 0))
            if paid:
                self.concerts[origin] = Concert(epoch, performer, paid)
            else:
                del self.concerts[origin]

    def _acknowledge(self, epoch: Epoch, pairs: list[Pair]) -> None:
        """Whoever is a witness acknowledges whom it saw."""
        for times, seen in ((-1, self._saw.pop(epoch, [])), (1, pairs)):
            for witness, performer in seen:
                self.census.acknowledge(epoch, performer, witness, times)
        if pairs:
            self._saw[epoch] = pairs

    def _reweigh(self, epoch: Epoch) -> None:
        """Put on the agenda of later epochs what has become of stakes, persons and reviews."""
        changes, self.books.stake_changes = self.books.stake_changes, []
        for change in changes:
            self._other_weights(change.since, change.until)
        shift = self.census.settle(epoch)
        if shift.are_persons_other:
            self._other_weights(epoch, None)
            self.state.reprice(epoch, shift.acknowledged)
        for later, player in shift.reviews:
            self._touch(slot for slot in self._facts.slots_in(later) if slot.proposer == player)

    def _other_weights(self, since: Epoch, until: Epoch | None) -> None:
        self._facts.presence.reweigh(since, until)
        last = None if until is None else Epoch(until + 2)
        for epoch in self._facts.weighed.between(Epoch(since + 2), last):
            self._recount.add(epoch, None)

    # what a checkpoint holds of it

    def content_at(self, epoch: Epoch, base: Digest, chains: Chains) -> Content:
        """S(epoch) in full, following the final checkpoint `base`, which is of an earlier epoch. Settle before."""
        facts, presence, opinions = self._facts, self._facts.presence, self._facts.opinions
        before = Epoch(epoch - 1)
        ends = chains.ends_at(epoch)
        known = sorted({*(author for author, *_ in ends), *self._params.founders})
        accounts = self.books.accounts_at(epoch)
        burned = self.books.burned_micro - self.books.burned_after(epoch)
        return Content(
            epoch=epoch,
            base=base,
            seeds=seeds_after(facts.seeds, epoch),
            minted_micro=sum(map(total_of, accounts)) + burned,
            burned_micro=burned,
            accounts=tuple(accounts),
            before=tuple(PresencePart(p, self.weight(p, before), key) for p, key in presence.keys(before).items()),
            present=tuple(PresencePart(p, self.weight(p, epoch), key) for p, key in presence.keys(epoch).items()),
            weights_before=tuple(
                (p, weight) for p in known if (weight := self.weight(p, before)) != self.weight(p, epoch)
            ),
            authors=tuple(AuthorPart(author, *place, entry, cut) for author, place, entry, cut in ends),
            sessions=tuple(facts.sessions_until(epoch)),
            vouches=tuple(sorted(opinions.vouches(epoch))),
            acks=tuple(self.census.acks_until(epoch)),
            witnesses=tuple(
                sorted((w.witness, w.performer, w.session) for w in opinions.witnessed_until(epoch, SEEN_MAX))
            ),
            reviews=tuple(self.census.called_until(epoch)),
            accepted=tuple(self.state.accepted_until(epoch)),
        )

    def plant(self, content: Content) -> None:
        """Begin with what a checkpoint holds."""
        self._facts.plant(content)
        self.books.plant(content.epoch, content.accounts, content.minted_micro, content.burned_micro)
        self.census.plant(content.acks, content.reviews)
        self.state.plant(content.accepted)
        self._before = dict(content.weights_before)
