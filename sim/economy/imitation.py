"""The game of honest, fake and refuse, played over and over: whoever does better is imitated (sim/people/game.py).

The matrix alone, with gains that fall the oftener two have met (decay), with honest players who refuse whom they saw
fake (refusal), and with both. Nothing of the ledger is in it: it asks what the matrix says, beside what the rules pay
(the tale `game`).
"""

from __future__ import annotations

from typing import Final

import msgspec

from sim.economy.plan import Plan
from sim.people.game import MOVES, PAYOFFS, Game, Outcome, play
from sim.result import Number, Series

EPOCHS: Final = 10
PEOPLE: Final = Game(honest=20, fake=10, adaptive=1.0)
VARIANTS: Final = {
    "plain": Game(decay=False),
    "decay": Game(decay=True),
    "refusal": Game(decay=False, refuse_after=1),
    "both": Game(decay=True, refuse_after=1),
}
Told = tuple[dict[str, Number], tuple[Series, ...]]


def imitation(plan: Plan, seed: int) -> Told:
    """Who is left after so many rounds (the plan's windows), and what each way to play brought, by variant."""
    rounds = max(plan.windows, EPOCHS)
    people = msgspec.structs.replace(PEOPLE, rounds=rounds, epoch_rounds=rounds // EPOCHS)
    outcomes = {
        name: play(msgspec.structs.replace(people, decay=rule.decay, refuse_after=rule.refuse_after), seed)
        for name, rule in VARIANTS.items()
    }
    figures: dict[str, Number] = {}
    for name, outcome in outcomes.items():
        figures[f"honest_share_{name}"] = _honest(outcome, -1)
        for move in ("honest", "fake"):
            figures[f"{move}_points_{name}"] = outcome.mean_q16(move) / 65_536 / rounds
    return figures, (_matrix(), _shares(outcomes))


def _honest(outcome: Outcome, epoch: int) -> float:
    return outcome.epochs[epoch].players["honest"] / len(outcome.ended)


def _matrix() -> Series:
    rows = tuple((row, *(f"{PAYOFFS[row, column]}" for column in MOVES)) for row in MOVES)
    words = "What the one in the row and the other in the column get for one round."
    return Series("matrix", "The game", words, ("way", *MOVES), rows, "points", "table")


def _shares(outcomes: dict[str, Outcome]) -> Series:
    begun = PEOPLE.honest / (PEOPLE.honest + PEOPLE.fake)
    rows = [(0, *(begun for _ in outcomes))]
    rows += [(n + 1, *(_honest(outcome, n) for outcome in outcomes.values())) for n in range(EPOCHS)]
    words = "The share of people who play honestly, where everybody imitates somebody who did better."
    return Series("honest_share", "Who is left", words, ("tenth of the game", *outcomes), tuple(rows))
