"""Who may not is refused at every route there is, before anything behind it is touched."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import trio
from trio_websocket import HandshakeError, open_websocket_url

from node.api.calls import CALLS
from node.api.gate import DOOR
from node.api.server import serve
from node.runtime import ApiAddress
from tests.node.api.conftest import READ_TOKEN, TOKEN, Served
from tests.node.api.memory_node import MemoryNode

EXAMPLES = {"begins": "abcd", "number": "ab" * 16, "name": "ledger/0"}  # for each part of a path
ROUTES = [
    *((call.method, re.sub(r"\{(\w+)(:\w+)?\}", lambda part: EXAMPLES[part[1]], call.path)) for call in CALLS),
    ("GET", "/ws"),
    ("GET", DOOR + "ledger/0"),
]
NO_TILL = ("/api/operations/abcd", "/api/requests/" + "ab" * 16)  # what the node in memory has nothing to answer with
WRITES = [(call.method, call.path) for call in CALLS if call.writes]


class Untouched(MemoryNode):
    """A node of which nothing may be asked: whoever gets so far is answered 500."""

    def __getattribute__(self, name: str) -> Any:
        if name in ("library", "__class__"):
            return super().__getattribute__(name)
        raise AssertionError(f"{name} was reached")


@pytest.fixture
async def shut(nursery: trio.Nursery) -> AsyncIterator[Served]:
    node = Untouched()
    port = await nursery.start(
        lambda task_status: serve(node, token=TOKEN, read_token=READ_TOKEN, task_status=task_status)
    )
    yield Served(node, ApiAddress(port, TOKEN, 1))


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        ({"Authorization": ""}, 401),
        ({"Authorization": "Bearer " + "x" * 43}, 401),
        ({"Authorization": f"Basic {TOKEN}"}, 401),
        ({"Host": "rebound.example:{port}"}, 403),
        ({"Host": "127.0.0.1:1"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost:1"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Authorization": f"Bearer {READ_TOKEN}", "Origin": "https://evil.example"}, 403),
    ],
)
async def test_every_route_refuses(shut: Served, headers: dict[str, str], wanted: int) -> None:
    sent = {name: value.replace("{port}", str(shut.address.port)) for name, value in headers.items()}
    for method, path in ROUTES:
        status, _ = await shut.error(method, path, headers=sent)
        assert status == wanted, (method, path)


async def test_a_read_only_token_changes_nothing(shut: Served) -> None:
    headers = {"Authorization": f"Bearer {READ_TOKEN}"}
    for method, path in WRITES:
        status, said = await shut.error(method, path, headers=headers)
        assert (status, "change nothing" in said["why"]) == (403, True), (method, path)


async def test_it_reads_whatever_only_reads(served: Served) -> None:
    headers = {"Authorization": f"Bearer {READ_TOKEN}"}
    for method, path in [route for route in ROUTES if route not in WRITES and route[1] not in NO_TILL]:
        status, _, _ = await served.call(method, path, headers=headers)
        assert status not in (401, 403, 500) or path.startswith(DOOR), (method, path)


async def test_with_it_one_listens_to_the_live_socket_and_says_nothing(served: Served) -> None:
    url, offer = f"ws://127.0.0.1:{served.address.port}", ["symjam", f"token.{READ_TOKEN}"]
    async with open_websocket_url(f"{url}/ws", subprotocols=offer) as websocket:
        assert json.loads(await websocket.get_message())["type"] == "hello"
        for message, answer in (
            ({"type": "ping", "id": 1}, "pong"),
            ({"type": "open", "id": 2, "title": "x"}, "error"),
            ({"type": "play", "id": 3, "events": [[1, 0, 1, 60, 100]]}, "error"),
            ({"type": "say", "id": 4, "text": "x"}, "error"),
        ):
            await websocket.send_message(json.dumps(message))
            assert json.loads(await websocket.get_message())["type"] == answer
    assert served.node.session is None and not served.node.played and not served.node.changes
    with pytest.raises(HandshakeError):
        async with open_websocket_url(f"{url}/yjs/ledger/0", subprotocols=offer):
            pass


async def test_who_speaks_no_websocket_is_told_to(served: Served) -> None:
    for path in ("/ws", DOOR + "ledger/0"):
        assert (await served.error("GET", path))[0] == 426
