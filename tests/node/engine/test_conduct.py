"""What a player may decide for itself reshapes who verifies whom, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from consensus.blocks import Judgement
from consensus.ops import AnyOp, Vote, Vouch, Why, decode_ops
from consensus.params import SMALL
from consensus.quality.measure import NOTHING
from consensus.state import BlockState
from consensus.verdict import Standing
from crdt.types import PlayerId, Window, ledger_epoch
from jam.synthetic import make
from node.engine.conduct import HONEST, Conduct
from node.engine.effects import Work
from node.engine.engine import Engine
from node.engine.inputs import Tick
from sim.world import Host, World
from tests.sim.room import SECOND, START_US, identity, jam_entries, perform, room, roots, settle

YES = Judgement(Vote.YES, Why.FINE, NOTHING, ())


class Lazy(Conduct):
    def looks(self, state: BlockState) -> bool:
        return False

    def says(self, state: BlockState, finding: Judgement | None) -> Judgement | None:
        assert finding is None
        return YES


class Discreet(Conduct):
    def says(self, state: BlockState, finding: Judgement | None) -> Judgement | None:
        return None


class Absent(Conduct):
    def pulses(self, window: Window) -> bool:
        return False


@dataclass(frozen=True, kw_only=True)
class Vouching(Conduct):
    friend: PlayerId

    def declares(self, window: Window) -> tuple[AnyOp, ...]:
        return (Vouch(self.friend),)


def _played(choose: Callable[[list[Host]], Conduct], count: int = 4) -> tuple[World, list[Host], list[int]]:
    """A room in which the second behaves otherwise, the first plays for two windows; how often each was given work."""
    world, hosts = room(count)
    hosts[1].engine.duties.conduct = choose(hosts)
    work = [0] * count
    for number, host in enumerate(hosts):
        handle = host.engine.handle

        def counted(now_us: int, event: object, handle: object = handle, number: int = number) -> list[object]:
            effects = handle(now_us, event)  # type: ignore[operator]
            work[number] += sum(isinstance(effect, Work) for effect in effects)
            return effects  # type: ignore[no-any-return]

        host.engine.handle = counted  # type: ignore[method-assign, assignment]
    world.run_until(world.now_us + 3 * SECOND)
    world.run_until(perform(world, hosts[0], make(3, 27 * SECOND, 100_000)))
    settle(world)
    return world, hosts, work


def _voters(host: Host) -> set[PlayerId]:
    return {vote.verifier for block in host.engine.ledger.blocks() for vote in block.votes}


def test_an_engine_is_honest_unless_told_otherwise() -> None:
    assert Engine(identity(1), SMALL, START_US).duties.conduct is HONEST
    refusing = Conduct(frozenset({identity(2).player}))
    assert Engine(identity(1), SMALL, START_US, conduct=refusing).duties.conduct is refusing
    assert not refusing.verifies(identity(2).player)
    assert refusing.verifies(identity(3).player) and HONEST.verifies(identity(2).player)


def test_who_is_refused_plays_on_and_is_judged_by_the_others() -> None:
    _, hosts, work = _played(lambda hosts: Conduct(frozenset({hosts[0].player})))
    assert _voters(hosts[3]) == {hosts[2].player, hosts[3].player}
    blocks = hosts[1].engine.ledger.blocks()
    assert len(blocks) >= 2 and all(block.standing is Standing.LOCAL for block in blocks)
    assert jam_entries(hosts[1]) == jam_entries(hosts[0]) > 0
    assert len(roots(hosts)) == 1
    assert work[1] == 0 < work[2]


def test_who_does_not_look_votes_at_no_cost() -> None:
    _, hosts, work = _played(lambda _: Lazy())
    assert hosts[1].player in _voters(hosts[3])
    assert work[1] == 0 < work[2]
    assert len(roots(hosts)) == 1


def test_what_is_kept_to_oneself_is_judged_once() -> None:
    _, hosts, work = _played(lambda _: Discreet())
    blocks = hosts[0].engine.ledger.blocks()
    assert hosts[1].player not in _voters(hosts[3])
    assert work[1] == work[2] == len(blocks) >= 2


def test_who_does_not_pulse_is_not_there() -> None:
    world, hosts, _ = _played(lambda _: Absent())
    pulses = hosts[3].engine.ledger.pulses
    window = SMALL.window_at(world.now_us)
    assert all(hosts[1].player not in pulses(Window(window - back)) for back in range(4))
    assert hosts[1].player not in _voters(hosts[3])


def test_what_is_declared_stands_beside_the_pulse_once_a_window() -> None:
    world, hosts = room(2)
    hosts[0].engine.duties.conduct = Vouching(friend=hosts[1].player)
    world.run_until(world.now_us + 2 * SMALL.window_us + SECOND)
    said = {host.player: _signed(hosts[1], host.player) for host in hosts}
    assert len(said[hosts[0].player]) == len(said[hosts[1].player]) == 3  # windows
    assert all(ops[1:] == (Vouch(hosts[1].player),) for ops in said[hosts[0].player])
    assert all(len(ops) == 1 for ops in said[hosts[1].player])


def _signed(host: Host, author: PlayerId) -> list[tuple[AnyOp, ...]]:
    """The operations in each of an author's entries in the ledger."""
    return [
        decode_ops(entry.body.payload)[0]
        for name, replica in host.engine.documents.replicas.items()
        if ledger_epoch(name) is not None
        for key, log in replica.logs.items()
        if key.author == author
        for entry in log.entries
    ]


@pytest.mark.parametrize("seconds", [1, 5])
def test_a_conduct_is_asked_by_a_node_that_is_alone_too(seconds: int) -> None:
    engine = Engine(identity(1), SMALL, START_US, conduct=Absent())
    effects = engine.handle(START_US + seconds * SECOND, Tick())
    assert engine.ledger.counts().entries == 0
    assert not [effect for effect in effects if type(effect).__name__ == "Persist"]


class Denying(Conduct):
    def says(self, state: BlockState, finding: Judgement | None) -> Judgement | None:
        return Judgement(Vote.NO, Why.REPLAY, NOTHING, ()) if finding else None


def test_one_no_has_everybody_look_who_is_drawn_even_where_there_was_a_quorum_of_yes() -> None:
    """Found by comparing the two fidelities of the simulator: later tranches kept quiet about what was accepted."""
    people = 14
    world, hosts, _ = _played(lambda _: Denying(), people)
    denied = [
        block
        for block in hosts[0].engine.ledger.blocks()
        if block.proposer == hosts[0].player
        and any(vote.vote is Vote.NO and vote.tranche == 0 for vote in block.votes)
        and sum(vote.vote is Vote.YES and vote.tranche == 0 for vote in block.votes) >= block.quorum
    ]
    assert denied
    for block in denied:
        assert len(block.votes) == people - 1 and block.standing is Standing.LOCAL
    del world
