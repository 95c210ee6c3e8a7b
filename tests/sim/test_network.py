"""What a line does to frames, and what it never does."""

from __future__ import annotations

import pytest

from crdt.errors import Misuse
from crdt.limits import OUTBOX_BYTES_MAX, OUTBOX_FRAMES_MAX
from node.engine.effects import Effect
from node.engine.inputs import FrameReceived, HintReceived, Input
from sim.host import Host
from sim.network import Gossip, Line
from sim.timeline import Timeline
from sim.world import NOTICED_US, World
from tests.sim.room import SECOND, START_US, identity, room, settle, totals

FRAMES = [b"%06d" % number for number in range(2_000)]


class Ear:
    """A policy that only listens: what reached the engine, when."""

    def __init__(self, world: World, host: Host) -> None:
        self.heard: list[tuple[int, bytes]] = []
        self.hints = 0
        self._world = world
        self.conduct = host.engine.duties.conduct
        host.sit(self)

    def act(self, host: Host, event: Input, effects: list[Effect]) -> list[Effect]:
        if isinstance(event, FrameReceived) and event.frame[:1].isdigit():
            self.heard.append((self._world.now_us, event.frame))
        self.hints += isinstance(event, HintReceived)
        return []

    @property
    def frames(self) -> list[bytes]:
        return [frame for _, frame in self.heard]


def _carried(line: Line, seed: int = 1, every_us: int = 1_000) -> tuple[World, Ear]:
    """All frames, one after another, over such a line."""
    world, (one, other) = room(2, seed, linked=False)
    ear = Ear(world, other)
    world.link(one.player, other.player, line)
    for number, frame in enumerate(FRAMES):
        world.after(SECOND + number * every_us, world.send, one.player, other.player, frame)
    world.run_until(world.now_us + 60 * SECOND)
    return world, ear


ROUGH = [
    Line(),
    Line(spread_us=80_000),
    Line(tail="exponential", tail_us=20_000),
    Line(tail="lognormal", tail_us=5_000, tail_sigma=2.0),
    Line(loss=0.2),
    Line(bytes_per_s=4_000),
]


@pytest.mark.parametrize("line", ROUGH, ids=["lan", "spread", "exponential", "lognormal", "loss", "slow"])
def test_whatever_a_line_does_frames_come_once_and_in_order(line: Line) -> None:
    world, ear = _carried(line)
    assert ear.frames == FRAMES
    assert world.network.dropped == 0


def test_a_lost_packet_is_a_delay_for_all_behind_it() -> None:
    _, smooth = _carried(Line(spread_us=0))
    _, rough = _carried(Line(spread_us=0, loss=0.05))
    late = [at - sent for (at, _), (sent, _) in zip(rough.heard, smooth.heard, strict=True)]
    assert max(late) >= 200_000
    assert sum(delay > 0 for delay in late) > 0.05 * len(late) * 2  # those behind a lost one wait with it


def test_a_line_takes_no_more_than_it_can() -> None:
    _, ear = _carried(Line(base_us=0, spread_us=0, bytes_per_s=3_000))
    least_us = len(FRAMES) * 6 * SECOND // 3_000
    assert least_us * 99 < (ear.heard[-1][0] - ear.heard[0][0]) * 100 < least_us * 105  # an engine says things too


