"""One key on two machines, one after the other: the second begins where nothing of the first can stand beside it."""

from __future__ import annotations

from consensus.params import SMALL
from crdt.types import NO_ENTRY, NO_NONCE, Epoch, Window, jam_session, ledger_epoch
from jam.synthetic import make
from node.engine.inputs import OpenSession
from sim.host import Host
from sim.world import World
from tests.sim.room import SECOND, identity, perform, room, roots, settle

EPOCH_US = SMALL.epoch_windows * SMALL.window_us
ME = identity(1)


def epoch_now(world: World) -> Epoch:
    return SMALL.epoch_of(SMALL.window_at(world.now_us))


def moved(world: World, restored: Epoch | None) -> Host:
    """The key on a machine of its own, in place of the one where it was, linked to everybody."""
    host = Host(world, ME, restored=restored)
    world.hosts[ME.player] = host
    world.after(1, world._tick, host)
    world.link_all()
    return host


def signed(host: Host) -> list[tuple[int, int, bytes]]:
    """This player's ledger as a host holds it: epoch, number, predecessor."""
    found = []
    for name, replica in host.engine.documents.replicas.items():
        epoch = ledger_epoch(name)
        if epoch is not None:
            found += [
                (epoch, entry.body.seq, entry.body.prev)
                for key, log in replica.logs.items()
                if key.author == ME.player
                for entry in log.entries
            ]
    return sorted(found)


def nobody_equivocated(world: World) -> None:
    for host in world.hosts.values():
        assert host.engine.documents.equivocations() == []
        assert host.engine.ledger.cuts() == {}


def played(host: Host) -> int:
    return sum(state.proposer == ME.player for state in host.engine.ledger.blocks())


def test_a_restored_key_takes_up_its_log_and_contradicts_nothing_even_what_nobody_else_has_seen() -> None:
    """The first machine signs its last entries alone, unheard, and comes back later: the worst there is."""
    world, (first, other, _) = room(3)
    world.run_until(perform(world, first, make(1, 12 * SECOND, 120_000)))
    settle(world)
    before = played(other)
    world.drop(ME.player)
    world.run_until(world.now_us + SMALL.window_us)  # pulses that nobody else has
    first.stop()
    unheard = signed(first)
    assert before
    assert len(unheard) > len(signed(other))

    second = moved(world, epoch_now(world))
    since = second.restored
    assert since is not None
    world.run_until(world.now_us + 3 * SECOND)
    assert signed(second) == signed(other)
    assert not second.engine.may_sign(second.now_us)
    assert not second.attempt(OpenSession("too early", 120_000, 4, 4))
    assert second.engine.authoring.nonce not in (NO_NONCE, first.engine.authoring.nonce)

    world.run_until(world.now_us + EPOCH_US)
    own = [entry for entry in signed(other) if entry[0] > since]
    assert own
    assert own[0][1:] == (0, NO_ENTRY)
    world.run_until(perform(world, second, make(2, 12 * SECOND, 120_000)))
    settle(world)
    assert played(other) > before
    second.stop()

    # Back to the first machine, with all that it has, in a later epoch; what it said unheard comes out now.
    world.run_until(world.now_us + EPOCH_US)
    first.restored = epoch_now(world)
    world.hosts[ME.player] = first
    first.start()
    world.after(1, world._tick, first)
    world.link_all()
    world.run_until(world.now_us + 2 * EPOCH_US)
    settle(world)
    assert set(unheard) < set(signed(other))
    assert signed(other)[-1][0] == epoch_now(world)
    nobody_equivocated(world)
    assert len(roots(list(world.hosts.values()))) == 1


def test_it_proposes_no_window_that_the_other_machine_may_have_proposed() -> None:
    """It plays in somebody else's jam while it may not sign; those windows lie behind it when it may."""
    world, (first, other, _) = room(3)
    world.run_until(world.now_us + EPOCH_US - SMALL.window_us)
    first.stop()
    second = moved(world, epoch_now(world))
    world.run_until(world.now_us + 2 * SECOND)
    other.give(OpenSession("others'", 120_000, 4, 4))
    world.run_until(world.now_us + SECOND)
    last = SMALL.window_at(perform(world, second, make(3, 30 * SECOND, 120_000), opens=False)) - 1
    world.run_until(world.now_us + 30 * SECOND)
    settle(world)
    own = [state.window for state in other.engine.ledger.blocks() if state.proposer == ME.player]
    begins = ((second.restored or 0) + 1) * SMALL.epoch_windows
    before = second.engine.duties.most_played(Window(begins - 1))
    assert before is not None and before.events
    assert own and min(own) >= begins
    assert max(own) == last
    nobody_equivocated(world)


def test_without_the_mark_the_same_is_an_equivocation() -> None:
    """What the test above would not show if nothing could go wrong in it."""
    world, (first, other, _) = room(3)
    settle(world, 1)
    world.drop(ME.player)
    world.run_until(world.now_us + SMALL.window_us)
    first.stop()
    second = moved(world, None)
    world.run_until(world.now_us + SMALL.window_us)
    second.stop()
    world.hosts[ME.player] = first
    first.start()
    world.after(1, world._tick, first)
    world.link_all()
    world.run_until(world.now_us + EPOCH_US)
    assert other.engine.documents.equivocations() or other.engine.ledger.cuts()


def test_alone_it_waits_an_epoch_longer_and_a_restart_does_not_put_that_off() -> None:
    world, (host,) = room(1)
    host.stop()
    since = epoch_now(world)
    host = moved(world, since)
    world.run_until(world.now_us + EPOCH_US)
    assert epoch_now(world) == since + 1
    assert signed(host) == []
    host.kill()
    host.start()
    world.run_until(world.now_us + EPOCH_US)
    assert [entry[:2] for entry in signed(host)][:1] == [(since + 2, 0)]
    host.kill()
    host.start()
    world.run_until(world.now_us + SMALL.window_us)
    assert host.engine.may_sign(host.now_us)
    assert not any(jam_session(name) for name in host.engine.documents.replicas)
