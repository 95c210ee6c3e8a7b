"""Child processes of a demonstration: nodes and the one who plays. Each is ended by its own pid, never by name."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from crdt.errors import OperatingFailure
from node.client import Client
from node.runtime import NoNode

START_TIMEOUT_S: Final = 60.0
STOP_TIMEOUT_S: Final = 5.0
LAST_WORDS_BYTES: Final = 2_000
SYNTHETIC_S: Final = 60
_PROGRAM: Final = (sys.executable, "-m", "node")


class Process:
    """One `symjam up`."""

    def __init__(self, name: str, data_dir: Path, room: str = "", preset: str = "small") -> None:
        self.name = name
        self.room = room
        self.preset = preset
        self.data_dir = data_dir
        self.player = ""
        self._log = data_dir / "node.log"
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until its page answers."""
        self.begin()
        self.await_ready()

    def begin(self) -> None:
        """Start it."""
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        where = ("--data", str(self.data_dir), "--interface", "127.0.0.1", "--room", self.room)
        arguments = ("up", *where, "--preset", self.preset, "--json")
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(
                (*_PROGRAM, *arguments), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def await_ready(self) -> None:
        """Wait until its page answers. OperatingFailure with its last words when it does not."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and self.is_alive():
            try:
                self.player = self.client().status()["player"]
                return
            except (NoNode, OperatingFailure):
                time.sleep(0.1)
        raise OperatingFailure(f"node {self.name} did not start", self.last_words() or "it said nothing")

    def client(self) -> Client:
        """Its API."""
        return Client.of(self.data_dir)

    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._child is not None and self._child.poll() is None

    @property
    def pid(self) -> int:
        """Of the process that was started last."""
        assert self._child is not None, "never started"
        return self._child.pid

    def kill(self) -> None:
        """kill -9."""
        if self._child is not None and self.is_alive():
            os.kill(self._child.pid, signal.SIGKILL)
            self._child.wait()

    def stop(self) -> None:
        """End it cleanly, or not cleanly when it does not listen."""
        if self._child is not None and self.is_alive():
            self._child.terminate()
            try:
                self._child.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self.kill()

    def last_words(self) -> str:
        """The end of what it wrote, its page's address (which holds the token) left out."""
        try:
            raw = self._log.read_bytes()[-LAST_WORDS_BYTES:]
        except OSError:
            return ""
        return "\n".join(line for line in raw.decode(errors="replace").splitlines() if "token=" not in line).strip()


class Player:
    """One `symjam jam`."""

    def __init__(self, node: Process, arguments: tuple[str, ...]) -> None:
        self._child = subprocess.Popen(
            (*_PROGRAM, "jam", "--data", str(node.data_dir), "--json", *arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._said: str | None = None

    def is_playing(self) -> bool:
        """Whether the performance goes on."""
        return self._child.poll() is None

    def stop(self) -> None:
        """Stop playing."""
        if self.is_playing():
            self._child.send_signal(signal.SIGINT)
            try:
                self._child.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                os.kill(self._child.pid, signal.SIGKILL)
                self._child.wait()

    def is_complete(self) -> bool:
        """Whether everything was played and saved."""
        return self._child.poll() == 0

    def summary(self) -> str:
        """What it reported at its end."""
        if self._said is None and self._child.stdout is not None:
            self._said = self._child.stdout.read().decode(errors="replace").strip()
            self._child.stdout.close()
        last = (self._said or "").splitlines()[-1:] or ["it said nothing"]
        try:
            result = json.loads(last[0])
            return f"{result['saved']} of {result['events']} events saved"
        except (ValueError, KeyError, TypeError):
            return last[0]


def start_nodes(root: Path, count: int, preset: str = "small") -> list[Process]:
    """Start nodes beside each other, and wait until all answer.

    They get a room of their own: another demonstration on this machine must not join this one.
    """
    room = f"demo-{secrets.token_hex(4)}"
    nodes = [Process(chr(ord("A") + i), root / chr(ord("a") + i), room, preset) for i in range(count)]
    for node in nodes:
        node.begin()
    try:
        for node in nodes:
            node.await_ready()
    except OperatingFailure:
        for node in nodes:
            node.stop()
        raise
    return nodes


def start_player(node: Process, play: Path | None, seconds: int | None, quantise: bool = False) -> Player:
    """Play a file, or a made-up performance, through a node; all of it or its first seconds."""
    what = ("--midi", str(play.resolve())) if play else ("--synthetic", str(seconds or SYNTHETIC_S))
    limit = ("--seconds", str(seconds)) if seconds else ()
    return Player(node, (*what, *limit, *(("--quantise",) if quantise else ())))
