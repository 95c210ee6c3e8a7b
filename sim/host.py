"""One node of a world: the daemon's engine with hands that are simulated (compare node/shell/node.py and hands.py).

The engine sees its own clock only. As in the daemon, that is the wall clock of the moment at which the process started,
counted on from there: setting the clock is noticed at the next start, a quartz that runs fast or slow at once.

Three ways to go: `stop` as it should, `kill` (kill -9: what was written stays), `cut_power` (what was synced stays, and
nobody hears of it until their watchdogs do). A disk that fails takes the process with it.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any, Final, Protocol

from consensus.params import network_id
from crdt.errors import Misuse, OperatingFailure
from crdt.keys import Identity
from crdt.types import Digest, Epoch, PlayerId
from node.engine.conduct import HONEST, Conduct
from node.engine.documents import Stored
from node.engine.effects import Confirm, Effect, Hint, Persist, Publish, Refuse, Send, Work
from node.engine.engine import Engine
from node.engine.inputs import Confirmed, Input, Worked
from node.engine.record import CHECKPOINT_KEY, checkpoint_in
from sim.disk import Disk
from sim.timeline import Timeline

if TYPE_CHECKING:
    from sim.world import World

WORK_US: Final = 100_000
SYNC_US: Final = 4_000  # what fdatasync takes on the disks measured
WAITING_MAX: Final = 65_536  # inputs that reach a frozen process; the kernel's buffers hold no more

Waiting = tuple[Callable[..., Any], tuple[Any, ...]]


class Clock:
    """A machine's clock beside the world's: off by so much, and fast by so many millionths."""

    __slots__ = ("_anchor_us", "_timeline", "drift_ppm", "offset_us")

    def __init__(self, timeline: Timeline, offset_us: int = 0, drift_ppm: int = 0) -> None:
        self._timeline = timeline
        self.offset_us = offset_us  # of the wall clock
        self.drift_ppm = drift_ppm
        self._anchor_us = (timeline.now_us, timeline.now_us + offset_us)  # true time, the process's at that time

    def now_us(self) -> int:
        """What the process takes the time for."""
        since_us, began_us = self._anchor_us
        passed_us = self._timeline.now_us - since_us
        return began_us + passed_us + passed_us * self.drift_ppm // 1_000_000

    def set(self, offset_us: int) -> None:
        """Set the wall clock to so far from true time."""
        self.offset_us = offset_us

    def start(self) -> None:
        """A process starts: it reads the wall clock, once."""
        self._anchor_us = (self._timeline.now_us, self._timeline.now_us + self.offset_us)


class Policy(Protocol):
    """What a player's own program does around its engine: drop, delay, replace or add effects (sim/people/)."""

    conduct: Conduct

    def act(self, host: Host, event: Input, effects: list[Effect]) -> list[Effect]:
        """What is carried out of what the engine asked for, now."""
        ...


class Watch(Protocol):
    """Who looks over every node's shoulder (sim/checks/)."""

    def sent(self, host: Any, frame: bytes) -> None:
        """A frame leaves a node."""

    def saved(self, host: Any, persist: Persist) -> None:
        """A batch is in a node's store; what is to follow it has not happened yet."""

    def told(self, host: Any, effect: Effect) -> None:
        """A node refuses a peer."""

    def died(self, host: Any, power: bool) -> None:
        """A process ended; with `power`, its machine too."""

    def started(self, host: Any) -> None:
        """A process began from what its store holds."""


