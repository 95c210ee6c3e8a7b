"""The API's server: hypercorn inside the daemon's own trio loop, on sockets bound beforehand.

hypercorn's own accept loop has no bound on connections, and it shields each write, so that one client which reads
nothing would hold the shutdown up for ever. Connections are therefore accepted here, so many a second, and given to
hypercorn's connection handler once they have asked something, over a stream whose writes have a deadline. When there is
no room for one more, the one goes that has waited longest without asking: who holds sockets open keeps nobody out.

Closing: WebSockets are told (1001), answers under way may finish, and after API_CLOSE_TIMEOUT_S what is left is cut.
"""

from __future__ import annotations

import logging
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from errno import EADDRINUSE
from typing import TYPE_CHECKING, Any, Final, cast

import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.events import Event, Updated
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ASGIFramework
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import WebSocketRoute
from starlette.types import ASGIApp

from crdt.errors import OperatingFailure, Violation
from crdt.limits import (
    API_CLOSE_TIMEOUT_S,
    API_CONNECTIONS_MAX,
    API_CONNECTS_PER_S_MAX,
    API_HEAD_MAX_BYTES,
    YJS_MESSAGE_MAX_BYTES,
)
from node.api import static
from node.api.backend import Backend
from node.api.door import Door
from node.api.errors import Refusal
from node.api.gate import DOOR, Check, Gate, holds
from node.api.http import Http, on_bug, on_failure, on_http, on_refusal
from node.api.pace import Pace
from node.api.socket import Sockets
from node.api.stream import Stream
from node.mesh.guard import Guard

if TYPE_CHECKING:
    from trio_typing import TaskStatus

log = logging.getLogger("symjam.api")

BACKLOG: Final = 512  # connections that the kernel takes before they are accepted

HANDLERS: Final[dict[Any, Any]] = {
    Refusal: on_refusal,
    OperatingFailure: on_failure,
    Violation: on_failure,
    HTTPException: on_http,
    Exception: on_bug,
}


