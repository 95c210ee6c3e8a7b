"""What goes wrong follows from the seed, is undone by the end, and can be taken away kind by kind."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crdt.errors import Misuse
from sim.faults import ALL, CABLE, CALM_MS, PROCESS, Fault, Kind, parse_kinds, plan
from sim.host import Host
from sim.network import Line
from sim.trouble import Cables, Mesh, Trouble, neighbours
from sim.world import World
from tests.sim.room import SECOND, room, totals


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10**6), st.integers(1, 40), st.integers(0, 4_000), st.sampled_from([0.0, 0.5, 1.0, 8.0]),
    st.sets(st.sampled_from(sorted(Kind))),
)  # fmt: skip
def test_faults_fit(seed: int, nodes: int, seconds: int, intensity: float, kinds: set[Kind]) -> None:
    faults = plan(seed, nodes, seconds, kinds, intensity)
    assert faults == plan(seed, nodes, seconds, sorted(kinds), intensity) == tuple(sorted(faults))
    for fault in faults:
        assert fault.kind in kinds and fault.nodes and set(fault.nodes) <= set(range(nodes))
        assert fault.kind is Kind.LATE or fault.at_ms > CALM_MS
        assert fault.at_ms <= fault.ends_ms <= seconds * 1_000
        down = [other for other in faults if other.kind in PROCESS and _at_once(fault, other)]
        late = sum(len(other.nodes) for other in down if other.kind is Kind.LATE)
        assert fault.kind not in PROCESS or sum(len(other.nodes) for other in down) <= max(1, nodes // 3) + late


def _at_once(one: Fault, other: Fault) -> bool:
    return other.at_ms <= one.at_ms < other.ends_ms


def test_there_is_something_of_everything_in_an_hour() -> None:
    assert {fault.kind for seed in range(3) for fault in plan(seed, 16, 3_600)} == ALL


def test_another_seed_has_other_faults() -> None:
    assert plan(1, 8, 600) != plan(2, 8, 600)


def test_a_kind_that_is_left_out_moves_none_of_another_group() -> None:
    cables = [fault for fault in plan(5, 8, 2_000) if fault.kind in CABLE]
    without = plan(5, 8, 2_000, ALL - set(PROCESS))
    assert cables and cables == [fault for fault in without if fault.kind in CABLE]


@pytest.mark.parametrize(
    ("words", "kinds"),
    [
        ("all", ALL), ("none", set()), ("", set()), ("kill, power", {Kind.KILL, Kind.POWER}),
        ("-kill", ALL - {Kind.KILL}), ("all,-split,-cut", ALL - {Kind.SPLIT, Kind.CUT}),
    ],
)  # fmt: skip
def test_kinds_are_read(words: str, kinds: set[Kind]) -> None:
    assert parse_kinds(words) == kinds


@pytest.mark.parametrize("words", ["fire", "kill;power", "all,flood"])
def test_what_is_no_kind_is_refused_with_those_there_are(words: str) -> None:
    with pytest.raises(Misuse, match="storm"):
        parse_kinds(words)


@pytest.mark.parametrize("bad", [{"nodes": 0}, {"seconds": -1}, {"intensity": -1.0}, {"scale": 0.0}])
def test_what_makes_no_sense_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(Misuse):
        plan(**{"seed": 1, "nodes": 3, "seconds": 60, **bad})  # type: ignore[arg-type]


@pytest.mark.parametrize(("nodes", "degree"), [(1, 4), (2, 4), (3, 4), (16, 4), (40, 6), (7, 2)])
def test_everybody_has_neighbours_and_all_hang_together(nodes: int, degree: int) -> None:
    world, _ = room(1)
    pairs = neighbours(nodes, degree, world.random)
    assert all(0 <= one < other < nodes for one, other in pairs) and len(set(pairs)) == len(pairs)
    reached = {0}
    for _ in range(nodes):
        reached |= {end for pair in pairs if reached & set(pair) for end in pair}
    assert reached == set(range(nodes))
    assert len(pairs) >= min(nodes * degree // 2, nodes * (nodes - 1) // 2) or nodes == 1


def stage(*faults: Fault, nodes: int = 3) -> tuple[World, list[Host], Cables]:
    world, hosts = room(nodes, linked=False)
    cables = Cables(world, hosts)
    mesh = Mesh(world, hosts, neighbours(nodes, nodes, world.random), cables)
    Trouble(world, hosts, faults, cables).begin()
    mesh.begin()
    return world, hosts, cables


@pytest.mark.parametrize("kind", [Kind.KILL, Kind.POWER, Kind.LEAVE, Kind.STORM, Kind.DISK_ERROR, Kind.DISK_FULL])
def test_a_process_that_ended_comes_back_and_catches_up(kind: Kind) -> None:
    world, hosts, _ = stage(Fault(2_000, 24_000, kind, (1,), 900))
    lives = []
    for _ in range(260):
        world.run_until(world.now_us + SECOND // 10)
        lives.append(hosts[1].alive)
    assert not all(lives)
    world.run_until(world.now_us + 9 * SECOND)
    assert hosts[1].alive and len(world.linked(hosts[1].player)) == 2 and len(totals(hosts)) == 1


def test_who_comes_late_was_not_there() -> None:
    world, hosts, _ = stage(Fault(0, 5_000, Kind.LATE, (2,)))
    world.run_until(world.now_us + 4 * SECOND)
    assert not hosts[2].alive and not world.linked(hosts[2].player)
    world.run_until(world.now_us + 9 * SECOND)
    assert hosts[2].alive and len(totals(hosts)) == 1


def test_a_clock_that_was_set_is_seen_by_the_process_that_starts_with_it() -> None:
    world, hosts, _ = stage(Fault(2_000, 3_000, Kind.JUMP, (0,), -90_000))
    world.run_until(world.now_us + 3 * SECOND)
    assert hosts[0].now_us == world.now_us - 90 * SECOND
    world.run_until(world.now_us + 3 * SECOND)
    assert hosts[0].now_us == world.now_us


@pytest.mark.parametrize("kind", [Kind.CUT, Kind.SPLIT, Kind.DEAF, Kind.MUTE])
def test_a_dead_cable_is_noticed_and_dialled_again(kind: Kind) -> None:
    world, hosts, cables = stage(Fault(2_000, 6_000, kind, (1,)))
    world.run_until(world.now_us + 2 * SECOND + SECOND // 2)
    assert cables.dead(0, 1) and not cables.dead(0, 2)
    world.run_until(world.now_us + 5 * SECOND)
    assert not world.linked(hosts[1].player) and world.linked(hosts[0].player) == [hosts[2].player]
    world.run_until(world.now_us + 9 * SECOND)
    assert not cables.dead(0, 1) and len(world.linked(hosts[1].player)) == 2 and len(totals(hosts)) == 1


def test_a_bad_line_is_bad_for_links_made_meanwhile_too() -> None:
    world, hosts, cables = stage(Fault(2_000, 6_000, Kind.SLOW, (1,), 700), Fault(3_000, 500, Kind.KILL, (2,)))
    world.run_until(world.now_us + 7 * SECOND)
    assert cables.line(0, 1).base_us == cables.line(1, 2).base_us == 700_000 and cables.line(0, 2).is_plain
    dropped = world.network.dropped
    world.run_until(world.now_us + 9 * SECOND)
    assert cables.line(0, 1).is_plain and world.network.dropped == dropped and len(totals(hosts)) == 1


def test_gossip_that_comes_twice_and_frames_that_overtake_are_put_right() -> None:
    world, _, cables = stage(
        Fault(1_000, 1_000, Kind.DUPLICATES, (0,), 500), Fault(1_000, 1_000, Kind.REORDER, (1,), 50)
    )
    hints = world.network.hints
    world.run_until(world.now_us + SECOND + 1)
    assert world.network.hints.twice == 0.5 and cables.line(0, 1).overtake == 0.05
    world.run_until(world.now_us + 2 * SECOND)
    assert world.network.hints == hints and cables.line(0, 1).is_plain


def test_a_full_disk_is_full_for_the_next_process_too() -> None:
    world, hosts, _ = stage(Fault(1_000, 50_000, Kind.DISK_FULL, (0,)))
    world.run_until(world.now_us + 50 * SECOND)
    assert not hosts[0].alive
    hosts[0].start()
    assert not hosts[0].alive and hosts[0].failure is not None
    assert hosts[0].failure.why.startswith("No space")
    world.run_until(world.now_us + 9 * SECOND)
    assert hosts[0].alive


def test_no_frame_overtakes_the_hello_of_a_line_that_was_slower_then() -> None:
    world, hosts = room(2, linked=False)
    world.link(hosts[0].player, hosts[1].player, Line(base_us=1_500_000, overtake=0.0, loss=0.001))
    for one, other in (hosts, hosts[::-1]):
        world.network.set_line(one.player, other.player, Line(overtake=1.0))
    world.run_until(world.now_us + 5 * SECOND)
    assert all(not host.engine.refused and not peer.violations for host in hosts for peer in host.engine.peers.values())
    assert all(peer.hello is not None for host in hosts for peer in host.engine.peers.values())
