"""What accepted blocks and concerts are paid (docs/rules.md, 7)."""

from __future__ import annotations

from typing import NamedTuple

from consensus.ops import Vote, Witness
from consensus.params import Params
from crdt.canonical import digest
from crdt.types import BlockId, PlayerId
from tests.consensus.reference.entries import Said
from tests.consensus.reference.votes import Judged

DECAY_Q16 = [62428, 57724, 47911, 32768, 17625, 7812, 3108, 1179, 439, 162, 60, 22, 8, 3, 1]  # 1/(1+e^(m-3))
FAMILIARITY_Q16 = [
    65536, 46958, 33647, 24109, 17275, 12378, 8869, 6355, 4553, 3262, 2337, 1675, 1200, 860, 616, 441, 316,
]  # fmt: skip


class Paid(NamedTuple):
    """What a block brings. `m` and `w` are of everybody whose vote counted; `parts` is what each is minted."""

    m: dict[PlayerId, int]
    w: dict[PlayerId, int]
    points: int
    paid: int
    parts: dict[PlayerId, int]
    recent: int  # how many blocks it is compared with, how alike their voters are to its own, and its factors
    likeness: int
    cluster: int
    riff: int
    person: int
    unpaid: set[PlayerId]  # beyond the reputation cap


def budget_of_concerts(params: Params) -> int:
    return params.epoch_budget_micro * params.concert_share_q16 // 65536


def recent_of(params: Params, block: Judged, accepted: list[Judged]) -> list[Judged]:
    """The proposer's accepted blocks that this one is compared with. `accepted` ascends by window."""
    window = block.op.window
    earlier = [
        b
        for b in accepted
        if b.proposer == block.proposer and window - params.decay_horizon_windows <= b.op.window < window
    ]
    return earlier[-params.decay_blocks :]


def weights_of(params: Params, block: Judged, recent: list[Judged]) -> tuple[dict[PlayerId, int], dict[PlayerId, int]]:
    """m and w of each counted voter."""
    expected = 0
    if params.decay_excess and block.eligible:
        part, whole = min(params.tranche_sizes[0], block.eligible), block.eligible
        expected = -(-len(recent) * part // whole)
    m = {voter: sum(1 for b in recent if voter in b.counted) for voter in block.counted}
    over = {voter: max(0, met - expected) for voter, met in m.items()}
    return m, {voter: DECAY_Q16[met] if met < len(DECAY_Q16) else 0 for voter, met in over.items()}


def likeness_of(block: Judged, recent: list[Judged]) -> int:
    mine = set(block.counted)
    alike = [65536 * len(mine & set(b.counted)) // len(mine | set(b.counted)) for b in recent]
    return sum(alike) // len(alike) if alike else 0


def cluster_of(params: Params, likeness: int) -> int:
    return 65536 - likeness * params.cluster_max_q16 // 65536


def riff_of(params: Params, block: Judged) -> int:
    return 65536 if block.riff else params.riff_absent_q16


def person_of(params: Params, person: int) -> int:
    """As how much of a person a player is paid: whole steps."""
    return person - person % params.person_step_q16 if params.person_step_q16 else 65536


def points_of(params: Params, block: Judged, w: dict[PlayerId, int], cluster: int, riff: int, person: int) -> int:
    yes = [w[voter] for voter, vote in block.counted.items() if vote.vote is Vote.YES]
    whole = params.base_micro * block.op.quality.total * sum(yes) * cluster * riff * person
    return min(params.base_micro, whole // (len(yes) * 65536**5))


def paid_in(
    params: Params, points: dict[BlockId, int], accepted: list[Judged]
) -> dict[BlockId, tuple[int, dict[PlayerId, int], set[PlayerId]]]:
    """What each accepted block of one epoch is paid, to whom how much of that is minted, and who is paid enough."""
    budget, total = params.epoch_budget_micro - budget_of_concerts(params), sum(points.values())
    used: dict[tuple[int, PlayerId], int] = {}
    found = {}
    for block in sorted(accepted, key=lambda b: b.id):
        paid = points[block.id] if total <= budget else points[block.id] * budget // total
        proposer = paid * params.proposer_share_q16 // 65536
        voters = sorted(block.counted)
        each, left = divmod(paid - proposer, len(voters))
        parts, unpaid = {block.proposer: proposer}, set()
        for voter in voters:
            used[block.op.window, voter] = used.get((block.op.window, voter), 0) + 1
            if used[block.op.window, voter] <= params.paid_votes_per_window:
                parts[voter] = each + (left if voter == voters[0] else 0)
            else:
                unpaid.add(voter)
        found[block.id] = paid, {player: amount for player, amount in parts.items() if amount}, unpaid
    return found


def witnesses_that_count(said: list[Said]) -> list[Said]:
    """Of one witness, session and performer the first."""
    seen, found = set(), []
    for s in said:
        if isinstance(s.op, Witness) and (s.author, s.op.session, s.op.performer) not in seen:
            seen.add((s.author, s.op.session, s.op.performer))
            found.append(s)
    return found


def concerts_of(
    params: Params, epoch: int, witnesses: list[Said], snapshot: dict[PlayerId, int]
) -> dict[PlayerId, tuple[BlockId, int]]:
    """Origin and amount that each performer of an epoch is minted. `snapshot` is that of two epochs before."""
    points: dict[PlayerId, int] = {}
    for s in witnesses:
        if s.epoch != epoch or s.author not in snapshot:
            continue
        assert isinstance(s.op, Witness)
        same = [w for w in witnesses if w.epoch < epoch and (w.author, w.op.performer) == (s.author, s.op.performer)]
        known = FAMILIARITY_Q16[len(same)] if len(same) < len(FAMILIARITY_Q16) else 0
        whole = params.witness_micro * snapshot[s.author] * known
        one = whole * (params.remote_q16 if s.op.is_remote else 65536) // 65536**3
        points[s.op.performer] = points.get(s.op.performer, 0) + one
    budget, total = budget_of_concerts(params), sum(points.values())
    found = {}
    for performer, mine in points.items():
        amount = mine if total <= budget else mine * budget // total
        if amount:
            origin = BlockId(digest(b"symjam-concert", epoch.to_bytes(8, "big"), performer))
            found[performer] = origin, amount
    return found
