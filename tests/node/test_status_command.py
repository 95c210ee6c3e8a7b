"""What `symjam status` says of a jam's time."""

from __future__ import annotations

from typing import Any

import pytest

from node.commands.status import _session

JAM = {"title": "Night", "tempo_mbpm": 96_500, "creator": "ab" * 32, "mine": False}


@pytest.mark.parametrize(
    ("clock", "words"),
    [
        (None, ", its time not known yet"),
        ({"offset_us": 5, "uncertainty_us": 1_250, "via": None}, ", its time to 1.25 ms"),
        ({"offset_us": 5, "uncertainty_us": 400, "via": "cd" * 32}, ", its time to 0.40 ms through cdcdcdcd"),
    ],
)
def test_how_well_the_jams_time_is_known(clock: dict[str, Any] | None, words: str) -> None:
    assert _session({**JAM, "clock": clock}) == f"'Night', 96.5 beats a minute, by abababab{words}"


def test_the_creators_time_is_its_own() -> None:
    shown = _session({**JAM, "mine": True, "clock": {"offset_us": 0, "uncertainty_us": 0, "via": None}})
    assert shown == "'Night', 96.5 beats a minute, by abababab"
