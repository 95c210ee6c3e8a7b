"""What must hold of the honest pair under every attack."""

from __future__ import annotations

from tests.hostile.attacks import PEERS
from tests.hostile.trial import Trial

P99_MAX_MS = 50.0
GROWTH_MAX_MB = 80.0
# What any peer may do, however useless: it is slowed and outlasted, not refused
LAWFUL = frozenset({"reconnects", "real-flood"})


def faults(trial: Trial, *, judge_latency: bool = True) -> list[str]:
    """What did not hold."""
    found = []
    took = trial.latency
    if not trial.alive:
        found.append("a node has died")
    if took.missing:
        found.append(f"{took.missing} of {took.played} events are missing")
    if judge_latency and took.p99_ms >= P99_MAX_MS:
        found.append(f"p99 {took.p99_ms:.0f} ms")
    if trial.peak_mb - trial.before_mb > GROWTH_MAX_MB:
        found.append(f"memory grew by {trial.peak_mb - trial.before_mb:.0f} MB")
    if trial.strangers:
        found.append("the attacker is linked still")
    if trial.attack in PEERS and trial.attack not in LAWFUL and not trial.is_kept_out:
        found.append("the attacker's key is let in again")
    if trial.tally.get("let-in"):
        found.append("somebody without a key was let in")
    if "did-not-report" in trial.tally:
        found.append("the attacker did not report")
    return found
