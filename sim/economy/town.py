"""An economy as it goes: people come, play, are verified; epoch by epoch the rules say what that brings.

Within an epoch nothing that players do rests on what the rules say of it: who may verify was settled two epochs
before. So the fold works once an epoch, on all of it, as a node does that comes back after an hour.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random

import msgspec

from consensus.coins import Coins
from consensus.ops import Attest, Block, LotRef, Measures, Pulse, Stake, Vote, Vouch, block_id
from consensus.params import ONE_Q16, Params, network_id
from consensus.presence import Elector, Electorate
from consensus.verdict import Ballot, decide, quorum
from crdt.canonical import digest
from crdt.limits import LOTS_PER_OP_MAX
from crdt.types import (
    NO_ENTRY,
    NO_NONCE,
    BlockId,
    Digest,
    Epoch,
    MicroJam,
    PlayerId,
    Seq,
    SessionId,
    Window,
    jam_document,
)
from sim.economy.acquaintances import Edge, among_people, edge, founders_of, of_ring
from sim.economy.book import Book
from sim.economy.crowd import Crowd, Performance, Player
from sim.economy.draws import Chances, Draws
from sim.economy.plan import Plan

FIRST = Epoch(1_000)  # far from zero, so that every look back has room
SESSION = SessionId(bytes(32))
DOCUMENT = jam_document(SESSION)
SALT = bytes(16)


def measures(quality: float) -> Measures:
    """Measures with this total; the fold looks at nothing else."""
    total = round(quality * ONE_Q16)
    return Measures(*[total] * len(Measures.__struct_fields__))


def block_of(player: PlayerId, played: Performance, window: Window) -> Block:
    """The block that somebody proposes. What it commits to is made up: the fold asks nobody for it."""
    return Block(
        window=window,
        session=SESSION,
        document=DOCUMENT,
        nonce=NO_NONCE,
        first=Seq(0),
        last=Seq(9),
        head=NO_ENTRY,
        root=Digest(digest(b"sim-root", player, window.to_bytes(8, "big"))),
        quality=measures(played.quality),
        riff=played.riff,
        pulses=(),
    )


class Town:
    """A plan on its way. `epochs` yields each epoch when all about it is settled."""

    def __init__(self, plan: Plan, seed: int, draws: Draws | None = None) -> None:
        self.plan, self.seed = plan, seed
        self.draws: Draws = Chances(plan.params(), seed) if draws is None else draws
        self.crowd = Crowd(plan, seed, self.draws)
        self._meeting = Random(f"{seed}/meeting")
        people = [player.number for player in self.crowd.players if player.group.is_vouched]
        honest = [player.number for player in self.crowd.players if player.group is self.crowd.honest]
        founders = founders_of(honest, plan.society, self._meeting)
        ids = tuple(sorted(self.crowd.players[number].id for number in founders))
        self.params: Params = msgspec.structs.replace(plan.params(), founders=ids)
        self.book = Book(self.params, network_id(self.params), self.draws.proofs)
        self.edges = self._acquaintances(people, founders) if ids else set[Edge]()
        self.start = Window(FIRST * self.params.epoch_windows)
        self.proposed: list[tuple[Window, BlockId, Player, Performance]] = []  # in the epoch that is on
        self._electors: Mapping[PlayerId, Elector] = {}
        self._pulsed: set[int] = set()
        self.windows_played = 0  # in the epoch that is on

    def _acquaintances(self, people: list[int], founders: list[int]) -> set[Edge]:
        found = among_people(people, self.plan.society, self._meeting)
        for group in self.plan.groups:
            if not group.is_vouched:
                # Of their own, so that a ring of other size finds the same people, who know the same people.
                chance = Random(f"{self.seed}/fooled/{group.name}")
                keys = [player.number for player in self.crowd.players if player.group is group]
                found |= of_ring(keys, group, people, founders, chance)
        return found

    def epochs(self) -> Iterator[Epoch]:
        """Play it all."""
        if self.plan.is_settled:
            self._settle_down()
        for index in range(self.plan.windows):
            window = Window(self.start + index)
            self._window(window, index)
            self.windows_played += 1
            last = index + 1 == self.plan.windows
            if last or (window + 1) % self.params.epoch_windows == 0:
                epoch = self.params.epoch_of(window)
                self.book.fold.settle()
                yield epoch
                if not last:
                    self._between(epoch)
                self.proposed.clear()
                self._pulsed.clear()
                self.windows_played = 0

    def _settle_down(self) -> None:
        """All were there for two epochs, and vouched for whom they know."""
        earlier, later = Epoch(FIRST - 2), Epoch(FIRST - 1)
        for player in self.crowd.players:
            self._pulse(player, Window(earlier * self.params.epoch_windows))
        for one, other in sorted(self.edges):
            self._vouch(one, other, earlier)
        for player in self.crowd.players:
            self._pulse(player, Window(later * self.params.epoch_windows))
        self.book.fold.settle()

    def _vouch(self, one: int, other: int, epoch: Epoch) -> None:
        a, b = self.crowd.players[one], self.crowd.players[other]
        self.book.say(a.id, epoch, Vouch(b.id))
        self.book.say(b.id, epoch, Vouch(a.id))

    def _pulse(self, player: Player, window: Window) -> None:
        self.book.say(player.id, self.params.epoch_of(window), Pulse(window, SALT, player.vrf_key))

    # a window

    def _window(self, window: Window, index: int) -> None:
        if index:
            self.crowd.step()
        epoch, presence = self.params.epoch_of(window), self.book.facts.presence
        if not self.plan.is_settled and index == 0:
            for one, other in sorted(self.edges):
                self._vouch(one, other, epoch)
        here = [player for player in self.crowd.players if player.is_here]
        for player in here:
            # Where an epoch before the last has people, the first pulse of an epoch says all that the fold asks for.
            if player.number not in self._pulsed or not presence.present(Epoch(epoch - 2)):
                self._pulse(player, window)
                self._pulsed.add(player.number)
        self._electors = presence.snapshot(Epoch(epoch - 2))
        for player in here:
            played = self.crowd.perform(player, index)
            if played is not None:
                self._propose(player, played, window, index)

    def _propose(self, player: Player, played: Performance, window: Window, index: int) -> None:
        epoch = self.params.epoch_of(window)
        op = block_of(player.id, played, window)
        block = block_id(player.id, op)
        self.book.say(player.id, epoch, op)
        self.proposed.append((window, block, player, played))
        electorate = self.book.facts.presence.electorate(window, player.id)
        self._verify(player, played, block, electorate, window, index)

    def _verify(
        self, player: Player, played: Performance, block: BlockId, electorate: Electorate, window: Window, index: int
    ) -> None:
        """Tranche after tranche those who are drawn say what they have to say, as long as one more has to open. A
        tranche that opened only because too few had spoken is quiet once they are enough (node/engine/duties)."""
        epoch = self.params.epoch_of(window)
        is_reviewed = self.book.fold.census.is_reviewed(player.id, epoch)
        drawn = self.draws.draw(self._who_may(electorate, player.id), player.id, window, electorate.weight)
        ballots: list[Ballot] = []
        for tranche in range(len(self.params.tranche_sizes)):
            for one in drawn:
                if one.tranche != tranche or (tranche and self._is_enough(electorate, ballots, is_reviewed)):
                    continue
                said = self.crowd.say(self.crowd.by_id[one.player], player, played, index)
                if said is not None:
                    ballots.append(Ballot(tranche, said[0]))
                    self.book.say(one.player, epoch, Attest(block, player.id, window, *said, tranche, one.proof))
            if decide(self.params, len(electorate), ballots, is_reviewed).open_tranches <= tranche + 1:
                return

    def _is_enough(self, electorate: Electorate, ballots: list[Ballot], is_reviewed: bool) -> bool:
        """Whether all agree and are a quorum."""
        yes = sum(ballot.vote is Vote.YES for ballot in ballots)
        return not is_reviewed and yes == len(ballots) and 0 < quorum(self.params, len(electorate)) <= yes

    def _who_may(self, electorate: Electorate, proposer: PlayerId) -> Mapping[PlayerId, Elector]:
        """Those of two epochs before, or, where there was nobody else, of the window itself."""
        if len(self._electors) > (proposer in self._electors):
            return self._electors
        return {who: elector for who in electorate if (elector := electorate.get(who)) is not None}

    # between epochs

    def _between(self, epoch: Epoch) -> None:
        """Who has coins may stake them; who shared a room may come to know each other."""
        following = Epoch(epoch + 1)
        for player in self.crowd.players:
            if player.group.stakes:
                free = self.book.fold.books.account_at(player.id, epoch)[0].free
                for lots in lots_of(free, player.group.stakes):
                    self.book.say(player.id, following, Stake(lots))
        if self.plan.society.meets and self.params.founders:
            self._meet(following)

    def _meet(self, epoch: Epoch) -> None:
        rooms: dict[int, list[int]] = {}
        for player in self.crowd.players:
            if player.is_here and player.group.is_vouched:
                rooms.setdefault(player.room, []).append(player.number)
        for room in sorted(rooms):
            for one in rooms[room]:
                other = self._meeting.choice(rooms[room])
                if (
                    self._meeting.random() < self.plan.society.meets
                    and edge(one, other) not in self.edges
                    and one != other
                ):
                    self.edges.add(edge(one, other))
                    self._vouch(one, other, epoch)


def lots_of(free: Coins, share: float) -> Iterator[tuple[LotRef, ...]]:
    """About so large a share of the free coins, in as many parts as operations need."""
    lots = [LotRef(block, amount) for block, amount in free.items()]
    wanted = round(free.total_micro * share)
    taken: list[LotRef] = []
    for lot in lots:
        if wanted <= 0:
            break
        taken.append(LotRef(lot.block, MicroJam(min(lot.amount_micro, wanted))))
        wanted -= lot.amount_micro
    for at in range(0, len(taken), LOTS_PER_OP_MAX):
        yield tuple(taken[at : at + LOTS_PER_OP_MAX])
