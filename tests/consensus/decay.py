"""How a reward falls with the same verifiers and recovers, as a picture: docs/img/decay.svg.

Run with `python -m tests.consensus.decay` (`make decay`). One player plays before the same four people for twelve
windows, then before four others, then, a day later, before the first four again. Everybody signs real entries, the
ledger folds them by the rules of the network `main`, and what it says is drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from consensus.ops import Vote
from consensus.params import MAIN, ONE_Q16
from tests.consensus.world import Person, World

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "img" / "decay.svg"
FIRST, TIMES = 30_000, 12  # the first window of an epoch; how often the same four listen
LATER = FIRST + TIMES + MAIN.decay_horizon_windows + 1  # all that was before is beyond the horizon

WIDTH, HEIGHT, LEFT, TOP, FLOOR, STEP, GAP = 1_000, 400, 64, 72, 320, 32, 46


class Played(NamedTuple):
    """One accepted block: its window, counted from the first, what it is worth, and the two factors that moved."""

    window: int
    worth_micro: int
    mean_w_q16: int
    cluster_q16: int


def play() -> list[list[Played]]:
    """The three parts of the story, from a ledger of signed entries."""
    world = World(9, MAIN)
    four, others = world.people[1:5], world.people[5:9]
    parts = (
        (range(FIRST, FIRST + TIMES), four),
        (range(FIRST + TIMES, FIRST + TIMES + 1), others),
        (range(LATER, LATER + TIMES), four),
    )
    return [[play_window(world, window, listeners) for window in windows] for windows, listeners in parts]


def play_window(world: World, window: int, listeners: Sequence[Person]) -> Played:
    """The first player plays, the listeners all agree."""
    player = world.people[0]
    world.pulse(window, player, *listeners)
    block = world.propose(player, window)
    world.vote(player, block, window, Vote.YES, *listeners)
    state = world.ledger.block(block)
    assert state is not None and state.reward is not None and len(state.votes) == len(listeners)
    reward = state.reward
    return Played(window - FIRST, reward.paid_micro, reward.mean_w_q16, reward.cluster_q16)


# drawing


def height_of(share: float) -> float:
    """Where a share of one JAM, or of one, lies in the picture."""
    return FLOOR - share * (FLOOR - TOP)


def text(x: float, y: float, kind: str, words: str) -> str:
    """Words of one kind at a place."""
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}">{words}</text>'


def scale() -> Iterator[str]:
    """Lines and numbers from 0 to 1."""
    for quarter in range(5):
        y = height_of(quarter / 4)
        yield f'<line x1="{LEFT}" x2="{WIDTH - 20}" y1="{y:.1f}" y2="{y:.1f}" class="scale"/>'
        yield text(LEFT - 10, y + 5, "number", f"{quarter / 4:.2f}")


def bars(part: Sequence[Played], x: float, kind: str) -> Iterator[str]:
    """What blocks are worth, each with its number and its window."""
    for index, played in enumerate(part):
        middle, worth = x + STEP * (index + 0.5), played.worth_micro / 1e6
        top, is_tall = height_of(worth), worth > 0.08
        yield f'<rect x="{middle - 12:.1f}" y="{top:.1f}" width="24" height="{FLOOR - top:.1f}" class="{kind}"/>'
        words = f"{worth:.2f}" if worth >= 0.01 else f"{worth:.4f}".lstrip("0")
        yield text(middle, top + 16 if is_tall else top - 8, "inside" if is_tall else "above", words)
        yield text(middle, FLOOR + 18, "window", str(played.window + 1))


def dots(part: Sequence[Played], x: float) -> Iterator[str]:
    """The mean w of each block."""
    places = [(x + STEP * (i + 0.5), height_of(p.mean_w_q16 / ONE_Q16)) for i, p in enumerate(part)]
    yield f'<polyline points="{" ".join(f"{at:.1f},{y:.1f}" for at, y in places)}" class="w"/>'
    for at, y in places:
        yield f'<circle cx="{at:.1f}" cy="{y:.1f}" r="3.5" class="dot"/>'


STYLE = """
text { font: 13px sans-serif; fill: #33313b }
.number { text-anchor: end } .window, .above, .inside, .name { text-anchor: middle }
.above, .inside { font-size: 11px } .inside { fill: #ffffff } .name { font-weight: bold }
.title { font-size: 17px; font-weight: bold } .scale { stroke: #d9d6e0 } .same { fill: #6474cf } .new { fill: #3f8f63 }
.w { fill: none; stroke: #b5562e; stroke-width: 1.5 } .dot { fill: #b5562e } .paper { fill: #ffffff }
"""
NAMES = ("the same four verifiers, window after window", "four\nothers", "the first four again, 24 hours later")
SAYS = "bars: what it is worth, JAM (base x quality x mean w x cluster x riff); dots: mean w"


def picture(parts: Sequence[Sequence[Played]]) -> str:
    """The whole of it."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        "<title>What a block is worth with the same verifiers, with others, and a day later</title>",
        f'<style>{STYLE}</style><rect width="{WIDTH}" height="{HEIGHT}" class="paper"/>',
        text(LEFT, 26, "title", "A perfect block is worth less each time the same people verify it"),
        text(LEFT, 48, "says", SAYS),
        *scale(),
    ]
    x = float(LEFT + 6)
    for part, name, kind in zip(parts, NAMES, ("same", "new", "same"), strict=True):
        width = STEP * len(part)
        lines += [*bars(part, x, kind), *dots(part, x)]
        lines += [text(x + width / 2, FLOOR + 42 + 18 * n, "name", said) for n, said in enumerate(name.split("\n"))]
        x += width + GAP
    lines += [text(LEFT - 10, FLOOR + 18, "number", "window"), "</svg>"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PICTURE.write_text(picture(play()))
