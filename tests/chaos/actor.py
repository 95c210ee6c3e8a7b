"""One `symjam up` of a soak: its process, all that is done to it, and what it counted in each of its lives."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from crdt.errors import OperatingFailure, Reason
from node.client import Client
from node.runtime import NoNode
from tests.chaos.place import Seat

Doc = dict[str, Any]

_PROGRAM = (sys.executable, "-m", "node")
_START_S = 60.0
_STOP_S = 10.0
_STATUS_S = 30.0  # a node that is frozen while it is asked answers when it is thawed


class Actor:
    """A node. Its blame and its caught exceptions are gathered from every status that it gave."""

    def __init__(self, number: int, seat: Seat, data_dir: Path, room: str, preset: str) -> None:
        self.number = number
        self.seat = seat
        self.data_dir = data_dir
        self.player = ""
        self.frozen = False
        self.lives = 0
        self.wrong: dict[int, Doc] = {}  # by life
        self._options = ("--data", str(data_dir), "--preset", preset, "--room", room, "--json", *seat.options)
        self._child: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """Start the process."""
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.lives += 1
        with (self.data_dir / "node.log").open("ab") as log:
            command = self.seat.command(*_PROGRAM, "up", *self._options)
            self._child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def await_ready(self) -> None:
        """Wait until its page answers."""
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            if (status := self.status()) is not None:
                self.player = status["player"]
                return
            time.sleep(0.1)
        raise OperatingFailure(f"node {self.number} did not start", "see its log", str(self.data_dir / "node.log"))

    @property
    def is_alive(self) -> bool:
        """Whether the process exists."""
        return self._child is not None and self._child.poll() is None

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM; kill -9 when that does not end it."""
        self._end(signal.SIGTERM)

    def freeze(self) -> None:
        """SIGSTOP."""
        assert self._child is not None
        self._child.send_signal(signal.SIGSTOP)
        self.frozen = True

    def thaw(self) -> None:
        """SIGCONT."""
        assert self._child is not None
        self._child.send_signal(signal.SIGCONT)
        self.frozen = False

    def _end(self, how: signal.Signals) -> None:
        if self._child is None:
            return
        if self.frozen:
            self.thaw()
        self._child.send_signal(how)
        try:
            self._child.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    # looking

    def asked(self) -> Future[Doc | None]:
        """Begin to ask for a status."""
        return self.seat.ask(self._status)

    def status(self) -> Doc | None:
        """Its status; None when it does not answer."""
        return self.asked().result()

    def document(self, name: str) -> bytes:
        """A document as one Yjs update."""
        return self.seat.ask(lambda: Client.of(self.data_dir).document(name)).result()

    def _status(self) -> Doc | None:
        """Asks, and keeps what is wrong with the answer. A gap is nobody's fault: what was missed is fetched."""
        life = self.lives
        try:
            status = Client(Client.of(self.data_dir).address, _STATUS_S).status()
        except (NoNode, OperatingFailure):
            return None
        blamed = {reason: count for reason, count in status["refused"].items() if reason != Reason.GAP}
        found = {name: part for name, part in (("refused", blamed), ("guarded", status["guarded"])) if part}
        if blamed:
            suspects = status["quarantine"]["suspects"]
            found["suspects"] = [(s["reason"], s["detail"]) for s in suspects if s["reason"] in blamed]
        refused = {n: c for n, c in status["counters"].items() if n.startswith("peers_refused") and c}
        if status["equivocations"]:
            found["equivocations"] = status["equivocations"]
        if refused:
            found["refused peers"] = refused
        if found:
            self.wrong[life] = found
        return status

    def words(self) -> list[str]:
        """What it wrote that is no address of its page."""
        try:
            lines = (self.data_dir / "node.log").read_text(errors="replace").splitlines()
        except OSError:
            return []
        return [line for line in lines if "token=" not in line]
