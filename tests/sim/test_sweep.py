"""A sweep: whatever interrupts it, however many processes there are, the same runs come to the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from crdt.errors import Misuse, OperatingFailure
from sim.cells import FILE, ROOT, Cell, Ledger, Plan, code_hash
from sim.joined import Sweep, Value
from sim.result import Result
from sim.sweep import Ended, Runner, Spread, local, parse_over, sweep
from tests.sim import runners


class Told(NamedTuple):
    """What stands for a scenario: its parameters."""

    content: bytes


def told(parameters: dict[str, Value], words: str = "scenario") -> Told:
    return Told(msgspec.json.encode([words, parameters], order="sorted"))


PLAN = Plan("ring", tuple(range(1, 6)), {"ring": (1, 2)}, "c0de", told)


def replay(cell: Cell) -> str:
    return f"symjam sim run {cell.scenario} --seed {cell.seed}"


def here(runner: Runner = runners.made, order: int = 1) -> Spread:
    """In this process, forwards or backwards."""

    def spread(cells: Sequence[Cell]) -> Iterator[Ended]:
        return (Ended(cell, runner(cell), "") for cell in cells[::order])

    return spread


def run(directory: Path, spread: Spread, plan: Plan = PLAN) -> Sweep:
    with Ledger(directory) as ledger:
        return sweep(plan, plan.cells(), ledger, spread, "symjam sim sweep ring", replay)


def never(_: Cell) -> Result:
    raise AssertionError("this has run already")


def test_any_number_of_processes_and_any_order_come_to_the_same(tmp_path: Path) -> None:
    one = run(tmp_path / "one", local(1, runners.made))
    two = run(tmp_path / "two", local(2, runners.made))
    back = run(tmp_path / "back", here(order=-1))
    assert msgspec.json.encode(one) == msgspec.json.encode(two) == msgspec.json.encode(back)
    assert [point.overrides for point in one.points] == [{"ring": 1}, {"ring": 2}]
    assert one.points[1].figures["earned_micro"].mean == 23 and one.points[1].seeds == (1, 2, 3, 4, 5)
    assert (one.fidelities, one.signatures, one.nodes, one.windows) == (("network",), ("shared",), (4,), (3,))
    assert not one.failed and not one.broken


def test_what_has_run_is_not_run_again(tmp_path: Path) -> None:
    first = run(tmp_path, here())
    assert run(tmp_path, here(never)) == first


def test_other_words_for_the_same_cells_find_them_and_more_seeds_add(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    plan = Plan(str(tmp_path / "notes"), (1, 2), {}, "c0de", told)
    run(tmp_path / "out", here(runners.noting), plan)
    more = run(tmp_path / "out", here(runners.noting), plan._replace(seeds=(0, 1, 2, 3)))
    assert sorted(path.name for path in (tmp_path / "notes").iterdir()) == ["0", "1", "2", "3"]
    assert more.points[0].seeds == (0, 1, 2, 3)


@pytest.mark.parametrize(
    "other",
    [
        {"load": lambda parameters: told(parameters, "another")},
        {"code": "other"},
        {"over": {"ring": (1.5,)}},
        {"seeds": (9,)},
    ],
)
def test_other_scenarios_sources_parameters_and_seeds_are_other_cells(tmp_path: Path, other: dict[str, object]) -> None:
    run(tmp_path, here())
    plan = PLAN._replace(**other)
    with Ledger(tmp_path) as ledger:
        assert not {cell.key for cell in plan.cells()} & set(ledger.done)


def test_true_and_one_are_other_cells() -> None:
    plans = [PLAN._replace(over={"p": (value,)}) for value in (1, True, 1.5, "1")]
    assert len({plan.cells()[0].key for plan in plans}) == 4


@pytest.mark.parametrize("lost", [1, 40, 200])
def test_a_half_written_line_is_run_again(tmp_path: Path, lost: int) -> None:
    whole = run(tmp_path, here())
    file = tmp_path / FILE
    file.write_bytes(file.read_bytes()[:-lost])
    seen: list[int] = []
    with Ledger(tmp_path) as ledger:
        assert len(ledger.done) == 9
        found = sweep(
            PLAN, PLAN.cells(), ledger, here(), whole.command, replay, lambda done, of, ended: seen.append(done)
        )
    assert found == whole and seen == [9, 10]
    with Ledger(tmp_path) as ledger:
        assert len(ledger.done) == 10 and not ledger.unreadable


def test_a_line_that_is_no_result_is_counted_and_run_again(tmp_path: Path) -> None:
    whole = run(tmp_path, here())
    file = tmp_path / FILE
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([b"\xff\x00\n", lines[0][:-30] + b"\n", b"{}\n", *lines[1:]]))
    with Ledger(tmp_path) as ledger:
        assert len(ledger.done) == 9 and ledger.unreadable == 3
        assert sweep(PLAN, PLAN.cells(), ledger, here(), whole.command, replay) == whole


def test_a_run_that_raises_is_named_and_stops_no_other(tmp_path: Path) -> None:
    found = run(tmp_path, local(2, runners.failing))
    assert [(run.overrides, run.seed) for run in found.failed] == [({"ring": 1}, 3), ({"ring": 2}, 3)]
    assert found.failed[0].error == "ValueError: seed 3 is <bad>"
    assert found.failed[0].replay == "symjam sim run ring --seed 3"
    assert [point.seeds for point in found.points] == [(1, 2, 4, 5)] * 2
    assert run(tmp_path, here()).points[0].seeds == (1, 2, 3, 4, 5)  # and is tried again


def test_a_run_that_kills_its_process_stops_no_other(tmp_path: Path) -> None:
    found = run(tmp_path, local(2, runners.dying))
    assert [run.seed for run in found.failed] == [2, 2]
    assert "killed, or out of memory" in found.failed[0].error
    assert [point.seeds for point in found.points] == [(1, 3, 4, 5)] * 2


def test_a_result_with_a_number_that_is_none_fails(tmp_path: Path) -> None:
    found = run(tmp_path, here(runners.not_a_number))
    assert [run.seed for run in found.failed] == [1, 1] and "earned_micro is nan" in found.failed[0].error


def test_broken_invariants_are_told_with_their_replay(tmp_path: Path) -> None:
    found = run(tmp_path, here(), PLAN._replace(seeds=(12, 13)))
    assert [(one.overrides, one.seed, one.invariant, one.replay) for one in found.broken] == [
        ({"ring": ring}, 13, "no coin twice", "symjam sim run ring --seed 13") for ring in (1, 2)
    ]


KILLED = """
import sys, time
from pathlib import Path
from tests.sim import runners, test_sweep
def slowly(cell):
    time.sleep(0.05)
    return runners.made(cell)
