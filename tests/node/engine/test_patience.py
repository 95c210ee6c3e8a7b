"""How much patience there is with whom, and for how long it is lost."""

from __future__ import annotations

import pytest

from crdt.errors import BLAMELESS, Reason
from crdt.limits import OFFENDERS_MAX
from crdt.types import PlayerId
from node.engine.patience import OTHER_NETWORK_S, PATIENCE, REFUSE_MAX_S, REFUSE_S, Patience

PLAYER, OTHER = PlayerId(b"p" * 32), PlayerId(b"o" * 32)
SECOND_US = 1_000_000


def lost(patience: Patience, reason: Reason, now_us: int = 0) -> int:
    """Violate until refused; for how long."""
    return next(for_s for _ in range(PATIENCE) if (for_s := patience.blame(PLAYER, reason, now_us)))


@pytest.mark.parametrize("reason", sorted(BLAMELESS))
def test_what_an_honest_peer_may_do_costs_it_nothing(reason: Reason) -> None:
    patience = Patience()
    assert not any(patience.blame(PLAYER, reason, 0) for _ in range(10_000))


@pytest.mark.parametrize("reason", sorted(set(Reason) - BLAMELESS))
def test_everything_else_runs_patience_out(reason: Reason) -> None:
    assert lost(Patience(), reason) >= REFUSE_S


def test_patience_grows_back() -> None:
    patience = Patience()
    for second in range(0, 10_000, 100):
        assert not patience.blame(PLAYER, Reason.GARBAGE, second * SECOND_US)


def test_one_is_not_refused_for_another() -> None:
    patience = Patience()
    assert lost(patience, Reason.GARBAGE)
    assert not patience.blame(OTHER, Reason.GARBAGE, 0)


def test_it_is_lost_for_longer_each_time_up_to_a_bound() -> None:
    patience, now_us, spans = Patience(), 0, []
    for _ in range(6):
        spans.append(lost(patience, Reason.FLOOD, now_us))
        now_us += spans[-1] * SECOND_US
    assert spans == sorted(spans) and spans[0] == REFUSE_S and spans[1] > REFUSE_S and spans[-1] == REFUSE_MAX_S


def test_an_old_offence_is_forgotten() -> None:
    patience = Patience()
    assert lost(patience, Reason.FLOOD) == REFUSE_S
    assert lost(patience, Reason.FLOOD, (REFUSE_S + REFUSE_MAX_S + 1) * SECOND_US) == REFUSE_S


def test_another_network_is_no_offence() -> None:
    patience = Patience()
    assert [patience.blame(PLAYER, Reason.WRONG_NETWORK, 0) for _ in range(3)] == [OTHER_NETWORK_S] * 3
    assert lost(patience, Reason.FLOOD) == REFUSE_S


def test_records_are_bounded_and_the_longest_untouched_goes_first() -> None:
    patience = Patience()
    for _ in range(4):
        assert not patience.blame(PLAYER, Reason.GARBAGE, 0)
    for number in range(OFFENDERS_MAX - 1):
        assert not patience.blame(PlayerId(number.to_bytes(32, "big")), Reason.GARBAGE, 0)
    assert patience.blame(PLAYER, Reason.GARBAGE, 0)  # remembered, and now the newest
    for number in range(OFFENDERS_MAX):
        patience.blame(PlayerId(number.to_bytes(31, "big") + b"x"), Reason.GARBAGE, 0)
    assert not patience.blame(PLAYER, Reason.GARBAGE, 0)  # forgotten
