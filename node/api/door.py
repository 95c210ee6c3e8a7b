"""The door for Yjs clients: `/yjs/<document>` speaks the y-websocket protocol (docs/api.md).

Two tasks serve each client. One listens: what the client gives goes to the node element by element, and what is not a
signed entry where its author signed it ends the connection with a typed reason. The other speaks: whenever something
was saved it sends what the client lacks. There is no queue between them (crdt/follower.py), so a slow client gets
fewer, larger updates, and one that reads nothing is cut by the server's bound on a send.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import trio
from starlette.websockets import WebSocket

from crdt.errors import BLAMELESS, Reason, Violation
from crdt.follower import Follower
from crdt.limits import YJS_CLIENTS_MAX, YJS_MESSAGES_PER_S_MAX
from crdt.types import DocumentName, is_document
from node.api import yjs
from node.api.backend import Library
from node.api.bell import Ear
from node.api.errors import Refusal, error_response
from node.api.gate import SUBPROTOCOL
from node.api.pace import Pace

KEEP_ALIVE_S: Final = 15.0
GIVEN_AT_ONCE: Final = 16  # elements verified before others have their turn: about two milliseconds

GOING_AWAY: Final = 1001
MALFORMED: Final = 4400
REFUSED: Final = 4403
TORN: Final = 4409


class Goodbye(NamedTuple):
    """Why a connection ends."""

    code: int
    why: str


STOPPING: Final = Goodbye(GOING_AWAY, "the node is stopping")
RELOAD: Final = Goodbye(TORN, "the document was cut by a fork: load it into a new Y.Doc")


class Door:
    """All Yjs clients of one server."""

    def __init__(self, library: Library, closing: trio.Event) -> None:
        self._library = library
        self._closing = closing
        self._count = 0

    async def endpoint(self, websocket: WebSocket) -> None:
        """Serve one client until it leaves, breaks the protocol, or the server closes."""
        name = websocket.path_params["name"]
        refusal = self._refusal(name)
        if refusal is not None:
            await websocket.send_denial_response(error_response(refusal))
            return
        await websocket.accept(subprotocol=SUBPROTOCOL if SUBPROTOCOL in websocket.scope["subprotocols"] else None)
        self._count += 1
        try:
            with self._library.grown.listening() as ear:
                await _Client(websocket, DocumentName(name), self._library, ear).serve(self._closing)
        finally:
            self._count -= 1

    def _refusal(self, name: str) -> Refusal | None:
        if not is_document(name):
            return Refusal(404, "no such document", f"none is called {name[:96]!r}", "`symjam status` lists them.")
        if self._count >= YJS_CLIENTS_MAX:
            return Refusal(503, "too many clients", f"{YJS_CLIENTS_MAX} are attached already", "Close one, try again.")
        return None


class _Client:
    """One attached client."""

    def __init__(self, websocket: WebSocket, name: DocumentName, library: Library, ear: Ear) -> None:
        self._websocket = websocket
        self._name = name
        self._library = library
        self._ear = ear
        self._follower: Follower | None = None
        self._owes_answer = False
        self._goodbye: Goodbye | None = None
        self._scope = trio.CancelScope()

    async def serve(self, closing: trio.Event) -> None:
        """Until it is over."""
        with self._scope:
            await self._send(yjs.ask(self._library.clocks(self._name)))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._speak)
                nursery.start_soon(self._until, closing)
                await self._listen()
                self._scope.cancel()
        if self._goodbye is not None:
            code, why = self._goodbye
            if code != GOING_AWAY:
                await self._websocket.send_bytes(yjs.denied(why))
            await self._websocket.close(code, why)

    def _end(self, goodbye: Goodbye) -> None:
        self._goodbye = self._goodbye or goodbye
        self._scope.cancel()

    async def _until(self, closing: trio.Event) -> None:
        await closing.wait()
        self._end(STOPPING)

    async def _listen(self) -> None:
        pace = Pace(YJS_MESSAGES_PER_S_MAX)
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            await pace.keep()
            try:
                said = yjs.understand(message.get("bytes") or b"")
            except Violation as violation:
                self._library.blame(violation)
                self._end(Goodbye(MALFORMED, str(violation)[:120]))
                return
            match said:
                case yjs.Asked(clocks):
                    self._follower = self._library.follow(self._name, clocks)
                    self._owes_answer = True
                    self._ear.wake()
                case yjs.Given(update):
                    try:
                        await self._take(update)
                    except Violation as violation:
                        self._end(_refused(violation))
                        return

    async def _take(self, update: bytes) -> None:
        for number, element in enumerate(self._library.elements(update)):
            if number % GIVEN_AT_ONCE == 0:
                await trio.lowlevel.checkpoint()
            self._library.give(self._name, element)

    async def _speak(self) -> None:
        while True:
            with trio.move_on_after(KEEP_ALIVE_S) as silence:
                await self._ear.wait()
            if silence.cancelled_caught:
                await self._send(yjs.KEEP_ALIVE)
            elif not await self._catch_up():
                return

    async def _catch_up(self) -> bool:
        """Send what the client lacks; False when that cannot be mended by sending."""
        while self._follower is not None:
            if self._follower.is_torn():
                self._end(RELOAD)
                return False
            update = self._follower.next_update()
            if update is None:
                break
            await self._send(yjs.news(update))
        if self._owes_answer:  # last, for a client takes it to say that it has all there was
            self._owes_answer = False
            await self._send(yjs.answer(yjs.NOTHING))
        return True

    async def _send(self, message: bytes) -> None:
        with trio.CancelScope(shield=True):  # half a frame would garble the goodbye
            await self._websocket.send_bytes(message)


def _refused(violation: Violation) -> Goodbye:
    """An entry that its author signed but that does not fit what the node holds is no fault of the client's."""
    if violation.reason in BLAMELESS and violation.reason is not Reason.GAP:
        return Goodbye(TORN, str(violation)[:120])
    return Goodbye(REFUSED, str(violation)[:120])
