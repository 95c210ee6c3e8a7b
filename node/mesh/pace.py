"""How many frames of the multiplexer itself a peer may send: pings, windows, streams that begin and end.

Data for the live link does not count: it has a window, and a budget of its own (node/engine/budget.py). Everything
else is little in an honest life, and costs this node tens of microseconds each, an answer, or a task.
"""

from __future__ import annotations

from typing import Final

from libp2p.stream_muxer.yamux.yamux import FLAG_SYN, TYPE_PING

from crdt.limits import MUX_FRAMES_BURST_MAX, MUX_FRAMES_PER_S_MAX

_STREAM_COST: Final = 50  # a new stream is a task, a negotiation and its buffers
_TURN_FRAMES: Final = 16


class Pace:
    """A token bucket for one connection. Times are trio's seconds."""

    def __init__(self) -> None:
        self._tokens = float(MUX_FRAMES_BURST_MAX)
        self._at = 0.0
        self._frames = 0

    def take(self, kind: int, flags: int, now: float) -> bool:
        """Count one frame; False when it is one too many."""
        self._frames += 1
        self._tokens = min(MUX_FRAMES_BURST_MAX, self._tokens + (now - self._at) * MUX_FRAMES_PER_S_MAX)
        self._at = now
        self._tokens -= _STREAM_COST if flags & FLAG_SYN and kind != TYPE_PING else 1
        return self._tokens >= 0

    @property
    def is_others_turn(self) -> bool:
        """Whether other tasks are to run now: reading from memory never waits by itself."""
        return self._frames % _TURN_FRAMES == 0
