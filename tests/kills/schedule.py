"""Which nodes are killed in the middle of what: a list that depends on the seed alone."""

from __future__ import annotations

from enum import StrEnum
from random import Random
from typing import NamedTuple

BOTH_OF = 10  # of so many kills one takes both nodes
COMMAND_OF = 4  # of so many things signed one is asked for by `symjam wallet`, the others by the API
GIVEN_UP_OF = 5  # of so many lost answers one is only asked about, and not asked for again


class Kind(StrEnum):
    """What is under way."""

    SEND = "send"
    STAKE = "stake"
    ATTEST = "attest"  # blocks are proposed and voted on


class Kill(NamedTuple):
    """One kill -9. `at`: of the time that it takes in general, 0 to 1.5; `down_ms`: how long the dead stay so."""

    kind: Kind
    nodes: tuple[int, ...]
    at: float
    down_ms: int
    by_command: bool
    is_given_up: bool


def plan(seed: int, kills: int) -> list[Kill]:
    """So many kills, a third of each kind; the first of `nodes` is the one that is asked to sign."""
    chance = Random(f"kills {seed}")
    kinds = [list(Kind)[number % len(Kind)] for number in range(kills)]
    chance.shuffle(kinds)
    return [_kill(chance, kind) for kind in kinds]


def _kill(chance: Random, kind: Kind) -> Kill:
    one = chance.randrange(2)
    nodes = (one, 1 - one) if chance.randrange(BOTH_OF) == 0 else (one,)
    at, down_ms = chance.uniform(0, 1.5), chance.choice((0, 0, 200, 1_000))
    return Kill(kind, nodes, at, down_ms, chance.randrange(COMMAND_OF) == 0, chance.randrange(GIVEN_UP_OF) == 0)
