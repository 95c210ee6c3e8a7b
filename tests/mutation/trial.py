"""One fault, one process: the tests that reach it are run with the faulty module in place of the right one."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.mutation.mutants import Mutant
from tests.mutation.reach import Reach

QUIET = ["-q", "-x", "--no-header", "--no-summary", "-p", "no:cacheprovider", "--hypothesis-seed=0"]


class Faulty(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from another text."""

    def __init__(self, name: str, path: Path, source: str) -> None:
        self._name, self._path, self._source = name, path, source

    def find_spec(self, fullname: str, path: Any, target: ModuleType | None = None) -> Any:
        if fullname != self._name:
            return None
        return importlib.util.spec_from_file_location(fullname, self._path, loader=self)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._source, str(self._path), "exec"), module.__dict__)


def in_child(job: Callable[[], int], cpu_s: int, wall_s: int) -> int | None:
    """Run a job in a fork of this process, which must not have imported the rules; None when it ran out of time."""
    child = os.fork()
    if child == 0:
        code = 70
        try:
            silence = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silence, 1)
            os.dup2(silence, 2)
            resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(wall_s)
            code = job()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else None


def measure(root: Path, folder: str, tests: Sequence[str], out: Path) -> None:
    """Run all tests under the tracer, and write what they reach to a file. Ends the program when one fails."""

    def job() -> int:
        import pytest

        reach = Reach(root, folder)
        code = int(pytest.main([*QUIET, *tests], plugins=[reach]))
        out.write_text(json.dumps({"lines": reach.lines, "spent_s": reach.spent_s, "failed": reach.failed}))
        return code

    out.unlink(missing_ok=True)
    code = in_child(job, 3_000, 6_000)
    if out.exists() and (failed := json.loads(out.read_text())["failed"]):
        sys.exit(f"a test fails without any fault: {failed[0]}")
    if code != 0:
        sys.exit(f"the tests could not be run: pytest ended with {code}")


def survives(root: Path, mutant: Mutant, tests: Sequence[str], spent_s: float) -> bool:
    """Whether no test notices a fault. One that never ends was noticed."""
    name = mutant.path.removesuffix(".py").replace("/", ".")

    def job() -> int:
        import pytest

        sys.meta_path.insert(0, Faulty(name, root / mutant.path, mutant.source))
        return int(pytest.main([*QUIET, *tests]))

    return not tests or in_child(job, 10 + int(5 * spent_s), 60 + int(30 * spent_s)) == 0
