"""What would not count is told before it is signed, with the reason; what would is let through."""

from __future__ import annotations

import pytest

from consensus.ops import (
    AnyOp,
    LotRef,
    ParamVote,
    Rating,
    Report,
    Stake,
    Transfer,
    Unstake,
    Unvouch,
    Vouch,
    Why,
    Witness,
)
from consensus.params import SMALL
from crdt.types import BlockId, Epoch, MicroJam, PlayerId, SessionId
from tests.consensus.world import FIRST, World
from wallet.checks import NO_BLOCK, Cannot, WillNotCount, require_counts

NOW = Epoch(FIRST // SMALL.epoch_windows + 1)
WORLD = World(3)
ANN, BEN, CID = (person.player for person in WORLD.people)
SESSION = WORLD.open_session(WORLD.people[0])
PLAYED = WORLD.round(FIRST)
WORLD.say(WORLD.people[0], NOW, Stake((LotRef(PLAYED, MicroJam(500)),)), Vouch(BEN), Report(CID, Why.TIES, PLAYED))
WORLD.say(WORLD.people[0], NOW, Witness(SESSION, CID, (), True))
FREE = WORLD.ledger.account(ANN)[0].free.of(PLAYED)
NOBODY = WORLD.people[0].__class__(77).player
NONE = BlockId(NO_BLOCK)


def lots(*amounts: int, block: BlockId = PLAYED) -> tuple[LotRef, ...]:
    return tuple(LotRef(block, MicroJam(amount)) for amount in amounts)


def pay(*amounts: int, to: PlayerId = BEN) -> Transfer:
    return Transfer(to, lots(*amounts), "")


@pytest.mark.parametrize(
    ("reason", "ops"),
    [
        (Cannot.MALFORMED, ()),
        (Cannot.MALFORMED, (ParamVote("window_s", 1),)),
        (Cannot.ONESELF, (pay(1, to=ANN),)),
        (Cannot.MALFORMED, (pay(),)),
        (Cannot.MALFORMED, (pay(1, 1),)),
        (Cannot.MALFORMED, (pay(0),)),
        (Cannot.MALFORMED, (pay(-1),)),
        (Cannot.UNKNOWN_LOT, (pay(FREE + 1),)),
        (Cannot.UNKNOWN_LOT, (pay(FREE), pay(1, to=CID))),
        (Cannot.UNKNOWN_LOT, (Transfer(BEN, lots(1, block=NONE), ""),)),
        (Cannot.UNKNOWN_LOT, (Stake(lots(FREE + 1)),)),
        (Cannot.UNKNOWN_LOT, (Unstake(lots(501)),)),
        (Cannot.UNKNOWN_LOT, (Unstake(lots(500)), Stake(lots(FREE + 1)))),
        (Cannot.ONESELF, (Vouch(ANN),)),
        (Cannot.ONESELF, (Report(ANN, Why.TIES, NONE),)),
        (Cannot.ONESELF, (Witness(SESSION, ANN, (), False),)),
        (Cannot.UNKNOWN_PLAYER, (Vouch(NOBODY),)),
        (Cannot.UNKNOWN_PLAYER, (Report(NOBODY, Why.TIES, NONE),)),
        (Cannot.UNKNOWN_PLAYER, (Witness(SESSION, NOBODY, (), False),)),
        (Cannot.SAID_ALREADY, (Vouch(BEN),)),
        (Cannot.NEVER_SAID, (Unvouch(CID),)),
        (Cannot.SAID_ALREADY, (Report(CID, Why.REPLAY, NONE),)),
        (Cannot.UNKNOWN_BLOCK, (Report(BEN, Why.TIES, BlockId(b"x" * 32)),)),
        (Cannot.UNKNOWN_BLOCK, (Report(BEN, Why.TIES, PLAYED),)),
        (Cannot.UNKNOWN_SESSION, (Witness(SessionId(bytes(32)), BEN, (), False),)),
        (Cannot.SAID_ALREADY, (Witness(SESSION, CID, (), False),)),
        (Cannot.MALFORMED, (Witness(SESSION, BEN, (Rating("b", 1), Rating("a", 1)), False),)),
    ],
)
def test_what_would_not_count_is_refused(reason: Cannot, ops: tuple[AnyOp, ...]) -> None:
    root = WORLD.ledger.root()
    with pytest.raises(WillNotCount) as refused:
        require_counts(WORLD.ledger, ANN, NOW, ops)
    assert refused.value.reason is reason and refused.value.why
    assert WORLD.ledger.root() == root
