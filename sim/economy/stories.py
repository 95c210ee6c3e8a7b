"""Two small tales that are told by the same ledger: how a reward falls and recovers, and the game of three.

*Decay*: one player plays before the same four people in every window, another before four new ones each time, each in
a network of its own; and both once more, before the first four, a day later. *Game*: each of three ways to play
against each, two by themselves, and one among many (honest playing, faking, refusing to verify: notes behind
docs/incentives.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from consensus.ops import Attest, Pulse, Vote, Why, block_id
from consensus.params import network_id
from crdt.errors import Misuse
from crdt.types import PlayerId, Window
from sim.economy.book import Book, Word, worded
from sim.economy.crowd import Performance
from sim.economy.draws import Chances
from sim.economy.earnings import Earnings
from sim.economy.imitation import imitation
from sim.economy.plan import HONEST, Answer, Fake, Group, Plan, Society
from sim.economy.town import FIRST, SALT, Town, block_of
from sim.result import Number, Series

LISTENERS: Final = 4
LATER: Final = 8  # windows that are played a day later
GAP: Final = 3  # places left free before these in the picture
CROWD: Final = 30
PERFECT: Final = Performance(1.0, True, None, None)
Told = tuple[dict[str, Number], tuple[Series, ...]]


def decay(plan: Plan, seed: int) -> Told:
    """The reward of each window, with the same four and with four new ones; and of some windows a day later."""
    params = plan.params()
    if plan.windows > params.epoch_windows:
        raise Misuse(f"the tale of decay is told within one epoch: {params.epoch_windows} windows at most")
    begin = FIRST * params.epoch_windows
    later = begin + params.decay_horizon_windows + params.epoch_windows
    places = [*range(begin, begin + plan.windows), *range(later, later + LATER)]
    names = Chances(params, seed)
    people = [names.identity(number)[0] for number in range(1 + LISTENERS * len(places))]
    new = [people[at : at + LISTENERS] for at in range(1, len(people), LISTENERS)]
    worth = []
    for listeners in ([new[0]] * len(places), new):
        book = Book(params, network_id(params), Word())
        worth.append([_played(book, people[0], who, Window(at)) for at, who in zip(places, listeners, strict=True)])
    same, others = (each[: plan.windows] for each in worth)
    same_later, others_later = (each[plan.windows :] for each in worth)
    figures: dict[str, Number] = {
        "first_micro": same[0],
        "same_four_last_micro": same[-1],
        "same_four_all_micro": sum(same),
        "new_people_all_micro": sum(others),
        "same_over_new": sum(same) / sum(others),
        "day_after_same_micro": same_later[0],
        "day_after_new_micro": others_later[0],
    }
    gap = plan.windows + 1
    rows = [
        *((n + 1, a / 1e6, b / 1e6) for n, (a, b) in enumerate(zip(same, others, strict=True))),
        *((gap + n, None, None) for n in range(GAP)),
        *((gap + GAP + n, a / 1e6, b / 1e6) for n, (a, b) in enumerate(zip(same_later, others_later, strict=True))),
    ]
    words = "A perfect window before the same four each time, and before four new ones; after the gap, a day later."
    return figures, (
        Series("decay", "What a window is worth", words, ("window", "the same four", "new people"), tuple(rows), "JAM"),
    )


def _played(book: Book, player: PlayerId, listeners: Sequence[PlayerId], window: Window) -> int:
    """All are there, one plays, the others agree. What the block is worth, micro-JAM."""
    epoch = book.params.epoch_of(window)
    for somebody in (player, *listeners):
        book.say(somebody, epoch, Pulse(window, SALT, somebody))
    op = block_of(player, PERFECT, window)
    book.say(player, epoch, op)
    block = block_id(player, op)
    for listener in listeners:
        book.say(listener, epoch, Attest(block, player, window, Vote.YES, Why.FINE, 0, worded(0)))
    book.fold.settle()
    reward = book.fold.state.blocks[block].reward
    return 0 if reward is None else reward.paid_micro


# the game


def ways(fake: Fake) -> dict[str, Group]:
    """The three: honest, faking (and never looking), refusing to verify."""
    whole = Group(HONEST, 1, plays=1.0, silent=0.0)
    return {
        "H": whole,
        "F": msgspec.structs.replace(whole, fake=fake, friends=Answer.YES, strangers=Answer.YES),
        "R": msgspec.structs.replace(whole, friends=Answer.SILENT, strangers=Answer.SILENT),
    }


def game(plan: Plan, seed: int) -> Told:
    """What a window brings whoever plays as the row says, against one, or many, who play as the column says."""
    fake = next((group.fake for group in plan.groups if group.fake is not None), Fake(0.9))
    figures: dict[str, Number] = {}
    tables = []
    for name, many in (("pair", 1), ("crowd", CROWD - 1)):
        rows: list[tuple[Number | str | None, ...]] = []
        for row in ways(fake):
            cells = [_cell(plan, seed, row, column, many, fake) for column in ways(fake)]
            rows.append((row, *cells))
            figures |= {
                f"{name}_{row}{column}_jam".lower(): cell for column, cell in zip(ways(fake), cells, strict=True)
            }
        title = "Two by themselves" if many == 1 else f"One among {many} others"
        words = "JAM that a window brings the one whose way is in the row; the others' way is in the column."
        tables.append(Series(f"game_{name}", title, words, ("way", "H", "F", "R"), tuple(rows), "JAM", "table"))
    return figures, tuple(tables)


def _cell(plan: Plan, seed: int, row: str, column: str, many: int, fake: Fake) -> float:
    others = msgspec.structs.replace(ways(fake)[column], count=many)
    one = msgspec.structs.replace(ways(fake)[row], name="one")
    small = msgspec.structs.replace(plan, groups=(others, one), society=Society(founders=0), is_settled=False)
    town = Town(small, seed)
    earnings = Earnings(town)
    for epoch in town.epochs():
        earnings.note(epoch)
    return earnings.groups["one"].income_micro / 1e6 / plan.windows


TALES: Final = {"decay": decay, "game": game, "imitation": imitation}
