"""Checkpoints in histories: founders agree on the past as honest nodes do, and hostile ones sign whatever they like.

What an honest one signs is asked of the real ledger of its side: what is voted on is a digest of that ledger's content.
No ledger begins again from what is final here: the question is whether two things ever are.
"""

from __future__ import annotations

from consensus.checkpoint import NO_BASE, Value, to_commit, to_prepare
from consensus.content import value_of
from consensus.ledger import Ledger
from consensus.ops import Checkpoint, Stage
from crdt.types import Digest, Epoch
from tests.consensus.histories.cast import Actor
from tests.consensus.histories.scene import Scene


def settle(scene: Scene, side: int, cheats: list[Actor]) -> set[Value]:
    """One round of a side: prepare, commit; returns what is final there."""
    founders = [who for who in scene.here(side) if who.player in scene.params.founders]
    if not founders:
        return set()
    for who in founders:
        if who in cheats and scene.random.random() < 0.5:
            _lie(scene, side, who)
    for stage in (Stage.PREPARE, Stage.COMMIT):
        ledger = _ledger(scene, side)
        for who in founders:
            if who not in cheats and scene.random.random() < 0.95:
                _vote(scene, side, who, ledger, stage)
    final = _ledger(scene, side).count().final()
    return set() if final is None else {final}


def _ledger(scene: Scene, side: int) -> Ledger:
    ledger = Ledger(scene.params, scene.network)
    for number in scene.known[side]:
        ledger.add(scene.entries[number])
    return ledger


def _vote(scene: Scene, side: int, who: Actor, ledger: Ledger, stage: Stage) -> None:
    round_, count = Epoch(scene.epoch), ledger.count()
    if stage is Stage.PREPARE:
        own = value_of(scene.network, ledger.content_at(Epoch(round_ - scene.params.checkpoint_lag)))
        value = to_prepare(count, who.player, round_, own)
    else:
        value = to_commit(count, who.player, round_)
    if value is not None:
        scene.say(side, who, Checkpoint(value.epoch, value.digest, NO_BASE, stage))


def _lie(scene: Scene, side: int, who: Actor) -> None:
    """Votes for what others prepared, or for anything, at any stage, several in one round."""
    prepared = _ledger(scene, side).count().prepared()
    values = [] if prepared is None else [prepared[1]]
    values += [Value(Epoch(scene.epoch - scene.params.checkpoint_lag - n), Digest(bytes([n]) * 32)) for n in (0, 1)]
    for _ in range(scene.random.choice([1, 2, 4])):
        value = scene.random.choice(values)
        scene.say(side, who, Checkpoint(value.epoch, value.digest, NO_BASE, scene.random.choice(list(Stage))))
