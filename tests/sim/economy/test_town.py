"""What an economy works out is what the ledger says of the same operations, signed, with real proofs."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import pytest

from consensus import vrf
from consensus.ledger import Ledger
from consensus.ops import AnyOp, encode_ops
from consensus.presence import Elector
from consensus.proofs import Proofs
from consensus.selection import draw, input_of
from crdt.canonical import digest
from crdt.entry import Entry, LogKey, first_body, next_body, sign
from crdt.errors import Misuse
from crdt.keys import Identity
from crdt.types import NO_ENTRY, NO_NONCE, Epoch, PlayerId, Window, ledger_document
from sim.economy.draws import Drawn
from sim.economy.plan import Answer, Fake, Group, Plan, Society, checked
from sim.economy.run import run_economy
from sim.economy.town import Town


class Signed:
    """Verifiers draw with real keys, and all that is said is signed too."""

    proofs: Proofs | None = None

    def __init__(self) -> None:
        self.identities: dict[PlayerId, Identity] = {}
        self.town: Town | None = None

    def identity(self, number: int) -> tuple[PlayerId, bytes]:
        identity = Identity(digest(b"test-economy", number.to_bytes(8, "big")))
        self.identities[identity.player] = identity
        return identity.player, vrf.public_key(identity.vrf_seed())

    def draw(self, electors: Mapping[PlayerId, Elector], proposer: PlayerId, window: Window, total: int) -> list[Drawn]:
        assert self.town is not None
        params, network = self.town.params, self.town.book.network
        alpha, found = input_of(params, network, proposer, window), []
        for player, elector in electors.items():
            seed = self.identities[player].vrf_seed()
            luck = None if player == proposer else draw(params, seed, alpha, elector.weight, total)
            if luck is not None:
                found.append(Drawn(player, *luck))
        return sorted(found, key=lambda one: one.tranche)


class Scribe:
    """Writes down what is said as signed entries, one operation each."""

    def __init__(self, draws: Signed, town: Town) -> None:
        self.entries: list[Entry] = []
        self._draws, self._network = draws, town.book.network
        self._last: dict[PlayerId, Entry] = {}

    def hear(self, author: PlayerId, epoch: Epoch, op: AnyOp) -> None:
        document, payload, last = ledger_document(epoch), encode_ops((op,)), self._last.get(author)
        if last is not None and last.body.document == document:
            body = next_body(last, payload)
        else:
            prev = NO_ENTRY if last is None else last.id
            body = first_body(self._network, document, LogKey(author, NO_NONCE), payload, prev)
        self._last[author] = sign(self._draws.identities[author], self._network, body)
        self.entries.append(self._last[author])


RING = Group(
    "ring", 6, plays=0.8, fake=Fake(0.4, lies=True), friends=Answer.YES, strangers=Answer.NO, is_vouched=False, edges=3
)
PLANS = {
    "a society with a ring": Plan(
        "small", "", 12, (Group("honest", 24, away=20, stakes=0.5), RING), preset="small", is_settled=True
    ),
    "strangers who begin": Plan(
        "begin", "", 9, (Group("honest", 30, away=20),), Society(founders=0), preset="small", is_settled=False
    ),
}


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS.keys())
def test_the_real_ledger_says_the_same(plan: Plan) -> None:
    draws = Signed()
    town = draws.town = Town(checked(plan), 3, draws)
    scribe = Scribe(draws, town)
    town.book.hear = scribe.hear
    accepted = sum(
        town.book.fold.state.blocks[block].reward is not None for _ in town.epochs() for _, block, *_ in town.proposed
    )
    ledger = Ledger(town.params, town.book.network)
    for entry in scribe.entries:
        ledger.add(entry)
    fold = town.book.fold
    assert ledger.counts().misplaced == ledger.counts().cut == 0
    assert accepted > 20 and ledger.minted_micro == fold.books.minted_micro > 0
    assert {block.id: msgspec.structs.replace(block, entry=NO_ENTRY) for block in ledger.blocks()} == fold.state.blocks
    for player in town.crowd.players:
        assert ledger.account(player.id, ledger.last_epoch) == fold.books.account_at(player.id, ledger.last_epoch)


def test_the_same_seed_is_the_same_economy_and_another_is_another() -> None:
    plan = PLANS["a society with a ring"]
    one, again, other = (run_economy(plan, seed) for seed in (1, 1, 2))
    wall = {"run_wall_s": 0.0}
    assert one.figures | wall == again.figures | wall != other.figures | wall
    assert one.series == again.series


@pytest.mark.parametrize(
    "groups",
    [
        (),
        (Group("ring", 5),),
        (Group("honest", 3),),
        (Group("honest", 9), Group("honest", 9)),
    ],
)
def test_a_plan_that_makes_no_sense(groups: tuple[Group, ...]) -> None:
    with pytest.raises(Misuse):
        checked(Plan("x", "", 3, groups))


def test_a_rule_that_there_is_not() -> None:
    with pytest.raises(Misuse, match="gravity"):
        checked(Plan("x", "", 3, (Group("honest", 9),), rules={"gravity": 1}))
