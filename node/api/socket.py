"""The live half of the API: one WebSocket per page or player (docs/api.md).

Two tasks serve each: one listens and answers, so that a `pong` leaves at once; the other hands on notices. A client
that reads too slowly loses notices and is given a fresh snapshot (`resync`, then `hello`); one that reads nothing is
cut by the server's bound on a send.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import msgspec
import trio
from starlette.websockets import WebSocket, WebSocketState

from crdt.errors import OperatingFailure, Violation
from crdt.limits import HELLO_LIST_MAX, WEBSOCKET_MESSAGE_MAX_BYTES, WEBSOCKETS_MAX
from jam import board
from node.api.backend import Backend, SessionWish
from node.api.errors import NOT_FOR_GUESTS, Refusal, error_response, refusal_of
from node.api.gate import MAY_READ, READ_ONLY, SUBPROTOCOL
from node.api.messages import Close, Edit, Open, Ping, Play, Say, Spoken, change_of, understand
from node.api.notices import Feed, to_text
from node.api.pace import Pace

STATUS_PERIOD_S = 1.0
GOING_AWAY = 1001
TOO_LONG = 1009


class Limits(NamedTuple):
    """What the clients of one backend may do: say so much, that often, through so many windows. `over` is what they are
    told when it ends, `not_spoken` when they say something else."""

    spoken: tuple[type[msgspec.Struct], ...] = (Play, Ping, Open, Close, Say, Edit)
    messages_per_s: int | None = None
    sockets: int = WEBSOCKETS_MAX
    over: tuple[int, str] = (GOING_AWAY, "the node is stopping")

    not_spoken: OperatingFailure = NOT_FOR_GUESTS


OWNER: Final = Limits()
READER: Final = Limits(
    spoken=(Ping,),
    not_spoken=OperatingFailure("not allowed", MAY_READ.why, MAY_READ.remedy),
)


class Sockets:
    """All open WebSockets of one backend."""

    def __init__(self, backend: Backend, closing: trio.Event, limits: Limits = OWNER) -> None:
        self._backend = backend
        self._closing = closing
        self._limits = limits
        self._feeds: set[Feed] = set()

    def __len__(self) -> int:
        return len(self._feeds)

    async def tell_status(self) -> None:
        """Every second, the status to everyone."""
        while True:
            await trio.sleep(STATUS_PERIOD_S)
            self.tell_status_once()

    def tell_status_once(self) -> None:
        """The status to everyone; read and encoded once, and not at all when nobody listens."""
        if self._feeds:
            text = to_text({"type": "status", "status": self._backend.status()})
            for feed in self._feeds:
                feed.put(text)

    async def endpoint(self, websocket: WebSocket) -> None:
        """Serve one client until it leaves or the server closes."""
        if len(self._feeds) >= self._limits.sockets:
            why = f"{self._limits.sockets} windows are connected already"
            await websocket.send_denial_response(
                error_response(Refusal(503, "too many windows", why, "Close one and try again."))
            )
            return
        await websocket.accept(subprotocol=SUBPROTOCOL)
        with self._backend.subscribe() as feed:
            self._feeds.add(feed)
            try:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._speak, websocket, feed)
                    nursery.start_soon(self._goodbye, websocket, nursery.cancel_scope)
                    await self._listen(websocket, READER if READ_ONLY in websocket.scope else self._limits)
                    nursery.cancel_scope.cancel()
            finally:
                self._feeds.discard(feed)

    async def _goodbye(self, websocket: WebSocket, scope: trio.CancelScope) -> None:
        await self._closing.wait()
        await websocket.close(*self._limits.over)
        scope.cancel()

    async def _speak(self, websocket: WebSocket, feed: Feed) -> None:
        await _say(websocket, self._hello())
        while True:
            batch = await feed.take()
            if batch.resync:
                await _say(websocket, '{"type":"resync"}')
                await _say(websocket, self._hello())
            for text in batch.texts:
                await _say(websocket, text)

    def _hello(self) -> str:
        backend = self._backend
        return to_text(
            {
                "type": "hello",
                "status": backend.status(),
                "blocks": backend.blocks(HELLO_LIST_MAX),
                "windows": backend.windows(HELLO_LIST_MAX),
            }
        )

    async def _listen(self, websocket: WebSocket, limits: Limits) -> None:
        pace = Pace(limits.messages_per_s) if limits.messages_per_s is not None else None
        while True:
            message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            if pace is not None:
                await pace.keep()
            if len(message.get("text") or message.get("bytes") or "") > WEBSOCKET_MESSAGE_MAX_BYTES:
                await websocket.close(TOO_LONG, "the message is too long")
                return
            await _say(websocket, to_text(await self._answer(message.get("text"), limits)))

    async def _answer(self, text: str | None, limits: Limits) -> dict[str, Any]:
        spoken: Spoken | None = None
        try:
            spoken = understand(text)
            if not isinstance(spoken, limits.spoken):
                raise limits.not_spoken
            return await self._do(spoken)
        except (OperatingFailure, Violation) as error:
            refusal = refusal_of(error)
            identity = {} if spoken is None else {"id": spoken.id}
            return {"type": "error", **identity, "what": refusal.what, "why": refusal.why, "remedy": refusal.remedy}

    async def _do(self, spoken: Spoken) -> dict[str, Any]:
        backend = self._backend
        match spoken:
            case Ping():
                return {"type": "pong", "id": spoken.id, "node_us": backend.now_us()}
            case Play():
                return {"type": "played", "id": spoken.id, **await backend.play(spoken.events)}
            case Open():
                wish = SessionWish(
                    spoken.title, spoken.tempo_mbpm, spoken.beats_per_bar, spoken.subdivision, spoken.tags
                )
                return {"type": "session", "id": spoken.id, "session": await backend.open_session(wish)}
            case Say(text):
                return {"type": "edited", "id": spoken.id, "board": await backend.edit(board.Say(text))}
            case Edit():
                return {"type": "edited", "id": spoken.id, "board": await backend.edit(change_of(spoken))}
            case Close():
                return {"type": "session", "id": spoken.id, "session": await backend.close_session()}


async def _say(websocket: WebSocket, text: str) -> None:
    """Send, unless this side has said goodbye meanwhile, after which sending is an error."""
    if websocket.application_state is WebSocketState.CONNECTED:
        await websocket.send_text(text)
