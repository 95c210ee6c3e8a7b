"""What a run in `network` fidelity came to: figures, and series for the report.

What is said of the ledger is what the first honest node that runs holds of it; that all hold the same is a figure of
its own (`converged`), and a law.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final, NamedTuple

from consensus.events import decode_events
from consensus.state import BlockState
from consensus.verdict import Standing
from crdt.types import PlayerId, jam_session
from node.engine.engine import Engine
from sim.crypto import Tally
from sim.result import Number, Series

if TYPE_CHECKING:
    from sim.run import Stage

# Figures of the machine that ran it, which no comparison of runs may include.
MACHINE: Final = frozenset(
    {
        *("wall_s", "cpu_s", "deliveries_per_wall_s", "deliveries_per_cpu_s", "simulated_per_wall_s"),
        *("memory_per_node_bytes", "run_wall_s"),
    }
)
COLUMNS_MAX: Final = 24  # players that have a line of their own
ROWS_MAX: Final = 400
STATM: Final = Path("/proc/self/statm")
PAGE_BYTES: Final = 4_096


class Cost(NamedTuple):
    """What it took: seconds by the wall, seconds of a core, and how much more memory."""

    wall_s: float
    cpu_s: float
    resident_bytes: int


def resident_bytes() -> int:
    """The memory of this process; 0 where the system does not say."""
    return int(STATM.read_text().split()[1]) * PAGE_BYTES if STATM.exists() else 0


def at_end(
    stage: Stage, tally: Tally, cost: Cost, converged_us: int | None
) -> tuple[dict[str, Number], tuple[Series, ...]]:
    """Everything, once the run is over."""
    alive = [host.engine for host in (*stage.honest, *stage.hosts) if host.alive]
    blocks = _blocks(stage, alive[0]) if alive else []
    figures: dict[str, Number] = {
        **_network(stage, cost),
        **(_held(stage, alive[0]) if alive else {}),
        **_verdicts(stage, blocks),
        "converged": int(converged_us is not None),
        **({} if converged_us is None else {"converged_ms": converged_us // 1_000}),  # a mean is of those that did
        "faults": len(stage.faults),
        **tally.figures(),
    }
    return figures, (
        _by_window(stage, blocks),
        _rewards(stage, blocks),
        _supply(stage, blocks),
        _players(stage, blocks),
    )


def _network(stage: Stage, cost: Cost) -> dict[str, Number]:
    network, nodes = stage.world.network, stage.setup.nodes
    simulated_s = (stage.world.now_us - stage.start_us) / 1_000_000
    return {
        "simulated_s": round(simulated_s, 3),
        "inputs": stage.trace.inputs,
        "deliveries": network.deliveries,
        "frames": network.frames,
        "frames_dropped": network.dropped,
        "frames_per_node_s": round(network.frames / nodes / simulated_s, 3),
        "bytes_per_node_s": round(network.bytes / nodes / simulated_s, 1),
        "wall_s": round(cost.wall_s, 3),
        "cpu_s": round(cost.cpu_s, 3),
        "deliveries_per_wall_s": round(network.deliveries / cost.wall_s),
        "deliveries_per_cpu_s": round(network.deliveries / cost.cpu_s),
        "simulated_per_wall_s": round(simulated_s / cost.wall_s, 3),
        "memory_per_node_bytes": max(0, cost.resident_bytes) // nodes,
    }


def _held(stage: Stage, engine: Engine) -> dict[str, Number]:
    """What one node holds in the end, and what it refused."""
    replicas = engine.documents.replicas.items()
    events = sum(
        len(decode_events(entry.body.payload))
        for name, replica in replicas
        if jam_session(name) is not None
        for log in replica.logs.values()
        for entry in log.entries
    )
    return {
        "entries": sum(replica.entry_count for _, replica in replicas),
        "events": events,
        "equivocations": len(engine.documents.equivocations()),
        "refused": engine.refused.total(),
        "final_epochs": max(0, engine.ledger.base.epoch + 1 - stage.params.epoch_of(stage.first)),
        "supply_micro": engine.ledger.supply_micro,
    }


def _blocks(stage: Stage, engine: Engine) -> list[BlockState]:
    """Those of the run's windows."""
    return [
        block for block in engine.ledger.blocks() if stage.first <= block.window < stage.first + stage.setup.windows
    ]


