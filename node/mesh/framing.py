"""Frames on a live stream: a big-endian u32 length, then that many bytes.

The decoder is a value without I/O. It never holds more than one frame's worth of incomplete bytes: an announced
length is judged as soon as it is read, before anything of the frame is kept.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from crdt.errors import Misuse, Reason, Violation
from crdt.limits import FRAME_MAX_BYTES

HEADER_BYTES: Final = 4
_header = struct.Struct(">I")


def encode(frame: bytes) -> bytes:
    """A frame with its length in front. Misuse when it is empty or larger than FRAME_MAX_BYTES."""
    if not 0 < len(frame) <= FRAME_MAX_BYTES:
        raise Misuse(f"a frame has 1 to {FRAME_MAX_BYTES} bytes, not {len(frame)}")
    return _header.pack(len(frame)) + frame


class Decoder:
    """Cuts a byte stream into frames: `add` bytes, then take each `next` frame."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._at = 0

    def add(self, data: bytes) -> None:
        """Take bytes in."""
        if self._at:
            del self._buffer[: self._at]
            self._at = 0
        self._buffer += data

    def next(self) -> bytes | None:
        """The next whole frame, None while there is none. Violation(OVERSIZE or GARBAGE) at a length out of bounds."""
        if len(self._buffer) - self._at < HEADER_BYTES:
            return None
        (length,) = _header.unpack_from(self._buffer, self._at)
        if length > FRAME_MAX_BYTES:
            raise Violation(Reason.OVERSIZE, f"a frame of {length} bytes")
        if length == 0:
            raise Violation(Reason.GARBAGE, "an empty frame")
        start = self._at + HEADER_BYTES
        if len(self._buffer) < start + length:
            return None
        self._at = start + length
        return bytes(memoryview(self._buffer)[start : self._at])

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The frames that `data` completes, in order. As `add` and `next`."""
        self.add(data)
        while (frame := self.next()) is not None:
            yield frame

    def finish(self) -> None:
        """The stream has ended. Violation(TRUNCATED) when it ended inside a frame."""
        left = len(self._buffer) - self._at
        if left:
            raise Violation(Reason.TRUNCATED, f"the stream ended {left} bytes into a frame")
