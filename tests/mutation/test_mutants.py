"""The faults are real: each is another program, and one that a test notices is told from one that none does."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.mutation.mutants import mutants_of
from tests.mutation.reach import asked_about
from tests.mutation.trial import in_child, measure, survives

SOURCE = '''"""Theory."""
LIMIT: Final = 3

@cache
def f(x: int = 1) -> int:
    """What it is."""
    if x < LIMIT and not x:
        raise Misuse("never " + "that")
    x += 2
    note(x)
    return min(x // 2, 7)
'''


def test_every_fault_is_another_program_that_compiles() -> None:
    found = mutants_of("consensus/x.py", SOURCE)
    texts = [mutant.source for mutant in found]
    assert len(set(texts)) == len(texts)
    right = ast.unparse(ast.parse(SOURCE))
    for mutant in found:
        assert mutant.source != right
        compile(mutant.source, "x", "exec")


def test_what_is_changed_and_what_is_left_alone() -> None:
    words = {mutant.name.split(" ", 1)[1] for mutant in mutants_of("consensus/x.py", SOURCE)}
    assert words >= {
        "3 -> 4", "1 -> 2", "x < LIMIT -> x <= LIMIT", "not x -> x", "x < LIMIT and (not x) -> x < LIMIT or not x",
        "x += 2 -> x -= 2", "x += 2 -> pass", "note(x) -> pass", "x // 2 -> x * 2", "7 -> 8",
        "min(x // 2, 7) -> max(x // 2, 7)",
    }  # fmt: skip
    flags = {mutant.name for mutant in mutants_of("consensus/x.py", "class A(Struct, frozen=True, gc=False): pass")}
    assert flags == {"consensus/x.py:1 True -> False"}
    assert not any("never" in word or "Theory" in word or "What" in word for word in words if not word.startswith("if"))


def test_the_tests_of_the_module_itself_are_asked_first_then_the_quickest() -> None:
    data = {
        "lines": {"consensus/x.py": {"7": ["tests/test_y.py::slow", "tests/test_y.py::quick", "tests/test_x.py::own"]}},
        "spent_s": {"tests/test_y.py::slow": 9.0, "tests/test_y.py::quick": 0.1, "tests/test_x.py::own": 1.0},
    }
    own, quick, slow = "tests/test_x.py::own", "tests/test_y.py::quick", "tests/test_y.py::slow"
    assert asked_about(data, "consensus/x.py", 7, 100) == [own, quick, slow]
    assert asked_about(data, "consensus/x.py", 7, 5) == [own, quick]
    assert asked_about(data, "consensus/x.py", 2, 100) == [own, quick, slow]  # runs on import
    assert asked_about(data, "consensus/z.py", 1, 100) == []


@pytest.mark.parametrize(("fault", "is_noticed"), [("x + 1 -> x - 1", True), ("5 -> 6", False)])
def test_a_fault_is_noticed_by_the_tests_that_are_run(tmp_path: Path, fault: str, is_noticed: bool) -> None:
    (tmp_path / "faulty.py").write_text("def f(x):\n    return x + 1 if x < 5 else 0\n")
    (tmp_path / "test_faulty.py").write_text("import faulty\ndef test_it():\n    assert faulty.f(1) == 2\n")
    mutants = mutants_of("faulty.py", (tmp_path / "faulty.py").read_text())
    mutant = next(mutant for mutant in mutants if mutant.name.endswith(fault))
    tests = [f"{tmp_path}/test_faulty.py", f"--rootdir={tmp_path}"]
    assert survives(tmp_path, mutant, tests, 0.0) is not is_noticed


def test_it_does_not_begin_with_tests_that_are_not_there_or_fail(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test_it():\n    assert False\n")
    root = f"--rootdir={tmp_path}"
    with pytest.raises(SystemExit, match="could not be run"):
        measure(tmp_path, "x", [f"{tmp_path}/test_nothing.py", root], tmp_path / "reach.json")
    with pytest.raises(SystemExit, match="without any fault"):
        measure(tmp_path, "x", [f"{tmp_path}/test_it.py", root], tmp_path / "reach.json")


def test_what_never_ends_is_ended() -> None:
    def job() -> int:
        while True:
            pass

    assert in_child(job, cpu_s=1, wall_s=30) is None
