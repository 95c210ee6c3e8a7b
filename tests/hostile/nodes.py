"""Two honest nodes as processes of their own, linked to each other on loopback, found by nobody else."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from node.commands.processes import Process

LINK_TIMEOUT_S = 15.0
JAM = {"title": "W1", "tempo_mbpm": 120_000, "beats_per_bar": 4, "subdivision": 4}


class Node(Process):
    """One `symjam up` that looks for nobody: it has the peers that it was given."""

    def __init__(self, name: str, data_dir: Path, room: str, *peers: str) -> None:
        super().__init__(name, data_dir, room)
        self._peers = peers

    def begin(self) -> None:
        """Start it."""
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        arguments = ["--data", str(self.data_dir), "--interface", "127.0.0.1", "--room", self.room, "--no-mdns"]
        for peer in self._peers:
            arguments += ["--peer", peer]
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(
                (sys.executable, "-m", "node", "up", *arguments, "--preset", "small", "--json"),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def status(self) -> dict[str, Any]:
        """`symjam.status/1`."""
        return self.client().status()

    def memory_mb(self) -> tuple[float, float]:
        """Resident memory now, and its peak so far."""
        pid = self.client().address.pid
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
        values = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith(("VmRSS", "VmHWM"))}
        return int(values["VmRSS"]) / 1_024, int(values["VmHWM"]) / 1_024

    def processor_s(self) -> float:
        """Processor time taken so far."""
        fields = Path(f"/proc/{self.client().address.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def forget_peak(self) -> None:
        """Let the peak of memory begin anew."""
        Path(f"/proc/{self.client().address.pid}/clear_refs").write_text("5", encoding="ascii")


@contextmanager
def honest_pair(root: Path) -> Iterator[tuple[Node, Node]]:
    """Author and listener, linked."""
    room = f"hostile-{secrets.token_hex(4)}"
    author = Node("A", root / "a", room)
    listener: Node | None = None
    try:
        author.start()
        listener = Node("B", root / "b", room, author.status()["addresses"][0])
        listener.start()
        await_link(author, listener)
        author.client().open_session(JAM)
        _until(lambda: listener.status()["session"] is not None, "the jam is known to both")
        yield author, listener
    finally:
        for node in (listener, author):
            if node is not None:
                node.stop()


def await_link(author: Node, listener: Node) -> None:
    """Wait until both count each other among their peers and hold the same."""

    def synced_with(node: Node) -> set[str]:
        return {peer["player"] for peer in node.status()["peers"] if peer["synced"]}

    _until(
        lambda: listener.player in synced_with(author) and author.player in synced_with(listener),
        "the honest pair has linked",
    )


def _until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + LINK_TIMEOUT_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)
