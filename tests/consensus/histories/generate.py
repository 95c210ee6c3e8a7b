"""A history from a seed."""

from __future__ import annotations

from random import Random

from consensus.checkpoint import Value
from consensus.ops import Transfer
from tests.consensus.histories import doings, playing, settling
from tests.consensus.histories.cast import CAST_MAX, Actor
from tests.consensus.histories.playing import Open
from tests.consensus.histories.rules import some_params
from tests.consensus.histories.scene import Ballots, History, Scene

ENTRIES_ENOUGH = 260  # no new epoch is begun after so many


def generate(seed: int, people: int | None = None, epochs: int | None = None) -> History:
    """Some epochs in the life of a mesh of 3 to 30 people. The same arguments always give the same history."""
    random = Random(seed)
    count = random.choice([3, 3, 4, 5, 5, 6, 7, 8, 10, 14, 20, CAST_MAX]) if people is None else people
    scene = Scene(random, some_params(random, count), count)
    cheats = [who for who in scene.cast if random.random() < random.choice([0.0, 0.1, 0.3])]
    opened: list[Open] = []
    finals: set[Value] = set()
    for _ in scene.params.founders:
        doings.befriend(scene, 0)
    last = scene.epoch + (random.randrange(4, 10) if epochs is None else epochs)
    while scene.epoch < last and len(scene.entries) < ENTRIES_ENOUGH:
        _epoch(scene, cheats, opened)
        for side in range(len(scene.on)):
            finals |= settling.settle(scene, side, cheats)
        scene.epoch += 1
    scene.merge()
    founders = scene.params.founders
    hostile = sum(1 for who in cheats if who.player in founders)
    ballots = Ballots(len(founders), hostile, frozenset(finals))
    return History(seed, scene.params, scene.network, tuple(scene.entries), tuple(scene.sides), ballots)


def _epoch(scene: Scene, cheats: list[Actor], opened: list[Open]) -> None:
    random, n = scene.random, scene.params.epoch_windows
    if len(scene.on) == 1 and random.random() < 0.25:
        scene.split([who for who in cheats if random.random() < 0.7])
    elif random.random() < 0.4:
        scene.merge()
    for side in range(len(scene.on)):
        view = scene.view(side)
        _talk(scene, side)
        doings.spend(scene, side, view)
        for window in range(scene.epoch * n, scene.epoch * n + n):
            playing.pulse(scene, side, window, random.choice([0.5, 0.9, 1.0]))
            opened += playing.propose(scene, side, window, random.choice([0, 1, 1, 2, 3]))
            now = [block for block in opened if block.side == side and random.random() < 0.9]
            opened[:] = [block for block in opened if block not in now]
            playing.vote(scene, side, view, now)
        for who in cheats:
            if who.number in scene.on[side] and random.random() < 0.3:
                _cheat(scene, side, who)
    if len(scene.on) == 1:
        opened[:] = [block._replace(side=0) for block in opened]


def _talk(scene: Scene, side: int) -> None:
    random = scene.random
    for talk, chance in (
        (doings.befriend, 0.6), (doings.report, 0.3), (doings.listen, 0.5), (doings.hold_jam, 0.2), (doings.wish, 0.1),
    ):  # fmt: skip
        if random.random() < chance:
            talk(scene, side)
    if random.random() < 0.1:
        scene.garble(side, scene.anyone(side))


def _cheat(scene: Scene, side: int, who: Actor) -> None:
    random = scene.random
    ops = (Transfer(scene.anyone(side).player, doings.some_lots(scene, scene.view(side), who), "again"),)
    way = random.randrange(4)
    if way == 0:
        scene.begin_again(side, who)
    elif way == 1:
        scene.branch(side, who, *ops)
    else:
        scene.fork(side, who, *ops)
