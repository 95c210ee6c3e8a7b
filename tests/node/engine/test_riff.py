"""Riffs in a room of engines: asked for, played, claimed, verified, paid."""

from __future__ import annotations

import msgspec

from consensus.facts import SessionFacts
from consensus.ops import Vote, Why
from consensus.verdict import Standing
from crdt.types import Window
from jam.synthetic import make
from node.engine.inputs import OpenSession, Play, Played
from node.shell import views
from sim.world import Host, World
from tests.sim.room import SECOND, room, settle

TEMPO = 100_000
ALONE_US = 300_000  # how far from a riff's note the player leaves everything else out


class Answering:
    """A player that plays a performance and, in its place, each riff that it is asked for."""

    def __init__(self, world: World, host: Host, seconds: int, answers: bool = True) -> None:
        self.world, self.host, self.answers = world, host, answers
        host.give(OpenSession("riffs", TEMPO, 4, 4))
        self.t0_us = world.now_us
        self.due_us: set[int] = set()
        self.asked: set[Window] = set()
        for note in make(3, seconds * SECOND, TEMPO).events:
            played = Played(self.t0_us + note.t_us, note.kind, note.lane, note.pitch, note.velocity)
            world.after(note.t_us, lambda p=played: self._play(p))
        for tick in range(seconds * 5):
            world.after(tick * SECOND // 5, self._look)

    def _play(self, played: Played) -> None:
        if all(abs(played.at_us - due) > ALONE_US for due in self.due_us):
            self.host.give(Play((played,)))

    def session(self) -> SessionFacts:
        return self.host.engine.ledger.sessions()[-1]

    def _look(self) -> None:
        duties, window = self.host.engine.duties, self.host.engine.params.window_at(self.world.now_us)
        asked = duties.riff(window)
        if asked is None or window in self.asked:
            return
        self.asked.add(window)
        if not self.answers:
            return
        for t_us, lane in zip(duties.riff_moments_us(self.session(), window), asked.lanes, strict=True):
            at_us = self.t0_us + t_us + 30_000
            assert at_us > self.world.now_us  # it is known before it is due
            self.due_us.add(at_us)
            played = Played(at_us, 0, lane, 60, 90)
            self.world.after(at_us - self.world.now_us, lambda p=played: self.host.give(Play((p,))))


def _jam(answers: bool, seconds: int = 43) -> tuple[World, list[Host], Answering]:
    world, hosts = room(3)
    world.run_until(world.now_us + 13 * SECOND)
    player = Answering(world, hosts[0], seconds, answers)
    world.run_until(world.now_us + seconds * SECOND)
    settle(world)
    return world, hosts, player


def test_who_plays_its_riffs_is_believed_and_paid_in_full() -> None:
    _, hosts, player = _jam(answers=True)
    blocks = hosts[1].engine.ledger.blocks()
    assert len(player.asked) >= 4
    answered = [block for block in blocks if block.window in player.asked]
    assert len(answered) >= 4
    assert all(block.standing is Standing.LOCAL for block in blocks)
    full = [block for block in answered if block.op.riff]
    assert len(full) >= 3  # the jam begins and ends within a window
    assert all(len(block.op.pulses) == 2 for block in full)
    words = [outcome.words[-1] for outcome in hosts[0].engine.duties.outcomes.values()]
    assert sum(line.startswith("riff: played") for line in words) == len(full)


def test_who_does_not_claims_nothing() -> None:
    _, hosts, player = _jam(answers=False)
    blocks = hosts[1].engine.ledger.blocks()
    assert player.asked and blocks
    assert not any(block.op.riff for block in blocks)
    assert all(block.standing is Standing.LOCAL for block in blocks)


def test_a_claim_without_the_riff_is_voted_down() -> None:
    world, hosts = room(3)
    world.run_until(world.now_us + 13 * SECOND)
    duties = hosts[0].engine.duties
    propose = duties._propose

    def lying(window: Window, ops: list, now_us: int) -> bool:
        done = propose(window, ops, now_us)
        ops[:] = [msgspec.structs.replace(op, riff=True) if hasattr(op, "riff") else op for op in ops]
        return done

    duties._propose = lying  # type: ignore[method-assign]
    Answering(world, hosts[0], 33, answers=False)
    world.run_until(world.now_us + 33 * SECOND)
    settle(world)
    lies = [block for block in hosts[1].engine.ledger.blocks() if block.op.riff and block.op.pulses]
    assert lies
    for block in lies:
        assert block.standing is Standing.REJECTED
        assert {(vote.vote, vote.why) for vote in block.votes} == {(Vote.NO, Why.RIFF_MISMATCH)}


def test_a_player_alone_is_asked_for_nothing() -> None:
    world, hosts = room(1)
    world.run_until(world.now_us + 35 * SECOND)
    duties = hosts[0].engine.duties
    assert not any(duties.riff(Window(duties.params.window_at(world.now_us) - back)) for back in range(4))


def test_what_was_asked_for_stands_when_more_pulses_come() -> None:
    world, hosts = room(4, linked=False)
    world.link(hosts[0].player, hosts[1].player)
    world.run_until(world.now_us + 15 * SECOND)
    duties = hosts[0].engine.duties
    window = duties.params.window_at(world.now_us)
    asked = duties.riff(window)
    assert asked is not None and len(asked.refs) == 1
    world.link_all()
    world.run_until(world.now_us + 3 * SECOND)
    assert duties.params.window_at(world.now_us) == window
    assert len(duties.ledger.pulses(window)) == 4
    assert duties.riff(window) == asked


def test_the_page_is_told_what_is_due() -> None:
    world, hosts = room(2)
    world.run_until(world.now_us + 13 * SECOND)
    engine = hosts[0].engine
    assert views.riff(engine, world.now_us) is None  # nothing is on
    hosts[0].give(OpenSession("riffs", TEMPO, 4, 4))
    world.run_until(world.now_us + 2 * SECOND)
    told = views.riff(engine, world.now_us)
    asked = engine.duties.riff(engine.params.window_at(world.now_us))
    assert told is not None and asked is not None
    assert (told["window"], tuple(told["lanes"])) == (asked.window, asked.lanes)
    assert len(told["t_us"]) == 4 and told["t_us"] == sorted(told["t_us"])
    world.run_until(world.now_us + 6 * SECOND)
    assert views.riff(engine, world.now_us) is None  # a new window has begun, and its riff is not drawn yet
