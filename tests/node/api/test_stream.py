"""What a client asks, before the web server sees it: its wish for compression is left out, and nothing else."""

from __future__ import annotations

import pytest
import trio

from crdt.limits import API_HEAD_MAX_BYTES
from node.api import stream
from node.api.gate import SUBPROTOCOL
from node.api.stream import plain
from tests.node.api.conftest import Served

WISH = b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
HEAD = b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:80\r\nUpgrade: websocket\r\n"


@pytest.mark.parametrize("wish", [WISH, WISH.lower(), WISH.upper(), WISH.replace(b": ", b":"), 2 * WISH])
def test_the_wish_goes(wish: bytes) -> None:
    assert plain(HEAD + wish + b"Origin: null\r\n\r\n") == HEAD + b"Origin: null\r\n\r\n"
    assert plain(HEAD + wish + b"\r\n") == HEAD + b"\r\n"


@pytest.mark.parametrize(
    "asked",
    [
        HEAD + b"\r\n",
        b"POST /api/play HTTP/1.1\r\nContent-Length: 90\r\n\r\n" + WISH,
        b"GET / HTTP/1.1\r\nX-Sec-WebSocket-Extensions: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: Sec-WebSocket-Extensions: a\r\n\r\n",
        b"GET / HTTP/1.1\n\n" + WISH,
        b"x" * API_HEAD_MAX_BYTES,
        b"",
    ],
)
def test_all_else_stays(asked: bytes) -> None:
    assert plain(asked) == asked


async def test_the_server_grants_no_compression(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "sec-websocket-extensions" not in await _answer(served)
    monkeypatch.setattr(stream, "plain", lambda asked: asked)
    assert "sec-websocket-extensions" in await _answer(served), "hypercorn grants none any more: nothing to leave out"


async def _answer(served: Served) -> str:
    """The head of the answer to a wish for a WebSocket."""
    host = f"127.0.0.1:{served.address.port}"
    lines = [
        "GET /ws HTTP/1.1",
        f"Host: {host}",
        f"Origin: http://{host}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        f"Sec-WebSocket-Protocol: {SUBPROTOCOL}, token.{served.address.token}",
    ]
    with trio.fail_after(10):
        async with await trio.open_tcp_stream("127.0.0.1", served.address.port) as line:
            await line.send_all("\r\n".join(lines).encode() + b"\r\n" + WISH + b"\r\n")
            head = b""
            while b"\r\n\r\n" not in head:
                head += await line.receive_some(4_096)
    assert head.startswith(b"HTTP/1.1 101 "), head
    return head.decode(errors="replace").lower()
