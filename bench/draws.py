"""Whether the draw of verifiers is fair: who is selected how often, by the real outputs of fixed keys.

Run with `python -m bench.draws [--windows N]` (`make fairness`). Every output is computed as a node computes its
own, so the figures are the same everywhere and every time. Chi-square over players: each is selected in a slot with
the same chance p, independently, so the sum of (count - expected)^2 / (expected (1 - p)) has as many degrees of
freedom as there are players.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from consensus import vrf
from consensus.params import MAIN, Params, network_id
from consensus.selection import input_of, tranche_of
from crdt.canonical import digest
from crdt.types import PlayerId, Window

PLAYERS = 100
CHI_SQUARE_99 = {60: 88.379, 100: 135.807}  # quantiles by degrees of freedom: beyond them one in a hundred is


def seed_of(number: int) -> bytes:
    """The secret of a made-up player's VRF key."""
    return digest(b"bench-draws", number.to_bytes(4, "big"))


def outputs(params: Params, players: int, slots: int, first: int = 0) -> list[list[bytes]]:
    """For each of so many windows of one proposer, the VRF output of every player."""
    network, proposer = network_id(params), PlayerId(digest(b"bench-draws", b"proposer"))
    alphas = [input_of(params, network, proposer, Window(first + slot)) for slot in range(slots)]
    seeds = [seed_of(number) for number in range(players)]
    return [[vrf.evaluate(seed, alpha) for seed in seeds] for alpha in alphas]


def tranches(params: Params, drawn: Sequence[bytes], weights: Sequence[int]) -> list[int | None]:
    """The tranche that each player's output draws it into."""
    total = sum(weights)
    return [tranche_of(params, output, weight, total) for output, weight in zip(drawn, weights, strict=True)]


def chi_square(counts: Sequence[int], slots: int, chance: float) -> float:
    """Of players that were each selected in so many of `slots`, each time with the same chance."""
    expected = slots * chance
    return sum((count - expected) ** 2 for count in counts) / (expected * (1 - chance))


def main(argv: list[str] | None = None) -> None:
    """Print how often everybody was selected, and what chi-square makes of that."""
    parser = argparse.ArgumentParser(prog="python -m bench.draws", description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--windows", type=int, default=2_900, help="of one proposer, 35 selections each")
    slots = parser.parse_args(argv).windows
    chance = MAIN.tranche_sizes[-1] / PLAYERS
    counts, sizes = [0] * PLAYERS, [0] * len(MAIN.tranche_sizes)
    for slot in range(slots):
        drawn = tranches(MAIN, outputs(MAIN, PLAYERS, 1, slot)[0], [1] * PLAYERS)
        for player, tranche in enumerate(drawn):
            if tranche is not None:
                counts[player] += 1
                sizes[tranche] += 1
    found = chi_square(counts, slots, chance)
    print(f"{sum(counts)} selections of {PLAYERS} players in {slots} windows, {sum(counts) / slots:.2f} a window")
    print(f"drawn first in tranche 0, 1, 2: {', '.join(f'{size / slots:.2f}' for size in sizes)} a window")
    print(f"selected least {min(counts)} times, most {max(counts)} times, expected {slots * chance:.1f}")
    print(f"chi-square {found:.1f} with {PLAYERS} degrees of freedom; 1 in 100 exceeds {CHI_SQUARE_99[PLAYERS]:.1f}")


if __name__ == "__main__":
    main()
