"""A few rounds of each trial that `make soak-store` does by the hundred."""

from __future__ import annotations

import pytest

from crdt.store import salvage
from tests.soak.__main__ import KINDS, soak
from tests.soak.damage import DAMAGES
from tests.soak.history import history

QUICK = [kind for kind in KINDS if not kind.startswith("daemon")]


@pytest.mark.parametrize("kind", QUICK)
def test_promises_are_kept(kind: str) -> None:
    outcome = soak(kind, 2 if kind in DAMAGES else 1, seed=7)
    if outcome.skipped:
        pytest.skip("needs root" if kind == "ENOSPC" else "needs strace")
    assert outcome.broken == []


def test_a_daemon_on_a_full_disk_says_why_and_has_lost_nothing() -> None:
    outcome = soak("daemon, ENOSPC", 1, seed=7)
    if outcome.skipped:
        pytest.skip("needs root")
    assert outcome.broken == []


def test_the_history_has_what_matters_in_it() -> None:
    past = history()
    assert len(past.logs) >= 6
    assert sum(map(len, past.logs.values())) > 500
    assert any(key[:1] == b"p" for key, _ in past.held)


# The trials see what they are for.


def nothing_more(*_arguments: object) -> dict[bytes, bytes]:
    return {}


def test_a_recovery_that_keeps_less_than_it_could_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(salvage, "carve", nothing_more)
    assert soak("zeroed tail, table", 2, seed=7).broken


def test_a_node_that_signs_before_it_has_its_log_back_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.engine.authoring.Authoring.may_sign_ledger", lambda *_: True)
    assert soak("zeroed tail, log", 3, seed=7).broken
