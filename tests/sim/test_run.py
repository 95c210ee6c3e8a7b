"""A scenario's run: the same in every process and on every version; and what it says when something is wrong."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from sim.figures import MACHINE
from sim.result import Result
from sim.run import replay, run
from sim.scenario import load, parse_settings
from tests.tidy.files import ROOT

SHORT = ("band", "--nodes", "6", "--windows", "2", "--seed", "7", "--set", "people.0.count=2")
OTHER = (3, 12) if sys.version_info[:2] == (3, 11) else (3, 11)


def _symjam(*words: str, python: str = sys.executable, hash_seed: int = 0) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": str(ROOT)}
    command = [python, "-m", "node", "sim", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment, cwd=ROOT)


def _traced(path: Path, python: str = sys.executable, hash_seed: int = 0) -> tuple[bytes, Result]:
    done = _symjam("run", *SHORT, "--trace", str(path), "--json", python=python, hash_seed=hash_seed)
    assert done.returncode == 0, done.stderr
    return path.read_bytes(), msgspec.json.decode(done.stdout, type=Result)


def _without_machine(result: Result) -> Result:
    figures = {name: value for name, value in result.figures.items() if name not in MACHINE}
    return msgspec.structs.replace(result, figures=figures)


def _other_python() -> str | None:
    """Another version of Python that has what the simulator needs, if there is one on this machine."""
    named = os.environ.get("SYMJAM_OTHER_PYTHON") or shutil.which(f"python{OTHER[0]}.{OTHER[1]}")
    if named is None:
        return None
    asked = "import sys, msgspec, nacl, pycrdt, plyvel, click, rich; print(*sys.version_info[:2])"
    done = subprocess.run([named, "-c", asked], capture_output=True, text=True, timeout=60, check=False)
    return named if done.stdout.split() == [str(part) for part in OTHER] else None


def test_one_seed_is_one_trace_in_any_process_with_any_hash_seed_on_any_version(tmp_path: Path) -> None:
    first, result = _traced(tmp_path / "first", hash_seed=1)
    second, again = _traced(tmp_path / "second", hash_seed=2)
    assert first.count(b"\n") == result.figures["inputs"] > 5_000
    assert first == second and _without_machine(result) == _without_machine(again)
    python = _other_python()
    if python is None:
        pytest.skip(f"no Python {OTHER[0]}.{OTHER[1]} with the dependencies: set SYMJAM_OTHER_PYTHON to one")
    third, other = _traced(tmp_path / "third", python=python, hash_seed=3)
    assert first == third and result.fingerprint == other.fingerprint


def _run(seed: int = 7, **settings: int | float | str | bool) -> Result:
    given = {"nodes": 4, "windows": 2, "people.0.count": 2, "signatures": "shared", **settings}
    return run(load("band", given), seed)


def test_another_seed_is_another_run() -> None:
    one, other = _run(7), _run(8)
    assert not one.broken and not other.broken
    assert one.fingerprint != other.fingerprint


def test_a_run_says_what_was_played_accepted_and_paid() -> None:
    result = _run()
    figures = result.figures
    assert figures["converged"] == 1 and 0 < figures["blocks_accepted"] <= figures["blocks"] <= 4
    series = {one.name: one for one in result.series}
    assert sum(row[1] for row in series["blocks"].rows) == figures["blocks_accepted"]
    assert series["supply"].rows[-1][-1] == figures["paid_micro"]
    assert sum(row[-1] for row in series["players"].rows) == figures["paid_micro"]
    assert 0 <= figures["signatures_made"] - figures["signatures_verified"] <= 4  # each once, but for those under way
    assert result.signatures == "shared" and msgspec.json.decode(msgspec.json.encode(result), type=Result) == result


def test_checks_and_the_trace_change_nothing() -> None:
    assert _run(checks=False).fingerprint == _run().fingerprint


def test_what_is_expected_and_not_so_is_broken_and_told_with_its_replay(tmp_path: Path) -> None:
    text = (ROOT / "sim" / "scenarios" / "band.toml").read_text()
    path = tmp_path / "own.toml"
    path.write_text(text + '[[expected]]\nfigure = "blocks"\nmost = 0\n[[expected]]\nfigure = "applause"\nleast = 1\n')
    words = ("--nodes", "4", "--windows", "1", "--seed", "3", "--signatures", "cheap", "--json")
    done = _symjam("run", str(path), *words)
    assert done.returncode == 1
    result = msgspec.json.decode(done.stdout, type=Result)
    assert [broken.invariant for broken in result.broken] == ["expected", "expected"]
    assert "blocks is 4, and should be at most 0" in done.stderr and "applause is missing" in done.stderr
    assert f"sim run {path} --seed 3 --set nodes=4 --set windows=1 --set signatures=cheap" in done.stderr


def test_a_replay_finds_the_users_own_file_wherever_it_is(tmp_path: Path) -> None:
    path = tmp_path / "my scenes; $HOME" / "own.toml"
    path.parent.mkdir()
    path.write_text((ROOT / "sim" / "scenarios" / "band.toml").read_text())
    asked = load(str(path), {"nodes": 5, "mesh.links": 2, "checks": False, "people.0.habits.share": 0.5})
    program, sim, word, place, seed, number, *sets = shlex.split(replay(asked, 9))
    assert (program, sim, word, place, seed, number) == ("symjam", "sim", "run", str(path), "--seed", "9")
    assert set(sets[::2]) == {"--set"} and load(place, parse_settings(tuple(sets[1::2]))) == asked


def test_a_partition_that_never_ends_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    text = (ROOT / "sim" / "scenarios" / "band.toml").read_text()
    path.write_text(text + "[[splits]]\nat = 0.5\nwindows = 100\n")
    given = {"nodes": 4, "windows": 2, "people.0.count": 2, "signatures": "cheap", "settle_s": 3}
    result = run(load(str(path), given), 1)
    assert result.figures["converged"] == 0 and "converged_ms" not in result.figures
    assert {"heals", "expected"} <= {broken.invariant for broken in result.broken}


def test_no_flood_goes_on_when_all_are_to_become_one(tmp_path: Path) -> None:
    """Found by `symjam sim run flood --seed 1`: while new entries came, no two nodes held the same."""
    path = tmp_path / "own.toml"
    text = (ROOT / "sim" / "scenarios" / "band.toml").read_text()
    flooder = '[[people]]\nstrategy = "flooder"\nkind = "entries"\nper_tick = 25\n'
    path.write_text(text.replace("[[expected]]", f"{flooder}[[expected]]", 1))
    given = {"nodes": 4, "windows": 1, "people.0.count": 2, "signatures": "cheap", "tick_ms": 250, "settle_s": 5}
    result = run(load(str(path), given), 1)
    assert not result.broken and result.figures["converged"] == 1 and result.figures["entries"] > 100


def test_the_list_describes_every_scenario() -> None:
    done = _symjam("list", "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 0 and told["schema"] == "symjam.sim.list/1"
    assert {"band", "town", "split-and-merge", "concert", "flood", "withholding", "equivocation"} <= {
        one["name"] for one in told["scenarios"]
    }
    words = _symjam("list").stdout
    assert all(one["title"] in words for one in told["scenarios"])


@pytest.mark.parametrize(
    "words", [("run", "no-such"), ("run", "band", "--set", "nodes"), ("run", "band", "--seed", "x")]
)
def test_what_cannot_be_run_is_a_usage_error(words: tuple[str, ...]) -> None:
    done = _symjam(*words)
    assert done.returncode == 2 and done.stderr and "Traceback" not in done.stderr


def test_a_trace_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    done = _symjam("run", "band", "--trace", str(tmp_path / "no" / "such"))
    assert done.returncode == 1 and "no trace can be written" in done.stderr


def test_stand_ins_are_labelled() -> None:
    done = _symjam("run", *SHORT, "--signatures", "cheap")
    assert done.returncode == 0, done.stderr
    assert "STAND-INS" in done.stdout and "fingerprint" in done.stdout and "nothing was broken" in done.stdout
