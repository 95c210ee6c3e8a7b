"""What the rules say of each strategy's playing: the odds that the economy fidelity draws from.

Run with `python -m sim.people.judged --windows N`. For each strategy some players play N windows each, in the company
of honest people, and the quality functions of consensus/quality judge every window against all that was played before
it, riff included. It prints a table, and the literal that stands in sim/people/odds.py.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Final, NamedTuple

from consensus.events import LANES, Onset
from consensus.ops import Why
from consensus.params import ONE_Q16, Params, preset
from consensus.quality.grid import Grid
from consensus.quality.measure import measure
from consensus.quality.replay import ReplayIndex
from consensus.riff import NOTES, Call, is_played, moments_us
from crdt.types import Micros, PlayerId, Window
from jam.midi import Note
from sim.people.cast import policy
from sim.people.odds import PERCENTILES
from sim.people.options import Faker, Honest, Lazy, People, Refuser, Ring, Sybils
from sim.people.player import Habits
from sim.people.policy import Policy, Role, Scene

PLAYERS: Final = 8  # of each strategy, in rooms of their own
COMPANY: Final = 2  # honest others in each room
TEMPO_MBPM: Final = 90_000
CASES: Final[dict[str, People]] = {
    "honest": Honest(),
    "honest, twice as steady": Honest(habits=Habits(deviation=0.5)),
    "honest, twice as loose": Honest(habits=Habits(deviation=2.0)),
    "honest, keys": Honest(habits=Habits(instrument="keys")),
    "honest, hands": Honest(habits=Habits(instrument="hands")),
    "refuser": Refuser(),
    "lazy": Lazy(),
    "faker, quantised": Faker(kind="quantised"),
    "faker, jittered 5 ms": Faker(kind="jittered", sd_ms=5),
    "faker, jittered 20 ms": Faker(kind="jittered", sd_ms=20),
    "faker, drifting": Faker(kind="drifting"),
    "faker, template": Faker(kind="template"),
    "faker, template and riffs": Faker(kind="template", answers=1.0),
    "faker, own replay": Faker(kind="replay", sd_ms=0),
    "faker, another's replay": Faker(kind="replay", sd_ms=0, source="another"),
    "faker, own replay, 15 ms of jitter": Faker(kind="replay", sd_ms=15),
    "ring, quantised": Ring(),
    "sybils, template and riffs": Sybils(),
}


class Judged(NamedTuple):
    """One window: what the rules found, its total (Q16), whether the riff was in it."""

    why: Why
    total: int
    is_person: bool
    has_riff: bool


def play(params: Params, seed: int, name: str, windows: int) -> list[Judged]:
    """Judge a strategy's windows."""
    return [
        judged
        for number in range(PLAYERS)
        for judged in _room(params, f"{seed}/{name}/{number}", CASES[name], windows, number)
    ]


def _room(params: Params, name: str, options: People, windows: int, number: int) -> list[Judged]:
    """One player of the strategy among honest others."""
    everybody = [_policy(f"{name}/{other}", options if other == 0 else Honest()) for other in range(1 + COMPANY)]
    grid = Grid(TEMPO_MBPM + 5_000 * number, 4, 4)
    chance = Random(name)
    known, before = ReplayIndex(), dict[int, tuple[Note, ...]]()
    found = []
    for at in range(windows):
        window, start_us = Window(at), at * params.window_us
        lanes = tuple(chance.randrange(LANES) for _ in range(NOTES))
        riff = Call(window, (), lanes, chance.randrange(params.window_us // 4, params.window_us * 5 // 8))
        moments = moments_us(params, grid, start_us, riff)
        played: dict[int, tuple[Note, ...]] = {}
        for who, one in enumerate(everybody):
            others = [notes for other, notes in before.items() if other != who]
            scene = Scene(grid, window, start_us, start_us + params.window_us, lambda o=others: o)  # type: ignore[misc]
            played[who] = one.answered(one.notes(scene), window, moments, lanes)
        report = measure(params, grid, _onsets(played[0]), known, window)
        has_riff = is_played(params, grid, start_us, riff, _onsets(played[0]))
        is_person = report.measures.humanness >= params.human_mark_q16
        found.append(Judged(report.why, report.measures.total, is_person, has_riff))
        for who, notes in played.items():
            known.add(str(who).encode(), window, _onsets(notes))
        before = {who: tuple(n._replace(t_us=n.t_us - start_us) for n in notes) for who, notes in played.items()}
    return found


def _policy(name: str, options: People) -> Policy:
    player = PlayerId(bytes(32))
    return policy(Role(name, player, 0, Window(0), frozenset({player})), options)


def _onsets(notes: Sequence[Note]) -> list[Onset]:
    return [Onset(Micros(note.t_us), note.lane, note.velocity, note.pitch) for note in notes]


def row(name: str, found: Sequence[Judged]) -> str:
    """A strategy's line of the table."""
    fine = [judged for judged in found if judged.why is Why.FINE]
    why = Counter(judged.why.name.lower() for judged in found if judged.why is not Why.FINE)
    totals = " ".join(f"{total / ONE_Q16:.2f}" for total in quantiles(fine))
    persons = sum(judged.is_person for judged in fine)
    rest = ", ".join(f"{reason} {100 * times / len(found):.0f}%" for reason, times in sorted(why.items()))
    shares = (100 * part / len(found) for part in (len(fine), persons, sum(j.has_riff for j in fine)))
    return f"| {name} | " + " | ".join(f"{share:.1f}%" for share in shares) + f" | {totals or '-'} | {rest or '-'} |"


def quantiles(fine: Sequence[Judged]) -> tuple[int, ...]:
    """Of the totals of windows that are not refused."""
    ordered = sorted(judged.total for judged in fine)
    return tuple(ordered[(len(ordered) - 1) * p // 100] for p in PERCENTILES) if ordered else ()


def literal(name: str, found: Sequence[Judged]) -> str:
    """The same for sim/people/odds.py."""
    fine = [judged for judged in found if judged.why is Why.FINE]
    accepted = round(len(fine) / len(found), 4)
    riff = round(sum(judged.has_riff for judged in fine) / max(1, len(fine)), 4)
    return f'        "{name}": Odds({accepted}, {riff}, {quantiles(fine)}),'


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        prog="python -m sim.people.judged", description=__doc__.split("\n\n", maxsplit=1)[0]
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--windows", type=int, default=25, help="of each of 8 players of each strategy")
    parser.add_argument("--preset", choices=("main", "small"), action="append")
    asked = parser.parse_args()
    for name in asked.preset or ("main", "small"):
        print(f"{name}, {PLAYERS} players of each strategy, {asked.windows} windows each, seed {asked.seed}\n")
        print("| strategy | accepted | a person's | with riff | total of accepted, p5 25 50 75 95 | refused |")
        print("|---|---|---|---|---|---|", flush=True)
        lines = []
        for case in CASES:
            print(f"  {case}", file=sys.stderr, flush=True)
            found = play(preset(name), asked.seed, case, asked.windows)
            print(row(case, found), flush=True)
            lines.append(literal(case, found))
        print(f'\n    "{name}": {{', *lines, "    },\n", sep="\n")


if __name__ == "__main__":
    main()
