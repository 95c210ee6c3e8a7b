"""What `symjam status` says of a jam's time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from node.commands.status import _session, _trouble, _with_reasons
from node.runtime import NoNode

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


def test_what_the_node_knows_to_be_wrong_is_said_with_what_to_do() -> None:
    check = {
        "name": "multicast",
        "level": "fail",
        "seen": "no \x1b[2Jecho",
        "why": "nobody is found",
        "remedy": "Let it in.",
    }
    assert _trouble(check) == [
        "trouble  multicast: no ?[2Jecho",
        "         why  nobody is found",
        "         do   Let it in.",
    ]


def test_where_no_node_runs_a_quick_look_says_why_that_may_be(tmp_path: Path) -> None:
    for directory in ("keys", "run"):
        (tmp_path / directory).mkdir(mode=0o700)
    assert "permissions" not in _with_reasons(NoNode("it has ended"), tmp_path).remedy
    (tmp_path / "keys").chmod(0o755)
    remedy = _with_reasons(NoNode("it has ended"), tmp_path).remedy
    assert f"chmod 700 {tmp_path / 'keys'}" in remedy and "symjam up" in remedy
