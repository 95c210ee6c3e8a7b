"""lib0's encoding, on which Yjs and y-protocols stand: integers little-endian base 128, bytes after their length.

Format: https://github.com/dmonad/lib0 (encoding.js, decoding.js). Only what is needed of foreign bytes, every read
checked; integers have to be written in their shortest form, as lib0 writes them.
"""

from __future__ import annotations

from crdt.errors import Reason, Violation
from crdt.limits import YJS_COUNT_MAX


class Reader:
    """A cursor over foreign bytes. Every read raises Violation TRUNCATED at the end, and where it says so others."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.at = 0
        self.announced = 0

    def byte(self) -> int:
        """The next byte."""
        if self.at >= len(self.raw):
            raise Violation(Reason.TRUNCATED, "it ends early")
        self.at += 1
        return self.raw[self.at - 1]

    def varuint(self) -> int:
        """An integer below 2^53. Violation: NON_CANONICAL when it is padded, GARBAGE when it is larger."""
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if shift and not byte:
                    raise Violation(Reason.NON_CANONICAL, "a padded integer")
                break
            shift += 7
            if shift > 56:
                raise Violation(Reason.GARBAGE, "integer too long")
        if value >= 2**53:
            raise Violation(Reason.GARBAGE, "integer beyond 53 bits")
        return value

    def count(self) -> int:
        """A count of things to come. They are bounded together: four bytes of update become 300 of memory.
        Violation OVERSIZE."""
        value = self.varuint()
        self.announced += value
        if self.announced > YJS_COUNT_MAX:
            raise Violation(Reason.OVERSIZE, "counts beyond any honest update")
        return value

    def buffer(self) -> bytes:
        """Bytes with their length in front."""
        size = self.varuint()
        if self.at + size > len(self.raw):
            raise Violation(Reason.TRUNCATED, "it ends early")
        self.at += size
        return self.raw[self.at - size : self.at]

    def finish(self) -> None:
        """Violation GARBAGE when anything is left."""
        if self.at != len(self.raw):
            raise Violation(Reason.GARBAGE, "bytes after the end")


def varuint(value: int) -> bytes:
    """An integer."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def buffer(raw: bytes) -> bytes:
    """Bytes with their length in front."""
    return varuint(len(raw)) + raw
