"""A node inside a Python program: what it plays is heard elsewhere, and everything it hears is told once."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from consensus.events import Kind
from crdt.errors import OperatingFailure
from crdt.limits import HAPPENINGS_MAX
from crdt.types import PlayerId
from node.embed import EmbeddedNode, Listener, Missed, open_node
from node.engine.effects import Heard
from node.engine.inputs import Played
from node.runtime import AlreadyRunning
from node.shell.config import Config
from node.shell.node import Joined, Left


def config(path: Path) -> Config:
    return Config(path, room="embedded", interfaces=("127.0.0.1",), mdns=False)


def note(node: EmbeddedNode, number: int) -> Played:
    return Played(node.now_us(), Kind.NOTE_ON, number % 10, 60, 100, b"%d" % number)


async def test_what_one_plays_the_other_hears_once_and_in_order(tmp_path: Path) -> None:
    heard: list[bytes | None] = []
    joined: list[PlayerId] = []
    async with open_node(config(tmp_path / "a")) as a, open_node(config(tmp_path / "b")) as b:
        b.connect(a.addresses[0])

        async def listen() -> None:
            async for what in b.happenings():
                if isinstance(what, Joined):
                    joined.append(what.player)
                if isinstance(what, Heard) and what.player == a.player:
                    heard.extend(event.data for event in what.events)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(listen)
            with trio.fail_after(20):
                while not (a.peers() and b.peers()):
                    await trio.sleep(0.01)
                await a.play(note(a, 0))
                for number in range(1, 1_000):
                    await a.send(note(a, number))
                while len(heard) < 1_000:
                    await trio.sleep(0.01)
                while not (a.synced() and b.synced()):
                    await trio.sleep(0.05)
            nursery.cancel_scope.cancel()
        assert joined == [a.player] == b.peers()
    assert heard == [b"%d" % number for number in range(1_000)]


async def test_what_cannot_be_played_or_dialled_is_told(tmp_path: Path) -> None:
    async with open_node(config(tmp_path / "a")) as a:
        with pytest.raises(OperatingFailure):
            await a.play(Played(0, Kind.NOTE_ON, 0, 60, 100))
        with pytest.raises(OperatingFailure):
            a.connect("nonsense")
        with pytest.raises(AlreadyRunning):
            async with open_node(config(tmp_path / "a")):
                pytest.fail("two nodes in one directory")


async def test_a_slow_listener_is_told_how_much_it_missed() -> None:
    listener = Listener()
    for _ in range(HAPPENINGS_MAX + 3):
        listener.put(Left(PlayerId(bytes(32))))
    taken = await listener.take()
    assert len(taken) == HAPPENINGS_MAX + 1
    assert taken[-1] == Missed(3)
    listener.put(Left(PlayerId(bytes(32))))
    assert len(await listener.take()) == 1
