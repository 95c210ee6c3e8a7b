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
    """Cuts a byte stream into frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The frames that `data` completes. Violation(OVERSIZE or GARBAGE) at the first length out of bounds."""
        self._buffer += data
        position = 0
        try:
            while len(self._buffer) - position >= HEADER_BYTES:
                (length,) = _header.unpack_from(self._buffer, position)
                if length > FRAME_MAX_BYTES:
                    raise Violation(Reason.OVERSIZE, f"a frame of {length} bytes")
                if length == 0:
                    raise Violation(Reason.GARBAGE, "an empty frame")
                end = position + HEADER_BYTES + length
                if len(self._buffer) < end:
                    break
                frame = bytes(self._buffer[position + HEADER_BYTES : end])
                position = end
                yield frame
        finally:
            del self._buffer[:position]

    def finish(self) -> None:
        """The stream has ended. Violation(TRUNCATED) when it ended inside a frame."""
        if self._buffer:
            raise Violation(Reason.TRUNCATED, f"the stream ended {len(self._buffer)} bytes into a frame")
