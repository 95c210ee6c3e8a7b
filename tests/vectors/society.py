"""People: edges and rank, diversity, weights, reports, concerts; and the count of checkpoint votes."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import Any

import msgspec

from consensus import checkpoint, concerts, diversity, personhood, reports, weights
from consensus.checkpoint import Ballot, Count, Value
from consensus.concerts import Seen
from consensus.ops import Stage
from consensus.params import MAIN, Params
from crdt.types import Digest, Epoch, MicroJam, PlayerId
from tests.vectors.form import Case, File, though
from tests.vectors.paying import P, ruled

FOUNDED = msgspec.structs.replace(MAIN, founders=tuple(P[:3]))


NAMES = ("personhood", "diversity", "weights", "reports", "concerts", "checkpoints")


def files() -> list[File]:
    """The files of this module."""
    return [
        File(
            "personhood",
            "Edges, trust after the rounds, and persons (Q16; who is none is left out).",
            _ranks(),
            ("persons",),
        ),
        File(
            "diversity",
            "What acknowledgements are worth, D, its factor and the strata.",
            _diversity(),
            ("worth", "effective number"),
        ),
        File("weights", "Persons and weights.", _weights(), ("person", "weight")),
        File("reports", "Of those who report, who is unrelated, and whether that is enough.", _reports()),
        File(
            "concerts",
            "Points of witnesses, payments, origins.",
            _concerts(),
            ("familiarity", "points", "payments", "origin"),
        ),
        File(
            "checkpoints",
            "Votes on what follows a base: what is prepared, final, and what an honest voter signs next.",
            _checkpoints(),
        ),
    ]


def _edges(pairs: list[tuple[int, int]]) -> list[tuple[PlayerId, PlayerId]]:
    return [(P[a], P[b]) for a, b in pairs] + [(P[b], P[a]) for a, b in pairs]


def _ranks() -> list[Case]:
    random = Random(1)
    webs = [
        [],
        _edges([(0, 1), (1, 2), (0, 2)]),
        _edges([(0, 3)]),
        _edges([(0, 1), (1, 2), (0, 2), (2, 3), (3, 4)]),
        [(P[0], P[3])],
        [(P[3], P[3]), (P[0], P[0])],
        _edges([(0, 1), (0, 3), (1, 3), (3, 4), (4, 5), (5, 6), (6, 4)]),
        _edges([(7, 8), (8, 9)]),
        _edges([tuple(random.sample(range(12), 2)) for _ in range(20)]),
        [(P[random.randrange(12)], P[random.randrange(12)]) for _ in range(60)],
    ]
    cases = []
    for founders, rounds in [(P[:3], 8), (P[:2], 3), (P[5:6], 1), ([], 8)]:
        params = msgspec.structs.replace(MAIN, founders=tuple(founders), rank_rounds=rounds)
        cases += [ruled("persons", params, {"vouches": web}, lambda p=params, w=web: ranked(p, w)) for web in webs]
    return cases


def ranked(params: Params, vouches: list[tuple[PlayerId, PlayerId]]) -> dict[str, Any]:
    graph = personhood.graph_of(vouches)
    edges = sorted((one, sorted(others)) for one, others in graph.items())
    trust = personhood.trust_of(graph, params.founders, params.rank_rounds)
    return {
        "edges": edges,
        "trust": sorted(trust.items()),
        "persons": sorted(personhood.persons_q16(params, graph).items()),
    }


def _diversity() -> list[Case]:
    params = msgspec.structs.replace(MAIN, ack_half_epochs=10, diversity_full=4)
    cases = []
    for now, at in [
        (0, 0),
        (9, 0),
        (10, 9),
        (10, 0),
        (19, 10),
        (100, 0),
        (160, 0),
        (169, 0),
        (170, 0),
        (9, 10),
        (5, 25),
    ]:
        counts = {diversity.generation_of(params, Epoch(at)): 1}
        given = {"now": now, "epochs": [at]}
        cases.append(
            ruled(
                "worth",
                params,
                given,
                lambda n=now, c=counts: diversity.decayed_q16(c, diversity.generation_of(params, Epoch(n))),
            )
        )
    one = 65_536
    several = ([], [one], [one] * 2, [one, one - 1], [one, 1], [one] * 4, [one] * 9, [3, 2, 1], [0, 0], [5, -1], [-one])
    return cases + [
        ruled("effective number", params, {"worth": worth}, lambda w=worth: effective(params, w)) for worth in several
    ]


def effective(params: Params, worth: list[int]) -> dict[str, int]:
    found = diversity.effective_q16(worth)
    return {"D": found, "factor": diversity.factor_q16(params, found), "strata": diversity.strata(found)}


def _weights() -> list[Case]:
    cases = []
    for params in (MAIN, FOUNDED):
        for player, rank, effective in [
            (P[0], 0, 0),
            (P[5], 0, 0),
            (P[5], 65_536, 0),
            (P[5], 65_536, 8 * 65_536),
            (P[5], 33_333, 3 * 65_536),
        ]:
            given = {"player": player, "rank": rank, "D": effective}
            cases.append(
                ruled(
                    "person",
                    params,
                    given,
                    lambda p=params, a=player, r=rank, d=effective: weights.person_of(p, a, r, d),
                )
            )
    for person, stake in [
        (65_536, 0),
        (65_536, 1),
        (65_536, 3_052),
        (65_536, 50_000_000),
        (65_536, 100_000_000),
        (65_536, 10**12),
        (0, 10**12),
        (1, 10**12),
        (40_001, 77_777_777),
        (65_537, 0),
        (-1, 0),
        (65_536, -1),
    ]:
        cases.append(
            ruled(
                "weight",
                MAIN,
                {"person": person, "stake": stake},
                lambda a=person, s=stake: weights.weight_of(MAIN, a, MicroJam(s)),
            )
        )
    return cases


def _reports() -> list[Case]:
    webs = [
        [],
        [(0, 1)],
        [(0, 3), (1, 3)],
        [(0, 3), (1, 3), (2, 4), (5, 4)],
        [(0, 1), (1, 2), (2, 0)],
        [(0, 5), (1, 5), (2, 5)],
    ]
    cases = []
    for web in webs:
        for reporters in ([], P[:2], P[:3], P[:6], [P[0], P[0], P[2]]):
            edges = _edge_list(web)
            given = {"edges": edges, "reporters": reporters}
            one = ruled("review", MAIN, given, lambda w=edges, r=reporters: reviewed(MAIN, w, r))
            cases.append(though(one, "" if one["expect"]["reviewed"] else "no review"))
    return cases


def _edge_list(web: list[tuple[int, int]]) -> list[tuple[PlayerId, PlayerId]]:
    return [(P[a], P[b]) for a, b in web]


def reviewed(params: Params, edges: Iterable[tuple[PlayerId, PlayerId]], reporters: Iterable[PlayerId]) -> Any:
    """Who of the reporters is unrelated, and whether that is enough."""
    graph = personhood.graph_of([pair for one, other in edges for pair in ((one, other), (other, one))])
    return {"unrelated": reports.unrelated(graph, reporters), "reviewed": reports.is_reviewed(params, graph, reporters)}


def _concerts() -> list[Case]:
    cases = [
        ruled("familiarity", MAIN, {"times": n}, lambda n=n: concerts.familiarity_q16(n)) for n in (*range(18), 100, -1)
    ]
    for weight, times, remote in [
        (65_536, 0, False),
        (65_536, 0, True),
        (98_304, 1, False),
        (0, 0, False),
        (40_000, 16, True),
        (65_536, 17, False),
        (65_536, -1, False),
    ]:
        seen = Seen(P[0], weight, times, remote)
        cases.append(ruled("points", MAIN, {"witness": seen}, lambda s=seen: concerts.points_of(MAIN, s)))
    small = msgspec.structs.replace(MAIN, epoch_budget_micro=1_000_003)
    for params in (MAIN, small):
        for crowd in (
            [],
            [(0, 65_536, 0)],
            [(0, 65_536, 0)] * 3 + [(1, 65_536, 2)],
            [(n % 4, 65_536, n % 3) for n in range(20)],
            [(0, 0, 0)],
        ):
            witnessed = [Seen(P[who], weight, times, False) for who, weight, times in crowd]
            cases.append(
                ruled(
                    "payments",
                    params,
                    {"witnesses": witnessed},
                    lambda p=params, w=witnessed: sorted(concerts.payments(p, w).items()),
                )
            )
    return cases + [
        ruled("origin", MAIN, {"epoch": e, "performer": P[1]}, lambda e=e: concerts.origin_of(Epoch(e), P[1]))
        for e in (0, 1, 2**40)
    ]


def _checkpoints() -> list[Case]:
    x, y = (Value(Epoch(10), Digest(bytes([n]) * 32)) for n in (1, 2))
    alike = dict.fromkeys(P[:4], 1)
    tilted = {P[0]: 4, P[1]: 2, P[2]: 2, P[3]: 1}
    prepare, commit = Stage.PREPARE, Stage.COMMIT

    def all_of(who: list[int], round_: int, stage: Stage, value: Value) -> list[Ballot]:
        return [Ballot(Epoch(round_), P[n], stage, value) for n in who]

    given: list[tuple[str, dict[PlayerId, int], list[Ballot]]] = [
        ("nothing", alike, []),
        ("two of four prepare", alike, all_of([0, 1], 13, prepare, x)),
        ("three of four prepare", alike, all_of([0, 1, 2], 13, prepare, x)),
        ("exactly two thirds are not enough", dict(list(alike.items())[:3]), all_of([0, 1], 13, prepare, x)),
        ("in two rounds", alike, all_of([0, 1], 13, prepare, x) + all_of([2], 14, prepare, x)),
        ("of two values", alike, all_of([0, 1], 13, prepare, x) + all_of([2, 3], 13, prepare, y)),
        ("by weight", tilted, all_of([0, 1, 3], 13, prepare, x)),
        ("by weight, not by number", tilted, all_of([1, 2, 3], 13, prepare, x)),
        ("strangers", alike, all_of([0, 1, 5, 6, 7], 13, prepare, x)),
        ("the same twice", alike, all_of([0, 1, 1, 1], 13, prepare, x)),
        ("committed", alike, all_of([0, 1, 2], 13, prepare, x) + all_of([0, 1, 2], 13, commit, x)),
        ("too few commit", alike, all_of([0, 1, 2], 13, prepare, x) + all_of([0, 1], 13, commit, x)),
        ("commits in two rounds", alike, all_of([0, 1], 13, commit, x) + all_of([2, 3], 14, commit, x)),
        ("who commits is bound", alike, all_of([0, 1, 2], 13, prepare, x) + all_of([0], 13, commit, x)),
        ("until enough prepare another later", alike, all_of([0], 13, commit, x) + all_of([1, 2, 3], 14, prepare, y)),
        ("but not earlier", alike, all_of([0], 15, commit, x) + all_of([1, 2, 3], 14, prepare, y)),
        (
            "one who signs both counts in both",
            alike,
            all_of([0, 1, 2], 13, prepare, x) + all_of([2, 3, 1], 13, prepare, y),
        ),
    ]
    cases = [
        ruled(
            name,
            MAIN,
            {"weights": sorted(held.items()), "ballots": ballots, "round": 16, "own": y},
            lambda h=held, b=ballots: counted(h, b, y, 16),
        )
        for name, held, ballots in given
    ]
    return [though(one, "" if one["expect"]["final"] else "not final") for one in cases]


def counted(held: dict[PlayerId, int], ballots: list[Ballot], own: Value, now: Epoch) -> dict[str, Any]:
    """What the votes make, and what each voter signs next."""
    count = Count(held, ballots)
    return {
        "prepared": count.prepared(),
        "prepared_in_13": count.prepared_in(Epoch(13)),
        "final": count.final(),
        "to_prepare": [(voter, checkpoint.to_prepare(count, voter, now, own)) for voter in sorted(held)],
        "to_commit_in_13": [(voter, checkpoint.to_commit(count, voter, Epoch(13))) for voter in sorted(held)],
    }
