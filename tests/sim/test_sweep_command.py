"""`symjam sim sweep` and `symjam sim report`, as they are typed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sim.cells import ROOT
from sim.cli import sim

SMALL = ["--nodes", "4", "--windows", "2", "--signatures", "cheap", "--set", "checks=false"]


def say(*words: str) -> Result:
    return CliRunner().invoke(sim, list(words))


def sweep(out: Path, *words: str) -> Result:
    return say("sweep", "band", "--seeds", "2", *SMALL, "--out", str(out), *words)


def test_a_sweep_of_engines_is_the_same_in_one_process_and_in_two(tmp_path: Path) -> None:
    one, two = sweep(tmp_path / "one", "--jobs", "1", "--json"), sweep(tmp_path / "two", "--jobs", "2", "--json")
    first, second = json.loads(one.stdout), json.loads(two.stdout)
    assert first["schema"] == "symjam.sim.sweep/1" and first["seeds"] == [1, 2]
    assert first["points"] == second["points"] and first["points"][0]["figures"]["frames"]["runs"] == 2
    assert "2 runs of band" in one.stderr
    kept = json.loads((tmp_path / "one" / "result.json").read_text())
    assert kept == first
    page = (tmp_path / "one" / "index.html").read_text()
    assert "Signatures: cheap." in page and "symjam sim sweep band --seeds 2 --seed 1 --set nodes=4" in page


def test_the_same_again_runs_nothing_and_more_runs_what_is_missing(tmp_path: Path) -> None:
    first = sweep(tmp_path, "--jobs", "1")
    assert first.stdout.strip() == str(tmp_path / "index.html")
    again = sweep(tmp_path, "--jobs", "1", "--over", "mesh.links=0,2")
    # 0 is what the scenario has: those have run, whatever words they are asked for with
    assert "4 runs of band" in again.stderr and "2 are there already" in again.stderr
    assert len((tmp_path / "cells.jsonl").read_bytes().splitlines()) == 4
    third = sweep(tmp_path, "--jobs", "1")
    assert "2 are there already (2 more there are of other parameters" in third.stderr


def test_stopped_it_says_what_is_kept_and_goes_on_from_there(tmp_path: Path) -> None:
    program = "from sim.cli import sim\nif __name__ == '__main__':\n    sim(prog_name='symjam sim')\n"
    (tmp_path / "sim_command.py").write_text(program)
    words = ["sweep", "band", "--seeds", "40", *SMALL, "--jobs", "1", "--out", str(tmp_path / "out")]
    command = [sys.executable, str(tmp_path / "sim_command.py"), *words]
    here = {**os.environ, "PYTHONPATH": str(ROOT)}
    file = tmp_path / "out" / "cells.jsonl"
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=here) as process:
        deadline = time.monotonic() + 120
        while not file.exists() or not file.read_bytes().count(b"\n"):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, said = process.communicate(timeout=60)
    kept = file.read_bytes().count(b"\n")
    assert process.returncode == 130 and out == "" and 1 <= kept < 40
    # the signal may come between the line's being on disk and its being counted
    told = re.search(r"stopped: (\d+) of 40 are kept; the same command does the others", said)
    assert told and kept - 1 <= int(told[1]) <= kept and "Traceback" not in said
    again = sweep(tmp_path / "out", "--jobs", "1")
    assert f"{min(kept, 2)} are there already" in again.stderr and again.exit_code == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["sweep", "no-such"], "no scenario 'no-such'; there are "),
        (["sweep", "no-such.toml"], "no-such.toml cannot be read"),
        (["sweep", "band", "--over", "nodez=3,4"], "nodez"),
        (["sweep", "band", "--over", "mesh.links=4,99"], "mesh.links"),
        (["sweep", "band", "--over", "mesh.links"], "say name=a,b,c"),
        (["sweep", "band", "--over", "nodes=5", "--nodes", "4"], "leave one of them out"),
        (["sweep", "band", "--set", "mesh.lynks=3"], "lynks"),
        (["sweep", "band", "--seeds", "0"], "--seeds"),
        (["sweep", "band", "--jobs", "0"], "--jobs"),
        (["sweep", "band", "--seed", "-1"], "--seed"),
        (["sweep"], "SCENARIO"),
        (["report"], "RESULT"),
    ],
)
def test_what_cannot_be_run_is_said_before_anything_is_written(
    tmp_path: Path, words: list[str], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = say(*words)
    assert found.exit_code == 2 and says in found.stderr
    assert not os.listdir(tmp_path)


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = sweep(tmp_path / "file")
    assert found.exit_code == 1 and "Name another directory with --out" in found.stderr


def test_a_run_kept_as_json_has_its_page(tmp_path: Path) -> None:
    kept = say("run", "band", *SMALL, "--json")
    (tmp_path / "band.json").write_text(kept.stdout)
    found = say("report", str(tmp_path / "band.json"))
    assert found.exit_code == 0 and found.stdout.strip() == str(tmp_path / "report-band" / "index.html")
    assert "Signatures: cheap." in (tmp_path / "report-band" / "index.html").read_text()
    told = say("report", str(tmp_path / "report-band"), "--out", str(tmp_path / "other"), "--json")
    assert json.loads(told.stdout) == {"schema": "symjam.sim.report/1", "page": str(tmp_path / "other" / "index.html")}
    assert (tmp_path / "other/result.json").read_bytes() == (tmp_path / "report-band/result.json").read_bytes()


@pytest.mark.parametrize("name", ["none.json", "."])
def test_what_is_no_result_has_no_page(tmp_path: Path, name: str) -> None:
    found = say("report", str(tmp_path / name))
    assert found.exit_code == 1 and "Name a file that `symjam sim run --json` printed" in found.stderr