test_sweep.run(Path(sys.argv[1]), test_sweep.here(slowly))
"""


def test_a_sweep_that_is_killed_goes_on_to_the_same_end(tmp_path: Path) -> None:
    whole = run(tmp_path / "whole", here())
    out = tmp_path / "cut"
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(out)])
    try:
        deadline = time.monotonic() + 60
        while not (out / FILE).exists() or (out / FILE).read_bytes().count(b"\n") < 3:
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        process.kill()
        process.wait()
    assert 3 <= (out / FILE).read_bytes().count(b"\n") < 10
    assert run(out, here()) == whole


def test_processes_end_with_the_sweep_that_started_them(tmp_path: Path) -> None:
    script = (
        "import sys, os\nfrom sim.sweep import _executor\n"
        "if __name__ == '__main__':\n pool = _executor(1)\n print(pool.submit(os.getpid).result(), flush=True)\n"
        " sys.stdin.read()\n"
    )
    (tmp_path / "pool.py").write_text(script)
    here = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": here}
    with subprocess.Popen([sys.executable, str(tmp_path / "pool.py")], **pipes) as process:  # type: ignore[call-overload]
        worker = int(process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while Path(f"/proc/{worker}").exists() and "State:\tZ" not in Path(f"/proc/{worker}/status").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_two_sweeps_do_not_write_into_one_directory(tmp_path: Path) -> None:
    with Ledger(tmp_path), pytest.raises(OperatingFailure, match="another sweep is writing there"), Ledger(tmp_path):
        pass
    with Ledger(tmp_path):
        pass


def test_a_directory_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(OperatingFailure, match=r"cannot keep the sweep's results .*Name another directory"),
        Ledger(tmp_path / "file"),
    ):
        pass


@pytest.mark.parametrize("plan", [PLAN._replace(seeds=()), PLAN._replace(seeds=tuple(range(50_001)))])
def test_no_cells_and_too_many_are_refused(plan: Plan) -> None:
    with pytest.raises(Misuse, match="a sweep has 1 to 100,000 runs"):
        plan.cells()


@pytest.mark.parametrize("jobs", [0, -1, 100_000])
def test_a_number_of_processes_that_makes_no_sense_is_refused(jobs: int) -> None:
    with pytest.raises(Misuse, match="--jobs is 1 to"):
        local(jobs, runners.made)


def test_values_are_read_as_what_they_are() -> None:
    found = parse_over(["nodes=10, 20", "mesh.share=0.5,1e-3", "signatures=real,cheap", "caught=true,false"])
    assert found == {
        "nodes": (10, 20),
        "mesh.share": (0.5, 0.001),
        "signatures": ("real", "cheap"),
        "caught": (True, False),
    }
    assert [type(values[0]) for values in found.values()] == [int, float, str, bool]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["nodes"], "say name=a,b,c"),
        (["=1"], "say name=a,b,c"),
        (["nodes="], "say name=a,b,c"),
        (["nodes=1,,2"], "say name=a,b,c"),
        (["nodes=1,1"], "a value is there twice"),
        (["nodes=1", "nodes=2"], "is given twice"),
        (["share=nan"], "no number"),
        (["share=inf"], "no number"),
        (["share=-inf"], "no number"),
    ],
)
def test_what_cannot_be_varied_is_said(words: list[str], says: str) -> None:
    with pytest.raises(Misuse, match=says):
        parse_over(words)


def test_the_sources_hash_is_of_what_a_run_is_made_of(tmp_path: Path) -> None:
    for name in ("crdt/a.py", "node/engine/b.py", "node/shell/c.py", "sim/report/d.py", "sim/world.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1")
    first = code_hash(tmp_path)
    (tmp_path / "sim/report/d.py").write_text("2")
    (tmp_path / "node/shell/c.py").write_text("2")
    assert code_hash(tmp_path) == first
    found = {first}
    for name in ("crdt/a.py", "node/engine/b.py", "sim/world.py"):
        (tmp_path / name).write_text("22")
        found.add(code_hash(tmp_path))
    (tmp_path / "sim/world.py").rename(tmp_path / "sim/world2.py")
    found.add(code_hash(tmp_path))
    assert len(found) == 5 and code_hash() == code_hash()
