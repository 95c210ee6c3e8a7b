"""What must come true once faults have stopped: all hold the same, may sign, and decide what is proposed."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from consensus.params import Params
from consensus.verdict import Standing
from crdt.types import PlayerId, Window, short
from sim.checks.journal import Watched

SLACK_US = 2_000_000  # for votes to travel


def apart(hosts: Sequence[Watched]) -> list[str]:
    """Why these nodes are not yet one mesh; empty when they are. All of them should run by now."""
    words = []
    dead = [short(host.player) for host in hosts if not host.awake]
    totals = {bytes(host.engine.documents.total()) for host in hosts}
    roots = {bytes(host.engine.ledger.root()) for host in hosts}
    silent = [short(host.player) for host in hosts if not host.engine.may_sign(host.now_us)]
    if dead:
        words.append(f"{', '.join(dead)} does not run")
    if len(totals) > 1:
        words.append(f"{len(totals)} nodes or groups of them hold different entries")
    if len(roots) > 1:
        words.append(f"there are {len(roots)} roots")
    if silent:
        words.append(f"{', '.join(silent)} may not sign")
    return words


def undecided(host: Watched, window: Window, proposers: Collection[PlayerId]) -> list[str]:
    """Blocks of a window, by these players, that have no verdict though somebody may give one."""
    return [
        f"block {short(block.id)} of window {block.window} has no verdict"
        for block in host.engine.ledger.blocks(window)
        if block.window == window and block.standing is Standing.PENDING and block.eligible
        if block.proposer in proposers
    ]


def decision_us(params: Params) -> int:
    """How long after a window's end its blocks have verdicts, when everybody is there: each tranche has had its time,
    and whoever was late has said so."""
    tranches_ms = params.tranche_delay_ms * len(params.tranche_sizes)
    return max(params.vote_delay_ms + tranches_ms, params.vote_deadline_ms) * 1_000 + SLACK_US
