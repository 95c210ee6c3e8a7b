"""Where the nodes of a soak run: each on a host of its own with a cable that can be pulled, or all on loopback."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Thread
from typing import Protocol, TypeVar

from tests.lan.wires import Lan, Namespace, lan, missing

T = TypeVar("T")


class Seat(Protocol):
    """Where one node runs."""

    options: tuple[str, ...]  # for `symjam up`

    def command(self, *arguments: str) -> tuple[str, ...]:
        """The command line that runs something there, under the same process id."""

    def ask(self, function: Callable[[], T]) -> Future[T]:
        """Call a function whose sockets are there, one at a time."""

    def thread(self, function: Callable[[], None]) -> Thread:
        """Begin a thread whose sockets are there."""

    def leave(self) -> None:
        """End what was begun for `ask`."""


class Loopback:
    """On this machine, beside the others."""

    options = ("--interface", "127.0.0.1")

    def __init__(self) -> None:
        self._asking = ThreadPoolExecutor(1)

    def command(self, *arguments: str) -> tuple[str, ...]:
        return arguments

    def ask(self, function: Callable[[], T]) -> Future[T]:
        return self._asking.submit(function)

    def thread(self, function: Callable[[], None]) -> Thread:
        return _began(function)

    def leave(self) -> None:
        self._asking.shutdown(cancel_futures=True)


class Host(Loopback):
    """On a host of a LAN."""

    options = ()

    def __init__(self, inside: Namespace) -> None:
        self._inside = inside
        self._asking = ThreadPoolExecutor(1, initializer=inside.enter)

    def command(self, *arguments: str) -> tuple[str, ...]:
        return self._inside.command(*arguments)

    def thread(self, function: Callable[[], None]) -> Thread:
        def run() -> None:
            self._inside.enter()
            function()

        return _began(run)


class Place:
    """All seats, and the cables between them where there are any."""

    def __init__(self, seats: Sequence[Seat], wires: Lan | None) -> None:
        self.seats = seats
        self._wires = wires
        if wires is not None:
            wires.switch.ip("link", "add", "br1", "type", "bridge")
            wires.switch.ip("link", "set", "br1", "up")

    @property
    def has_cables(self) -> bool:
        """Whether a node can be cut off."""
        return self._wires is not None

    def cut(self, seat: int) -> None:
        """Pull a cable out."""
        assert self._wires is not None
        self._wires.pull(seat)

    def mend(self, seat: int) -> None:
        """Put it back in."""
        assert self._wires is not None
        self._wires.plug(seat)

    def move(self, seat: int, other_switch: bool) -> None:
        """Plug a cable into the other switch, which leads nowhere else, or back into the first."""
        assert self._wires is not None
        self._wires.switch.ip("link", "set", f"p{seat}-eth0", "master", "br1" if other_switch else "br0")


@contextmanager
def place(nodes: int) -> Iterator[Place]:
    """Seats for so many nodes: a LAN of namespaces for root, else loopback, which is said."""
    why = missing()
    if why:
        print(f"nobody will be cut off: {why}", file=sys.stderr)
        with loopback(nodes) as made:
            yield made
        return
    with lan(nodes) as wires:
        made = Place([Host(inside) for inside in wires.hosts], wires)
        try:
            yield made
        finally:
            _leave(made)


@contextmanager
def loopback(nodes: int) -> Iterator[Place]:
    """Seats for so many nodes beside each other."""
    made = Place([Loopback() for _ in range(nodes)], None)
    try:
        yield made
    finally:
        _leave(made)


def _leave(made: Place) -> None:
    for seat in made.seats:
        seat.leave()


def _began(function: Callable[[], None]) -> Thread:
    thread = Thread(target=function, daemon=True)
    thread.start()
    return thread
