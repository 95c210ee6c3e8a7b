"""What rings of made-up keys weigh, and what honest people do, by SybilRank as it is in consensus/personhood.py.

Run with `python -m bench.people`. It prints two tables for docs/attacks.md: means over made-up networks of honest
people, four of them founders, with the `main` preset. Nothing in it is timed.
"""

from __future__ import annotations

from collections.abc import Callable

from bench.acquaintances import People, Shape, communities, honest, honest_persons, in_persons, mean, ring_persons

TRIALS = 20
EDGES = (1, 3, 10)
RINGS = ((10, Shape.CLIQUE), (100, Shape.CLIQUE), (1_000, Shape.CLIQUE), (100, Shape.STAR), (100, Shape.PATH))
Make = Callable[[int, int, int], People]
NETWORKS: tuple[tuple[str, Make, int, int], ...] = (
    ("30, 6 friends each, by chance", honest, 30, 6),
    ("100, 8", honest, 100, 8),
    ("300, 10", honest, 300, 10),
    ("1,000, 10", honest, 1_000, 10),
    ("300 in circles of 25, 10", communities, 300, 10),
)


def main() -> None:
    """Print the tables."""
    print("| honest people | mean | 5th percentile |\n|---|---|---|")
    for name, make, count, friends in NETWORKS:
        held = [honest_persons(make(count, friends, seed)) for seed in range(TRIALS)]
        low = mean(persons[count // 20] for persons in held)
        print(f"| {name} | {in_persons(mean(mean(persons) for persons in held))} | {in_persons(low)} |")
    print("\n| honest people | the ring's keys |", " | ".join(f"{n} attack edges" for n in EDGES), "|")
    print("|---|---|" + "---|" * len(EDGES))
    for name, make, count, friends in NETWORKS:
        people = [make(count, friends, seed) for seed in range(TRIALS)]
        for keys, shape in RINGS if count == 100 else RINGS[:2]:
            weights = [mean(ring_persons(one, edges, keys, shape) for one in people) for edges in EDGES]
            print(f"| {name} | {keys}, {shape.value} |", " | ".join(in_persons(w) for w in weights), "|")


if __name__ == "__main__":
    main()
