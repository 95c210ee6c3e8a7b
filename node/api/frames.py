"""An answer that is long: sent frame by frame, each made when the one before has been taken.

Nothing of it waits in memory. The source is closed in every case, also when the client goes away in the midst of it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

import trio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from node.api.calls import FRAMES

Source = AsyncGenerator[bytes, None]


class FrameStream(Response):
    """Frames as one `application/octet-stream`. Made by `begun`."""

    media_type = FRAMES.media_type

    def __init__(self, first: bytes, rest: Source) -> None:
        super().__init__(headers={"Cache-Control": "no-store"})
        del self.headers["Content-Length"]
        self._first, self._rest = first, rest

    @classmethod
    async def begun(cls, source: Source) -> FrameStream:
        """The answer, once its first frame is there: what that raises is answered as an error."""
        return cls(await anext(source), source)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See Starlette."""
        async with aclosing(self._rest), trio.open_nursery() as nursery:
            nursery.start_soon(_until_gone, receive, nursery.cancel_scope)
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": self._first, "more_body": True})
            async for frame in self._rest:
                await send({"type": "http.response.body", "body": frame, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            nursery.cancel_scope.cancel()


async def _until_gone(receive: Receive, scope: trio.CancelScope) -> None:
    """Cancel when the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()
