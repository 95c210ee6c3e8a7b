"""Noticing that a peer is gone although its connection stands: a frozen process, a closed laptop, a pulled cable.

TCP says nothing for minutes, and until then the dead connection is in the way of the peer's own return
(notes/libp2p.md: 0 of 300 messages). Every connection is pinged each second; after two seconds without an answer it is
cut. Seconds in which this process did not run itself are not held against anyone.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import Any, Final

import trio
from libp2p.exceptions import BaseLibp2pError
from libp2p.host.ping import ID as PING

from node.mesh.guard import Guard
from node.mesh.host import MeshHost, player_at
from node.mesh.ping import Pings

PING_EVERY_S: Final = 1.0
MISSES_MAX: Final = 2
STALLED_S: Final = 0.5  # a wait that overran by this much tells of us, not of the peer
_GRACE: Final = 2  # more misses allowed before the first answer, while the stream is being opened
_SPARE_S: Final = 10.0
_SAMPLES: Final = 16
_JUDGED: Final = 32


class Pulse:
    """What the pings over one connection have shown."""

    def __init__(self) -> None:
        self._samples: deque[int] = deque(maxlen=_SAMPLES)
        self.answers = 0

        self._missed: deque[bool] = deque(maxlen=_JUDGED)

    def answered(self, rtt_us: int) -> None:
        """Take in one round trip."""
        self._samples.append(rtt_us)
        self.answers += 1

    def judged(self, missed: bool) -> None:
        """Take in whether there was a sign of life within one more period."""
        self._missed.append(missed)

    @property
    def loss_permille(self) -> int:
        """The share of recent periods without a sign of life: TCP repeats what is lost, which shows as silence."""
        return 1_000 * sum(self._missed) // len(self._missed) if self._missed else 0

    @property
    def rtt_us(self) -> int | None:
        """The lower quartile of recent round trips: delays of scheduling only ever add."""
        return sorted(self._samples)[len(self._samples) // 4] if self._samples else None


class Watchdog:
    """Pings every connection and cuts the dead ones."""

    def __init__(self, host: MeshHost, guard: Guard, counters: Counter[str]) -> None:
        self._host = host
        self._guard = guard
        self._counters = counters
        self._pulses: dict[int, Pulse] = {}  # by id of the connection
        self._nursery: trio.Nursery | None = None

    def start(self, nursery: trio.Nursery) -> None:
        """Begin to watch whoever connects."""
        self._nursery = nursery

    def connected(self, conn: Any) -> None:
        """A connection was made, by either side."""
        if self._nursery is not None:
            self._nursery.start_soon(self._guard.run, "watchdog", self._watch, conn)

    def rtt_us(self, conn: Any) -> int | None:
        """Smoothed round trip of a connection."""
        pulse = self._pulses.get(id(conn))
        return pulse.rtt_us if pulse is not None else None

    def loss_permille(self, conn: Any) -> int:
        """Share of recent seconds in which a connection was silent."""
        pulse = self._pulses.get(id(conn))
        return pulse.loss_permille if pulse is not None else 0

    async def _watch(self, conn: Any) -> None:
        pulse = self._pulses[id(conn)] = Pulse()
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._ping, conn, pulse)
                await self._judge(conn, pulse)
                conn.muxed_conn.abort()
                nursery.cancel_scope.cancel()
        finally:
            del self._pulses[id(conn)]

    async def _ping(self, conn: Any, pulse: Pulse) -> None:
        """Ping for ever. Ends quietly when it cannot: then no answers come, and the judge acts on that."""
        try:
            pings = Pings(await self._host.open_stream(conn, PING))
            while (took_s := await pings.ask()) is not None:
                pulse.answered(int(took_s * 1_000_000))
                await trio.sleep(max(0.0, PING_EVERY_S - took_s))
        except (BaseLibp2pError, trio.TooSlowError):
            return

    async def _judge(self, conn: Any, pulse: Pulse) -> None:
        """Return when the connection is closed, or when the peer has not answered for too long."""
        misses, heard = -_GRACE, 0
        while conn.muxed_conn.alive and not self._is_spare(conn):
            began = trio.current_time()
            with trio.move_on_after(PING_EVERY_S):
                await conn.muxed_conn.event_shutting_down.wait()
            if trio.current_time() - began > PING_EVERY_S + STALLED_S:
                self._counters["stalls"] += 1
                continue
            signs = pulse.answers + conn.muxed_conn.heard
            misses = misses + 1 if signs == heard else 0
            pulse.judged(missed=signs == heard)
            heard = signs
            if misses >= MISSES_MAX:
                self._counters["peers-unresponsive"] += 1
                return

    def _is_spare(self, conn: Any) -> bool:
        """Whether another connection to the peer does all the work, as after both sides dialled at once."""
        player = player_at(conn)
        if player is None or trio.current_time() - conn.muxed_conn.born < _SPARE_S:
            return False
        idle = all(stream.get_protocol() == PING for stream in conn.get_streams())
        return idle and len(self._host.connections(player)) > 1
