"""A made-up performance, for demonstrations on a machine with no recording. It always says that it is synthetic.

The score: bars of a groove that changes every few bars, ghost notes by chance, a fill at the end of a phrase. The
timing has what a drummer's has (notes/jam.md): a swing of its own for each lane and place in the bar, a drift that is
correlated from step to step, and jitter of each limb. That it passes for human says what notes/jam.md says plainly:
statistics of timing prove nobody's presence.
"""

from __future__ import annotations

from random import Random
from typing import Final

from consensus.events import Kind
from jam.midi import Note, Performance

STEPS: Final = 16  # to the bar of four beats
KICK, SNARE, HIGH_TOM, LOW_TOM, FLOOR_TOM, OPEN_HAT, HAT, CRASH, RIDE = range(9)
PITCHES: Final = (36, 38, 48, 45, 43, 46, 42, 49, 51)  # by lane
TEMPLATE_US: Final = 9_000
DRIFT_US: Final = 13_000
DRIFT_MEMORY: Final = 0.85  # from one step to the next
JITTER_US: Final = 9_000
NOTE_US: Final = 60_000
PHRASE_BARS: Final = (4, 8)

Hit = tuple[int, int, int]  # step in the bar, lane, velocity


def make(seed: int, duration_us: int, tempo_mbpm: int) -> Performance:
    """A drummer who is not there: the same seed gives the same performance, note by note."""
    chance = Random(seed)
    template = {(lane, step): chance.gauss(0, TEMPLATE_US) for lane in range(len(PITCHES)) for step in range(STEPS)}
    step_us = 15_000_000_000 / tempo_mbpm
    drift = 0.0
    notes: list[Note] = []
    for start, hits in enumerate(_score(chance, int(duration_us / step_us / STEPS) + 1)):
        for step in range(STEPS):
            drift = DRIFT_MEMORY * drift + chance.gauss(0, DRIFT_US) * (1 - DRIFT_MEMORY**2) ** 0.5
            for _, lane, velocity in (hit for hit in hits if hit[0] == step):
                exact = (start * STEPS + step) * step_us
                t_us = max(0, round(exact + template[lane, step] + drift + chance.gauss(0, JITTER_US)))
                if t_us + NOTE_US <= duration_us:
                    loud = min(127, max(1, velocity + round(chance.gauss(0, 7))))
                    notes.append(Note(t_us, Kind.NOTE_ON, lane, PITCHES[lane], loud))
                    notes.append(Note(t_us + NOTE_US, Kind.NOTE_OFF, lane, PITCHES[lane], 0))
    title = f"synthetic performance, seed {seed}"
    return Performance(title, tempo_mbpm, 4, tuple(sorted(notes)), duration_us)


def _score(chance: Random, bars: int) -> list[list[Hit]]:
    """What is hit in each bar: phrases of one groove, each ending in a fill and beginning with a crash."""
    score: list[list[Hit]] = []
    while len(score) < bars:
        groove = _groove(chance)
        length = chance.choice(PHRASE_BARS)
        for bar in range(length):
            hits = _varied(chance, groove)
            if bar == 0 and score:
                hits.append((0, CRASH, 105))
            if bar == length - 1:
                start = chance.choice((8, 10, 12))
                hits = [hit for hit in hits if hit[0] < start] + _fill(chance, start)
            score.append(hits)
    return score


def _groove(chance: Random) -> list[Hit]:
    """Backbeat, a kick pattern, and hats or ride in eighths or sixteenths."""
    every = chance.choice((1, 2, 2))
    top = chance.choice((HAT, HAT, RIDE))
    hits = [(step, top, 85 if step % 4 == 0 else 60) for step in range(0, STEPS, every)]
    hits += [(4, SNARE, 105), (12, SNARE, 105), (0, KICK, 100)]
    return hits + [(step, KICK, 90) for step in sorted(chance.sample((3, 6, 7, 8, 10, 11, 14), 3))]


def _varied(chance: Random, groove: list[Hit]) -> list[Hit]:
    """The groove as it comes out this time: a note left out, ghost notes, an open hat."""
    hits = [hit for hit in groove if hit[2] > 100 or chance.random() > 0.06]
    struck = {(step, lane) for step, lane, _ in hits}
    ghosts = [step for step in (1, 3, 7, 9, 11, 15) if chance.random() < 0.2 and (step, SNARE) not in struck]
    hits += [(step, SNARE, 35) for step in ghosts]
    if chance.random() < 0.3:
        hits.append((14, OPEN_HAT, 80))
    return hits


def _fill(chance: Random, start: int) -> list[Hit]:
    """Around the toms."""
    lanes = (SNARE, HIGH_TOM, LOW_TOM, FLOOR_TOM)
    return [
        (step, lanes[min(3, (step - start) * 4 // (STEPS - start) + chance.choice((0, 0, 1)))], chance.randint(75, 115))
        for step in range(start, STEPS)
        if chance.random() > 0.15
    ]
