"""Is it working? Everything countable about a running node, for `symjam status` and for Prometheus."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector, generate_latest

from consensus.params import Params
from node.engine.engine import Engine
from node.mesh.mesh import Mesh
from node.shell import views

VERSION = version("symjam")


@dataclass(frozen=True, slots=True)
class Facts:
    """What does not change while the daemon runs."""

    preset: str
    data_dir: str
    started_us: int
    store_kind: str
    store_recovered: bool
    store_detail: str
    params: Params
    guarded: dict[str, int] = field(default_factory=dict)


def status(engine: Engine, mesh: Mesh, facts: Facts, now_us: int) -> dict[str, Any]:
    """`symjam.status/1`."""
    params = engine.params
    window = params.window_at(now_us)
    links = mesh.ways()
    return {
        "schema": "symjam.status/1",
        "version": VERSION,
        "preset": facts.preset,
        "network": engine.documents.network.hex(),
        "player": engine.player.hex(),
        "peer_id": mesh.peer_id,
        "data_dir": facts.data_dir,
        "now_us": now_us,
        "started_us": facts.started_us,
        "window": window,
        "window_s": params.window_s,
        "window_ends_us": params.window_start_us(window) + params.window_us,
        "epoch": params.epoch_of(window),
        "addresses": list(mesh.addresses),
        "peers": [views.peer(p, links.get(p.player, ()), now_us) for p in engine.peers.values()],
        "listeners": mesh.listeners,
        "total": engine.documents.total().hex(),
        "documents": views.documents(engine),
        "ledger": views.ledger(engine, now_us),
        "session": views.session(engine.current_session(now_us), engine.player, now_us),
        "riff": views.riff(engine, now_us),
        "counters": {**dict(sorted(engine.counters.items())), **{f"mesh_{k}": v for k, v in mesh.counters.items()}},
        "refused": {str(reason): count for reason, count in sorted(engine.refused.items())},
        "quarantine": views.quarantine(engine),
        "guarded": {**facts.guarded, **mesh.guarded},
        "equivocations": len(engine.documents.equivocations()),
        "store": {"kind": facts.store_kind, "recovered": facts.store_recovered, "detail": facts.store_detail},
    }


def metrics(engine: Engine, mesh: Mesh, facts: Facts, now_us: int) -> bytes:
    """Prometheus text: base units, `_total`, never a peer id as a label."""
    shown = status(engine, mesh, facts, now_us)
    registry = CollectorRegistry()
    _gauge(registry, "symjam_peers", "Direct links", len(shown["peers"]))
    _gauge(registry, "symjam_peers_synced", "Links whose peer holds the same", sum(p["synced"] for p in shown["peers"]))
    _gauge(registry, "symjam_documents", "Documents held", len(engine.documents.names()))
    _gauge(registry, "symjam_supply_jam", "Coins minted and not burned", shown["ledger"]["supply_micro"] / 1_000_000)
    _gauge(registry, "symjam_uptime_seconds", "Since the start", (now_us - facts.started_us) / 1_000_000)
    _gauge(registry, "symjam_quarantine_bytes", "Kept of what failed verification", shown["quarantine"]["bytes"])
    _gauge(registry, "symjam_entries", "Entries held of the ledger", shown["ledger"]["entries"])
    _gauge(registry, "symjam_ready", "Whether the node may sign in the ledger", shown["ledger"]["ready"])
    _gauge(registry, "symjam_store_recovered", "Whether it was damaged at the start", shown["store"]["recovered"])
    _gauge(registry, "symjam_equivocations", "Proofs of two entries at one place", shown["equivocations"])
    longest_us = max((p["rtt_us"] or 0 for p in shown["peers"]), default=0)
    _gauge(registry, "symjam_link_rtt_max_seconds", "Longest round trip to a linked peer", longest_us / 1_000_000)
    ProcessCollector(registry=registry)
    blocks = Gauge("symjam_blocks", "Blocks by state", ["state"], registry=registry)
    for state, count in shown["ledger"]["blocks"].items():
        blocks.labels(state=state).set(count)
    refused = Counter("symjam_refused", "Refused by reason", ["reason"], registry=registry)
    for reason, count in shown["refused"].items():
        refused.labels(reason=reason).inc(count)
    counted = Counter("symjam_count", "What was counted", ["what"], registry=registry)
    for name, count in shown["counters"].items():
        counted.labels(what=name).inc(count)
    guarded = Counter("symjam_task_failures", "Exceptions caught at a task's edge", ["task"], registry=registry)
    for name, count in shown["guarded"].items():
        guarded.labels(task=name).inc(count)
    return generate_latest(registry)


def _gauge(registry: CollectorRegistry, name: str, words: str, value: float) -> None:
    Gauge(name, words, registry=registry).set(value)
