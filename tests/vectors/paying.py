"""Rewards: the decay table, cluster, points, payment, split and the reputation cap."""

from __future__ import annotations

from typing import Any

import msgspec

from consensus import reward
from consensus.cap import unpaid_of
from consensus.cluster import cluster_q16, likeness_q16, mean_likeness_q16
from consensus.logistic import weight_q16
from consensus.params import MAIN, Params
from consensus.reward import Terms
from crdt.types import BlockId, Epoch, MicroJam, PlayerId, Window
from tests.vectors.form import Case, File, case, changes, though

P = [PlayerId(bytes([n]) * 32) for n in range(12)]
B = [BlockId(bytes([n]) * 32) for n in range(12)]


COMPUTED = (
    "decay",
    "expected meetings",
    "likeness",
    "mean likeness",
    "cluster",
    "points",
    "budgets",
    "payment",
    "split",
    "reward",
    "recent",
    "person",
)
NAMES = ("rewards", "cap")


def files() -> list[File]:
    """The files of this module."""
    cases = _decay() + _clusters() + _points() + _payments() + _splits() + _whole()
    return [
        File("rewards", "Each case names the rule; `params` are what differs from the main preset.", cases, COMPUTED),
        File("cap", "Who is not paid for which accepted block of one window.", _caps()),
    ]


def ruled(rule: str, params: Params, given: dict[str, Any], work: Any) -> Case:
    one = case(rule, given, work)
    return {"name": rule, "params": changes(params), **{key: one[key] for key in one if key != "name"}}


def _decay() -> list[Case]:
    cases = [ruled("decay", MAIN, {"m": m}, lambda m=m: weight_q16(m)) for m in (*range(19), 1000, -1, -30)]
    excess = msgspec.structs.replace(MAIN, decay_excess=True)
    for params in (MAIN, excess):
        for recent, eligible in [
            (0, 1),
            (30, 1),
            (30, 7),
            (30, 8),
            (30, 14),
            (30, 15),
            (1, 100),
            (30, 1000),
            (-1, 5),
            (3, 0),
            (3, -1),
        ]:
            given = {"recent": recent, "eligible": eligible}
            cases.append(
                ruled(
                    "expected meetings",
                    params,
                    given,
                    lambda p=params, r=recent, e=eligible: reward.expected_meetings(p, r, e),
                )
            )
    return cases


def _clusters() -> list[Case]:
    pairs = [(P[:3], P[:3]), (P[:3], P[3:6]), (P[:3], P[1:4]), (P[:1], P[:7]), (P[:2], P[1:2]), ([], P[:2]), ([], [])]
    cases = [
        ruled("likeness", MAIN, {"one": one, "other": other}, lambda a=one, b=other: likeness_q16(set(a), set(b)))
        for one, other in pairs
    ]
    for recent in ([], [P[:3]], [P[:3], P[3:6]], [P[1:4], P[2:5], P[3:6]]):
        given = {"voters": P[:3], "recent": recent}
        cases.append(
            ruled(
                "mean likeness",
                MAIN,
                given,
                lambda r=recent: mean_likeness_q16(set(P[:3]), [frozenset(one) for one in r]),
            )
        )
    half = msgspec.structs.replace(MAIN, cluster_max_q16=32_768)
    for params in (MAIN, half):
        cases += [
            ruled("cluster", params, {"likeness": s}, lambda p=params, s=s: cluster_q16(p, s))
            for s in (0, 1, 3, 32_768, 65_536, 65_537, -1)
        ]
    return cases


def _terms(
    quality: int, weights: list[int], likeness: int = 0, riff: int = 65_536, recent: int = 0, person: int = 65_536
) -> Terms:
    return Terms(quality, tuple(weights), recent, likeness, cluster_q16(MAIN, likeness), riff, person)


def _points() -> list[Case]:
    terms = [
        _terms(65_536, [62_428]),
        _terms(65_536, [32_768] * 5),
        _terms(65_536, [62_428, 57_724, 47_911]),
        _terms(40_000, [62_428] * 7, 20_000, 32_768, 4),
        _terms(1, [1]),
        _terms(0, [62_428]),
        _terms(65_536, [0, 0]),
        _terms(65_536, [62_428, 0], 65_536, 65_536, 30),
        _terms(65_535, [7, 8, 9], 1),
        _terms(65_536, []),
        _terms(65_536, [62_428], person=32_768),
        _terms(50_000, [57_724, 3], 20_000, 32_768, 4, 2_048),
        _terms(65_536, [62_428], person=0),
    ]
    cases = [ruled("points", MAIN, {"terms": one}, lambda t=one: reward.points_of(MAIN, t)) for one in terms]
    for params in (
        MAIN,
        msgspec.structs.replace(MAIN, person_step_q16=0),
        msgspec.structs.replace(MAIN, person_step_q16=3),
    ):
        for person in (0, 1, 2_047, 2_048, 40_000, 65_535, 65_536, 65_537, -1):
            given = {"person": person}
            cases.append(ruled("person", params, given, lambda p=params, q=person: reward.paid_person_q16(p, q)))
    return cases


