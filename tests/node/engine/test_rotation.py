"""A jam that lasts goes on in the next document: nothing is lost at the seam, and blocks on both sides count."""

from __future__ import annotations

from consensus.events import decode_events
from consensus.params import SMALL
from consensus.verdict import Standing
from crdt.entry import Entry
from crdt.types import NO_ENTRY, DocumentName, jam_session
from jam.synthetic import make
from node.engine.engine import Engine
from node.engine.inputs import Play, Played
from sim.world import Host
from tests.node.engine.test_engine import ME
from tests.sim.room import SECOND, START_US, perform, room, roots, settle, totals

EPOCH_US = SMALL.window_us * SMALL.epoch_windows
EPOCH = SMALL.epoch_of(SMALL.window_at(START_US))
SEAM_US = (EPOCH + 1) * EPOCH_US  # where the epoch of START_US ends


def _parts(engine: Engine) -> dict[int, list[Entry]]:
    """This player's entries by part."""
    out: dict[int, list[Entry]] = {}
    for name, replica in engine.documents.replicas.items():
        jam = jam_session(name)
        if jam is not None:
            out[jam[1]] = [e for key, log in replica.logs.items() if key.author == engine.player for e in log.entries]
    return out


def _play(engine: Engine, *moments_us: int) -> None:
    engine.handle(max(moments_us), Play(tuple(Played(at_us, 0, 1, 60, 90) for at_us in moments_us)))


def test_a_log_goes_on_in_the_next_part_and_links_back() -> None:
    engine = Engine(ME, SMALL, START_US)
    _play(engine, SEAM_US - 2_000)
    _play(engine, SEAM_US - 1_000, SEAM_US + 1_000)
    _play(engine, SEAM_US + EPOCH_US)
    _play(engine, SEAM_US + EPOCH_US + 2_000, SEAM_US + EPOCH_US - 2_000)
    parts = _parts(engine)
    assert {part: [len(decode_events(e.body.payload)) for e in log] for part, log in parts.items()} == {
        0: [1, 1],
        1: [1, 1],
        2: [1, 1],
    }
    assert parts[0][0].body.prev == NO_ENTRY
    assert parts[1][0].body.prev == parts[0][-1].id
    assert parts[2][0].body.prev == parts[1][0].id
    assert [entry.body.seq for entry in parts[1]] == [0, 1]


def test_blocks_on_both_sides_of_the_seam_are_accepted_and_all_agree() -> None:
    world, hosts = room(4)
    world.run_until(world.now_us + 10 * SECOND)
    world.run_until(perform(world, hosts[0], make(3, 45 * SECOND, 100_000)))
    settle(world)
    accepted = [s.op for s in hosts[0].engine.ledger.blocks() if s.standing is Standing.LOCAL]
    parts = {part: {op.window for op in accepted if jam_session(op.document) == (op.session, part)} for part in (0, 1)}
    assert parts[0] and parts[1]
    assert len(roots(hosts)) == len(totals(hosts)) == 1
    for window in parts[1]:
        assert SMALL.epoch_of(window) == EPOCH + 2  # the jam began in the one after that of START_US


def _names(host: Host) -> set[DocumentName]:
    return {name for name in host.engine.documents.names() if jam_session(name) is not None}


def test_a_node_that_restarts_goes_on_in_the_part_of_the_moment() -> None:
    world, hosts = room(2)
    world.run_until(world.now_us + 2 * SECOND)
    world.run_until(perform(world, hosts[0], make(3, 5 * SECOND, 100_000)))
    hosts[0].kill()
    world.run_until(SEAM_US + SECOND)
    hosts[0].start()
    world.link_all()
    world.run_until(perform(world, hosts[0], make(4, 5 * SECOND, 100_000), opens=False))
    settle(world)
    parts = _parts(hosts[0].engine)
    assert parts[1][0].body.prev == parts[0][-1].id
    assert _names(hosts[0]) == _names(hosts[1])
    assert len(_names(hosts[0])) == 2
