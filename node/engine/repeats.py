"""Live frames that hold nothing new, known by their bytes.

In a mesh that is linked more than once, most of what is passed on comes again from the next neighbour, byte for byte:
who passes an entry on puts it into a frame of its own. So what was wholly taken in, or held already, is known at one
look, before anything is decoded. Answers to questions are never among these.
"""

from __future__ import annotations

from typing import Final

from crdt.limits import REPEATS_KNOWN_MAX

FRAME_MAX_BYTES: Final = 2_048  # of a frame that is worth remembering: a few entries


class Repeats:
    """The latest such frames."""

    def __init__(self) -> None:
        self._frames: dict[bytes, None] = {}  # in the order in which they came

    def __contains__(self, raw: bytes) -> bool:
        return raw in self._frames

    def add(self, raw: bytes) -> None:
        """Nothing in this frame is new any more."""
        if len(raw) > FRAME_MAX_BYTES:
            return
        if len(self._frames) >= REPEATS_KNOWN_MAX:
            del self._frames[next(iter(self._frames))]
        self._frames[raw] = None
