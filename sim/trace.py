"""The trace of a run: every input of every node, in order. Its hash is the run's fingerprint.

    12345678 3 FrameReceived 5f2c...   at so many microseconds since the start, node 3 was given this

The last word is a digest of what the input holds. Two runs with one fingerprint did the same, input by input; where two
differ, `diff` of the two files shows the first thing that did. Nothing of the machine that runs it is in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import astuple
from typing import Any, Final, TextIO

from node.engine.inputs import FrameReceived, HintReceived, Input, PeerJoined, PeerLeft, Tick

_FLUSH_EVERY: Final = 512


class Trace:
    """Add every input; ask for the fingerprint at the end. Lines go to `file` as well, if there is one."""

    def __init__(self, start_us: int, file: TextIO | None = None) -> None:
        self.inputs = 0
        self._start_us = start_us
        self._file = file
        self._hash = hashlib.blake2b(digest_size=16)
        self._pending: list[bytes] = []

    def add(self, now_us: int, number: int, event: Input) -> None:
        """One input of one node."""
        self.inputs += 1
        content, name = content_of(event), type(event).__name__
        self._pending.append(
            b"%d %d %b %d %b" % (now_us - self._start_us, number, name.encode(), len(content), content)
        )
        if len(self._pending) >= _FLUSH_EVERY:
            self._flush()
        if self._file is not None:
            digest = hashlib.blake2b(content, digest_size=8).hexdigest()
            self._file.write(f"{now_us - self._start_us} {number} {name} {digest}\n")

    def fingerprint(self) -> str:
        """Of everything until now."""
        self._flush()
        return self._hash.hexdigest()

    def _flush(self) -> None:
        self._hash.update(b"".join(self._pending))
        self._pending.clear()


def _of_frame(event: FrameReceived) -> bytes:
    return event.player + event.frame


def _of_peer(event: PeerJoined | PeerLeft) -> bytes:
    return event.player


_CONTENT: Final[dict[type, Callable[[Any], bytes]]] = {
    FrameReceived: _of_frame,
    HintReceived: lambda event: event.data,
    PeerJoined: _of_peer,
    PeerLeft: _of_peer,
    Tick: lambda _: b"",
}


def content_of(event: Input) -> bytes:
    """What an input holds, as bytes that depend on nothing else."""
    known = _CONTENT.get(type(event))
    return known(event) if known is not None else repr(astuple(event)).encode()
