"""A real server on loopback around the node in memory."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any

import pytest
import trio

from node.api.server import serve
from node.runtime import ApiAddress
from tests.node.api.memory_node import MemoryNode

TOKEN = "t" * 43
READ_TOKEN = "r" * 43


@dataclass
class Served:
    """The server under test."""

    node: MemoryNode
    address: ApiAddress

    async def call(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """One request with the right token and address, unless `headers` says otherwise ('' leaves one out)."""
        wanted = {"Host": f"127.0.0.1:{self.address.port}", "Authorization": f"Bearer {TOKEN}", **(headers or {})}

        def run() -> tuple[int, dict[str, str], bytes]:
            connection = HTTPConnection("127.0.0.1", self.address.port, timeout=10)
            try:
                connection.putrequest(method, path, skip_host=True)
                for name, value in wanted.items():
                    if value:
                        connection.putheader(name, value)
                if body is not None:
                    connection.putheader("Content-Length", str(len(body)))
                connection.endheaders(body)
                answer = connection.getresponse()
                return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
            finally:
                connection.close()

        return await trio.to_thread.run_sync(run)

    async def error(self, method: str, path: str, **options: Any) -> tuple[int, dict[str, str]]:
        """A request that must be answered by an error document."""
        status, _, raw = await self.call(method, path, **options)
        document = json.loads(raw)
        assert document["schema"] == "symjam.error/1"
        assert document["what"] and document["why"] and document["remedy"]
        return status, document


@pytest.fixture
async def served(nursery: trio.Nursery) -> AsyncIterator[Served]:
    node = MemoryNode()
    port = await nursery.start(
        lambda task_status: serve(node, token=TOKEN, read_token=READ_TOKEN, task_status=task_status)
    )
    yield Served(node, ApiAddress(port, TOKEN, 1))
