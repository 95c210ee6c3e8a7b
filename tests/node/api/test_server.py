"""Binding, bounds on connections, and the end."""

from __future__ import annotations

import json
import socket
from collections import Counter

import pytest
import trio
from trio_websocket import ConnectionClosed, open_websocket_url

from crdt import limits
from crdt.errors import OperatingFailure
from node.api import server
from node.api import stream as streams
from node.api.server import serve
from node.mesh.guard import Guard
from tests.node.api.conftest import TOKEN, Served
from tests.node.api.memory_node import MemoryNode


async def test_a_taken_port_is_a_wish_not_granted(nursery: trio.Nursery) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        wish = taken.getsockname()[1]
        port = await nursery.start(
            lambda task_status: serve(MemoryNode(), port=wish, token=TOKEN, task_status=task_status)
        )
        assert port not in (0, wish)


async def test_an_address_that_is_not_ours_is_an_operating_failure() -> None:
    with pytest.raises(OperatingFailure) as failure:
        await serve(MemoryNode(), host="203.0.113.1", token=TOKEN)
    assert failure.value.remedy


async def test_cancelling_says_goodbye_and_frees_the_port() -> None:
    node = MemoryNode()
    async with trio.open_nursery() as outer:
        scope = trio.CancelScope()

        async def run(task_status: object) -> None:
            with scope:
                await serve(node, token=TOKEN, task_status=task_status)  # type: ignore[arg-type]

        port = await outer.start(run)
        idle = await trio.open_tcp_stream("127.0.0.1", port)
        async with open_websocket_url(
            f"ws://127.0.0.1:{port}/ws", subprotocols=["symjam", f"token.{TOKEN}"]
        ) as websocket:
            await websocket.get_message()
            scope.cancel()
            with pytest.raises(ConnectionClosed) as closed, trio.fail_after(5):
                while True:
                    await websocket.get_message()
            assert closed.value.reason is not None and closed.value.reason.code == 1001
        await idle.aclose()
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))
    assert len(node.board) == 0


async def test_who_is_being_told_much_while_the_node_stops_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    """Seen in the soak: what was said after the goodbye was logged as a failure of the framework."""
    node = MemoryNode()

    async def talk() -> None:
        while True:
            node.board.publish({"type": "event", "filler": "x" * 20_000})
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as outer:
        scope = trio.CancelScope()

        async def run(task_status: object) -> None:
            with scope:
                await serve(node, token=TOKEN, task_status=task_status)  # type: ignore[arg-type]

        port = await outer.start(run)
        async with open_websocket_url(
            f"ws://127.0.0.1:{port}/ws", subprotocols=["symjam", f"token.{TOKEN}"]
        ) as websocket:
            outer.start_soon(talk)
            for _ in range(20):
                await websocket.get_message()
            scope.cancel()
            with pytest.raises(ConnectionClosed), trio.fail_after(5):
                while True:
                    await websocket.get_message()
        outer.cancel_scope.cancel()
    assert not caplog.records


async def test_a_client_that_reads_nothing_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """hypercorn shields its writes: if nothing cut them, the end would wait for the send's own deadline."""
    monkeypatch.setattr(streams, "API_SEND_TIMEOUT_S", 60)
    node = MemoryNode()
    node.documents["ledger/0"] = bytes(30_000_000)
    async with trio.open_nursery() as nursery:
        port = await nursery.start(lambda task_status: serve(node, token=TOKEN, task_status=task_status))
        stream = await _begin_large_answer(port)
        await trio.sleep(0.1)
        cancelled_at = trio.current_time()
        nursery.cancel_scope.cancel()
    assert trio.current_time() - cancelled_at < 30
    await stream.aclose()


async def test_a_client_that_reads_nothing_is_let_go(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "API_SEND_TIMEOUT_S", 0.2)
    served.node.documents["ledger/0"] = bytes(30_000_000)
    reader = await _begin_large_answer(served.address.port)
    await trio.sleep(0.5)
    received = 0
    with trio.fail_after(10):
        try:
            while part := await reader.receive_some(1_000_000):
                received += len(part)
        except trio.BrokenResourceError:
            pass
    assert received < 30_000_000
    await reader.aclose()


async def _begin_large_answer(port: int) -> trio.SocketStream:
    reader = await trio.open_tcp_stream("127.0.0.1", port)
    head = f"GET /api/documents/ledger/0 HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    await reader.send_all(head.encode())
    await reader.receive_some(100)  # the answer has begun, and fills every buffer on its way
    return reader


async def test_who_only_holds_connections_keeps_nobody_out(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "API_CONNECTIONS_MAX", 3)
    assert limits.API_CONNECTIONS_MAX > 3
    served.node.documents["ledger/0"] = bytes(30_000_000)
    asking = await _begin_large_answer(served.address.port)
    silent, slow = [await trio.open_tcp_stream("127.0.0.1", served.address.port) for _ in range(2)]
    await slow.send_all(b"GET /api/status HTTP/1.1\r\nHost: ")
    await trio.sleep(0.05)
    for goes in (silent, slow):
        another = await trio.open_tcp_stream("127.0.0.1", served.address.port)
        with trio.fail_after(5):
            assert await _is_closed(goes)
        await goes.aclose()
        assert (await served.call("GET", "/api/status"))[0] == 200  # in the place of the one before
        await another.aclose()
    assert await asking.receive_some(100)  # who is being answered stays
    await asking.aclose()


async def test_all_connections_at_work_leave_no_room(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "API_CONNECTIONS_MAX", 2)
    served.node.documents["ledger/0"] = bytes(30_000_000)
    held = [await _begin_large_answer(served.address.port) for _ in range(2)]
    beyond = await trio.open_tcp_stream("127.0.0.1", served.address.port)
    with trio.fail_after(5):
        assert await _is_closed(beyond)
    for connection in held:
        await connection.aclose()
    await trio.sleep(0.05)
    assert (await served.call("GET", "/api/status"))[0] == 200


@pytest.mark.parametrize("said", [b"", b"G", b"GET /api/status HTTP/1.1\r\nHost: x\r\n", b"\r\n"])
async def test_who_does_not_finish_a_head_in_time_is_let_go(
    served: Served, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    monkeypatch.setattr(streams, "API_HEAD_TIMEOUT_S", 0.3)
    async with await trio.open_tcp_stream("127.0.0.1", served.address.port) as slow:
        begins = trio.current_time()
        await slow.send_all(said)
        with trio.fail_after(10):
            assert await _is_closed(slow)
        assert trio.current_time() - begins > 0.25


async def _is_closed(stream: trio.SocketStream) -> bool:
    try:
        return await stream.receive_some(1) == b""
    except trio.BrokenResourceError:
        return True


async def test_an_error_of_the_servers_is_counted_and_ends_only_its_connection(
    nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_: object) -> None:
        raise ValueError("as if hypercorn had a bug")

    guard = Guard(Counter())
    port = await nursery.start(
        lambda task_status: serve(MemoryNode(), token=TOKEN, guard=guard, task_status=task_status)
    )
    with monkeypatch.context() as patch:
        patch.setattr(server.TCPServer, "_read_data", fail)
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        await stream.send_all(b"GET / HTTP/1.1\r\n\r\n")
        with trio.fail_after(5):
            assert await _is_closed(stream)
        await stream.aclose()
    assert guard.counts == {"api": 1}
    async with open_websocket_url(f"ws://127.0.0.1:{port}/ws", subprotocols=["symjam", f"token.{TOKEN}"]) as websocket:
        assert json.loads(await websocket.get_message())["type"] == "hello"
