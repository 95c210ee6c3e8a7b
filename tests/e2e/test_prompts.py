"""What somebody is asked at a terminal, and what of the answers can be read there afterwards: nothing secret.

A pseudo-terminal that the command has as its own; what is typed is what a person types, mistakes included.
"""

from __future__ import annotations

import itertools
import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

from node.commands.keys import BACK, OTHER_SCREEN

PATIENCE_S = 30.0
PASSPHRASE, OTHER = "a long passphrase", "another long passphrase"
_OWN_TERMINAL = """import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "node", *sys.argv[1:]])"""
PLAYER = re.compile(r"\b[0-9a-f]{64}\b")


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


def _words(shown: str) -> list[str]:
    pairs = {int(number): word for number, word in re.findall(r"(\d+) ([a-z]+)", shown)}
    return [pairs[number] for number in range(1, 25)]


def _made(directory: Path) -> tuple[str, list[str]]:
    """Make a key as somebody does who mistypes: the player and the words."""
    with Terminal("wallet", "init", "--data", str(directory)) as at:
        at.answer("new passphrase: ", "short")
        at.answer("new passphrase: ", PASSPHRASE)
        at.answer("the same again: ", PASSPHRASE + "!")
        at.until("these two differ; try again")
        at.answer("new passphrase: ", PASSPHRASE)
        at.answer("the same again: ", PASSPHRASE)
        at.until(OTHER_SCREEN)
        words = _words(at.until("Written down? Enter"))
        at.answer(": ", "")
        at.until(BACK)
        for turn in range(3):
            number = int(at.until(": ").rsplit("word ", 1)[1].removesuffix(": "))
            if not turn:
                at.answer("", "zebra" if words[number - 1] != "zebra" else "zoo")
                at.until("that is another word; look again")
                at.until(": ")
            at.answer("", words[number - 1])
        assert at.ended() == 0, at.seen
        after = at.seen[at.seen.rindex(BACK) :]
        assert not any(f"{one} {next_}" in after for one, next_ in itertools.pairwise(words)), after
        assert PASSPHRASE not in at.seen
        found = PLAYER.search(after)
        assert found is not None, after
        return found[0], words


def test_a_key_is_made_restored_and_put_under_another_passphrase(tmp_path: Path) -> None:
    player, words = _made(tmp_path / "one")
    with Terminal("wallet", "restore", "--data", str(tmp_path / "two")) as at:
        at.answer("(not shown): ", " ".join(words))
        at.answer("new passphrase: ", OTHER)
        at.answer("the same again: ", OTHER)
        assert at.ended() == 0, at.seen
        assert player in at.seen and OTHER not in at.seen and words[3] + " " + words[4] not in at.seen
    with Terminal("wallet", "passwd", "--data", str(tmp_path / "two")) as at:
        at.answer("present passphrase: ", "guessed wrongly")
        at.until("try again")
        at.answer("present passphrase: ", OTHER)
        at.answer("new passphrase: ", PASSPHRASE)
        at.answer("the same again: ", PASSPHRASE)
        assert at.ended() == 0, at.seen
        assert PASSPHRASE not in at.seen and OTHER not in at.seen


def test_three_wrong_guesses_are_enough(tmp_path: Path) -> None:
    _made(tmp_path / "one")
    with Terminal("wallet", "passwd", "--data", str(tmp_path / "one")) as at:
        for _ in range(3):
            at.answer("present passphrase: ", "guessed wrongly")
        assert at.ended() == 4, at.seen
        assert at.seen.count("that is not its passphrase") == 3


def test_who_interrupts_a_question_has_changed_nothing(tmp_path: Path) -> None:
    with Terminal("wallet", "init", "--data", str(tmp_path / "one")) as at:
        at.until("new passphrase: ")
        at.answer("", "\x03")
        assert at.ended() != 0
    assert not list((tmp_path / "one").glob("keys*/*"))
