"""What is played: bars of a few grooves that a person knows, as hits on lanes and steps with their chance of coming.

A kit plays backbeat, kicks, hats or ride, ghost notes and a fill at the end of a phrase; keys play chords and a figure
over them in a scale; hands play two or three drums. All of it on sixteenths of bars of four.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from random import Random
from typing import Final, Literal, NamedTuple

STEPS: Final = 16
GROOVES: Final = 6  # that one person knows
KICK, SNARE, HIGH_TOM, LOW_TOM, FLOOR_TOM, OPEN_HAT, HAT, CRASH, RIDE = range(9)
DRUMS: Final = (36, 38, 48, 45, 43, 46, 42, 49, 51)  # pitch by lane
SCALE: Final = (0, 2, 4, 5, 7, 9, 11)

Instrument = Literal["kit", "keys", "hands"]


class Hit(NamedTuple):
    """A note of a groove: how often it comes, where and how loud."""

    chance: float
    lane: int
    pitch: int
    velocity: int


Groove = dict[int, tuple[Hit, ...]]  # by step in the bar, ascending


def grooves(chance: Random, instrument: Instrument, notes_per_bar: float) -> tuple[Groove, ...]:
    """What somebody knows, about as dense as asked for."""
    make = {"kit": _kit, "keys": _keys, "hands": _hands}[instrument]
    return tuple(_thinned(make(chance), notes_per_bar) for _ in range(GROOVES))


def fill(chance: Random) -> Groove:
    """Around the toms, in the second half of a bar."""
    lanes = (SNARE, HIGH_TOM, LOW_TOM, FLOOR_TOM)
    return {step: (_drum(0.85, lanes[(step - 8) // 2], chance.randint(75, 115)),) for step in range(8, STEPS)}


def _drum(chance: float, lane: int, velocity: int) -> Hit:
    return Hit(chance, lane, DRUMS[lane], velocity)


def _kit(chance: Random) -> list[tuple[int, Hit]]:
    top, every = chance.choice((HAT, HAT, RIDE)), chance.choice((1, 2, 2))
    hits = [(step, _drum(0.94, top, 90 if step % 4 == 0 else 60)) for step in range(0, STEPS, every)]
    hits += [(4, _drum(1, SNARE, 108)), (12, _drum(1, SNARE, 108)), (0, _drum(1, KICK, 100))]
    hits += [(step, _drum(0.95, KICK, 88)) for step in chance.sample((3, 6, 7, 8, 10, 11, 14), 3)]
    hits += [(step, _drum(0.3, SNARE, 32)) for step in (1, 3, 7, 9, 11, 15)]
    return [*hits, (14, _drum(0.3, OPEN_HAT, 80)), (0, _drum(0.15, CRASH, 105))]


def _keys(chance: Random) -> list[tuple[int, Hit]]:
    root = chance.randrange(7)
    hits = [
        (step, _key(0.95, root + third, 70)) for step in chance.sample((0, 3, 6, 8, 10, 12), 3) for third in (0, 2, 4)
    ]
    figure = chance.sample(range(STEPS), 7)
    return hits + [(step, _key(0.8, 7 + root + chance.randrange(7), chance.choice((55, 80, 105)))) for step in figure]


def _key(chance: float, degree: int, velocity: int) -> Hit:
    pitch = 48 + 12 * (degree // 7) + SCALE[degree % 7]
    return Hit(chance, pitch % 12 * 10 // 12, pitch, velocity)


def _hands(chance: Random) -> list[tuple[int, Hit]]:
    lanes = chance.sample((KICK, SNARE, LOW_TOM, HAT), 3)
    steps = chance.sample(range(STEPS), 9)
    hits = [(step, _drum(0.9, chance.choice(lanes), chance.choice((45, 75, 105)))) for step in steps]
    return [*hits, *((step, _drum(0.95, lanes[0], 100)) for step in (0, 8))]


def _thinned(hits: Sequence[tuple[int, Hit]], notes_per_bar: float) -> Groove:
    """By step, each place struck once on a lane, and the chance of all scaled to the density."""
    placed = {(step, hit.lane): hit for step, hit in hits}
    scale = min(1.0, notes_per_bar / sum(hit.chance for hit in placed.values()))
    by: dict[int, list[Hit]] = defaultdict(list)
    for (step, _), hit in sorted(placed.items()):
        by[step].append(hit._replace(chance=hit.chance * scale))
    return {step: tuple(some) for step, some in by.items()}
