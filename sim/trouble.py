"""Faults carried out on a world, and the mesh that lives through them.

`Mesh` is what diallers and watchdogs do: neighbours that are up and can reach each other are linked again after a
moment, a link over which nothing comes is given up. `Trouble` begins each fault of a plan (sim/faults.py) and
undoes it. `Cables` knows who is cut off, who is deaf, what each line is like now.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Sequence
from random import Random
from typing import Final

import msgspec

from crdt.types import PlayerId
from sim.faults import CABLE, CLOCK, QUALITY, Fault, Kind
from sim.host import Host
from sim.network import Line
from sim.world import NOTICED_US, World

MS: Final = 1_000
LOOK_US: Final = 500_000
DIALLED: Final = 0.3  # of a look
SLOW_BYTES_PER_S: Final = 50_000
DROPPED: Final = 8  # of lost frames, one in so many is not sent again

Pair = tuple[int, int]  # numbers of hosts, ascending


def neighbours(nodes: int, degree: int, chance: Random) -> tuple[Pair, ...]:
    """A ring, so that it hangs together, and chords until everybody has about `degree` links."""
    pairs = {(at, at + 1) for at in range(nodes - 1)} | ({(0, nodes - 1)} if nodes > 2 else set())
    most = min(nodes * degree // 2, nodes * (nodes - 1) // 2)
    while len(pairs) < most:
        one, other = sorted(chance.sample(range(nodes), 2))
        pairs.add((one, other))
    return tuple(sorted(pairs))


class Cables:
    """What the network between the hosts is like now."""

    def __init__(self, world: World, hosts: Sequence[Host]) -> None:
        self._world, self._hosts = world, hosts
        self.segments: dict[int, int] = {}  # of those not in 0
        self.deaf: set[int] = set()
        self.mute: set[int] = set()
        self.lines: dict[int, Line] = {}

    def dead(self, one: int, other: int) -> bool:
        """Whether nothing comes over a link between two hosts, one way at least."""
        ends = {one, other}
        return self.segments.get(one, 0) != self.segments.get(other, 0) or bool(ends & (self.deaf | self.mute))

    def line(self, one: int, other: int) -> Line:
        """What a link between two hosts is like."""
        return self.lines.get(one) or self.lines.get(other) or self._world.network.line

    def lay(self) -> None:
        """Have the network be like this."""
        players = [host.player for host in self._hosts]
        self._world.partition({players[number]: segment for number, segment in self.segments.items()})
        for number in range(len(players)):
            for other in self._world.linked(players[number]):
                if number in self.deaf:
                    self._world.cut(other, players[number], both=False)
                if number in self.mute:
                    self._world.cut(players[number], other, both=False)

    def relay(self, changed: Iterable[int]) -> None:
        """Have the lines of these hosts be like this."""
        numbers = {host.player: number for number, host in enumerate(self._hosts)}
        for number in changed:
            player = self._hosts[number].player
            for other in self._world.linked(player):
                line = self.line(number, numbers[other])
                self._world.network.set_line(player, other, line)
                self._world.network.set_line(other, player, line)


class Mesh:
    """Diallers and watchdogs of all hosts."""

    def __init__(self, world: World, hosts: Sequence[Host], pairs: Sequence[Pair], cables: Cables) -> None:
        self._world, self._hosts, self._pairs, self._cables = world, hosts, pairs, cables
        self._chance = Random(f"mesh {world.seed}")
        self._apart_us: dict[Pair, int] = {}

    def begin(self) -> None:
        """Link everybody who is up, and look after it from now on."""
        for one, other in self._pairs:
            if self._may_link(one, other):
                self._link(one, other)
        self._world.after(LOOK_US, self._look)

    def _look(self) -> None:
        now_us = self._world.now_us
        for pair in self._pairs:
            if self._may_link(*pair):
                self._apart_us.pop(pair, None)
                if not self._are_linked(pair) and self._chance.random() < DIALLED:
                    self._link(*pair)
            elif self._are_linked(pair):
                if now_us - self._apart_us.setdefault(pair, now_us) >= NOTICED_US:
                    self._world.unlink(*self._players(pair))
            else:
                self._apart_us.pop(pair, None)
        self._world.after(LOOK_US, self._look)

    def _may_link(self, one: int, other: int) -> bool:
        ends = self._hosts[one], self._hosts[other]
        if not all(host.awake for host in ends) or self._cables.dead(one, other):
            return False
        now_us = self._world.now_us
        return all(host.refusing.get(end.player, 0) <= now_us for host, end in (ends, ends[::-1]))

    def _are_linked(self, pair: Pair) -> bool:
        return self._world.network.are_linked(*self._players(pair))

    def _link(self, one: int, other: int) -> None:
        self._world.link(*self._players((one, other)), self._cables.line(one, other))

    def _players(self, pair: Pair) -> tuple[PlayerId, PlayerId]:
        return self._hosts[pair[0]].player, self._hosts[pair[1]].player


class Trouble:
    """A plan, carried out. `starts` and `undo` are what the timeline calls."""

    def __init__(self, world: World, hosts: Sequence[Host], faults: Sequence[Fault], cables: Cables) -> None:
        self._world, self._hosts, self._faults, self._cables = world, hosts, faults, cables
        self._chance = Random(f"trouble {world.seed}")
        self._hints = world.network.hints

    def begin(self) -> None:
        """Put everything down that is going to happen. Those who come late are not there yet."""
        for fault in self._faults:
            if fault.kind is Kind.LATE:
                for number in fault.nodes:
                    self._hosts[number].kill()
            else:
                self._world.after(fault.at_ms * MS, self._strike, fault)
            self._world.after(fault.ends_ms * MS, self._undo, fault)

    def _strike(self, fault: Fault) -> None:
        if fault.kind in QUALITY:
            self._spoil(fault)
        elif fault.kind in CABLE:
            self._pull(fault)
        else:
            for number in fault.nodes:
                self._hit(self._hosts[number], fault)

    def _undo(self, fault: Fault) -> None:
        if fault.kind in QUALITY:
            self._repair(fault)
        elif fault.kind in CABLE:
            self._plug(fault)
        else:
            for number in fault.nodes:
                self._help(self._hosts[number], fault)

    # processes, disks, clocks

    def _hit(self, host: Host, fault: Fault) -> None:
        match fault.kind:
            case Kind.KILL:
                host.kill()
            case Kind.STORM:
                self._again(host, fault, self._world.now_us + fault.lasts_ms * MS)
            case Kind.POWER:
                host.cut_power()
            case Kind.DISK_ERROR:
                host.disk.fail(errno.EIO, self._chance.randrange(4))
            case Kind.DISK_FULL:
                host.disk.fail(errno.ENOSPC, self._chance.randrange(4))
            case Kind.FREEZE:
                host.freeze()
            case Kind.LEAVE:
                host.stop()
            case _:
                self._set_clock(host, fault.amount * MS)

    def _help(self, host: Host, fault: Fault) -> None:
        if fault.kind is Kind.FREEZE:
            host.thaw()
        elif fault.kind in CLOCK:
            self._set_clock(host, 0)
        else:
            if fault.kind in (Kind.DISK_ERROR, Kind.DISK_FULL):
                host.disk.mend()
                host.kill()  # if it has not written since: its next write would fail
            if not host.alive:
                host.start()

    def _again(self, host: Host, fault: Fault, until_us: int) -> None:
        """One more short life."""
        host.kill()
        if self._world.now_us + fault.amount * MS < until_us:
            host.start()
            self._world.after(fault.amount * MS, self._again, host, fault, until_us)

    def _set_clock(self, host: Host, offset_us: int) -> None:
        """The machine's clock is set, which a process sees when it is started; so it is, if it runs."""
        host.clock.set(offset_us)
        if host.awake:
            host.kill()
            host.start()

    # cables

    def _pull(self, fault: Fault) -> None:
        for number in fault.nodes:
            match fault.kind:
                case Kind.DEAF:
                    self._cables.deaf.add(number)
                case Kind.MUTE:
                    self._cables.mute.add(number)
                case Kind.SPLIT:
                    self._cables.segments[number] = 1
                case _:
                    self._cables.segments[number] = 2 + number
        self._cables.lay()

    def _plug(self, fault: Fault) -> None:
        for number in fault.nodes:
            self._cables.deaf.discard(number)
            self._cables.mute.discard(number)
            self._cables.segments.pop(number, None)
        self._cables.lay()

    def _spoil(self, fault: Fault) -> None:
        network = self._world.network
        share = fault.amount / 1_000
        if fault.kind is Kind.DUPLICATES:
            network.hints = msgspec.structs.replace(network.hints, twice=share)
            return
        match fault.kind:
            case Kind.SLOW:
                line = msgspec.structs.replace(network.line, base_us=fault.amount * MS, bytes_per_s=SLOW_BYTES_PER_S)
            case Kind.LOSS:
                line = msgspec.structs.replace(network.line, loss=share, drop=share / DROPPED)
            case _:
                line = msgspec.structs.replace(network.line, overtake=share)
        for number in fault.nodes:
            self._cables.lines[number] = line
        self._cables.relay(fault.nodes)

    def _repair(self, fault: Fault) -> None:
        if fault.kind is Kind.DUPLICATES:
            self._world.network.hints = self._hints
            return
        for number in fault.nodes:
            self._cables.lines.pop(number, None)
        self._cables.relay(fault.nodes)