class Host:
    """One node: its engine, its disk, its clock, and what it told its user."""

    def __init__(
        self,
        world: World,
        identity: Identity,
        trusted: Digest | None = None,
        clock: Clock | None = None,
        restored: Epoch | None = None,
    ) -> None:
        self.world = world
        self.restored = restored  # up to which epoch the key may have signed on another machine
        self.trusted = trusted
        self.identity = identity
        self.number = len(world.hosts)
        self.clock = clock or Clock(world.timeline)
        self.disk = Disk(Random(f"disk {world.seed} {self.number}{'' if restored is None else ' restored'}"))
        self.policy: Policy | None = None
        self.told: list[Effect] = []
        self.tell: Callable[[Effect], Any] = self.told.append
        self.refusing: dict[PlayerId, int] = {}  # until when, in the world's time
        self.failure: OperatingFailure | None = None  # what the process died of, if it did
        self.alive = False
        self.frozen = False
        self.engine: Engine
        self._life = 0
        self._waiting: list[Waiting] = []  # what reached a frozen process
        self.start()

    @property
    def player(self) -> PlayerId:
        """Whose node it is."""
        return self.identity.player

    @property
    def store(self) -> Any:
        """What the process writes to."""
        return self.disk.store

    @property
    def signed(self) -> Any:
        """The record of what was signed last."""
        return self.disk.signed

    @property
    def now_us(self) -> int:
        """The time by this node's clock."""
        return self.clock.now_us()

    @property
    def awake(self) -> bool:
        """Whether it does anything."""
        return self.alive and not self.frozen

    # the process

    def start(self) -> None:
        """Start, or start again, from what the disk holds. A disk that fails leaves it dead (`failure`)."""
        if self.alive:
            raise Misuse("this process is running")
        self.clock.start()
        self.failure = None
        network = network_id(self.world.params)
        try:
            opened = self.disk.open(network, is_new=self.restored is None)
        except OperatingFailure as failure:
            self.disk.kill()  # which the failing process has closed
            self.failure = failure
            return
        checkpoint = checkpoint_in(network, opened.store.get(CHECKPOINT_KEY))
        self.engine = Engine(
            self.identity,
            self.world.params,
            self.now_us,
            stored=Stored(opened.entries(), opened.proofs, checkpoint),
            nonce=opened.nonce,
            signed=self.disk.signed,
            trusted=self.trusted,
            conduct=HONEST if self.policy is None else self.policy.conduct,
            restored=self.restored,
        )
        self.alive = True
        if self.world.watch is not None:
            self.world.watch.started(self)

    def sit(self, policy: Policy) -> None:
        """Have somebody play here who is this policy, from now on and in every life."""
        self.policy = policy
        if self.alive:
            self.engine.duties.conduct = policy.conduct

    def stop(self) -> None:
        """The process ends as it should: what waits for the disk is written, and not said any more."""
        if self.alive:
            self._end()
            self.disk.close()
            self.world.drop(self.player)

    def kill(self) -> None:
        """The process dies: memory is gone, what was written stays."""
        if self.alive:
            self._end()
            self.disk.kill()
            self.world.drop(self.player)

    def cut_power(self) -> None:
        """The machine dies: what was not synced may be gone, and its links just fall silent."""
        if self.alive:
            self._end(power=True)
            self.disk.cut_power()
            self.world.silence(self.player)

    def freeze(self) -> None:
        """The process stops (SIGSTOP, a closed laptop); what is sent to it waits in the kernel."""
        self.frozen = self.alive

    def thaw(self) -> None:
        """It goes on where it was."""
        self.frozen = False
        waiting, self._waiting = self._waiting, []
        for action, args in waiting:
            self._when_awake(action, *args)

    def _end(self, power: bool = False) -> None:
        self.alive = self.frozen = False
        self._waiting = []
        self._life += 1
        if self.world.watch is not None:
            self.world.watch.died(self, power)

    def _died(self, failure: OperatingFailure) -> None:
        self.kill()
        self.failure = failure

    # the engine

    def give(self, event: Input) -> None:
        """Hand the engine an input and carry out what it asks for. Misuse for a command that makes no sense."""
        if self.alive:
            if self.frozen:
                self._when_awake(self.give, event)
                return
            world = self.world
            if world.trace is not None:
                world.trace.add(world.timeline.now_us, self.number, event)
            effects = self.engine.handle(self.clock.now_us(), event)
            if self.policy is not None:
                effects = self.policy.act(self, event, effects)
            if effects:
                self.execute(effects)

    def attempt(self, event: Input) -> bool:
        """As `give`, for what a player does: False when it was not possible (now)."""
        if not self.awake:
            return False
        try:
            self.give(event)
        except Misuse:
            return False
        return True

    def execute(self, effects: list[Effect] | tuple[Effect, ...]) -> None:
        """The simulator's hands."""
        send, player, watch = self.world.send, self.player, self.world.watch
        for effect in effects:
            if type(effect) is Send:
                if watch is not None:
                    watch.sent(self, effect.frame)
                send(player, effect.player, effect.frame)
            else:
                life = self._life
                self._do(effect)
                if life != self._life:
                    return  # it died of it

    def _do(self, effect: Effect) -> None:
        match effect:
            case Persist(sync=True):
                self._later(SYNC_US, self._sync, effect)
            case Persist(then=then):
                if self._write(effect):
                    self.execute(then)
            case Confirm(signed):
                self.give(Confirmed(signed))
            case Work():
                self._later(WORK_US, self._work, effect)
            case Hint(data):
                self.world.gossip(self.player, data)
            case Publish():
                pass  # to programs without a link, of which there are none here
            case Refuse(player, _, for_s):
                if self.world.watch is not None:
                    self.world.watch.told(self, effect)
                self.refusing[player] = self.world.now_us + for_s * 1_000_000
                self.world.unlink(self.player, player)
            case _:
                self.tell(effect)

    def _work(self, work: Work) -> None:
        self.give(Worked(work.ticket, work.task()))

    def _write(self, persist: Persist) -> bool:
        try:
            self.disk.store.write(persist.batch, persist.sync)
        except OperatingFailure as failure:
            self._died(failure)
            return False
        if self.world.watch is not None:
            self.world.watch.saved(self, persist)
        return True

    def _sync(self, persist: Persist) -> None:
        """First the entry, then the record of it, each with a sync of its own: a process can die between the two."""
        if self._write(persist):
            if persist.signed is None:
                self.execute(persist.then)
            else:
                self._later(SYNC_US, self._record, persist)

    def _record(self, persist: Persist) -> None:
        self.disk.signed = persist.signed
        self.execute(persist.then)

    def _later(self, delay_us: int, action: Callable[..., Any], *args: Any) -> None:
        """Something that the process has under way: it dies with it, and stands still with it."""
        self.world.timeline.after(delay_us, self._if_same_life, self._life, action, args)

    def _if_same_life(self, life: int, action: Callable[..., Any], args: tuple[Any, ...]) -> None:
        if life == self._life:
            self._when_awake(action, *args)

    def _when_awake(self, action: Callable[..., Any], *args: Any) -> None:
        if self.frozen:
            if len(self._waiting) < WAITING_MAX:
                self._waiting.append((action, args))
        elif self.alive:
            action(*args)
