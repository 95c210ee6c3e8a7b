"""Playing from a program through the real WebSocket."""

from __future__ import annotations

import socket

import pytest
import trio

from crdt.errors import OperatingFailure
from node.api.server import serve
from node.feed import open_feed
from node.runtime import ApiAddress, NoNode
from tests.node.api.conftest import TOKEN, Served
from tests.node.api.memory_node import MemoryNode


async def test_what_is_played_is_saved_in_order(served: Served, nursery: trio.Nursery) -> None:
    async with open_feed(served.address, nursery) as feed:
        assert feed.hello["status"]["player"] == served.node.me
        start = feed.node_us()
        for number in range(100):
            await feed.play([(start + number, 0, number % 10, 60, 100)])
        await feed.play([(start + 1_000 + number, 0, 0, 60, 100) for number in range(600)])  # more than one entry
        await feed.drain()
        assert feed.saved_events == 700 and feed.refusals == []
    times = [event.at_us for event in served.node.played]
    assert len(times) == 700 and times == sorted(times)


async def test_only_what_the_node_acknowledges_counts_as_saved(served: Served, nursery: trio.Nursery) -> None:
    acknowledged: list[int] = []
    async with open_feed(served.address, nursery, lambda events: acknowledged.extend(e[0] for e in events)) as feed:
        for number in range(10):
            served.node.full = number % 2 == 1
            await feed.play([(number, 0, 0, 60, 100)])
            await feed.drain()
    assert acknowledged == [0, 2, 4, 6, 8]


async def test_the_nodes_clock_is_learned(served: Served, nursery: trio.Nursery) -> None:
    async with open_feed(served.address, nursery) as feed:
        uncertainty_us = await feed.learn_clock()
        before, estimate, after = served.node.now_us(), feed.node_us(), served.node.now_us()
        assert before - uncertainty_us - 1 <= estimate <= after + uncertainty_us + 1


async def test_refusals_are_kept_with_their_reason(served: Served, nursery: trio.Nursery) -> None:
    async with open_feed(served.address, nursery) as feed:
        served.node.full = True
        for number in range(100):  # more than are let be in flight
            await feed.play([(number, 0, 0, 60, 100)])
        await feed.drain()
        assert feed.saved_events == 0 and len(feed.refusals) == 100
        assert feed.refusals[0].remedy == "Free some space."


async def test_a_node_that_goes_ends_the_waiting() -> None:
    async with trio.open_nursery() as nursery:
        scope = trio.CancelScope()

        async def run(task_status: object) -> None:
            with scope:
                await serve(MemoryNode(), token=TOKEN, task_status=task_status)  # type: ignore[arg-type]

        port = await nursery.start(run)
        async with open_feed(ApiAddress(port, TOKEN, 1), nursery) as feed:
            scope.cancel()
            with pytest.raises(OperatingFailure, match="gone"), trio.fail_after(5):
                while True:
                    await feed.play([(1, 0, 0, 60, 100)])
                    await feed.drain()


async def test_no_node_and_a_wrong_token_are_told_apart(served: Served, nursery: trio.Nursery) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(NoNode):
        async with open_feed(ApiAddress(port, TOKEN, 1), nursery):
            pass
    with pytest.raises(OperatingFailure, match="token") as failure:
        async with open_feed(ApiAddress(served.address.port, "x" * 43, 1), nursery):
            pass
    assert not isinstance(failure.value, NoNode)
