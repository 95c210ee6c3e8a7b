"""A real node with its door for guests open, on loopback."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
import trio

from crdt.errors import OperatingFailure
from node.guests.host import Guests
from node.shell.backend import DaemonBackend
from node.shell.config import Config
from node.shell.node import Node, Told


@dataclass
class Door:
    """The node, and what a guest's browser can ask of it."""

    node: Node
    backend: DaemonBackend

    @property
    def guests(self) -> Guests:
        return self.backend.door

    @property
    def host(self) -> str:
        return self.guests.links()[0].split("/")[2]

    @property
    def token(self) -> str:
        return self.guests.links()[0].split("=")[1]

    async def ask(
        self, method: str, path: str, secret: str = "", body: object = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """One request; its status, and its JSON document or bytes."""
        address, port = self.host.split(":")
        raw = b"" if body is None else json.dumps(body).encode()
        wanted = {"Authorization": f"Bearer {secret}"} if secret else {}

        def run() -> tuple[int, Any]:
            connection = HTTPConnection(address, int(port), timeout=10)
            try:
                connection.request(method, path, raw or None, {**wanted, **(headers or {})})
                answer = connection.getresponse()
                found = answer.read()
                is_json = answer.headers.get("Content-Type", "").startswith("application/json")
                return answer.status, json.loads(found) if is_json else found
            finally:
                connection.close()

        return await trio.to_thread.run_sync(run)

    async def join(self, secret: str = "", token: str | None = None) -> tuple[str, str]:
        """Come in by the invitation; the player that one is, and the secret."""
        status, said = await self.ask("POST", "/api/guest", body={"token": token or self.token, "secret": secret})
        assert status == 200, said
        return said["player"], said["secret"]


async def opened(path: Path, nursery: trio.Nursery) -> Door:
    """A node in this directory that lets guests in. It is closed by whoever opened it."""
    made: list[DaemonBackend] = []

    def tell(effect: Told) -> None:
        made[0].tell(effect)

    def fail(failure: OperatingFailure) -> None:
        raise failure

    node = Node(Config(path, preset="small", room=str(path), interfaces=("127.0.0.1",), mdns=False), tell, fail)
    made.append(DaemonBackend(node, nursery.cancel_scope.cancel))
    await nursery.start(node.run)
    nursery.start_soon(node.guard.forever, "guests", made[0].door.run_forever)
    await made[0].invite()
    return Door(node, made[0])


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with trio.open_nursery() as nursery:
        door = await opened(tmp_path / "node", nursery)
        yield door
        nursery.cancel_scope.cancel()
    door.node.close()
