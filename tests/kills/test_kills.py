"""The program of `make kills`, small, and that its books notice what they are there for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from consensus.ops import LotRef, Stake, Transfer, Vote, encode_ops
from crdt.types import Epoch, MicroJam, Seq, ledger_document
from tests.consensus.world import FIRST, Person, World
from tests.kills.books import answers, coins, conflicts, paid_once
from tests.kills.schedule import Kill, Kind, plan
from tests.kills.trial import Trial


class Books:
    """Three people, of whom the first has earned, pays the second, and was told so."""

    def __init__(self) -> None:
        self.world = World(3)
        self.ann, self.ben, _ = self.world.people
        self.world.open_session(self.ann)
        self.block = self.world.round(FIRST)
        self.epoch = Epoch(self.world.epoch(FIRST) + 1)
        self.lots = tuple(
            LotRef(block, MicroJam(5)) for block, _ in self.world.ledger.account(self.ann.player)[1].items()
        )
        paid = self.world.say(self.ann, self.epoch, Transfer(self.ben.player, self.lots, ""))
        self.told = {self.ann.player: {paid.id.hex()}}

    def wrong(self) -> list[str]:
        entries, ledger = self.world.entries, self.world.ledger
        return [*coins(ledger), *answers(entries, self.told), *paid_once(ledger, self.told), *conflicts(entries)]


def fork(books: Books) -> None:
    books.world.ledger.freeze(books.ann.player, ledger_document(books.epoch), Seq(0))


def sign_two(books: Books) -> None:
    other = Person(0).write(books.world.network, books.world.epoch(FIRST), encode_ops((Stake(books.lots),)))
    books.world.entries.append(other)


def sign_again(books: Books) -> None:
    books.world.say(books.ann, books.epoch, Transfer(books.ben.player, books.lots, ""))


def lose_one(books: Books) -> None:
    books.told[books.ann.player].add("00" * 32)


def vote_twice(books: Books) -> None:
    books.world.vote(books.ann, books.block, FIRST, Vote.NO, books.ben)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (fork, ("1 players were cut off", "came in 0 times", "was cut off")),
        (sign_two, ("signed two entries at", "there and not answered")),
        (sign_again, ("1 there and not answered",)),
        (lose_one, ("1 answered and not there: 00000000",)),
        (vote_twice, ("voted twice on window",)),
    ],
)
def test_the_books_notice(fault: Callable[[Books], None], words: tuple[str, ...]) -> None:
    books = Books()
    assert not books.wrong()
    fault(books)
    found = "\n".join(books.wrong())
    assert all(word in found for word in words), found


def test_a_third_is_killed_while_attesting_and_one_in_ten_takes_both() -> None:
    kills = plan(1, 300)
    assert kills == plan(1, 300) != plan(2, 300)
    assert [sum(kill.kind is kind for kill in kills) for kind in Kind] == [100, 100, 100]
    assert 15 <= sum(len(kill.nodes) == 2 for kill in kills) <= 50


def test_nothing_is_lost_or_signed_twice_by_two_kills(tmp_path: Path) -> None:
    kills = [Kill(Kind.SEND, (0,), 0.7, 0, False, False), Kill(Kind.STAKE, (1, 0), 0.4, 0, False, True)]
    result = Trial(tmp_path, 1, kills, lambda _: None).run()
    assert result.fine, result.wrong
    assert result.lives == 5 and sum(result.requests.values()) == 2 and result.minted_micro > 0