async def serve(
    backend: Backend,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    token: str,
    read_token: str = "",
    guard: Guard | None = None,
    task_status: TaskStatus[int] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until cancelled; reports the bound port as started.

    `port` is a wish: when another process has it, the system chooses. `read_token`: none when empty. `guard` counts
    connections that end in an error of the server's, under "api". OperatingFailure when no port can be had.
    """
    listener = bind(host, port)
    bound = listener.getsockname()[1]
    closing = trio.Event()
    sockets, door = Sockets(backend, closing), Door(backend.library, closing)
    app = build_app(backend, sockets, door, port=bound, check=holds(token, read_token))
    server = Server(app, [listener], closing, guard or Guard(Counter()), (sockets.tell_status,))
    await server.serve(lambda: task_status.started(bound))


def bind(host: str, port: int) -> socket.socket:
    """A listening socket, at another port when another process has that one. OperatingFailure when none can be had."""
    for wish in (port, 0):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, wish))
            listener.listen(BACKLOG)
            return listener
        except OSError as error:
            listener.close()
            if error.errno != EADDRINUSE or wish == 0:
                why, remedy = f"{host}: {error}", "Check that this interface is up."
                raise OperatingFailure("cannot open the node's web port", why, remedy) from error
    raise AssertionError("the second wish either binds or raises")


class Server:
    """One run of a server: its connections and how they end. `closing` is set when it begins to close.

    `beside`: tasks that run as long as it accepts. `admits`: whether a host may have one connection more.
    """

    def __init__(
        self,
        app: ASGIApp,
        listeners: Sequence[socket.socket],
        closing: trio.Event,
        guard: Guard,
        beside: Sequence[Callable[[], Awaitable[object]]] = (),
        admits: Callable[[str], bool] | None = None,
    ) -> None:
        self._guard = guard
        self._listeners = listeners
        self._closing = closing
        self._beside = beside
        self._admits = admits
        self._app = ASGIWrapper(cast(ASGIFramework, app))
        self._config = _config()
        self._context = WorkerContext(None)
        self._streams: dict[Stream, str] = {}  # by age, with the host at the other end
        self._pace = Pace(API_CONNECTS_PER_S_MAX)
        self._accepting = trio.CancelScope()
        # Shielded, so that cancelling `serve` begins a goodbye instead of cutting everyone at once.
        self._scope = trio.CancelScope(shield=True)

    def count(self, host: str) -> int:
        """Connections of one host."""
        return sum(other == host for other in self._streams.values())

    async def serve(self, started: Callable[[], None]) -> None:
        """Serve until cancelled; `started` is called when connections are taken."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.run)
            started()
            try:
                await trio.sleep_forever()
            finally:
                self.close_soon()

    async def run(self) -> None:
        """Accept and serve; returns once closed."""
        with self._scope:
            async with trio.open_nursery() as nursery:
                await self._accept(nursery)
                with trio.move_on_after(API_CLOSE_TIMEOUT_S):
                    await self._context.terminated.set()
                    while self._streams:
                        await trio.sleep(0.01)
                for stream in tuple(self._streams):
                    stream.cut()
                nursery.cancel_scope.cancel()

    async def _accept(self, connections: trio.Nursery) -> None:
        with self._accepting:
            async with trio.open_nursery() as nursery:
                for task in self._beside:
                    nursery.start_soon(task)
                sockets = map(trio.socket.from_stdlib_socket, self._listeners)
                listeners = [_Listener(trio.SocketListener(one), self._pace) for one in sockets]
                await trio.serve_listeners(self._connection, listeners, handler_nursery=connections)

    def close_soon(self) -> None:
        """Begin to close."""
        self._closing.set()
        self._accepting.cancel()

    async def _connection(self, raw: trio.SocketStream) -> None:
        host = _host_of(raw)
        if not self._has_room() or (self._admits is not None and not self._admits(host)):
            await trio.aclose_forcefully(raw)
            return
        stream = Stream(raw)
        self._streams[stream] = host
        try:
            if await stream.hear():
                connection = _Connection(self._app, self._config, self._context, {}, stream)  # type: ignore[arg-type]
                await self._guard.run("api", connection.run)
        finally:
            stream.cut()
            self._streams.pop(stream, None)

    def _has_room(self) -> bool:
        """Whether one connection more can be had; when all are taken, the longest waiting one makes room."""
        if len(self._streams) < API_CONNECTIONS_MAX:
            return True
        oldest = next((stream for stream in self._streams if stream.waits), None)
        if oldest is not None:
            oldest.cut()
            del self._streams[oldest]
        return oldest is not None


class _Listener(trio.abc.Listener[trio.SocketStream]):
    """Accepts so many a second; more wait in the kernel's queue, and are then to try again."""

    def __init__(self, listener: trio.SocketListener, pace: Pace) -> None:
        self._listener = listener
        self._pace = pace

    async def accept(self) -> trio.SocketStream:
        """As trio's."""
        await self._pace.keep()
        return await self._listener.accept()

    async def aclose(self) -> None:
        """As trio's."""
        await self._listener.aclose()


def _host_of(raw: trio.SocketStream) -> str:
    try:
        return str(raw.socket.getpeername()[0])
    except OSError:  # it is gone already
        return ""


class _Connection(TCPServer):
    """hypercorn's connection, but over when the client has gone, not when its idle time has run out as well."""

    async def _read_data(self) -> None:
        await super()._read_data()
        await self.idle_task.stop()

    async def protocol_send(self, event: Event) -> None:
        """As hypercorn's, which says here whether a request is under way."""
        if isinstance(event, Updated):
            cast(Stream, self.stream).waits = event.idle
        await super().protocol_send(event)


def build_app(backend: Backend, sockets: Sockets, door: Door, *, port: int, check: Check) -> ASGIApp:
    """Everything that is served on one port, behind the gate."""
    sockets_at = [WebSocketRoute("/ws", sockets.endpoint), WebSocketRoute(DOOR + "{name:path}", door.endpoint)]
    routes = [*static.routes(), *Http(backend).routes(), *sockets_at]
    hosts = (f"127.0.0.1:{port}", f"localhost:{port}")
    return Gate(Starlette(routes=routes, exception_handlers=HANDLERS), hosts=hosts, check=check)


def _config() -> Config:
    config = Config()
    config.accesslog = None
    config.errorlog = log
    config.include_server_header = False
    config.websocket_max_message_size = YJS_MESSAGE_MAX_BYTES  # `/ws` has a smaller bound of its own
    config.h11_max_incomplete_size = API_HEAD_MAX_BYTES
    config.keep_alive_timeout = 30.0
    config.h2_max_concurrent_streams = 8
    config.max_app_queue_size = 16
    return config
