"""`symjam watch`: what the node tells, as lines for programs and as a picture for people."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
import trio
from rich.console import Console

from crdt.errors import OperatingFailure
from node.api.backend import Played, SessionWish
from node.commands.watch import BLOCKS_SHOWN, NOTES_SHOWN, Seen, _watch, picture
from node.feed import open_socket
from node.runtime import ApiAddress, NoNode
from tests.node.api.conftest import Served


def drawn(seen: Seen) -> str:
    console = Console(width=120, file=io.StringIO())
    with console.capture() as captured:
        console.print(picture(seen))
    return captured.get()


async def told(served: Served, seen: Seen, kind: str) -> None:
    async with open_socket(served.address) as websocket:
        with trio.fail_after(15):
            while True:
                message: dict[str, Any] = json.loads(await websocket.get_message())
                seen.take(message)
                if message["type"] == kind:
                    return


async def test_a_picture_of_who_is_here_and_what_they_play(served: Served) -> None:
    node, seen = served.node, Seen()
    assert drawn(seen).strip() == "waiting for the node"
    await told(served, seen, "hello")
    assert "no jam is on" in drawn(seen) and node.me[:8] in drawn(seen)
    ana = node.join("ana", 1_500)
    await node.open_session(SessionWish(title="roof"))
    node.propose(ana, 7)
    await told(served, seen, "hello")
    async with open_socket(served.address) as websocket:
        json.loads(await websocket.get_message())
        node.hear(ana, [Played(node.now_us(), 0, 4, 43, 100), Played(node.now_us(), 1, 4, 43, 0)])
        with trio.fail_after(15):
            while not seen.notes:
                seen.take(json.loads(await websocket.get_message()))
    shown = drawn(seen)
    assert "jam roof: 120 BPM, 4 beats a bar" in shown and "1.5 ms" in shown and "pending" in shown
    assert [line.split()[1:] for line in shown.splitlines() if line.startswith(ana[:8])] == [
        ["playing", "1.5", "ms", "±", "0.08", "ms", "yes"]
    ]
    assert len(seen.notes) == 1  # its end is no note


async def test_what_is_kept_is_bounded(served: Served) -> None:
    node, seen = served.node, Seen()
    await node.open_session(SessionWish(title="roof"))
    for window in range(3 * BLOCKS_SHOWN):
        seen.take({"type": "block", "block": node.propose(node.me, window)})
        seen.take({"type": "event", "player": f"{window:064x}", "events": [[1, 0, 1, 60, 90, node.now_us()]]})
    seen.take({"type": "status", "status": node.status()})
    assert (len(seen.blocks), len(seen.notes)) == (BLOCKS_SHOWN, NOTES_SHOWN)
    assert [block["window"] for block in seen.blocks.values()] == list(range(2 * BLOCKS_SHOWN, 3 * BLOCKS_SHOWN))
    assert not seen.heard_us  # they are not here any more


async def test_each_message_is_a_line_for_programs(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    lines: list[str] = []
    with trio.move_on_after(15):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_watch, served.address, True)
            while len(lines) < 2:
                await trio.sleep(0.05)
                lines += capsys.readouterr().out.splitlines()
            nursery.cancel_scope.cancel()
    assert [json.loads(line)["type"] for line in lines[:2]] == ["hello", "status"]


async def test_without_a_node_and_with_a_wrong_token_it_says_so(served: Served) -> None:
    with pytest.raises(NoNode):
        await _watch(ApiAddress(1, "t", 0), False)
    with pytest.raises(OperatingFailure):
        await _watch(ApiAddress(served.address.port, "wrong", 0), False)
