"""The live WebSocket over a real connection."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from trio_websocket import ConnectionClosed, ConnectionRejected, WebSocketConnection, open_websocket_url

from crdt.limits import WEBSOCKET_MESSAGE_MAX_BYTES, WEBSOCKETS_MAX
from crdt.types import PlayerId
from jam.board import Assign, DropPart, Say, SetChart, SetTempo, SetTitle
from node.api.backend import Played, SessionWish
from node.api.notices import Board
from tests.node.api.conftest import TOKEN, Served

GOOD = ["symjam", f"token.{TOKEN}"]


@asynccontextmanager
async def connected(
    served: Served, subprotocols: list[str] | None = None, **headers: str
) -> AsyncIterator[WebSocketConnection]:
    async with open_websocket_url(
        f"ws://127.0.0.1:{served.address.port}/ws",
        subprotocols=GOOD if subprotocols is None else subprotocols,
        extra_headers=[(k.encode(), v.encode()) for k, v in headers.items()],
    ) as websocket:
        yield websocket


async def next_of(websocket: WebSocketConnection, kind: str) -> dict[str, Any]:
    with trio.fail_after(5):
        while True:
            message = json.loads(await websocket.get_message())
            if message["type"] == kind:
                return message


async def say(websocket: WebSocketConnection, **message: Any) -> None:
    await websocket.send_message(json.dumps(message))


async def test_hello_comes_first_and_status_follows(served: Served) -> None:
    served.node.propose(served.node.me, 3)
    async with connected(served) as websocket:
        assert websocket.subprotocol == "symjam"
        hello = json.loads(await websocket.get_message())
        assert (hello["type"], hello["status"]["schema"]) == ("hello", "symjam.status/1")
        assert [block["window"] for block in hello["blocks"]] == [3]
        assert (await next_of(websocket, "status"))["status"]["player"] == served.node.me


@pytest.mark.parametrize(
    "subprotocols",
    [
        [],
        ["symjam"],
        [f"token.{TOKEN}"],
        ["symjam", "token."],
        ["symjam", f"token.{TOKEN}x"],
        ["symjam", f"token.{TOKEN}", "token.x"],
    ],
)
async def test_no_socket_without_the_token(served: Served, subprotocols: list[str]) -> None:
    with pytest.raises(ConnectionRejected) as refused:
        async with connected(served, subprotocols):
            pass
    assert refused.value.status_code == 401
    assert len(served.node.board) == 0


async def test_no_socket_for_a_foreign_page(served: Served) -> None:
    with pytest.raises(ConnectionRejected) as refused:
        async with connected(served, origin="https://evil.example"):
            pass
    assert refused.value.status_code == 403


async def test_what_is_played_is_saved_then_told(served: Served) -> None:
    async with connected(served) as websocket:
        await say(websocket, type="play", id=7, events=[[1_000, 0, 3, 60, 100], [2_000, 1, 3, 60, 0]])
        played = await next_of(websocket, "played")
        assert (played["id"], played["count"], played["entries"]) == (7, 2, 1)
        assert served.node.played == [Played(1_000, 0, 3, 60, 100), Played(2_000, 1, 3, 60, 0)]
        event = await next_of(websocket, "event")
        assert event["player"] == served.node.me and [row[5] for row in event["events"]] == [1_000, 2_000]


async def test_pong_tells_the_nodes_clock(served: Served) -> None:
    async with connected(served) as websocket:
        before = served.node.now_us()
        await say(websocket, type="ping", id="a")
        pong = await next_of(websocket, "pong")
        assert pong["id"] == "a" and before <= pong["node_us"] <= served.node.now_us()


async def test_a_session_is_opened_and_closed_and_everyone_is_told(served: Served) -> None:
    async with connected(served) as one, connected(served) as other:
        await say(one, type="open", id=1, title="x", tempo_mbpm=100_000)
        assert (await next_of(other, "session"))["session"]["tempo_mbpm"] == 100_000
        await say(one, type="close", id=2)
        assert (await next_of(other, "session"))["session"] is None
        await say(one, type="close", id=3)
        error = await next_of(one, "error")
        assert (error["id"], error["why"]) == (3, "none is open")


MALFORMED = [
    "",
    "{",
    "null",
    "[]",
    "7",
    "{}",
    '{"type": "nonsense"}',
    '{"type": 5}',
    '{"type": "play"}',
    '{"type": "play", "events": []}',
    '{"type": "play", "events": [[1]]}',
    '{"type": "play", "events": [[1, 0, 10, 60, 100]]}',
    '{"type": "play", "events": [[1, 0, -1, 60, 100]]}',
    '{"type": "play", "events": [[1, 0, 1, 128, 100]]}',
    '{"type": "play", "events": [[1, 0, 1, 60, 128]]}',
    '{"type": "play", "events": [[1, 64, 1, 60, 100]]}',
    '{"type": "play", "events": [[-1, 0, 1, 60, 100]]}',
    '{"type": "play", "events": [[1.5, 0, 1, 60, 100]]}',
    '{"type": "play", "events": [["1", 0, 1, 60, 100]]}',
    '{"type": "play", "events": [[1, 0, 1, 60, 100, 9]]}',
    '{"type": "play", "events": [[9007199254740992, 0, 1, 60, 100]]}',
    '{"type": "play", "events": [[NaN, 0, 1, 60, 100]]}',
    json.dumps({"type": "play", "events": [[1, 0, 1, 60, 100]] * 257}),
    '{"type": "ping", "id": {}}',
    '{"type": "ping", "id": "' + "x" * 65 + '"}',
    '{"type": "open", "tempo_mbpm": 1}',
    "[" * 5_000,
    '{"type": "ping", "id": "\\ud800"}',
]


@pytest.mark.parametrize("text", MALFORMED)
async def test_a_malformed_message_is_answered_and_survived(served: Served, text: str) -> None:
    async with connected(served) as websocket:
        await websocket.send_message(text)
        error = await next_of(websocket, "error")
        assert error["what"] and error["why"] and error["remedy"]
        await say(websocket, type="ping", id=1)
        assert (await next_of(websocket, "pong"))["id"] == 1
    assert served.node.played == [] and served.node.session is None


async def test_a_binary_message_is_answered_and_survived(served: Served) -> None:
    async with connected(served) as websocket:
        await websocket.send_message(b"\x00\xff")
        assert "garbage" in (await next_of(websocket, "error"))["why"]


async def test_an_oversized_message_ends_its_own_connection_only(served: Served) -> None:
    async with connected(served) as bystander:
        with pytest.raises(ConnectionClosed) as closed:
            async with connected(served) as websocket:
                await websocket.send_message("x" * (WEBSOCKET_MESSAGE_MAX_BYTES + 1))
                await next_of(websocket, "never")
        assert closed.value.reason is not None and closed.value.reason.code == 1009
        await say(bystander, type="ping", id=1)
        await next_of(bystander, "pong")


async def test_a_failing_store_is_told_and_survived(served: Served) -> None:
    async with connected(served) as websocket:
        served.node.full = True
        await say(websocket, type="play", id=1, events=[[1, 0, 1, 60, 100]])
        error = await next_of(websocket, "error")
        assert (error["id"], error["why"], error["remedy"]) == (1, "the disk is full", "Free some space.")
        served.node.full = False
        await say(websocket, type="play", id=2, events=[[1, 0, 1, 60, 100]])
        assert (await next_of(websocket, "played"))["id"] == 2


async def test_who_does_not_read_is_resynced_not_queued_for(served: Served) -> None:
    served.node.board = Board(max_notices=50, max_bytes=10_000_000)
    async with connected(served) as websocket:
        await next_of(websocket, "hello")
        for number in range(200):  # in one go: the server's task cannot run in between
            served.node.board.publish({"type": "window", "window": {"number": number}})
        await next_of(websocket, "resync")
        await next_of(websocket, "hello")
        served.node.board.publish({"type": "window", "window": {"number": 999}})
        assert (await next_of(websocket, "window"))["window"]["number"] == 999


async def test_windows_are_bounded_and_given_back(served: Served) -> None:
    async with trio.open_nursery() as nursery:

        async def hold(task_status: Any) -> None:
            async with connected(served) as websocket:
                await websocket.get_message()
                task_status.started()
                await trio.sleep_forever()

        for _ in range(WEBSOCKETS_MAX):
            await nursery.start(hold)
        with pytest.raises(ConnectionRejected) as refused:
            async with connected(served):
                pass
        assert refused.value.status_code == 503
        nursery.cancel_scope.cancel()
    with trio.fail_after(5):
        while len(served.node.board):
            await trio.sleep(0.01)
    async with connected(served) as websocket:
        await next_of(websocket, "hello")


async def test_what_is_said_and_edited_is_acknowledged(served: Served) -> None:
    await served.node.open_session(SessionWish(title="jam"))
    bass = "ab" * 32
    async with connected(served) as websocket:
        await say(websocket, type="say", id=1, text="hello")
        for number, change in enumerate(
            [
                {"title": "Blues"},
                {"tempo_mbpm": 99_000},
                {"chart": ""},
                {"part": "bass", "player": bass},
                {"part": "keys"},
                {"drop_part": "keys"},
            ],
            2,
        ):
            await say(websocket, type="edit", id=number, **change)
        for number in range(1, 8):
            answer = await next_of(websocket, "edited")
            assert answer["id"] == number and "lines" in answer["board"]
    assert served.node.changes == [
        Say("hello"),
        SetTitle("Blues"),
        SetTempo(99_000),
        SetChart(""),
        Assign("bass", PlayerId(bytes.fromhex(bass))),
        Assign("keys", None),
        DropPart("keys"),
    ]


@pytest.mark.parametrize(
    "message",
    [
        {"type": "edit"},
        {"type": "edit", "title": "x", "chart": ""},
        {"type": "edit", "part": "bass", "player": "me"},
        {"type": "edit", "tempo_mbpm": "fast"},
        {"type": "edit", "player": "ab" * 32},
        {"type": "say", "text": ""},
        {"type": "say", "text": "x" * 501},
        {"type": "say"},
    ],
)
async def test_an_edit_that_is_none_is_refused(served: Served, message: dict[str, Any]) -> None:
    await served.node.open_session(SessionWish(title="jam"))
    async with connected(served) as websocket:
        await say(websocket, **message)
        assert (await next_of(websocket, "error"))["why"]
    assert served.node.changes == []


async def test_without_a_jam_there_is_nothing_to_edit(served: Served) -> None:
    async with connected(served) as websocket:
        await say(websocket, type="say", id=4, text="anyone?")
        assert (await next_of(websocket, "error"))["id"] == 4
