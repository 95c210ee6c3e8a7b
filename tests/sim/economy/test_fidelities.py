"""Thirty players, each with an engine, against the same thirty in one ledger: the same within sampling error.

What must agree is what the shared ledger leaves out engines for: who is drawn (how many votes a block has, how often
the same people meet, so w), that honest windows are accepted, and so what a block of given quality is worth.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt
from statistics import fmean, variance
from typing import NamedTuple

from consensus.params import ONE_Q16
from consensus.state import BlockState
from sim import crypto
from sim.economy.plan import Group, Plan, Society
from sim.economy.town import Town
from sim.people.options import Honest
from sim.people.player import Habits
from sim.run import Stage
from sim.setup import Setup

PLAYERS, WINDOWS = 30, 8
DEVIATIONS = 3.5  # of the difference of two means: one in two thousand is further off by chance
ROUNDING = 0.001  # points are whole micro-JAM, and some windows are worth few
ENOUGH = 15  # blocks that looked back on equally many others


class Seen(NamedTuple):
    """Of blocks that looked back on so many others: votes that counted, mean w, points for their quality and riff."""

    votes: list[float]
    mean_w: list[float]
    worth: list[float]


def seen(blocks: Iterable[BlockState]) -> dict[int, Seen]:
    """By how many earlier blocks each looked back on: how often somebody plays is not what is compared."""
    found: dict[int, Seen] = {}
    for block in blocks:
        assert block.reward is not None, "an honest window was not accepted"
        mine = found.setdefault(block.reward.recent, Seen([], [], []))
        mine.votes.append(len(block.votes))
        mine.mean_w.append(block.reward.mean_w_q16 / ONE_Q16)
        plain = block.reward.quality_q16 * block.reward.riff_q16 / ONE_Q16**2
        mine.worth.append(block.reward.points_micro / 1e6 / plain)
    return found


def in_network(seed: int) -> list[BlockState]:
    people = (Honest(count=PLAYERS, habits=Habits(share=0.7, notes_per_s=2.5)),)
    setup = Setup(people, PLAYERS, WINDOWS, signatures="cheap", tick_ms=200, handful_ms=1_000, checks=False)
    with crypto.using(setup.signatures) as tally:
        stage = Stage(setup, "agree", seed, None, lambda _: None)
        result = stage.run(tally)
    assert result.figures["converged"] == 1
    return stage.hosts[0].engine.ledger.blocks()


def in_economy(seed: int) -> list[BlockState]:
    group = Group("honest", PLAYERS, plays=0.8, silent=0.0)
    town = Town(Plan("agree", "", WINDOWS, (group,), Society(founders=0), preset="small", is_settled=False), seed)
    assert [None for _ in town.epochs()]
    return list(town.book.fold.state.blocks.values())


def apart(one: list[float], other: list[float]) -> float:
    """How many standard deviations of their difference two means are apart; what is only rounded otherwise is not."""
    off, spread = abs(fmean(one) - fmean(other)), sqrt(variance(one) / len(one) + variance(other) / len(other))
    return 0.0 if off < ROUNDING else off / max(spread, ROUNDING)


def test_thirty_players_are_the_same_in_both_fidelities() -> None:
    network, economy = seen(in_network(1)), seen(block for seed in range(20) for block in in_economy(seed))
    compared = [recent for recent, found in network.items() if len(found.votes) >= ENOUGH]
    assert {0, 1} <= set(compared)
    for recent in compared:
        for name in Seen._fields:
            one, other = getattr(network[recent], name), getattr(economy[recent], name)
            assert apart(one, other) < DEVIATIONS, (recent, name, fmean(one), fmean(other))
