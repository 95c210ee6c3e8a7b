"""Carrying out effects: save, then speak (SPEC 1, notes/store.md).

A batch without `sync` is written at once; it survives the death of the process. Batches with `sync` are collected
while the disk works and go down together, in one write in a thread, followed by the record of what was signed last;
what was to happen after each happens then. A failed write ends the process: nothing may be said that is not saved.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

import trio

from crdt.errors import OperatingFailure
from crdt.limits import SYNC_QUEUE_MAX, WORK_QUEUE_MAX
from crdt.store.base import Batch, Store
from crdt.store.last_signed import LastSigned
from crdt.types import PlayerId
from node.engine.effects import Confirm, Effect, Hint, Persist, Publish, Refuse, Send, Work
from node.engine.inputs import Confirmed, Input, Worked
from node.mesh.mesh import Mesh


def _nothing() -> None:
    """What is done when nobody wants to know."""


TOO_SLOW = OperatingFailure(
    "the disk is too slow", f"{SYNC_QUEUE_MAX} writes wait to be synced", "Is it failing or full? Check, and restart."
)


class Hands:
    """The effects' way out of the engine. `signed`: the record of each player that signs here."""

    def __init__(
        self,
        store: Store,
        signed: Mapping[PlayerId, LastSigned],
        mesh: Mesh,
        tell: Callable[[Effect], None],
        give: Callable[[Input], None],
        fail: Callable[[OperatingFailure], None],
        counters: Counter[str],
    ) -> None:
        self._store = store
        self._signed = signed
        self._mesh = mesh
        self._tell = tell
        self._give = give
        self._fail = fail
        self._counters = counters
        self.on_saved: Callable[[], None] = _nothing
        self.failure: OperatingFailure | None = None  # why nothing can be saved any more, and so nothing be said
        self._waiting: list[Persist] = []
        self._arrived = trio.Event()
        self._idle = trio.Event()
        self._idle.set()
        # The engine hands out one at a time; a second comes only after it has given up the first.
        self._give_work, self._work = trio.open_memory_channel[Work](WORK_QUEUE_MAX)

    def execute(self, effects: tuple[Effect, ...] | list[Effect]) -> None:
        """Do all of it, in order. Never blocks, but for an unsynced write. After a failed write it does nothing."""
        self._carry_out(effects)
        if self.failure is None:
            self._mesh.flush()

    def _carry_out(self, effects: tuple[Effect, ...] | list[Effect]) -> None:
        for effect in effects:
            if self.failure is not None:
                return
            match effect:
                case Send(player, frame):
                    self._send(player, frame)
                case Persist(sync=True):
                    if len(self._waiting) >= SYNC_QUEUE_MAX:
                        self._end(TOO_SLOW)
                        return
                    self._waiting.append(effect)
                    self._idle = trio.Event() if self._idle.is_set() else self._idle
                    self._arrived.set()
                case Persist(batch=batch, then=then):
                    if self._save(batch):
                        self._carry_out(then)
                        self.on_saved()
                case Confirm(signed):
                    self._give(Confirmed(signed))
                case Work():
                    self._give_work.send_nowait(effect)
                case Hint() | Publish():
                    self._gossip(effect)
                case Refuse(player, reason, for_s):
                    self._counters[f"peers_refused_{reason.replace('-', '_')}"] += 1
                    self._mesh.refuse(player, for_s)
                case _:
                    self._tell(effect)

    async def sync_forever(self) -> None:
        """The task that writes what must be synced."""
        while True:
            await self._arrived.wait()
            self._arrived = trio.Event()
            while self._waiting:
                group, self._waiting = self._waiting, []
                # Once begun it is finished: half a group that was announced would be worse than a slow stop.
                with trio.CancelScope(shield=True):
                    try:
                        await trio.to_thread.run_sync(self._write, group)
                    except OperatingFailure as failure:
                        self._end(failure)
                        return
                for persist in group:
                    self.execute(persist.then)
                self.on_saved()
            self._idle.set()

    def flush(self) -> None:
        """Write what still waits, at the end. What was to be said after it is not said any more."""
        if self._waiting:
            group, self._waiting = self._waiting, []
            self._write(group)

    async def work_forever(self) -> None:
        """The task that computes what the engine hands out, in a thread."""
        async for work in self._work:
            # libp2p brings stubs of an older trio; an unfinished judgement must not hold up the end.
            result = await trio.to_thread.run_sync(work.task, abandon_on_cancel=True)  # type: ignore[call-arg]
            self._give(Worked(work.ticket, result))

    @property
    def is_settled(self) -> bool:
        """Whether everything handed over so far is synced and said."""
        return self._idle.is_set()

    async def settled(self) -> None:
        """Wait until everything handed over so far is synced and said."""
        await self._idle.wait()

    def _gossip(self, effect: Hint | Publish) -> None:
        if isinstance(effect, Hint):
            self._mesh.publish(effect.data)
        else:
            self._mesh.publish_entries(effect.frame)

    def _save(self, batch: Batch) -> bool:
        try:
            self._store.write(batch, sync=False)
        except OperatingFailure as failure:
            self._end(failure)
            return False
        return True

    def _end(self, failure: OperatingFailure) -> None:
        """The engine knows of entries now that are not saved: whatever it says from here on could be of them."""
        self.failure = failure
        self._fail(failure)

    def _write(self, group: list[Persist]) -> None:
        batch = [item for persist in group for item in persist.batch]
        self._store.write(batch, sync=True)
        for persist in group:
            if persist.signed is not None:
                document, seq, entry, author = persist.signed
                self._signed[author].record(document, seq, entry)

    def _send(self, player: PlayerId, frame: bytes) -> None:
        if self._mesh.send(player, frame):
            self._counters["frames_out"] += 1
        else:
            self._counters["frames_dropped"] += 1
