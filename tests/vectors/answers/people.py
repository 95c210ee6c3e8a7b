"""Persons, diversity, weights, reports, concerts, and the count of votes on a checkpoint."""

from __future__ import annotations

from typing import Any

from consensus import concerts, diversity, weights
from consensus.checkpoint import Ballot, Value
from consensus.concerts import Seen
from consensus.params import Params
from crdt.types import PlayerId
from tests.vectors import society
from tests.vectors.reading import Refused, Rule, typed

hexed = bytes.fromhex
Pairs = tuple[tuple[PlayerId, PlayerId], ...]


def _worth(params: Params, given: Any) -> Any:
    counts = {diversity.generation_of(params, epoch): 1 for epoch in given["epochs"]}
    return diversity.decayed_q16(counts, diversity.generation_of(params, given["now"]))


def _review(params: Params, given: Any) -> Any:
    found = society.reviewed(params, typed(Pairs, given["edges"]), typed(tuple[PlayerId, ...], given["reporters"]))
    if not found["reviewed"]:
        raise Refused("no review", found)
    return found


def _count(_: Params, given: Any) -> Any:
    held, own = typed(dict[PlayerId, int], given["weights"]), typed(Value, given["own"])
    found = society.counted(held, typed(list[Ballot], given["ballots"]), own, given["round"])
    if found["final"] is None:
        raise Refused("not final", found)
    return found


def _payments(params: Params, given: Any) -> Any:
    return sorted(concerts.payments(params, typed(tuple[Seen, ...], given["witnesses"])).items())


RULES: dict[tuple[str, str], Rule] = {
    ("personhood", "persons"): lambda p, g: society.ranked(p, typed(Pairs, g["vouches"])),
    ("diversity", "worth"): _worth,
    ("diversity", "effective number"): lambda p, g: society.effective(p, g["worth"]),
    ("weights", "person"): lambda p, g: weights.person_of(p, hexed(g["player"]), g["rank"], g["D"]),
    ("weights", "weight"): lambda p, g: weights.weight_of(p, g["person"], g["stake"]),
    ("reports", "review"): _review,
    ("concerts", "familiarity"): lambda _, g: concerts.familiarity_q16(g["times"]),
    ("concerts", "points"): lambda p, g: concerts.points_of(p, typed(Seen, g["witness"])),
    ("concerts", "payments"): _payments,
    ("concerts", "origin"): lambda _, g: concerts.origin_of(g["epoch"], hexed(g["performer"])),
    ("checkpoints", ""): _count,
}
