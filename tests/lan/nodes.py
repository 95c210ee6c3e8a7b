"""Real `symjam up` processes on the hosts of a LAN, each with a data directory of its own, ended by process id."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from crdt.errors import OperatingFailure
from node.client import Client
from node.runtime import NoNode
from tests.lan.wires import Lan, Namespace

_PROGRAM = (sys.executable, "-m", "node")
_POLL_S = 0.02
START_S = 60.0


class LanNode:
    """One node on one host."""

    def __init__(self, host: Namespace, data_dir: Path, *options: str, program: tuple[str, ...] = _PROGRAM) -> None:
        self.host = host
        self._program = program
        self.data_dir = data_dir
        self.player = ""
        self._options = options
        self._log = data_dir / "node.log"
        self._child: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        arguments = ("up", "--data", str(self.data_dir), "--preset", "small", "--json", *self._options)
        with self._log.open("ab") as log:
            command = self.host.command(*self._program, *arguments)
            self._child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def is_up(self) -> bool:
        """Whether it has said that its page answers, which comes after it listens and announces itself."""
        assert self._child is not None
        assert self._child.poll() is None, self._log.read_text()
        return b"symjam.up/1" in self._log.read_bytes()

    def status(self) -> dict[str, Any]:
        return self.host.call(lambda: Client.of(self.data_dir).status())

    def peers(self) -> set[str]:
        try:
            return {peer["player"] for peer in self.status()["peers"]}
        except (NoNode, OperatingFailure):
            return set()

    def hosts(self) -> set[str]:
        """The IP addresses that it announces."""
        return {address.split("/")[2] for address in self.status()["addresses"]}

    def via(self, player: str) -> str:
        """The IP address at the other end of its link to a player; empty when there is none."""
        found = [peer["address"] for peer in self.status()["peers"] if peer["player"] == player]
        return found[0].split("/")[2] if found else ""

    def open_jam(self) -> None:
        wish = {"title": "cables", "tempo_mbpm": 120_000, "beats_per_bar": 4, "subdivision": 4, "tags": []}
        self.host.call(lambda: Client.of(self.data_dir).open_session(wish))

    def play(self, seconds: int) -> subprocess.Popen[bytes]:
        """Begin a made-up performance."""
        command = ("jam", "--data", str(self.data_dir), "--synthetic", str(seconds), "--join", "--json")
        return subprocess.Popen(
            self.host.command(*_PROGRAM, *command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
        )

    def stop(self) -> None:
        if self._child is None:
            return
        self._child.terminate()
        try:
            self._child.wait(10)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._child = None


@contextmanager
def nodes(lan: Lan, root: Path) -> Iterator[list[LanNode]]:
    """A node on every host, begun together and answering, though perhaps not linked yet."""
    made = [LanNode(host, root / f"host{i}") for i, host in enumerate(lan.hosts)]
    try:
        for node in made:
            node.begin()
        until(lambda: all(node.is_up() for node in made), "the start", START_S)
        for node in made:
            node.player = node.status()["player"]
        yield made
    finally:
        for node in made:
            node.stop()


def all_linked(made: list[LanNode]) -> bool:
    """Whether every node has a link to every other."""
    players = {node.player for node in made}
    return all(node.peers() == players - {node.player} for node in made)


def digests(node: LanNode) -> dict[str, str]:
    """What a node holds: a hash per document."""
    return {document["name"]: document["digest"] for document in node.status()["documents"]}


def all_same(made: list[LanNode]) -> bool:
    """Whether all hold the same, to the last entry."""
    first = digests(made[0])
    return all(digests(node) == first for node in made[1:])


def until(condition: Callable[[], bool], what: str, patience_s: float) -> float:
    """Wait for a condition; the seconds that it took. AssertionError when it never came about."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < patience_s, f"never came about: {what}"
        time.sleep(_POLL_S)
    return time.monotonic() - began
