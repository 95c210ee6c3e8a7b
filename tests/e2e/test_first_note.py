"""The note that opens a jam is on its way to the others before the ledger's word of the jam is: they hear it too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trio
from trio_websocket import WebSocketConnection

from node.commands.processes import Process, start_nodes
from node.feed import open_feed, open_socket

HEARD_S = 20.0


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[list[Process]]:
    """Two nodes that have met."""
    nodes = start_nodes(tmp_path, 2)
    yield nodes
    for node in nodes:
        node.stop()


async def _until(websocket: WebSocketConnection, kind: str) -> dict[str, Any]:
    while True:
        message: dict[str, Any] = json.loads(await websocket.get_message())
        if message["type"] == kind:
            return message


async def test_the_first_note_is_told_to_the_pages_of_others(pair: list[Process], nursery: trio.Nursery) -> None:
    here, there = [(await trio.to_thread.run_sync(node.client)).address for node in pair]
    with trio.fail_after(HEARD_S):
        async with open_socket(there) as listening, open_feed(here, nursery) as playing:
            while not (await _until(listening, "status"))["status"]["peers"]:
                pass
            await playing.play([(playing.node_us(), 0, 3, 60, 100)])
            session = (await _until(listening, "session"))["session"]
            told = await _until(listening, "event")
    assert told["session"] == session["id"]
    assert [event[2] for event in told["events"]] == [3]
