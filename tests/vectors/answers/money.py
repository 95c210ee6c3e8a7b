"""Rewards, the cap, accounts, trees."""

from __future__ import annotations

from typing import Any

from consensus import reward
from consensus.cap import unpaid_of
from consensus.cluster import cluster_q16, likeness_q16, mean_likeness_q16
from consensus.hashtree import HashTree
from consensus.logistic import weight_q16
from consensus.ops import Spend
from consensus.params import Params
from consensus.reward import Terms
from crdt.types import BlockId, PlayerId, Window
from tests.vectors import paying, spending
from tests.vectors.reading import Refused, Rule, typed

hexed = bytes.fromhex
Players = tuple[PlayerId, ...]
Accepted = tuple[tuple[Window, frozenset[PlayerId]], ...]


def _mean_likeness(_: Params, given: Any) -> Any:
    recent = typed(tuple[frozenset[PlayerId], ...], given["recent"])
    return mean_likeness_q16(set(typed(Players, given["voters"])), recent)


def _budgets(params: Params, _: Any) -> Any:
    return {"blocks": reward.blocks_budget(params), "concerts": reward.concerts_budget(params)}


def _reward(params: Params, given: Any) -> Any:
    voters, unpaid = typed(Players, given["voters"]), typed(frozenset[PlayerId], given["unpaid"])
    return reward.reward_of(params, given["epoch"], typed(Terms, given["terms"]), voters, unpaid, given["all_points"])


def _recent(params: Params, given: Any) -> Any:
    return {"m": paying.met(reward.recent_of(params, given["window"], typed(Accepted, given["accepted"])))}


def _cap(params: Params, given: Any) -> Any:
    found = sorted(unpaid_of(params, typed(dict[BlockId, Players], given["accepted"])).items())
    if any(unpaid for _, unpaid in found):
        raise Refused("beyond the cap", found)
    return found


def _account(_: Params, given: Any) -> Any:
    leaving = [(release, spending.coins(lots)) for release, lots in _heap(given["account"]["leaving"])]
    free, staked = (spending.coins(_lots(given["account"][name])) for name in ("free", "staked"))
    account = spending.Account(free, staked, tuple(leaving))
    fate = spending.Fate(given["fabricated"], given["cut"])
    ops = [typed(Spend, op) for op in given["ops"]]
    told = spending.through_the_epoch(account, spending.coins(_lots(given["incoming"])), ops, fate)
    if not all(told["funded"]):
        raise Refused("unfunded", told)
    return told


def _lots(told: Any) -> Any:
    return {hexed(block): amount for block, amount in told}


def _heap(told: Any) -> Any:
    return [(release, _lots(lots)) for release, lots in told]


def _tree(_: Params, given: Any) -> Any:
    tree: HashTree[bytes, int] = HashTree()
    for key, amount in given["leaves"]:
        tree = tree.put(hexed(key), amount)
    return tree.digest()


def _likeness(_: Params, given: Any) -> Any:
    return likeness_q16(*(typed(frozenset[PlayerId], given[name]) for name in ("one", "other")))


RULES: dict[tuple[str, str], Rule] = {
    ("rewards", "decay"): lambda _, g: weight_q16(g["m"]),
    ("rewards", "expected meetings"): lambda p, g: reward.expected_meetings(p, g["recent"], g["eligible"]),
    ("rewards", "likeness"): _likeness,
    ("rewards", "mean likeness"): _mean_likeness,
    ("rewards", "cluster"): lambda p, g: cluster_q16(p, g["likeness"]),
    ("rewards", "points"): lambda p, g: reward.points_of(p, typed(Terms, g["terms"])),
    ("rewards", "person"): lambda p, g: reward.paid_person_q16(p, g["person"]),
    ("rewards", "budgets"): _budgets,
    ("rewards", "payment"): lambda p, g: reward.payment_of(p, g["points"], g["all_points"]),
    ("rewards", "split"): lambda _, g: paying.halves(g["paid"], typed(Players, g["voters"])),
    ("rewards", "reward"): _reward,
    ("rewards", "recent"): _recent,
    ("cap", "cap"): _cap,
    ("accounts", "spends"): _account,
    ("accounts", "ends"): _account,
    ("hashtree", ""): _tree,
}
