"""What the API shows: engine state as the JSON shapes of docs/api.md. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from consensus.checkpoint import NO_VALUE
from consensus.explain import explain_reward, explain_verdict
from consensus.ops import WORDS, Vote, Why
from consensus.state import BlockState
from consensus.verdict import Standing, status_of
from crdt.limits import PEER_DOCUMENTS_SHOWN_MAX, QUARANTINE_SHOWN_BYTES, QUARANTINE_SHOWN_MAX
from crdt.types import DocumentName, PlayerId
from jam.board import Board
from node.engine.duties import Outcome
from node.engine.engine import Engine
from node.engine.peers import Peer
from node.engine.sessions import Placed
from node.engine.timing import Shown
from node.mesh.peerid import peer_id_of
from node.mesh.port import Link

Doc = dict[str, Any]
VOTES = {Vote.YES: "yes", Vote.NO: "no", Vote.TOO_LATE: "too-late"}


def peer(known: Peer, links: Sequence[Link], now_us: int) -> Doc:
    """Peer. `links`: those there are, the one in use first."""
    link = links[0] if links else None
    reading = known.clock.reading(now_us)
    clock = {"offset_us": reading.offset_us, "uncertainty_us": reading.uncertainty_us} if reading else None
    return {
        "player": known.player.hex(),
        "peer_id": peer_id_of(known.player),
        "address": link.address if link else "",
        "rtt_us": link.rtt_us if link else None,
        "loss_permille": link.loss_permille if link else 0,
        "transport": link.transport if link else "",
        "transports": [one.transport for one in links],
        "clock": clock,
        "synced": known.in_sync,
        "synced_us": known.synced_us,
        "behind_entries": sum(known.behind.values()),
        "ahead_entries": sum(known.ahead.values()),
        "behind": _most(known.behind),
        "ahead": _most(known.ahead),
        "links": [player.hex() for player in sorted(known.links)],
        "since_us": known.since_us,
        "violations": {str(reason): count for reason, count in sorted(known.violations.items())},
    }


def _most(counts: dict[DocumentName, int]) -> list[Doc]:
    found = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [{"document": name, "entries": entries} for name, entries in found[:PEER_DOCUMENTS_SHOWN_MAX]]


def session(placed: Placed | None, me: PlayerId, now_us: int) -> Doc | None:
    """Session."""
    if placed is None:
        return None
    facts, clock = placed.facts, placed.clock
    return {
        "id": facts.id.hex(),
        "title": facts.op.title,
        "creator": facts.creator.hex(),
        "tempo_mbpm": facts.op.tempo_mbpm,
        "beats_per_bar": facts.op.beats_per_bar,
        "subdivision": facts.op.subdivision,
        "t0_us": facts.op.t0_us,
        "t0_at_us": facts.op.t0_us - clock.offset_us if clock else None,
        "tags": list(facts.op.tags),
        "open": facts.closed_t_us is None,
        "mine": facts.creator == me,
        "clock": _clock(clock),
        "t_us": now_us + clock.offset_us - facts.op.t0_us if clock else None,
    }


def _clock(shown: Shown | None) -> Doc | None:
    if shown is None:
        return None
    via = shown.via.hex() if shown.via else None
    return {"offset_us": shown.offset_us, "uncertainty_us": shown.uncertainty_us, "via": via}


def riff(engine: Engine, now_us: int, guest: PlayerId | None = None) -> Doc | None:
    """Riff: what this player is asked for in the window that is on, with the session times of its notes."""
    placed, window = engine.current_session(now_us), engine.params.window_at(now_us)
    duties = engine.seats.of(guest).duties
    asked = duties.riff(window)
    if placed is None or asked is None:
        return None
    return {
        "window": window,
        "lanes": list(asked.lanes),
        "t_us": list(duties.riff_moments_us(placed.facts, window)),
        "tolerance_us": engine.params.riff_tolerance_us,
    }


def board(seen: Board) -> Doc:
    """Board."""
    return {
        "title": seen.title,
        "tempo_mbpm": seen.tempo_mbpm,
        "chart": seen.chart,
        "start_bar": seen.start_bar,
        "parts": [{"part": part, "player": player.hex() if player else None} for part, player in seen.parts],
        "lines": [{"t_us": line.t_us, "player": line.player.hex(), "text": line.text} for line in seen.lines],
    }


def block(engine: Engine, state: BlockState, now_us: int) -> Doc:
    """Block, as it is seen now."""
    op, reward = state.op, state.reward
    status = status_of(
        engine.params, state.standing, op.window, engine.params.window_at(now_us), engine.ledger.is_final(op.window)
    )
    quality = {name: getattr(op.quality, name) for name in op.quality.__struct_fields__}
    votes = [
        {
            "verifier": v.verifier.hex(),
            "vote": VOTES[v.vote],
            "why": v.why.name.lower(),
            "words": WORDS[v.why],
            "tranche": v.tranche,
            "m": v.m,
            "w_q16": v.w_q16,
        }
        for v in state.votes
    ]
    return {
        "id": state.id.hex(),
        "proposer": state.proposer.hex(),
        "window": op.window,
        "epoch": engine.params.epoch_of(op.window),
        "session": op.session.hex(),
        "document": op.document,
        "first": op.first,
        "last": op.last,
        "root": op.root.hex(),
        "quality": quality,
        "state": str(status),
        "fabricated": state.is_fabricated,
        "eligible": state.eligible,
        "quorum": state.quorum,
        "votes": votes,
        "ignored": [{"verifier": player.hex(), "why": why.name.lower()} for player, why in state.ignored],
        "reward": _reward(engine, state) if reward else None,
        "words": list(explain_verdict(state, status)),
    }


def _reward(engine: Engine, state: BlockState) -> Doc:
    reward = state.reward
    assert reward is not None
    epoch_points_micro = engine.ledger.epoch_points_micro(reward.epoch)
    return {
        "base_micro": reward.base_micro,
        "quality_q16": reward.quality_q16,
        "mean_w_q16": reward.mean_w_q16,
        "recent": reward.recent,
        "likeness_q16": reward.likeness_q16,
        "cluster_q16": reward.cluster_q16,
        "riff_q16": reward.riff_q16,
        "person_q16": reward.person_q16,
        "points_micro": reward.points_micro,
        "epoch": reward.epoch,
        "epoch_points_micro": epoch_points_micro,
        "epoch_budget_micro": reward.epoch_budget_micro,
        "paid_micro": reward.paid_micro,
        "proposer_micro": reward.proposer_micro,
        "verifiers": {player.hex(): amount for player, amount in reward.verifiers},
        "unminted": {player.hex(): amount for player, amount in reward.unminted},
        "words": list(explain_reward(engine.params, state, epoch_points_micro)),
    }


def window(outcome: Outcome) -> Doc:
    """OwnWindow."""
    measures = outcome.measures
    return {
        "window": outcome.window,
        "outcome": outcome.kind,
        "block": outcome.block.hex() if outcome.block else None,
        "why": outcome.why.name.lower(),
        "words": WORDS[outcome.why] if outcome.why is not Why.FINE else "",
        "events": outcome.events,
        "measures": {n: getattr(measures, n) for n in measures.__struct_fields__} if measures else None,
        "explain": list(outcome.words),
    }


def ledger(engine: Engine, now_us: int) -> Doc:
    """The ledger part of Status."""
    counts = engine.ledger.counts()
    finals = sum(block.standing is Standing.LOCAL for block in engine.ledger.finals.values())
    return {
        "root": engine.ledger.root().hex(),
        "entries": counts.entries,
        "blocks": {"pending": counts.pending, "local": counts.local, "final": finals, "rejected": counts.rejected},
        "skipped_ops": counts.skipped,
        "supply_micro": engine.ledger.supply_micro,
        "ready": engine.may_sign(now_us),
        "signs_from_epoch": engine.authoring.signs_from(),
        "checkpoint": _checkpoint(engine),
    }


def _checkpoint(engine: Engine) -> Doc | None:
    """The last final checkpoint; null in a network without founders."""
    ledger, wanted = engine.ledger, engine.checkpointing.wanted
    if not engine.params.founders:
        return None
    return {
        "epoch": ledger.base.epoch if ledger.base != NO_VALUE else None,
        "digest": ledger.base.digest.hex() if ledger.base != NO_VALUE else None,
        "voters": len(ledger.voters),
        "votes": engine.player in ledger.voters,
        "wanted": wanted.hex() if wanted is not None else None,
    }


def documents(engine: Engine) -> list[Doc]:
    """The documents part of Status, newest ledger first."""
    replicas = [engine.documents.replicas[name] for name in engine.documents.names()]
    return [
        {
            "name": r.document,
            "authors": len(r.heads()),
            "entries": r.entry_count,
            "held": r.held_count(),
            "digest": r.digest().hex(),
        }
        for r in replicas[:64]
    ]


def quarantine(engine: Engine) -> Doc:
    """The quarantine part of Status: what a person needs to see who sent what."""
    kept = engine.quarantine
    givers = list(kept.counts.items())[: -QUARANTINE_SHOWN_MAX - 1 : -1]
    return {
        "kept": len(kept),
        "bytes": kept.size_bytes,
        "givers": [
            {
                "giver": giver.hex() if giver else None,
                "refused": {str(reason): n for reason, n in sorted(counts.items())},
            }
            for giver, counts in givers
        ],
        "suspects": [
            {
                "reason": str(suspect.reason),
                "detail": suspect.detail,
                "giver": suspect.giver.hex() if suspect.giver else None,
                "at_us": suspect.at_us,
                "times": suspect.times,
                "size_bytes": len(suspect.raw),
                "digest": suspect.digest.hex(),
                "begins": suspect.raw[:QUARANTINE_SHOWN_BYTES].hex(),
            }
            for suspect in kept.newest(QUARANTINE_SHOWN_MAX)
        ],
    }