def _payments() -> list[Case]:
    small = msgspec.structs.replace(MAIN, epoch_budget_micro=1_000_003)
    cases = []
    for params in (MAIN, small, msgspec.structs.replace(small, concert_share_q16=0)):
        cases.append(
            ruled(
                "budgets",
                params,
                {},
                lambda p=params: {"blocks": reward.blocks_budget(p), "concerts": reward.concerts_budget(p)},
            )
        )
        for points, total in [
            (0, 0),
            (1_000_000, 1_000_000),
            (900_000, 900_000),
            (900_012, 900_012),
            (500_000, 1_000_003),
            (500_000, 2_000_000),
            (1, 10**9),
            (3, 10**12),
        ]:
            given = {"points": points, "all_points": total}
            cases.append(
                ruled(
                    "payment",
                    params,
                    given,
                    lambda p=params, a=points, b=total: reward.payment_of(p, MicroJam(a), MicroJam(b)),
                )
            )
    return cases


def _splits() -> list[Case]:
    cases = []
    for paid, voters in [
        (0, P[:1]),
        (1, P[:1]),
        (1_000_000, P[:3]),
        (1_000_000, P[2::-1]),
        (999_999, P[:7]),
        (10, P[:7]),
        (4, P[:7]),
        (5, []),
        (7, [P[1], P[1], P[0]]),
    ]:
        cases.append(ruled("split", MAIN, {"paid": paid, "voters": voters}, lambda a=paid, v=voters: halves(a, v)))
    return cases


def halves(paid: int, voters: list[PlayerId]) -> dict[str, Any]:
    proposer, parts = reward.split(MAIN, MicroJam(paid), voters)
    return {"proposer": proposer, "voters": parts}


def _whole() -> list[Case]:
    cases = []
    for quality, weights, voters, unpaid, total in [
        (65_536, [62_428] * 3, P[:4], [], 900_000),
        (50_000, [57_724] * 2, P[:3], P[:1], 3 * 10**9),
        (1, [1], P[:1], P[:1], 1),
        (65_536, [0], P[:2], [], 0),
    ]:
        terms = _terms(quality, weights, 10_000, 32_768, 2)
        given = {"epoch": 3, "terms": terms, "voters": voters, "unpaid": unpaid, "all_points": total}
        cases.append(
            ruled(
                "reward",
                MAIN,
                given,
                lambda t=terms, v=voters, u=unpaid, a=total: reward.reward_of(
                    MAIN, Epoch(3), t, v, frozenset(u), MicroJam(a)
                ),
            )
        )
    accepted = [(Window(w), frozenset(P[w % 4 : w % 4 + 3])) for w in range(0, 60, 2)]
    for window, horizon, most in [(60, 720, 30), (60, 10, 30), (60, 720, 3), (30, 720, 30), (0, 720, 30), (1, 1, 30)]:
        params = msgspec.structs.replace(MAIN, decay_horizon_windows=horizon, decay_blocks=most)
        given = {"window": window, "accepted": accepted}
        cases.append(
            ruled(
                "recent",
                params,
                given,
                lambda p=params, w=window: {"m": met(reward.recent_of(p, Window(w), accepted))},
            )
        )
    return cases


def met(recent: Any) -> list[tuple[PlayerId, int]]:
    return sorted(reward.familiarity(recent).items())


def _caps() -> list[Case]:
    two = msgspec.structs.replace(MAIN, paid_votes_per_window=2)
    given = [
        {},
        {B[0]: P[:3]},
        {B[0]: P[:3], B[1]: P[:3], B[2]: P[:3]},
        {B[2]: P[:2], B[0]: P[:1], B[1]: P[1:2], B[3]: P[:4]},
        {B[n]: P[n % 3 : n % 3 + 3] for n in range(10)},
    ]
    cases = [
        ruled("cap", two, {"accepted": sorted(one.items())}, lambda a=one: sorted(unpaid_of(two, a).items()))
        for one in given
    ]
    return [though(one, "beyond the cap" if any(unpaid for _, unpaid in one["expect"]) else "") for one in cases]
