"""Edges, persons, weights, and who is under review (docs/rules.md, 4 and 8)."""

from __future__ import annotations

from consensus.ops import Report, Unvouch, Vouch
from consensus.params import Params
from crdt.types import PlayerId
from tests.consensus.reference.entries import Said

Edges = dict[PlayerId, set[PlayerId]]


def vouches_at(said: list[Said], epoch: int) -> set[tuple[PlayerId, PlayerId]]:
    """Who vouches for whom at the end of an epoch."""
    vouches: set[tuple[PlayerId, PlayerId]] = set()
    for s in said:
        if s.epoch <= epoch and isinstance(s.op, Vouch):
            vouches.add((s.author, s.op.player))
        if s.epoch <= epoch and isinstance(s.op, Unvouch):
            vouches.discard((s.author, s.op.player))
    return vouches


def edges_at(said: list[Said], epoch: int) -> Edges:
    """Who has an edge to whom then."""
    vouches = vouches_at(said, epoch)
    edges: Edges = {}
    for one, other in vouches:
        if (other, one) in vouches:
            edges.setdefault(one, set()).add(other)
    return edges


def trust_of(params: Params, edges: Edges) -> dict[PlayerId, int]:
    trust = dict.fromkeys(params.founders, 2**32)
    for _ in range(params.rank_rounds):
        after: dict[PlayerId, int] = {}
        for one, held in trust.items():
            others = edges.get(one, set())
            part = held // (len(others) + 1)
            after[one] = after.get(one, 0) + held - part * len(others)
            for other in others:
                after[other] = after.get(other, 0) + part
        trust = after
    return trust


def diversity_of(params: Params, epoch: int, acks: list[tuple[int, PlayerId]]) -> int:
    """D in Q16. `acks` are the epoch and the author of each acknowledgement of one player."""
    a: dict[PlayerId, int] = {}
    for at, who in acks:
        if at <= epoch:
            a[who] = a.get(who, 0) + (65536 >> (epoch // params.ack_half_epochs - at // params.ack_half_epochs))
    squares = sum(x * x for x in a.values())
    return 65536 * sum(a.values()) ** 2 // squares if squares else 0


def persons_at(
    params: Params, epoch: int, players: set[PlayerId], edges: Edges, acks: dict[PlayerId, list[tuple[int, PlayerId]]]
) -> dict[PlayerId, int]:
    if not params.founders:
        return dict.fromkeys(players, 65536)
    trust = trust_of(params, edges)
    ordered = sorted(trust.get(founder, 0) for founder in params.founders)
    reference = max(1, ordered[(len(ordered) - 1) // 2])
    persons = {}
    for player in players:
        full = 65536 * params.diversity_full
        least = params.diversity_least_q16
        factor = least + (65536 - least) * min(diversity_of(params, epoch, acks.get(player, [])), full) // full
        rank = min(65536, trust.get(player, 0) * 65536 // reference)
        persons[player] = 65536 if player in params.founders else rank * factor // 65536
    return persons


def weight_of(params: Params, person: int, stake: int) -> int:
    bonus = min(stake, params.stake_full_micro) * params.stake_bonus_q16 // params.stake_full_micro
    return person * (65536 + bonus) // 65536


def called_for_review(said: list[Said], epoch: int, snapshot: dict[PlayerId, int], edges: Edges) -> set[PlayerId]:
    """Players that three unrelated reporters of an epoch name. `snapshot` is that of two epochs before."""
    reporters: dict[PlayerId, set[PlayerId]] = {}
    for s in said:
        if s.epoch == epoch and isinstance(s.op, Report) and s.author in snapshot:
            reporters.setdefault(s.op.player, set()).add(s.author)
    found = set()
    for player, who in reporters.items():
        taken: list[PlayerId] = []
        for one in sorted(who):
            near = edges.get(one, set())
            if all(other not in near and not near & edges.get(other, set()) for other in taken):
                taken.append(one)
        if len(taken) >= 3:
            found.add(player)
    return found
