"""What the player has signed by command: one entry, saved before it is sent, and what it does to the account."""

from __future__ import annotations

import pytest

from consensus.accounts import Funding
from consensus.opinions import Pair
from consensus.ops import AnyOp, LotRef, Pulse, Rating, Report, Stake, Transfer, Unstake, Unvouch, Vouch, Why, Witness
from consensus.params import SMALL
from crdt.errors import Misuse
from crdt.types import BlockId, Epoch, MicroJam, Window
from node.engine.documents import Stored
from node.engine.effects import Confirm, Persist, Send
from node.engine.engine import Engine
from node.engine.inputs import PeerJoined, Sign
from tests.consensus.world import FIRST, Person, World
from wallet.checks import NO_BLOCK, Cannot, WillNotCount

NOW = Epoch(FIRST // SMALL.epoch_windows + 1)
NOW_US = SMALL.window_start_us(Window(NOW * SMALL.epoch_windows))
WORLD = World(3)
ANN, BEN, CID = WORLD.people
SESSION = WORLD.open_session(ANN)
PLAYED = WORLD.round(FIRST)
WORLD.say(ANN, NOW - 1, Vouch(CID.player))


def engine_of(person: Person, **how: Epoch) -> Engine:
    engine = Engine(person.identity, SMALL, NOW_US, stored=Stored(WORLD.entries), **how)  # type: ignore[arg-type]
    engine.handle(NOW_US, PeerJoined(BEN.player if person is ANN else ANN.player))
    return engine


def lots(amount_micro: int) -> tuple[LotRef, ...]:
    return (LotRef(PLAYED, MicroJam(amount_micro)),)


def sums(engine: Engine) -> tuple[int, int, int]:
    account, _ = engine.ledger.account(ANN.player, NOW)
    return account.free.total_micro, account.staked.total_micro, account.leaving_micro


@pytest.mark.parametrize(
    ("ops", "change"),
    [
        ((Transfer(BEN.player, lots(700), "thanks"),), (-700, 0, 0)),
        ((Stake(lots(700)),), (-700, 700, 0)),
        ((Stake(lots(700)), Unstake(lots(200))), (-700, 500, 200)),
        ((Transfer(CID.player, lots(1), ""), Transfer(BEN.player, lots(2), "")), (-3, 0, 0)),
    ],
)
def test_coins_are_where_they_were_sent(ops: tuple[AnyOp, ...], change: tuple[int, int, int]) -> None:
    engine = engine_of(ANN)
    before, supply = sums(engine), engine.ledger.supply_micro
    (saved,) = engine.handle(NOW_US, Sign(ops))
    assert isinstance(saved, Persist) and saved.sync and saved.signed is not None
    assert isinstance(saved.then[0], Confirm) and [type(e) for e in saved.then[1:]] == [Send], "saved before it is sent"
    assert tuple(after - was for after, was in zip(sums(engine), before, strict=True)) == change
    assert engine.ledger.supply_micro == supply
    spent = engine.ledger.spends(ANN.player)
    assert [one.funding for one in spent] == [Funding.FUNDED] * len(ops)
    assert {one.source.entry for one in spent} == {saved.signed.entry}
    paid = sum(lot.amount_micro for op in ops if isinstance(op, Transfer) and op.to == BEN.player for lot in op.lots)
    now, following = (engine.ledger.account(BEN.player, Epoch(NOW + n)) for n in (0, 1))
    assert (now[1].total_micro, following[0].free.total_micro - now[0].free.total_micro) == (paid, paid)


@pytest.mark.parametrize(
    "op",
    [
        Vouch(BEN.player),
        Unvouch(CID.player),
        Report(BEN.player, Why.TIES, BlockId(NO_BLOCK)),
        Report(BEN.player, Why.REPLAY, BlockId(NO_BLOCK)),
        Witness(SESSION, BEN.player, (Rating("a", 1), Rating("b", 5)), False),
    ],
)
def test_what_is_said_of_others_stands_once(op: AnyOp) -> None:
    engine = engine_of(ANN)
    engine.handle(NOW_US, Sign((op,)))
    said = engine.ledger.opinions
    pair = Pair(ANN.player, BEN.player)
    stands = {
        Vouch: pair in said.vouches(NOW),
        Unvouch: not said.vouches(NOW),
        Report: said.reports(NOW) == {BEN.player: {ANN.player: (op,)}},
        Witness: [witness for _, witness in said.witnesses(NOW)] == [op],
    }
    assert [kind for kind, is_so in stands.items() if is_so] == [type(op)]
    with pytest.raises(WillNotCount):
        engine.handle(NOW_US, Sign((op,)))


@pytest.mark.parametrize("ops", [(), (Pulse(Window(FIRST), bytes(16), bytes(32)),), (Stake(lots(10**9)),)])
def test_what_would_not_count_is_not_signed(ops: tuple[AnyOp, ...]) -> None:
    engine = engine_of(ANN)
    total = engine.documents.total()
    with pytest.raises(WillNotCount):
        engine.handle(NOW_US, Sign(ops))
    assert engine.documents.total() == total


def test_what_was_signed_a_moment_ago_is_gone_already() -> None:
    engine = engine_of(ANN)
    free = sums(engine)[0]
    engine.handle(NOW_US, Sign((Transfer(BEN.player, lots(free), ""),)))
    with pytest.raises(WillNotCount) as refused:
        engine.handle(NOW_US, Sign((Transfer(CID.player, lots(1), ""),)))
    assert refused.value.reason is Cannot.UNKNOWN_LOT


def test_a_restored_key_signs_nothing_yet() -> None:
    engine = engine_of(ANN, restored=Epoch(NOW + 1))
    with pytest.raises(Misuse) as refused:
        engine.handle(NOW_US, Sign((Transfer(BEN.player, lots(1), ""),)))
    assert isinstance(refused.value, WillNotCount) and refused.value.reason is Cannot.NOT_NOW
    assert "restored" in refused.value.why
