"""From things played to entries: who signs together with whom (SPEC 3, "Coalescing").

An event that finds the pump at rest is signed, saved and handed to all links at once. That takes a while, a signature
and a write for each link, and after it the pump rests three times as long, so that however fast events come, at most a
quarter of the time goes into the fixed cost of entries and the rest is shared by what came meanwhile. With one peer
the rest is a millisecond, the least there is, with a full room a few; with nobody to hear, COALESCE_MAX_US, as is the
longest.

Who has just joined a jam does not know its time at once: some tens of milliseconds later in general, a second or two
where the time comes through others. Until then events wait here, stamped already, for none is placed by guess
(docs/clock.md).

It does not wait for the links. A peer that reads slowly fills its own outbox and is caught up later (crdt/reconcile),
and nobody else hears a note later for it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

import trio

from crdt.errors import Misuse, OperatingFailure
from crdt.limits import COALESCE_MAX_US, EVENTS_PER_ENTRY_MAX, PLAY_QUEUE_MAX
from node.engine.inputs import Played

_REST: Final = 3  # times the cost of the entry before
_REST_MIN_S: Final = 0.001  # more entries a second than that are more than a peer takes unasked: node/engine/budget.py
_COALESCE_MAX_S: Final = COALESCE_MAX_US / 1_000_000
_TIME_WAIT_S: Final = 8.0  # for the time of a jam; events may be 30 s old at most
_TIME_LOOK_S: Final = 0.005


class _Waiting:
    """Events that wait to be signed together with others, and the one who waits for them."""

    __slots__ = ("done", "events", "failure")

    def __init__(self, events: Sequence[Played]) -> None:
        self.events = events
        self.done = trio.Event()
        self.failure: Misuse | OperatingFailure | None = None


class Pump:
    """What the local player plays, queued. `sign` makes an entry of events, saves and sends it, or raises Misuse, or
    OperatingFailure when it cannot be saved. `can_place`: whether the time of the jam is known."""

    def __init__(
        self,
        sign: Callable[[tuple[Played, ...]], None],
        is_alone: Callable[[], bool],
        can_place: Callable[[], bool] = lambda: True,
    ) -> None:
        self._sign_events = sign
        self._is_alone = is_alone
        self._can_place = can_place
        self._plays: deque[_Waiting] = deque()
        self._queued = 0
        self._arrived = trio.Event()
        self._room = trio.Event()

    async def play(self, events: Sequence[Played]) -> None:
        """Sign, save and send events; returns once they are saved.

        OperatingFailure when they come faster than they can be signed, are too many at once, cannot be of now, or
        cannot be saved.
        """
        if self._queued + len(events) > PLAY_QUEUE_MAX:
            raise OperatingFailure("too much at once", "events come faster than they can be signed", "Play slower.")
        if not 0 < len(events) <= EVENTS_PER_ENTRY_MAX:
            raise OperatingFailure("cannot play that", f"1 to {EVENTS_PER_ENTRY_MAX} events at a time", "Send fewer.")
        waiting = self._put(events)
        await waiting.done.wait()
        if isinstance(waiting.failure, OperatingFailure):
            raise waiting.failure
        if waiting.failure is not None:
            raise OperatingFailure("cannot play that", str(waiting.failure), "Is the page's clock right?")

    async def send(self, event: Played) -> None:
        """Have an event signed, saved and sent soon; waits only while the queue is full."""
        while self._queued >= PLAY_QUEUE_MAX:
            self._room = trio.Event() if self._room.is_set() else self._room
            await self._room.wait()
        self._put((event,))

    async def run_forever(self) -> None:
        """The task that turns waiting events into entries."""
        while True:
            await self._arrived.wait()
            self._arrived = trio.Event()
            while self._plays:
                if not self._can_place() and not await self._time_is_found():
                    self._refuse_all()
                    continue
                began = trio.current_time()
                self._sign(self._take_batch())
                took_s = trio.current_time() - began
                await trio.sleep(_COALESCE_MAX_S if self._is_alone() else _rest_s(took_s))

    async def _time_is_found(self) -> bool:
        until = trio.current_time() + _TIME_WAIT_S
        while not self._can_place() and trio.current_time() < until:
            await trio.sleep(_TIME_LOOK_S)
        return self._can_place()

    def _refuse_all(self) -> None:
        why = "nobody here can tell the time of this jam, whose creator is not linked"
        while self._plays:
            for waiting in self._take_batch():
                waiting.failure = OperatingFailure("cannot play in this jam", why, "Open another jam, or wait.")
                waiting.done.set()

    def _put(self, events: Sequence[Played]) -> _Waiting:
        waiting = _Waiting(events)
        self._plays.append(waiting)
        self._queued += len(events)
        self._arrived.set()
        return waiting

    def _take_batch(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        count = 0
        while self._plays and count + len(self._plays[0].events) <= EVENTS_PER_ENTRY_MAX:
            waiting = self._plays.popleft()
            count += len(waiting.events)
            batch.append(waiting)
        self._queued -= count
        self._room.set()
        return batch

    def _sign(self, batch: list[_Waiting]) -> None:
        events = tuple(event for waiting in batch for event in waiting.events)
        try:
            self._sign_events(events)
        except Misuse as misuse:
            if len(batch) > 1:  # one bad time stamp must not refuse the others' notes
                for waiting in batch:
                    self._sign([waiting])
                return
            batch[0].failure = misuse
        except OperatingFailure as failure:
            for waiting in batch:
                waiting.failure = failure
        for waiting in batch:
            waiting.done.set()


def _rest_s(took_s: float) -> float:
    return min(max(_REST_MIN_S, _REST * took_s), _COALESCE_MAX_S)
