"""How likely the rules are to do the wrong thing: no verdict with people offline, a fake accepted with hostile weight.

Run with `python -m bench.odds [--trials N]` (`make odds`). Each figure comes twice: *exact*, summed over how many say
what in which tranche, and *played*: made-up outputs through `tranche_of`, votes through `decide`.
tests/bench/test_odds.py holds the two together, and docs/attacks.md to what is printed here.

Of those drawn each says yes with one chance, no with another, and is silent otherwise. Everybody weighs the same.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from itertools import product
from math import comb, exp, lgamma, log
from random import Random
from typing import NamedTuple

from consensus.ops import Vote
from consensus.params import MAIN
from consensus.selection import tranche_of
from consensus.verdict import Ballot, Standing, decide, quorum

PLAYERS, MANY, TRIALS = 100, 10_000, 50_000
QUORUM, SIZES = quorum(MAIN, PLAYERS), MAIN.tranche_sizes
AWAY = ((0.3, 1.0), (0.5, 1.0), (0.3, 0.95), (0.5, 0.95))  # share offline; of the others, share that votes
HOSTILE = (  # share of the weight; of the honest, share offline
    (0.1, 0.0, "a tenth"),
    (0.2, 0.0, "a fifth"),
    (1 / 3, 0.0, "a third"),
    (0.5, 0.0, "a half"),
    (0.1, 0.3, "a tenth, 30% of the honest offline"),
    (1 / 3, 0.3, "a third, 30% of the honest offline"),
)
ALERT = 0.9  # of honest verifiers notice a fake
ONLINE_HEAD = ("", "tranche 0", "0 and 1", "0, 1 and 2")
FAKE_HEAD = ("hostile weight", "tranche 0 alone", "the rule", "5 of 7", "7, then 21")
Draws = Sequence[Sequence[int]]  # for each trial, how many were drawn first in tranche 0, 1 and 2


class Habit(NamedTuple):
    """What one verifier does when drawn, by chance."""

    yes: float
    no: float


def away(offline: float, voting: float) -> Habit:
    """Nobody says no; some are offline, and of the others not all vote."""
    return Habit((1 - offline) * voting, 0.0)


def fake(hostile: float, offline: float = 0.0) -> Habit:
    """Hostile ones say yes to a fake; of the others those who are there and notice say no, the rest yes."""
    honest = (1 - hostile) * (1 - offline)
    return Habit(hostile + honest * (1 - ALERT), honest * ALERT)


# exact


def chance_of(players: int, counts: Sequence[int], chances: Sequence[float]) -> float:
    """That of so many players exactly these numbers do each of several things: the multinomial law."""
    left = players - sum(counts)
    if left < 0:
        return 0.0
    ways = lgamma(players + 1) - lgamma(left + 1) - sum(lgamma(count + 1) for count in counts)
    done = sum(count * log(chance) for count, chance in zip(counts, chances, strict=True) if count)
    return exp(ways + done + left * log(1 - sum(chances)))


def up_to(expected: float) -> range:
    """Counts that are likely enough to matter, when so much is expected."""
    return range(int(expected + 9 * expected**0.5 + 12))


def enough_yes(habit: Habit, tranches: int, players: int) -> float:
    """A quorum of yes among the first tranches."""
    expected = SIZES[tranches - 1] * habit.yes
    return 1 - sum(chance_of(players, [yes], [expected / players]) for yes in range(QUORUM))


def is_enough(yes: int, no: int) -> bool:
    """What acceptance takes among all that count."""
    return yes >= QUORUM and yes >= 2 * no


def together(habit: Habit, size: int, players: int) -> float:
    """Accepted by `size` expected verifiers at once."""
    counts = product(up_to(size * habit.yes), up_to(size * habit.no))
    drawn = [size / players * habit.yes, size / players * habit.no]
    return sum(chance_of(players, (yes, no), drawn) for yes, no in counts if is_enough(yes, no))


def passes(habit: Habit, players: int) -> float:
    """Accepted by the rules: by all tranches together, or earlier, when they would not have."""
    return together(habit, SIZES[-1], players) + sum(chance_of(players, *case) for case in _early(habit, players))


def _early(habit: Habit, players: int) -> Iterator[tuple[list[int], list[float]]]:
    """Ways to be accepted by tranche 0, or by 0 and 1, though all together say otherwise."""
    first, second, third = SIZES[0], SIZES[1] - SIZES[0], SIZES[2] - SIZES[1]
    yes, no = habit.yes / players, habit.no / players
    chances = [first * yes, first * no, (second + third) * yes, (second + third) * no]
    for y0, y, n in product(*(up_to(players * chance) for chance in (chances[0], *chances[2:]))):
        if y0 >= QUORUM and not is_enough(y0 + y, n):
            yield [y0, 0, y, n], chances
    chances = [first * yes, second * yes, (first + second) * no, third * yes, third * no]
    rest = (up_to(players * chance) for chance in (chances[1], *chances[3:]))
    for y0, y1, y, n in product(range(QUORUM), *rest):
        if y0 + y1 >= QUORUM and not is_enough(y0 + y1 + y, n):
            yield [y0, y1, 0, y, n], chances


# the notes' own model: seven verifiers exactly, and twenty-one when anybody says no


def seven_alone(yes: float) -> float:
    """At least five of seven."""
    return _at_least(5, 7, yes)


def seven_then_21(yes: float) -> float:
    """All seven, or two thirds of twenty-one of whom they are the first."""
    fewer = (comb(7, k) * yes**k * (1 - yes) ** (7 - k) * _at_least(14 - k, 14, yes) for k in range(7))
    return yes**7 + sum(fewer)


def _at_least(needed: int, of: int, chance: float) -> float:
    return sum(comb(of, k) * chance**k * (1 - chance) ** (of - k) for k in range(needed, of + 1))


# played


def draw_all(trials: int, players: int, chance: Random) -> Draws:
    """So many draws among so many players, each by an output of its own."""
    found = []
    for _ in range(trials):
        counts = [0] * len(SIZES)
        for _ in range(players):
            tranche = tranche_of(MAIN, chance.randbytes(8), 1, players)
            if tranche is not None:
                counts[tranche] += 1
        found.append(counts)
    return found


def play(draws: Draws, habit: Habit, tranches: int, players: int, chance: Random) -> float:
    """The share of draws in which `decide` accepts, when only so many tranches vote."""
    return sum(_is_accepted(drawn[:tranches], habit, players, chance) for drawn in draws) / len(draws)


def _is_accepted(drawn: Sequence[int], habit: Habit, players: int, chance: Random) -> bool:
    ballots = []
    for tranche, count in enumerate(drawn):
        for _ in range(count):
            luck = chance.random()
            if luck < habit.yes + habit.no:
                ballots.append(Ballot(tranche, Vote.YES if luck < habit.yes else Vote.NO))
    return decide(MAIN, players, ballots).standing is Standing.LOCAL


# the tables of docs/attacks.md


def figure(p: float) -> str:
    """A probability with two digits that say something; what is nearly certain by what is missing."""
    if p == 0:
        return "0"
    if p > 0.99:
        return f"1 - {figure(1 - p)}" if 1 - p > 1e-9 else "1"
    return f"{p:.2f}" if p >= 0.1 else f"{p:.1g}" if p < 0.001 else f"{p:.2g}"


def online_rows(draws: Draws, chance: Random) -> Iterator[list[str]]:
    """At least a quorum of yes, by how many are offline and how many tranches have voted."""
    for offline, voting in AWAY:
        habit = away(offline, voting)
        who = f"{offline:.0%} offline" + ("" if voting == 1 else f", {1 - voting:.0%} of the others silent")
        for players in (PLAYERS, MANY):
            yield [f"{who}, of {players:,}", *(figure(enough_yes(habit, n, players)) for n in (1, 2, 3))]
        yield [
            f"{who}, of {PLAYERS}, played",
            *(figure(play(draws, habit, n, PLAYERS, chance)) for n in (1, 2, 3)),
        ]


def fake_rows(draws: Draws, chance: Random) -> Iterator[list[str]]:
    """A fake accepted, by hostile weight: tranche 0 alone, the rule, and the two figures of the notes' model."""
    for hostile, offline, name in HOSTILE:
        habit = fake(hostile, offline)
        model = ["", ""] if offline else [figure(seven_alone(habit.yes)), figure(seven_then_21(habit.yes))]
        for players in (PLAYERS, MANY):
            exact = together(habit, SIZES[0], players), passes(habit, players)
            yield [f"{name}, of {players:,}", *map(figure, exact), *model]
        played = [play(draws, habit, n, PLAYERS, chance) for n in (1, 3)]
        yield [f"{name}, of {PLAYERS}, played", *map(figure, played), "", ""]


def table(head: Sequence[str], rows: Iterator[list[str]]) -> Iterator[str]:
    """Lines of a table in Markdown."""
    yield from (f"| {' | '.join(head)} |", "|" + "---|" * len(head))
    for row in rows:
        yield f"| {' | '.join(row)} |"


def main(argv: list[str] | None = None) -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.odds", description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--trials", type=int, default=TRIALS, help="draws that are played (default: %(default)s)")
    chance = Random(1)
    draws = draw_all(parser.parse_args(argv).trials, PLAYERS, chance)
    print(f"At least {QUORUM} yes:\n")
    print(*table(ONLINE_HEAD, online_rows(draws, chance)), sep="\n")
    print("\nA fake is accepted:\n")
    print(*table(FAKE_HEAD, fake_rows(draws, chance)), sep="\n")


if __name__ == "__main__":
    main()
