"""What lies between two hosts when it is not a cable: every frame is carried over after a delay of its own.

The kernel's netem does this better, and is not in every kernel. So this process stands in the switch's namespace, takes
whole Ethernet frames off one port and puts them out at the other, in the order in which they came, with a delay from a
distribution, and with some of them lost. It runs until it is ended:

python -m tests.lan.clocks.air PORT PORT CONDITION SEED
"""

from __future__ import annotations

import ctypes
import fcntl
import heapq
import os
import random
import select
import socket
import struct
import sys
import time
from collections.abc import Callable
from contextlib import suppress

ALL_PROTOCOLS = 3
OUTGOING = 4  # the type of what this host itself has sent
_SPIN_S = 0.0001
_PR_SET_TIMERSLACK = 29
_SIOCETHTOOL = 0x8946
_OFFLOADS = (0x17, 0x1F, 0x24)  # ETHTOOL_STXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO

Delay = Callable[[random.Random, float], float | None]


def wireless(chance: random.Random, now_s: float) -> float | None:
    """A busy but usable Wi-Fi: 0.8 ms and more, now and then a few attempts, few frames lost."""
    if chance.random() < 0.005:
        return None
    again_s = chance.uniform(0.005, 0.020) if chance.random() < 0.03 else 0.0
    return 0.0008 + chance.expovariate(1 / 0.0015) + again_s


class Bursts:
    """Wi-Fi that holds everything up for 20 to 80 ms, about once a second: a neighbour's download, power saving."""

    def __init__(self) -> None:
        self._from_s = self._until_s = 0.0

    def __call__(self, chance: random.Random, now_s: float) -> float | None:
        while now_s >= self._until_s:
            self._from_s = max(now_s, self._until_s) + chance.expovariate(1.0)
            self._until_s = self._from_s + chance.uniform(0.020, 0.080)
        delay_s = wireless(chance, now_s)
        held_s = self._until_s - now_s if now_s >= self._from_s else 0.0
        return None if delay_s is None else delay_s + held_s


def steady(delay_s: float) -> Delay:
    """Always the same."""
    return lambda chance, now_s: delay_s


def ways(condition: str) -> tuple[Delay, Delay]:
    """The delays there and back."""
    if condition == "asymmetric":
        return steady(0.0033), steady(0.0003)
    if condition == "bursts":
        return Bursts(), Bursts()
    return wireless, wireless


class Port:
    """One port of the switch, and the frames on their way to it."""

    def __init__(self, name: str, delay: Delay) -> None:
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_PROTOCOLS))
        self.socket.bind((name, ALL_PROTOCOLS))
        self.socket.setblocking(False)
        self._delay = delay
        self._last_s = 0.0

    def due_s(self, chance: random.Random, now_s: float) -> float | None:
        """When a frame arrives here that is sent now; None when it is lost."""
        delay_s = self._delay(chance, now_s)
        if delay_s is None:
            return None
        self._last_s = max(self._last_s, now_s + delay_s)
        return self._last_s

    def put(self, frame: bytes) -> None:
        """Let a frame arrive. What the port does not take is lost, as on any switch."""
        with suppress(OSError):
            self.socket.send(frame)


def carry(one: Port, other: Port, chance: random.Random) -> None:
    """Carry frames both ways for ever."""
    heap: list[tuple[float, int, Port, bytes]] = []
    count = 0
    while True:
        now_s = time.monotonic()
        while heap and heap[0][0] <= now_s:
            _, _, port, frame = heapq.heappop(heap)
            port.put(frame)
        wait_s = max(0.0, heap[0][0] - time.monotonic() - _SPIN_S) if heap else 1.0
        for ready in select.select([one.socket, other.socket], [], [], wait_s)[0]:
            target = other if ready is one.socket else one
            frame, (_, _, kind, _, _) = ready.recvfrom(65_536)
            due_s = target.due_s(chance, time.monotonic())
            if kind != OUTGOING and due_s is not None:
                count += 1
                heapq.heappush(heap, (due_s, count, target, frame))


def plain_frames(interface: str) -> None:
    """Have an interface send frames as they go over a wire: whole, with their checksums, none larger than it takes."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for command in _OFFLOADS:
            value = ctypes.create_string_buffer(struct.pack("II", command, 0))
            request = struct.pack("16sP", interface.encode(), ctypes.addressof(value))
            fcntl.ioctl(control, _SIOCETHTOOL, request)


def main() -> None:
    """Carry, before anything else on this machine where that is allowed."""
    there, back = ways(sys.argv[3])
    with suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)
    carry(Port(sys.argv[1], back), Port(sys.argv[2], there), random.Random(int(sys.argv[4])))


if __name__ == "__main__":
    main()
