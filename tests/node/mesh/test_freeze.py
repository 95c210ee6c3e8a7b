"""A peer that freezes without a word: noticed, got rid of, and not in the way of its own return."""

from __future__ import annotations

import secrets

import pytest

from crdt.keys import Identity
from node.mesh import watchdog
from node.mesh.peerid import peer_id_of
from tests.node.mesh.helpers import Node, started, until
from tests.node.mesh.process import child


async def test_a_frozen_peer_is_noticed_and_a_new_process_takes_its_place() -> None:
    """Trap: a frozen peer (SIGSTOP, a closed laptop) is never noticed, and blocks its own return: a new process with
    the same key got 0 of 300 messages."""
    seed = secrets.token_bytes(32)
    player = Identity(seed).player
    async with started(a := Node()), child(seed, a.address) as first:
        await until(lambda: player in a.mesh.links(), "the link")
        first.freeze()
        await until(lambda: a.owner.told(player)["left"] == 1, "that it is frozen")
        assert a.mesh.counters["peers-unresponsive"] == 1
        async with child(seed, a.address) as second:
            await until(lambda: player in a.mesh.links(), "the return")
            assert a.send(player, b"welcome back")
            await until(lambda: (player, b"echo:welcome back") in a.owner.frames, "the echo")
            topic = a.mesh.tcp.gossip.topic
            await until(lambda: a.mesh.tcp.gossip.router.mesh[topic], "the gossip mesh")
            for n in range(100):
                a.mesh.publish(b"hint %d" % n)
            await until(lambda: sum(line.startswith("hint ") for line in second.lines) == 100, "100 of 100 hints")
            assert second.errors == b""


async def test_a_new_process_does_not_wait_for_the_watchdog(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trap: the same, before the watchdog has noticed: the newer connection of a key takes over from the older, for
    frames and for gossip (pubsub.py skips a peer that it knows already)."""
    monkeypatch.setattr(watchdog, "MISSES_MAX", 1_000)
    seed = secrets.token_bytes(32)
    player = Identity(seed).player
    async with started(a := Node()), child(seed, a.address) as first:
        await until(lambda: player in a.mesh.links(), "the link")
        first.freeze()
        async with child(seed, a.address) as second:
            await until(lambda: "joined " + a.mesh.peer_id in second.lines, "its side of the link")
            await until(lambda: a.owner.told(player)["joined"] == 2, "the second link")
            assert a.send(player, b"you again")
            await until(lambda: (player, b"echo:you again") in a.owner.frames, "the echo")
            await second.publish("heard before I have said anything")
            await until(lambda: a.owner.hints, "its hint")
            for n in range(50):
                a.mesh.publish(b"hint %d" % n)
            await until(lambda: sum(line.startswith("hint ") for line in second.lines) == 50, "50 of 50 hints")


async def test_a_peer_that_thaws_comes_back_by_itself() -> None:
    seed = secrets.token_bytes(32)
    player = Identity(seed).player
    async with started(a := Node()), child(seed, a.address) as first:
        await until(lambda: player in a.mesh.links(), "the link")
        first.freeze()
        await until(lambda: a.owner.told(player)["left"] == 1, "that it is frozen")
        first.thaw()
        await until(lambda: player in a.mesh.links(), "the return")
        assert a.send(player, b"good morning")
        await until(lambda: (player, b"echo:good morning") in a.owner.frames, "the echo")
        assert first.lines.count(f"left {peer_id_of(a.player)}") == 1


async def test_a_killed_process_is_noticed_and_nothing_is_printed() -> None:
    seed = secrets.token_bytes(32)
    player = Identity(seed).player
    nowhere = f"/ip4/127.0.0.1/tcp/1/p2p/{peer_id_of(Identity(bytes(32)).player)}"
    async with started(a := Node()), child(seed, a.address, nowhere) as first:
        await until(lambda: player in a.mesh.links(), "the link")
        first.kill()
        await until(lambda: a.owner.told(player)["left"] == 1, "the end")
        assert a.owner.violations == []
        assert first.errors == b""
