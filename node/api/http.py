"""The request and answer half of the API (docs/api.md)."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final, TypeVar

import msgspec
import trio
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crdt.errors import OperatingFailure, Violation
from crdt.limits import API_BODY_MAX_BYTES, API_BODY_TIMEOUT_S, CHART_FILE_MAX_BYTES
from crdt.types import is_document
from node.api.backend import Backend, ChartWish, SessionWish, SignWish
from node.api.calls import BEGINNING, CALLS, MIDI, PROMETHEUS, YJS, Limited, OfSession, Rows
from node.api.errors import Refusal, error_response, json_response, refusal_of
from node.api.frames import FrameStream
from node.api.gate import DOOR
from node.api.openapi import document

T = TypeVar("T")
Handler = Callable[[Request], Awaitable[Response]]
SESSION_BOUNDS: Final = (
    "A tempo is 20000 to 400000 thousandths of a beat a minute, a bar 1 to 32 beats, a beat 1 to 12 steps; a title has "
    "80 characters at most, and a jam 8 tags of 24 characters."
)
WISH_SHAPE: Final = 'It is {"wish": {"kind": "send", ...}, "passphrase": "..."}: see docs/api.md.'


class Http:
    """Handlers of the calls, around one backend."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def routes(self) -> list[Route]:
        """What is served where."""
        paths: dict[str, dict[str, Handler]] = {}
        for call in CALLS:
            paths.setdefault(call.path, {})[call.method] = getattr(self, call.name)
        calls = [Route(path, _by_method(path, paths), methods=list(handlers)) for path, handlers in paths.items()]
        return [*calls, Route("/ws", for_sockets), Route(DOOR + "{name:path}", for_sockets)]

    async def specification(self, _: Request) -> Response:
        """GET /api/openapi.json."""
        return json_response(document())

    async def status(self, _: Request) -> Response:
        """GET /api/status."""
        return json_response(self._backend.status())

    async def blocks(self, request: Request) -> Response:
        """GET /api/blocks."""
        return json_response(
            {"schema": "symjam.blocks/1", "blocks": self._backend.blocks(asked(request, Limited).limit)}
        )

    async def block(self, request: Request) -> Response:
        """GET /api/blocks/<id>: the id in full, or so much of its beginning that no other begins alike."""
        begins = request.path_params["begins"]
        found = self._backend.blocks_like(begins.lower()) if re.fullmatch(BEGINNING, begins) else []
        if not found:
            raise Refusal(404, "no such block", f"none begins with {begins[:64]!r}", "`symjam blocks` lists them.")
        if len(found) > 1:
            raise Refusal(409, "more than one block", f"several begin with {begins!r}", "Give more of its digits.")
        return json_response({"schema": "symjam.block/1", "block": found[0]})

    async def windows(self, request: Request) -> Response:
        """GET /api/windows."""
        return json_response(
            {"schema": "symjam.windows/1", "windows": self._backend.windows(asked(request, Limited).limit)}
        )

    async def wallet(self, _: Request) -> Response:
        """GET /api/wallet."""
        return json_response(self._backend.wallet())

    async def history(self, request: Request) -> Response:
        """GET /api/history."""
        rows = asked(request, Rows)
        return json_response(self._backend.history(rows.limit, rows.before or None))

    async def plan(self, request: Request) -> Response:
        """POST /api/operations/plan: signs nothing."""
        return json_response(self._backend.plan((await body_of(request, SignWish, WISH_SHAPE)).wish))

    async def sign(self, request: Request) -> Response:
        """POST /api/operations."""
        asked = await body_of(request, SignWish, WISH_SHAPE)
        number = None if asked.request is None else bytes.fromhex(asked.request)
        return json_response(await self._backend.sign(asked.wish, asked.passphrase, number))

    async def operation(self, request: Request) -> Response:
        """GET /api/operations/<id>: an entry of this player's own, by so much of its id as no other begins with."""
        begins = request.path_params["begins"]
        if not re.fullmatch(BEGINNING, begins):
            raise Refusal(404, "no such entry", f"{begins[:64]!r} is not how an id begins", "symjam wallet history")
        return json_response(self._backend.operation(begins.lower()))

    async def requested(self, request: Request) -> Response:
        """GET /api/requests/<number>: what was signed for a request."""
        return json_response(await self._backend.requested(_request_number(request.path_params["number"])))

    async def vouches(self, _: Request) -> Response:
        """GET /api/vouches."""
        return json_response(self._backend.vouches())

    async def document(self, request: Request) -> Response:
        """GET /api/documents/<name>: one Yjs update."""
        name = request.path_params["name"]
        update = self._backend.document(name) if is_document(name) else None
        if update is None:
            raise Refusal(404, "no such document", f"this node holds no {name[:96]!r}", "`symjam status` lists them.")
        return Response(update, headers={"Cache-Control": "no-store"}, media_type=YJS.media_type)

    async def session(self, _: Request) -> Response:
        """GET /api/session."""
        return json_response(self._backend.jam())

    async def open_session(self, request: Request) -> Response:
        """POST /api/session."""
        wish = await body_of(request, SessionWish, SESSION_BOUNDS)
        return json_response(await self._backend.open_session(wish))

    async def close_session(self, _: Request) -> Response:
        """DELETE /api/session."""
        return json_response(await self._backend.close_session())

    async def recording(self, request: Request) -> Response:
        """GET /api/session/recording."""
        return json_response(self._backend.recording(asked(request, OfSession).session or None))

    async def midi(self, request: Request) -> Response:
        """GET /api/session/midi: a file to keep."""
        session = asked(request, OfSession).session or None
        headers = {"Cache-Control": "no-store", "Content-Disposition": 'attachment; filename="jam.mid"'}
        return Response(self._backend.midi(session), headers=headers, media_type=MIDI.media_type)

    async def chart(self, _: Request) -> Response:
        """GET /api/chart."""
        return json_response(self._backend.chart())

    async def share_chart(self, request: Request) -> Response:
        """POST /api/chart: the body is a MIDI file, what is wished stands in the query."""
        wish = asked(request, ChartWish)
        raw = await _read(request, CHART_FILE_MAX_BYTES)
        return json_response(await self._backend.share_chart(wish, raw))

    async def begin_chart(self, _: Request) -> Response:
        """POST /api/chart/start."""
        return json_response(await self._backend.begin_chart())

    async def guests(self, _: Request) -> Response:
        """GET /api/guests."""
        return json_response(self._backend.guests())

    async def invite(self, _: Request) -> Response:
        """POST /api/guests: let guests in."""
        return json_response(await self._backend.invite())

    async def show_out(self, _: Request) -> Response:
        """DELETE /api/guests: no guests any more."""
        return json_response(await self._backend.show_out())

    async def store(self, _: Request) -> Response:
        """GET /api/store: all records of the node's store as of one moment, for backups and checks, in frames of
        bounded size. No secret is among them. At most two at once; 503 beyond."""
        return await FrameStream.begun(self._backend.store())

    async def stop(self, _: Request) -> Response:
        """POST /api/stop: answered before the end begins to be felt, for open answers are let finish."""
        self._backend.stop()
        return json_response({"schema": "symjam.stop/1", "stopping": True}, 202)

    async def metrics(self, _: Request) -> Response:
        """GET /metrics."""
        return Response(self._backend.metrics(), media_type=PROMETHEUS.media_type)


