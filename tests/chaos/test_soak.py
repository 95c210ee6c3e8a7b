"""The soak itself, small: three real nodes on loopback, one killed and one frozen while all are played."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.place import loopback
from tests.chaos.schedule import Fault, Kind
from tests.chaos.trial import Trial, Wish

FAULTS = [Fault(1_500, Kind.KILL, (0,), 1_000), Fault(2_500, Kind.FREEZE, (1,), 3_500)]


def test_nothing_is_lost_by_a_kill_and_a_freeze(tmp_path: Path) -> None:
    with loopback(3) as where:
        result = Trial(where, tmp_path, 1, Wish(3, 6, "small", 15.0, 1), FAULTS).run()
    assert result.acknowledged > 50 and result.lives == 4
    assert not (result.missing or result.doubled or result.foreign or result.wrong), result.words()
    assert result.healed_s is not None, result.words()
