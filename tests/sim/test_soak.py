"""`symjam sim soak`, `shrink` and what they print: commands that run the same again, to the byte."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from sim.cli import sim
from sim.soak import Wish, draw
from tests.sim.planted.mutations import quorum_less_one

FEW = ("--nodes", "3", "--set", "seconds=15", "--set", "preset=small", "--set", "tick_ms=200", "--set", "share=1")
PLANTED = (
    "--nodes", "5", "--set", "seconds=45", "--set", "preset=small", "--set", "tick_ms=200", "--set", "share=1", "--set",
    "players=2", "--set", "notes_per_s=4",
)  # fmt: skip


def test_a_run_is_the_same_in_another_process_with_another_hash_seed(tmp_path: Path) -> None:
    traces = []
    for number in range(2):
        trace = tmp_path / f"{number}.trace"
        command = [sys.executable, "-c", "from node.cli import main; main()", "sim", "run", "soak", "--seed", "9", *FEW]
        env = {**os.environ, "PYTHONHASHSEED": str(number)}
        subprocess.run([*command, "--trace", str(trace)], check=True, env=env, capture_output=True)
        traces.append(trace.read_bytes())
    assert traces[0] == traces[1] and traces[0].count(b"\n") > 1_000


def test_a_soak_tells_of_each_run(tmp_path: Path) -> None:
    out = tmp_path / "soak.jsonl"
    words = ["soak", "--runs", "2", "--seed", "3", "--nodes", "2", "--out", str(out)]
    ran = CliRunner().invoke(sim, words)
    assert ran.exit_code == 0 and "2 runs" in ran.stdout and "none failed" in ran.stdout
    assert ran.stderr.count("fine") == 2 and len(out.read_text().splitlines()) == 2
    again = CliRunner().invoke(sim, [*words, "--json"])
    assert again.exit_code == 0 and not again.stdout and "2 runs" in again.stderr  # nothing was left to run


def test_what_fails_is_printed_with_its_replay_and_made_smaller() -> None:
    with quorum_less_one():
        ran = CliRunner().invoke(sim, ["run", "soak", *PLANTED])
        small = CliRunner().invoke(sim, ["shrink", "soak", *PLANTED, "--tries", "6", "--json"])
    assert ran.exit_code == 1 and "quorum" in ran.stderr and "again: symjam sim run soak --seed 1" in ran.stderr
    told = json.loads(small.stdout)
    assert small.exit_code == 0 and told["broken"]["invariant"] == "quorum" and told["tries"] <= 6
    assert told["replay"].startswith("symjam sim run soak --seed 1 --set nodes=5 --set seconds=")


def test_in_a_sound_run_there_is_nothing_to_make_smaller() -> None:
    small = CliRunner().invoke(sim, ["shrink", "soak", *FEW])
    assert small.exit_code == 1 and "nothing is broken" in small.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["run", "soak", "--set", "faults=fire"],
        ["shrink", "decay"],
        ["soak", "--runs", "0"],
        ["shrink", "soak", "--set", "x"],
    ],
)
def test_what_cannot_be_meant_is_refused(words: list[str]) -> None:
    assert CliRunner().invoke(sim, words).exit_code == 2


def test_seeds_bring_all_sorts_of_meshes() -> None:
    cases = [draw(seed, Wish()) for seed in range(60)]
    assert {case.nodes for case in cases} >= {2, 16} and {bool(case.hostile) for case in cases} == {True, False}
    assert {bool(case.founders) for case in cases} == {True, False} and len({case.faults for case in cases}) > 20
