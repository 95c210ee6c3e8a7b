"""Everything together: what is decided about an epoch rests on the entries, and on the ends of earlier epochs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from consensus.ops import Block, Stake, Transfer, Unstake, Witness
from consensus.params import Params
from crdt.entry import Entry
from crdt.types import BlockId, EntryId, NetworkId, PlayerId
from tests.consensus.reference import accounts as acc
from tests.consensus.reference import pay, people
from tests.consensus.reference.accounts import Account
from tests.consensus.reference.entries import Place, Said, cuts_of, place_of, said_by
from tests.consensus.reference.votes import Judged, first_pulses, judged_in


@dataclass
class EpochEnd:
    """S(e): the state at the end of an epoch."""

    accounts: dict[PlayerId, Account]
    weights: dict[PlayerId, int]
    persons: dict[PlayerId, int]
    snapshot: dict[PlayerId, int]
    minted: int
    burned: int


@dataclass
class Fold:
    """All that follows from a set of entries."""

    cuts: dict[PlayerId, Place]
    entries: set[EntryId]
    players: set[PlayerId]
    blocks: dict[BlockId, Judged] = field(default_factory=dict)
    paid: dict[BlockId, pay.Paid] = field(default_factory=dict)
    concerts: dict[int, dict[PlayerId, tuple[BlockId, int]]] = field(default_factory=dict)
    unfunded: set[tuple[EntryId, int]] = field(default_factory=set)
    reviews: set[tuple[int, PlayerId]] = field(default_factory=set)  # by reports of this epoch
    ends: dict[int, EpochEnd] = field(default_factory=dict)
    seed: tuple[int, bytes] = (2**62, b"")  # from which epoch on which checkpoint makes the seed
    happened: set[tuple[int, PlayerId]] = field(default_factory=set)  # who spent or was to be slashed in which epoch

    @property
    def last(self) -> EpochEnd:
        return self.ends[max(self.ends)]


NOTHING = EpochEnd({}, {}, {}, {}, 0, 0)


def fold(
    params: Params,
    network: NetworkId,
    entries: Iterable[Entry],
    proven: Iterable[tuple[PlayerId, Place]] = (),
    until: int | None = None,
) -> Fold:
    """The state of a set of entries, at the end of `until` or of the last epoch in which one stands."""
    entries = list(entries)
    cuts = cuts_of(entries, proven)
    said = said_by(params, entries, cuts)
    counting = {e.id for e in entries if e.body.author not in cuts or place_of(e) < cuts[e.body.author]}
    result = Fold(cuts, counting, _players(params, said) | set(cuts))
    epochs = {s.epoch for s in said} | {place[0] for place in cuts.values()}
    epochs |= {s.op.window // params.epoch_windows for s in said if isinstance(s.op, Block)}
    if epochs:
        last = max(epochs if until is None else {until, *epochs})
        for epoch in range(min(epochs), last + 1):
            fold_epoch(params, network, said, result, epoch)
    return result


def _players(params: Params, said: list[Said]) -> set[PlayerId]:
    """Everybody who says something, or may have coins."""
    found = {s.author for s in said} | set(params.founders)
    found |= {s.op.to for s in said if isinstance(s.op, Transfer)}
    return found | {s.op.performer for s in said if isinstance(s.op, Witness)}


def fold_epoch(params: Params, network: NetworkId, said: list[Said], result: Fold, epoch: int) -> None:
    before, voting = result.ends.get(epoch - 1, NOTHING), result.ends.get(epoch - 2, NOTHING)
    accounts = {player: account.copy() for player, account in before.accounts.items()}
    players = result.players
    for player in players:
        acc.open_epoch(accounts.setdefault(player, Account()), epoch)

    blocks = _judge_epoch(params, network, said, result, epoch, weights_then(params, result, epoch - 2, players))
    minted = _pay_epoch(params, result, epoch, blocks, accounts)
    witnesses = pay.witnesses_that_count(said)
    result.concerts[epoch] = pay.concerts_of(params, epoch, witnesses, voting.snapshot)
    for performer, (origin, amount) in result.concerts[epoch].items():
        acc.give(accounts[performer].coming, origin, amount)
        minted += amount

    for player in sorted(players):
        mine = [s for s in said if s.author == player and s.epoch == epoch]
        sent, unfunded = acc.operate(params, epoch, accounts[player], mine)
        result.unfunded |= set(unfunded)
        if any(isinstance(s.op, Transfer | Stake | Unstake) for s in mine):
            result.happened.add((epoch, player))
        for transfer in sent:
            for lot in transfer.lots:
                acc.give(accounts[transfer.to].coming, lot.block, lot.amount_micro)
    liars = [b.proposer for b in sorted(blocks, key=lambda b: b.id) if b.fabricated]
    result.happened |= {(epoch, player) for player in liars}
    result.happened |= {(epoch, player) for player, place in result.cuts.items() if place[0] == epoch}
    burned = acc.close_epoch(params, epoch, accounts, liars, result.cuts)

    edges = people.edges_at(said, epoch)
    persons = people.persons_at(params, epoch, players, edges, acks_of(params, result, witnesses))
    weights = {p: people.weight_of(params, persons[p], sum(accounts[p].staked.values())) for p in players}
    present = first_pulses(said, params, epoch)
    snapshot = {p: weights[p] for p in present if weights[p] > 0}
    for player in people.called_for_review(said, epoch, voting.snapshot, edges):
        result.reviews.add((epoch, player))
    result.ends[epoch] = EpochEnd(accounts, weights, persons, snapshot, before.minted + minted, before.burned + burned)


def weights_then(params: Params, result: Fold, epoch: int, players: set[PlayerId]) -> dict[PlayerId, int]:
    """Weights at the end of an epoch. Of whom nothing was known by then: that of one without stake or friends."""
    known = result.ends[epoch].weights if epoch in result.ends else {}
    persons = people.persons_at(params, epoch, players, {}, {})
    return {player: known.get(player, people.weight_of(params, persons[player], 0)) for player in players}


def persons_then(params: Params, result: Fold, epoch: int, players: set[PlayerId]) -> dict[PlayerId, int]:
    """Persons at the end of an epoch. Of whom nothing was known by then: who has no friends."""
    known = result.ends[epoch].persons if epoch in result.ends else {}
    return people.persons_at(params, epoch, players, {}, {}) | known


def _judge_epoch(
    params: Params, network: NetworkId, said: list[Said], result: Fold, epoch: int, weights: dict[PlayerId, int]
) -> list[Judged]:
    slots = {(s.op.window, s.author) for s in said if isinstance(s.op, Block)}
    base = result.seed[1] if epoch >= result.seed[0] else b""
    reviewed = {player for at, player in result.reviews if at + 1 <= epoch <= at + params.review_epochs}
    found = []
    for slot in sorted(slots):
        if slot[0] // params.epoch_windows == epoch:
            found += judged_in(said, params, network, slot, weights, base, slot[1] in reviewed)
    result.blocks.update({block.id: block for block in found})
    return found


def _pay_epoch(
    params: Params, result: Fold, epoch: int, blocks: list[Judged], accounts: dict[PlayerId, Account]
) -> int:
    """Pay the accepted blocks of an epoch; returns what is minted."""
    accepted = [b for b in result.blocks.values() if b.standing == "accepted"]
    accepted.sort(key=lambda b: b.op.window)
    mine = [b for b in blocks if b.standing == "accepted"]
    points, terms = {}, {}
    persons = persons_then(params, result, epoch - 1, result.players)
    for block in blocks:
        recent = pay.recent_of(params, block, accepted)
        m, w = pay.weights_of(params, block, recent)
        likeness = pay.likeness_of(block, recent) if block in mine else 0
        cluster, riff = pay.cluster_of(params, likeness), pay.riff_of(params, block)
        person = pay.person_of(params, persons[block.proposer])
        terms[block.id] = pay.Paid(m, w, 0, 0, {}, len(recent), likeness, cluster, riff, person, set())
        if block in mine:
            points[block.id] = pay.points_of(params, block, w, cluster, riff, person)
    paid = pay.paid_in(params, points, mine)
    minted = 0
    for block in blocks:
        amount, parts, unpaid = paid.get(block.id, (0, {}, set()))
        result.paid[block.id] = terms[block.id]._replace(
            points=points.get(block.id, 0), paid=amount, parts=parts, unpaid=unpaid
        )
        for player, part in parts.items():
            acc.give(accounts[player].coming, block.id, part)
            minted += part
    return minted


def acks_of(params: Params, result: Fold, witnesses: list[Said]) -> dict[PlayerId, list[tuple[int, PlayerId]]]:
    """Epoch and author of all that acknowledges each player."""
    acks: dict[PlayerId, list[tuple[int, PlayerId]]] = {}
    for block in result.blocks.values():
        if block.standing == "accepted":
            at = block.op.window // params.epoch_windows
            acks.setdefault(block.proposer, []).extend((at, voter) for voter in block.counted)
    for s in witnesses:
        assert isinstance(s.op, Witness)
        times = sum(
            1
            for w in witnesses
            if isinstance(w.op, Witness)
            and w.epoch < s.epoch
            and (w.author, w.op.performer) == (s.author, s.op.performer)
        )
        if s.author not in result.ends.get(s.epoch - 2, NOTHING).snapshot or times >= len(pay.FAMILIARITY_Q16):
            continue
        acks.setdefault(s.op.performer, []).append((s.epoch, s.author))
    return acks
