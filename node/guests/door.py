"""The guests' door on the LAN: the page's files, the calls that are for guests, and nothing else of the daemon.

It is built of an allow list. Behind it no guest reaches another one's backend, or the owner's: which backend answers
follows from the secret that the request offers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Final

import msgspec
import trio
from msgspec import Meta
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import Scope
from starlette.websockets import WebSocket

from node.api import static
from node.api.calls import CALLS
from node.api.errors import NOT_FOR_GUESTS, Refusal, error_response, json_response
from node.api.gate import DOOR, Gate
from node.api.http import body_of
from node.api.server import HANDLERS
from node.guests.allow import MAY
from node.guests.guest import Guest
from node.guests.party import Party, ended

SELF: Final = "/api/guest"
REFUSED: Final = Refusal(403, NOT_FOR_GUESTS.what, NOT_FOR_GUESTS.why, NOT_FOR_GUESTS.remedy)
_GUEST: Final = "symjam.guest"  # in the scope: who asks

Handler = Callable[[Request], Awaitable[Response]]


class Knock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """POST /api/guest: the invitation's token, and the secret of an earlier visit if there was one."""

    token: Annotated[str, Meta(max_length=64)]
    secret: Annotated[str, Meta(max_length=64)] = ""


def build_door(party: Party, hosts: list[str]) -> Gate:
    """Everything that is served to guests, at these addresses with their ports."""
    own = _Own(party)

    def check(scope: Scope, offered: str) -> Refusal | None:
        if scope["type"] == "http" and scope["path"] == SELF and scope["method"] == "POST":
            return None
        guest = party.of(offered)
        if guest is None:
            return ended()
        if not guest.may_ask():
            return Refusal(429, "too many requests", "this page asks for too much", "Wait some seconds.")
        scope[_GUEST] = guest
        return None

    app = Starlette(routes=[*static.routes(), *own.routes(), *_shared()], exception_handlers=HANDLERS)
    return Gate(app, hosts=hosts, check=check, isolated=False)


def _shared() -> list[Route | WebSocketRoute]:
    """The API's calls, each as it is for guests."""
    calls = [
        Route(c.path, _of_guest(c.name) if (c.method, c.path) in MAY else _not_for_guests, methods=[c.method])
        for c in CALLS
    ]
    return [*calls, WebSocketRoute("/ws", _socket), WebSocketRoute(DOOR + "{name:path}", _no_socket)]


def _guest(scope: Scope) -> Guest:
    guest = scope[_GUEST]
    assert isinstance(guest, Guest)
    return guest


def _of_guest(name: str) -> Handler:
    async def handler(request: Request) -> Response:
        answer: Response = await getattr(_guest(request.scope).http, name)(request)
        return answer

    return handler


async def _not_for_guests(_: Request) -> Response:
    return error_response(REFUSED)


async def _socket(websocket: WebSocket) -> None:
    await _guest(websocket.scope).sockets.endpoint(websocket)


async def _no_socket(websocket: WebSocket) -> None:
    await websocket.send_denial_response(error_response(REFUSED))


class _Own:
    """The calls that only guests have."""

    def __init__(self, party: Party) -> None:
        self._party = party

    def routes(self) -> list[Route]:
        """What is served where."""
        return [
            Route(SELF, self.join, methods=["POST"]),
            Route(SELF, self.leave, methods=["DELETE"]),
            Route(SELF + "/words", self.words, methods=["POST"]),
        ]

    async def join(self, request: Request) -> Response:
        """POST /api/guest: the invitation for a secret."""
        knock = await body_of(request, Knock, "Scan the code again.")
        host = request.client.host if request.client else ""
        guest, secret = await self._party.join(knock.token, knock.secret, host)
        return json_response({"schema": "symjam.guest/1", "player": guest.player.hex(), "secret": secret})

    async def leave(self, request: Request) -> Response:
        """DELETE /api/guest: this guest goes."""
        self._party.leave(_guest(request.scope))
        return json_response({"schema": "symjam.guest/1", "left": True})

    async def words(self, request: Request) -> Response:
        """POST /api/guest/words: the key's 24 words. From then on the key is not used here once its guest has left."""
        words = await trio.to_thread.run_sync(_guest(request.scope).key.take_home)
        return json_response({"schema": "symjam.words/1", "words": words})
