"""The reading half of a link: bytes of one stream in, whole frames out, in the same turn in which they came."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import trio
from libp2p.exceptions import BaseLibp2pError
from libp2p.network.stream.exceptions import StreamEOF

from crdt.errors import Violation
from node.mesh.framing import Decoder

_READ_BYTES = 65_536


class Inbound:
    """Frames of one stream, while `wants` says that they can be delivered; what comes meanwhile is held back.

    `deliver` must not raise.
    """

    def __init__(self, stream: Any, deliver: Callable[[bytes], None], wants: Callable[[], bool]) -> None:
        self._stream = stream
        self._deliver = deliver
        self._wants = wants
        self._decoder = Decoder()
        self._scope = trio.CancelScope()
        self._violation: Violation | None = None

    async def run(self) -> bool:
        """Deliver frames until they are not wanted any more (True) or the stream has ended (False).

        Violation for what is no frame, and for a stream that ended inside one.
        """
        self._scope = trio.CancelScope()
        self._feed(b"")
        with self._scope:
            await self._until_it_ends()
        if self._violation is not None:
            raise self._violation
        return self._scope.cancelled_caught and self._stream.muxed_conn.alive

    async def _until_it_ends(self) -> None:
        muxed = self._stream.muxed_conn
        muxed.attach(self._stream.muxed_stream, self._feed)
        try:
            while True:
                self._feed(await self._stream.read(_READ_BYTES))  # only a stream's last words come this way
        except StreamEOF:
            if muxed.alive:  # else the connection was cut, which is nobody's fault
                self._decoder.finish()
        except BaseLibp2pError:
            return
        finally:
            muxed.detach(self._stream.muxed_stream)

    def _feed(self, data: bytes) -> None:
        """Take bytes in, and hand out the frames that they complete."""
        self._decoder.add(data)
        try:
            while self._wants() and self._stream.muxed_conn.alive:
                frame = self._decoder.next()
                if frame is None:
                    return
                self._deliver(frame)
        except Violation as violation:
            self._violation = violation
        self._stream.muxed_conn.detach(self._stream.muxed_stream)
        self._scope.cancel()