def _by_method(path: str, paths: dict[str, dict[str, Handler]]) -> Handler:
    """One handler for a path, so that who asks it in a wrong way is told of all the right ones.

    Where a part of a path is open, what is spelled out elsewhere is not meant: /api/operations/plan is no entry.
    """

    async def handler(request: Request) -> Response:
        handlers = paths.get(request.scope["path"], paths[path])
        method = "GET" if request.method == "HEAD" else request.method
        if method not in handlers:
            raise HTTPException(405, headers={"Allow": ", ".join(sorted(handlers))})
        return await handlers[method](request)

    return handler


def asked(request: Request, shape: type[T]) -> T:
    """What stands in the address, as a value of `shape`. What it does not name is not looked at."""
    try:
        return msgspec.convert(dict(request.query_params), shape, strict=False)
    except msgspec.ValidationError as error:
        remedy = "See docs/api.md for what may stand in the address."
        raise Refusal(400, "unreadable request", str(error)[:200], remedy) from None


def _request_number(word: str) -> bytes:
    if not (len(word) == 32 and set(word) <= set("0123456789abcdef")):
        raise Refusal(404, "no such request", f"{word[:40]!r} is not a request's number: 32 digits", "See docs/api.md.")
    return bytes.fromhex(word)


async def for_sockets(_: Request) -> Response:
    """Where a WebSocket is spoken, to who does not speak it."""
    refusal = Refusal(426, "not for requests", "a WebSocket is spoken here", "See docs/api.md.")
    answer = error_response(refusal)
    answer.headers["Upgrade"] = "websocket"
    return answer


async def _read(request: Request, max_bytes: int) -> bytes:
    """The body, within bounds of size and time."""
    raw = bytearray()
    with trio.move_on_after(API_BODY_TIMEOUT_S) as scope:
        async for chunk in request.stream():
            raw += chunk
            if len(raw) > max_bytes:
                raise Refusal(413, "too large", f"a body has at most {max_bytes} bytes", "Send less.")
    if scope.cancelled_caught:
        raise Refusal(408, "too slow", f"the body did not arrive in {API_BODY_TIMEOUT_S} s", "Send it again.")
    return bytes(raw)


async def body_of(request: Request, shape: type[T], remedy: str) -> T:
    """The JSON body as a value of `shape`; `remedy` is what one is told when it is none."""
    raw = await _read(request, API_BODY_MAX_BYTES)
    try:
        return msgspec.json.decode(raw or b"{}", type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(400, "unreadable request", str(error)[:200], remedy) from None


async def on_refusal(_: Request, error: Exception) -> Response:
    """A Refusal raised by a handler."""
    assert isinstance(error, Refusal)
    return error_response(error)


async def on_failure(_: Request, error: Exception) -> Response:
    """One of the node's own errors."""
    assert isinstance(error, OperatingFailure | Violation)
    return error_response(refusal_of(error))


async def on_http(_: Request, error: Exception) -> Response:
    """What routing refuses: unknown paths and methods."""
    assert isinstance(error, HTTPException)
    phrase = HTTPStatus(error.status_code).phrase.lower()
    answer = error_response(Refusal(error.status_code, phrase, "the API has no such call", "See docs/api.md."))
    answer.headers.update(error.headers or {})  # what may be asked there
    return answer


async def on_bug(_: Request, error: Exception) -> Response:
    """Anything else is a bug of ours. The server logs it; the client learns only its kind."""
    why = f"the node met a bug ({type(error).__name__})"
    return error_response(Refusal(500, "internal error", why, "Please report it with the node's log."))
