"""The state of a history that is being made: who sees what, whose chain stands where, and how entries are signed."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from consensus.checkpoint import Value
from consensus.ops import AnyOp, encode_ops
from consensus.params import Params, network_id
from crdt.canonical import encode
from crdt.entry import Entry, LogKey, first_body, next_body, sign
from crdt.limits import OPS_PER_ENTRY_MAX
from crdt.types import NO_ENTRY, NO_NONCE, Epoch, NetworkId, ledger_document, ledger_epoch
from tests.consensus.histories.cast import Actor, actor
from tests.consensus.reference.fold import Fold, fold


class Ballots(NamedTuple):
    """What a history's votes on checkpoints came to."""

    founders: int
    hostile: int
    finals: frozenset[Value]  # that ever were final on any side

    @property
    def is_safe(self) -> bool:
        """Whether less than a third is hostile."""
        return 3 * self.hostile < self.founders


class History(NamedTuple):
    """Entries in the order of their making. `sides` are sets of numbers of entries that a part of the mesh had."""

    seed: int
    params: Params
    network: NetworkId
    entries: tuple[Entry, ...]
    sides: tuple[frozenset[int], ...]
    ballots: Ballots


class Scene:
    """People on one or more sides of a mesh. Who is on none is away; a two-faced one may be on several."""

    def __init__(self, random: Random, params: Params, people: int) -> None:
        self.random, self.params, self.network = random, params, network_id(params)
        self.cast = [actor(number) for number in range(people)]
        self.entries: list[Entry] = []
        self.known: list[list[int]] = [[]]  # of each side, numbers of entries
        self.on: list[set[int]] = [set(range(people))]
        self.heads: dict[tuple[int, int], Entry] = {}  # by person and side
        self.sides: list[frozenset[int]] = []
        self.epoch = 100

    def here(self, side: int) -> list[Actor]:
        return [self.cast[number] for number in sorted(self.on[side])]

    def some(self, side: int, share: float) -> list[Actor]:
        return [who for who in self.here(side) if self.random.random() < share]

    def anyone(self, side: int) -> Actor:
        return self.random.choice(self.here(side))

    def view(self, side: int) -> Fold:
        """What a side makes of all that it knows, at the end of the epoch before this one at least."""
        entries = [self.entries[number] for number in self.known[side]]
        return fold(self.params, self.network, entries, until=self.epoch - 1)

    def say(self, side: int, who: Actor, *ops: AnyOp, epoch: int | None = None) -> None:
        """Sign operations into an epoch's document; in one entry or in several."""
        left = list(ops)
        while left:
            count = min(len(left), self.random.choice([1, 3, 128]), OPS_PER_ENTRY_MAX)
            self.write(side, who, encode_ops(tuple(left[:count])), epoch)
            del left[:count]

    def write(self, side: int, who: Actor, payload: bytes, epoch: int | None = None) -> Entry:
        """The next entry of somebody's chain as this side knows it."""
        head = self.heads.get((who.number, side))
        entry = self.signed(who, head, self.epoch if epoch is None else epoch, payload)
        self.heads[who.number, side] = entry
        self.publish(side, entry)
        return entry

    def signed(self, who: Actor, prev: Entry | None, epoch: int, payload: bytes) -> Entry:
        document = ledger_document(Epoch(epoch))
        if prev is not None and prev.body.document == document:
            body = next_body(prev, payload)
        else:
            key = LogKey(who.player, NO_NONCE)
            body = first_body(self.network, document, key, payload, NO_ENTRY if prev is None else prev.id)
        return sign(who.identity, self.network, body)

    def publish(self, side: int, entry: Entry) -> None:
        self.known[side].append(len(self.entries))
        self.entries.append(entry)

    def garble(self, side: int, who: Actor) -> None:
        """An entry of a later version, or of nothing that anybody can read."""
        odd = self.random.choice([encode((encode((99, 1, 2)), encode((1, 2)))), b"\xc1", encode(7), b""])
        self.write(side, who, odd)

    # cheating with one's own chain

    def fork(self, side: int, who: Actor, *ops: AnyOp) -> None:
        """Another entry at the place of one's last one."""
        head = self.heads.get((who.number, side))
        if head is None:
            return
        epoch = ledger_epoch(head.body.document)
        assert epoch is not None
        before = self._entry(head.body.prev)
        twin = self.signed(who, before, epoch, encode_ops(ops))
        if twin.id != head.id:
            self.publish(side, twin)
            if self.random.random() < 0.5:
                self.heads[who.number, side] = twin

    def branch(self, side: int, who: Actor, *ops: AnyOp) -> None:
        """An entry in another epoch's document that names a predecessor which has a follower, or comes before it."""
        mine = [self.entries[n] for n in self.known[side] if self.entries[n].body.author == who.player]
        if not mine:
            return
        prev = self.random.choice(mine)
        epoch = self.epoch + self.random.choice([-2, -1, 0, 1])
        if prev.body.document != ledger_document(Epoch(epoch)):
            self.publish(side, self.signed(who, prev, epoch, encode_ops(ops)))

    def begin_again(self, side: int, who: Actor) -> None:
        """All is lost but the seed: the next entry names no predecessor."""
        self.heads.pop((who.number, side), None)

    def _entry(self, entry_id: bytes) -> Entry | None:
        return next((entry for entry in self.entries if entry.id == entry_id), None)

    # splits

    def split(self, two_faced: list[Actor]) -> None:
        """Everybody is on one of two sides from now on; the two-faced are on both."""
        assert len(self.on) == 1
        numbers = sorted(self.on[0])
        self.random.shuffle(numbers)
        cut = self.random.randrange(1, len(numbers))
        both = {who.number for who in two_faced}
        self.on = [set(numbers[:cut]) | both, set(numbers[cut:]) | both]
        self.known.append(list(self.known[0]))
        for number in numbers:
            if (number, 0) in self.heads:
                self.heads[number, 1] = self.heads[number, 0]

    def merge(self) -> None:
        """One mesh again. Who wrote on the other side goes on from there."""
        if len(self.on) == 1:
            return
        self.sides += [frozenset(known) for known in self.known]
        for number in self.on[1] - self.on[0]:
            if (number, 1) in self.heads:
                self.heads[number, 0] = self.heads[number, 1]
        self.on = [self.on[0] | self.on[1]]
        self.known = [sorted(set(self.known[0]) | set(self.known[1]))]
        self.heads = {(number, side): head for (number, side), head in self.heads.items() if side == 0}
