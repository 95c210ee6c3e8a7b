"""What else people say: coins that move, friends, reports, concerts, jams, wishes; right and wrong."""

from __future__ import annotations

from consensus.ops import (
    AnyOp,
    LotRef,
    ParamVote,
    Rating,
    Report,
    SessionClose,
    SessionOpen,
    Stake,
    Transfer,
    Unstake,
    Unvouch,
    Vouch,
    Why,
    Witness,
    session_id,
)
from crdt.types import BlockId, MicroJam, Micros, SessionId
from tests.consensus.histories.cast import Actor
from tests.consensus.histories.playing import SESSIONS
from tests.consensus.histories.scene import Scene
from tests.consensus.reference.accounts import Account
from tests.consensus.reference.fold import Fold

NOWHERE = BlockId(bytes(32))


def spend(scene: Scene, side: int, view: Fold) -> None:
    """Some people pay, stake and unstake. What came in during the epoch before is free by now."""
    for who in scene.some(side, 0.35):
        mine = view.last.accounts.get(who.player, Account()) if view.ends else Account()
        free = dict(mine.free)
        for block, amount in mine.coming.items():
            free[block] = free.get(block, 0) + amount
        if not free and scene.random.random() < 0.9:
            continue
        for _ in range(scene.random.choice([1, 1, 2, 4])):
            scene.say(side, who, _spend(scene, side, who, free, mine.staked))


def _spend(scene: Scene, side: int, who: Actor, free: dict[BlockId, int], staked: dict[BlockId, int]) -> AnyOp:
    random = scene.random
    kind = random.choice([Transfer, Transfer, Stake, Stake, Unstake])
    lots = _lots(scene, staked if kind is Unstake and random.random() < 0.9 else free)
    if kind is Transfer:
        other = scene.anyone(side).player if random.random() < 0.95 else BlockId(random.randbytes(32))
        return Transfer(other, lots, "")
    return kind(lots)


def some_lots(scene: Scene, view: Fold, who: Actor) -> tuple[LotRef, ...]:
    """Lots that somebody may have."""
    return _lots(scene, view.last.accounts.get(who.player, Account()).free if view.ends else {})


def _lots(scene: Scene, have: dict[BlockId, int]) -> tuple[LotRef, ...]:
    """Lots out of what one has; now and then more than that, or in a wrong order."""
    random = scene.random
    chosen = sorted(random.sample(sorted(have), random.randrange(1, min(3, len(have)) + 1))) if have else [NOWHERE]
    lots = []
    for block in chosen:
        held = have.get(block, 1)
        amount = random.choice([held, held, max(1, held // 2), random.randrange(1, held + 1), held + 1])
        lots.append(LotRef(block, MicroJam(amount)))
    if random.random() < 0.04:
        lots.append(random.choice([lots[0], LotRef(NOWHERE, MicroJam(1))]))
    return tuple(lots)


def befriend(scene: Scene, side: int) -> None:
    """Vouches, mostly in both directions; some are taken back."""
    random = scene.random
    for who in scene.some(side, 0.3):
        other = scene.anyone(side)
        scene.say(side, who, Vouch(other.player))
        if random.random() < 0.8:
            scene.say(side, other, Vouch(who.player))
        if random.random() < 0.15:
            scene.say(side, random.choice([who, other]), Unvouch(random.choice([who, other]).player))


def report(scene: Scene, side: int) -> None:
    """Several people report one, or one does."""
    random, about = scene.random, scene.anyone(side)
    for who in scene.some(side, random.choice([0.2, 0.9])):
        scene.say(side, who, Report(about.player, Why.REPLAY, NOWHERE))


def listen(scene: Scene, side: int) -> None:
    """A concert: some people witness one or two performers."""
    random = scene.random
    session = random.choice(SESSIONS)
    for performer in [scene.anyone(side) for _ in range(random.choice([1, 2]))]:
        for who in scene.some(side, random.choice([0.2, 0.7])):
            tags = random.choice([[], ["joy"], ["joy", "swing"], ["swing", "joy"]])
            ratings = tuple(Rating(tag, random.randrange(6)) for tag in tags)
            scene.say(side, who, Witness(session, performer.player, ratings, random.random() < 0.3))


def hold_jam(scene: Scene, side: int) -> None:
    """A jam is opened, and closed by its creator, or by somebody who may not."""
    random, who = scene.random, scene.anyone(side)
    began = SessionOpen(random.choice(["a", "b"]), 120_000, 4, 4, Micros(10**9), ())
    scene.say(side, who, began)
    if random.random() < 0.6:
        by = who if random.random() < 0.8 else scene.anyone(side)
        jam = session_id(who.player, began) if random.random() < 0.9 else SessionId(random.randbytes(32))
        scene.say(side, by, *(SessionClose(jam, Micros(random.randrange(10**6))) for _ in range(random.choice([1, 2]))))


def wish(scene: Scene, side: int) -> None:
    scene.say(side, scene.anyone(side), ParamVote("decay_blocks", scene.random.randrange(100)))