def _verdicts(stage: Stage, blocks: list[BlockState]) -> dict[str, Number]:
    honest = {host.player for host in stage.honest}
    theirs = [block for block in blocks if block.proposer in honest]
    accepted = sum(_is_accepted(block) for block in theirs)
    return {
        "blocks": len(blocks),
        "blocks_accepted": sum(_is_accepted(block) for block in blocks),
        "blocks_rejected": sum(block.standing is Standing.REJECTED for block in blocks),
        "blocks_pending": sum(block.standing is Standing.PENDING for block in blocks),
        "votes": sum(len(block.votes) for block in blocks),
        **({"finalised_share": round(accepted / len(theirs), 6)} if theirs else {}),
        "others_accepted": sum(_is_accepted(block) for block in blocks if block.proposer not in honest),
        "paid_micro": sum(_paid(block) for block in blocks),
    }


def _is_accepted(block: BlockState) -> bool:
    return block.standing is Standing.LOCAL


def _paid(block: BlockState) -> int:
    return block.reward.paid_micro if block.reward else 0


def _at(stage: Stage, blocks: list[BlockState]) -> list[list[BlockState]]:
    """Blocks of each window."""
    found: list[list[BlockState]] = [[] for _ in range(stage.setup.windows)]
    for block in blocks:
        found[block.window - stage.first].append(block)
    return found


def _by_window(stage: Stage, blocks: list[BlockState]) -> Series:
    order = (Standing.LOCAL, Standing.REJECTED, Standing.PENDING)
    rows = [[sum(block.standing is standing for block in at) for standing in order] for at in _at(stage, blocks)]
    return Series(
        "blocks",
        "Blocks by window",
        "What became of the blocks that were proposed for each window.",
        ("window", "accepted", "rejected", "pending"),
        tuple((number, *row) for number, row in enumerate(rows)),
        "blocks",
        "bar",
    )


def _rewards(stage: Stage, blocks: list[BlockState]) -> Series:
    """Each player's line, or where there are too many, the middle one's between the least and the most."""
    windows, words = _at(stage, blocks), "What an accepted block was paid, window by window; a gap is none."
    if len(stage.hosts) <= COLUMNS_MAX:
        players = [host.player for host in stage.hosts]
        paid = [{block.proposer: _paid(block) for block in at if _is_accepted(block)} for at in windows]
        columns = ("window", *(f"{kind}_{number}" for number, kind in enumerate(stage.strategies)))
        rows = tuple((number, *(by.get(player) for player in players)) for number, by in enumerate(paid))
        return Series("rewards", "Reward of each player", words, columns, rows, "micro-JAM")
    each = [[_paid(block) for block in at if _is_accepted(block)] for at in windows]
    spread = tuple(
        (number, min(at, default=None), median(at) if at else None, max(at, default=None))
        for number, at in enumerate(each)
    )
    return Series("rewards", "Rewards", words, ("window", "least", "median", "most"), spread, "micro-JAM")


def _supply(stage: Stage, blocks: list[BlockState]) -> Series:
    minted = [sum(_paid(block) for block in at) for at in _at(stage, blocks)]
    rows = tuple((number, here, sum(minted[: number + 1])) for number, here in enumerate(minted))
    words = "What the blocks of each window were paid, and of all windows so far."
    return Series("supply", "Coins minted", words, ("window", "minted", "so_far"), rows, "micro-JAM")


def _players(stage: Stage, blocks: list[BlockState]) -> Series:
    proposed: dict[PlayerId, list[BlockState]] = defaultdict(list)
    for block in blocks:
        proposed[block.proposer].append(block)
    rows = tuple(
        (
            host.number,
            kind,
            len(proposed[host.player]),
            sum(map(_is_accepted, proposed[host.player])),
            sum(_paid(block) for block in proposed[host.player]),
        )
        for host, kind in zip(stage.hosts[:ROWS_MAX], stage.strategies, strict=False)
    )
    columns = ("player", "strategy", "proposed", "accepted", "paid_micro")
    return Series("players", "Players", "Who proposed what, and what it was paid.", columns, rows, kind="table")
