"""What somebody is asked at a terminal, and what of the answers can be read there afterwards: nothing secret.

What is typed is what a person types, mistakes included.
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path

from node.commands.keys import BACK, OTHER_SCREEN
from tests.terminal import Terminal, words_on

PASSPHRASE, OTHER = "a long passphrase", "another long passphrase"
PLAYER = re.compile(r"\b[0-9a-f]{64}\b")


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
        words = words_on(at.until("Written down? Enter"))
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