@pytest.mark.parametrize("line", [Line(drop=0.1), Line(overtake=0.1), Line(duplicate=0.1)])
def test_a_harsh_line_does_to_frames_what_it_says(line: Line) -> None:
    world, ear = _carried(line)
    share = len(FRAMES) // 20, len(FRAMES) // 5
    missing = len(set(FRAMES)) - len(set(ear.frames))
    twice = len(ear.frames) - len(set(ear.frames))
    passed = sum(one > other for one, other in zip(ear.frames, ear.frames[1:], strict=False))
    assert (share[0] < missing < share[1]) == (line.drop > 0) and (missing == 0) == (line.drop == 0)
    assert (share[0] < twice < share[1]) == (line.duplicate > 0) and (twice == 0) == (line.duplicate == 0)
    assert (passed > share[0] // 2) == (line.overtake > 0 or line.duplicate > 0)
    assert world.network.dropped >= missing if line.drop else world.network.dropped == 0


def test_a_queue_is_bounded_and_what_does_not_fit_is_counted() -> None:
    world, (one, other) = room(2, linked=False)
    ear = Ear(world, other)
    world.link(one.player, other.player, Line(bytes_per_s=1_000))
    big = b"0" * 50_000
    for _ in range(100):
        world.send(one.player, other.player, big)
    world.run_until(world.now_us + 3_000 * SECOND)
    room_for = OUTBOX_BYTES_MAX // len(big)
    assert room_for - 2 <= len(ear.frames) <= room_for and world.network.dropped == 100 - len(ear.frames)


def test_what_waits_at_a_cut_cable_arrives_when_it_is_mended_as_far_as_there_is_room() -> None:
    world, (one, other) = room(2)
    ear = Ear(world, other)
    world.run_until(world.now_us + SECOND)
    world.cut(one.player, other.player)
    for frame in FRAMES:
        world.send(one.player, other.player, frame)
    world.run_until(world.now_us + SECOND)
    assert not ear.frames
    world.mend(one.player, other.player)
    assert 0 < len(ear.frames) <= OUTBOX_FRAMES_MAX and ear.frames == FRAMES[: len(ear.frames)]


def test_a_cable_can_be_cut_one_way() -> None:
    world, (one, other) = room(2)
    here, there = Ear(world, one), Ear(world, other)
    world.cut(one.player, other.player, both=False)
    world.send(one.player, other.player, FRAMES[0])
    world.send(other.player, one.player, FRAMES[1])
    world.run_until(world.now_us + SECOND)
    assert (here.frames, there.frames) == ([FRAMES[1]], [])
    assert world.network.is_cut(one.player, other.player) and world.network.is_cut(other.player, one.player)


def test_frames_under_way_on_a_link_that_ends_are_lost_for_the_next_one_too() -> None:
    world, (one, other) = room(2)
    ear = Ear(world, other)
    world.send(one.player, other.player, FRAMES[0])
    world.unlink(one.player, other.player)
    world.link(one.player, other.player)
    world.run_until(world.now_us + SECOND)
    assert not ear.frames


def test_segments_of_a_network_hear_nothing_of_each_other_and_then_everything() -> None:
    world, hosts = room(4)
    ears = [Ear(world, host) for host in hosts]
    world.partition({host.player: number % 2 for number, host in enumerate(hosts)})
    world.run_until(world.now_us + NOTICED_US // 2)  # what was under way is waiting by now
    for host in hosts:
        for other in hosts:
            if other is not host:
                world.send(host.player, other.player, b"%d" % host.number)
        world.gossip(host.player, bytes(32))
    world.run_until(world.now_us + SECOND)
    assert [set(ear.frames) for ear in ears] == [{b"2"}, {b"3"}, {b"0"}, {b"1"}]
    assert max(ear.hints for ear in ears) <= 2
    world.partition({})
    assert [set(ear.frames) for ear in ears] == [{b"0", b"1", b"2", b"3"} - {b"%d" % n} for n in range(4)]


def test_a_link_made_across_a_cut_carries_nothing_until_it_is_gone() -> None:
    world, (one, other) = room(2, linked=False)
    ear = Ear(world, other)
    world.partition({one.player: 1})
    world.link(one.player, other.player)
    world.send(one.player, other.player, FRAMES[0])
    world.run_until(world.now_us + SECOND)
    assert not ear.frames
    world.partition({})
    assert ear.frames == [FRAMES[0]]


def test_hints_are_lost_late_and_come_twice() -> None:
    world = World(room(1)[0].params, 1, START_US, gossip=Gossip(loss=0.3, twice=0.3, most_us=SECOND))
    hosts = [world.add(identity(number)) for number in (1, 2)]
    ear = Ear(world, hosts[1])
    for _ in range(1_000):
        world.gossip(hosts[0].player, bytes(32))
    world.run_until(world.now_us + SECOND // 2)
    assert 200 < ear.hints < 700
    world.run_until(world.now_us + SECOND)
    assert 800 < ear.hints < 1_000  # 1,300 copies, of which 0.7 arrive


@pytest.mark.parametrize("line", [Line(drop=0.02), Line(loss=0.2, tail="exponential", tail_us=30_000)])
def test_a_mesh_over_such_lines_holds_the_same_in_the_end(line: Line) -> None:
    world = World(room(1)[0].params, 3, START_US, line=line)
    hosts = [world.add(identity(number)) for number in range(1, 5)]
    world.link_all()
    settle(world, 25)
    assert len(totals(hosts)) == 1
    assert world.network.deliveries > 100


def test_nobody_is_linked_with_themselves_nor_twice() -> None:
    world, (one, other) = room(2)
    with pytest.raises(Misuse):
        world.link(one.player, one.player)
    frames = world.frames
    world.link(one.player, other.player)
    assert world.frames == frames and world.linked(one.player) == [other.player]


def test_time_has_one_order_and_does_not_go_back() -> None:
    timeline, seen = Timeline(100), []
    for number in range(3):
        timeline.at(200, seen.append, number)
    timeline.after(50, seen.append, "first")
    with pytest.raises(Misuse):
        timeline.at(99, seen.append, "never")
    timeline.run_until(200)
    assert seen == ["first", 0, 1, 2] and timeline.now_us == 200 and len(timeline) == 0
