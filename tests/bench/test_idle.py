"""The measurement of idle nodes: it sees what it says it sees."""

from __future__ import annotations

import os

import pytest

from bench import idle


def test_goals_that_were_missed_are_named() -> None:
    fine = idle.Idle(3, 0.016, (98.5, 99.0, 99.8), (24, 24))
    assert fine.faults() == []
    assert fine._replace(core=0.021).faults() == ["2.1% of a core"]
    assert fine._replace(resident_mb=(98.5, 99.0, 121.0)).faults() == ["121 MB", "it grew by 22.0 MB"]
    assert fine._replace(files=(24, 26)).faults() == ["2 files more are open"]


def test_a_process_is_looked_at() -> None:
    before = idle.sample(os.getpid())
    sum(range(3_000_000))
    after = idle.sample(os.getpid())
    assert after.at_s > before.at_s and after.cpu_s >= before.cpu_s
    assert after.resident_mb > 5 and after.files > 2


def test_nodes_are_left_alone_and_measured(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(idle, "MET_S", 1.0)
    idle.main(["--nodes", "2", "--seconds", "1", "--every", "0.5", "--preset", "small", "--json"])
    said = capsys.readouterr()
    assert said.out.count('"node"') == 2
    assert said.err.count(" MB") >= 2 * 2
