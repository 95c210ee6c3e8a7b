"""The command line's client against the real server, and against none."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest
import trio

from crdt.errors import OperatingFailure
from node.client import Client
from node.runtime import ApiAddress, NoNode, Runtime
from tests.node.api.conftest import TOKEN, Served


async def test_every_call(served: Served) -> None:
    client = Client(served.address)
    run = trio.to_thread.run_sync
    assert (await run(client.status))["player"] == served.node.me
    served.node.propose(served.node.me, 1)
    assert len((await run(partial(client.blocks, 1)))["blocks"]) == 1
    assert (await run(client.windows))["windows"] == []
    assert (await run(client.wallet))["balance_micro"] == 0
    assert (await run(client.history))["items"] == []
    assert await run(partial(client.document, "ledger/0")) == b"\x00\x00"
    assert "symjam_events_total" in await run(client.metrics)
    assert (await run(partial(client.open_session, {"title": "x"})))["title"] == "x"
    assert not (await run(client.close_session))["open"]
    assert (await run(client.stop))["stopping"] and served.node.stopped


async def test_the_nodes_own_words_reach_the_caller(served: Served) -> None:
    with pytest.raises(OperatingFailure) as failure:
        await trio.to_thread.run_sync(Client(served.address).close_session)
    assert (failure.value.why, failure.value.remedy) == ("none is open", "Open one first.")


async def test_a_wrong_token_is_said(served: Served) -> None:
    with pytest.raises(OperatingFailure, match="token"):
        await trio.to_thread.run_sync(Client(ApiAddress(served.address.port, "x" * 43, 1)).status)


def test_nothing_listens(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(NoNode):
        Client(ApiAddress(port, TOKEN, 1)).status()
    with pytest.raises(NoNode):
        Client.of(tmp_path)
    with Runtime(tmp_path) as runtime:
        runtime.publish(port, TOKEN)
        assert Client.of(tmp_path).address.port == port


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"not http\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{}",
        b"HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 503 No\r\nContent-Length: 3\r\n\r\n\xff\xfe\xfd",
    ],
)
def test_a_strange_server_is_an_operating_failure(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def reply() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(answer)

        thread = threading.Thread(target=reply)
        thread.start()
        with pytest.raises(OperatingFailure):
            Client(ApiAddress(listener.getsockname()[1], TOKEN, 1), timeout_s=5).status()
        thread.join()


def test_importing_it_stays_light() -> None:
    heavy = "{'trio', 'libp2p', 'starlette', 'hypercorn', 'pycrdt', 'msgspec'}"
    program = f"import sys, node.client; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"
