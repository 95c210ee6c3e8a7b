"""A command at a pseudo-terminal that it has as its own, and somebody who reads there and types."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from types import TracebackType

PATIENCE_S = 30.0
_OWN_TERMINAL = """import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "node", *sys.argv[1:]])"""


class Terminal:
    """A command at a terminal. `seen` is all that it has shown."""

    def __init__(self, *words: str) -> None:
        self.seen = ""
        self._asked = 0
        self._master, slave = pty.openpty()
        self._child = subprocess.Popen(
            (sys.executable, "-c", _OWN_TERMINAL, *words),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env={**os.environ, "NO_COLOR": "1", "TERM": "xterm"},
        )
        os.close(slave)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._child.kill()
        self._child.wait()
        os.close(self._master)

    def answer(self, question: str, answer: str) -> None:
        """Wait for a question that was not answered yet, and type."""
        self.until(question)
        os.write(self._master, answer.encode() + b"\n")

    def until(self, text: str) -> str:
        """Wait for words; what came since the last ones that were waited for."""
        deadline = time.monotonic() + PATIENCE_S
        while text not in self.seen[self._asked :]:
            assert time.monotonic() < deadline, f"{text!r} never came: {self.seen!r}"
            assert self._read(deadline), f"it ended before {text!r}: {self.seen!r}"
        end = self.seen.index(text, self._asked) + len(text)
        came, self._asked = self.seen[self._asked : end], end
        return came

    def ended(self) -> int:
        """Its exit code, once it has said everything."""
        deadline = time.monotonic() + PATIENCE_S
        while self._read(deadline):
            pass
        return self._child.wait(PATIENCE_S)

    def _read(self, deadline: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], max(0.0, deadline - time.monotonic()))
        try:
            data = os.read(self._master, 65_536) if ready else b""
        except OSError:  # Linux: nobody has the other end any more
            data = b""
        self.seen += data.decode(errors="replace")
        return bool(data)


def words_on(shown: str) -> list[str]:
    """The 24 words of a key, as they stand there with their numbers."""
    pairs = {int(number): word for number, word in re.findall(r"(\d+) ([a-z]+)", shown)}
    return [pairs[number] for number in range(1, 25)]
