"""Which tests run which lines of consensus/, and how long each takes: one run of all of them under a tracer."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

import pytest


class Reach:
    """A pytest plugin. `lines[path][line]` are the tests that ran it, `spent_s[test]` is how long one took."""

    def __init__(self, root: Path, folder: str) -> None:
        self._prefix, self._cut = str(root / folder) + "/", len(str(root)) + 1
        self._now: set[tuple[str, int]] = set()
        self.lines: dict[str, dict[int, list[str]]] = {}
        self.spent_s: dict[str, float] = {}
        self.failed: list[str] = []

    def _trace(self, frame: FrameType, event: str, _: Any) -> Any:
        if not frame.f_code.co_filename.startswith(self._prefix):
            return None
        self._now.add((frame.f_code.co_filename, frame.f_lineno))
        return self._trace

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Any:
        """Trace one test with its fixtures."""
        self._now = set()
        began = time.process_time()
        sys.settrace(self._trace)
        yield
        sys.settrace(None)
        self.spent_s[item.nodeid] = time.process_time() - began
        for filename, line in self._now:
            self.lines.setdefault(filename[self._cut :], {}).setdefault(line, []).append(item.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test that fails without any fault would find every fault."""
        if report.failed:
            self.failed.append(report.nodeid)


def asked_about(data: dict[str, Any], path: str, line: int, most_s: float) -> list[str]:
    """The tests to ask about a fault at a line: its module's own first, then the quickest.

    What runs only when the module is imported (tables, bounds of fields) is asked of every test that enters the module,
    and of all its own: some read a table without entering anything.
    """
    of, own = data["lines"].get(path, {}), f"test_{Path(path).stem}.py"
    entering = {test for tests in of.values() for test in tests}
    reached = of.get(str(line)) or sorted(entering | {test for test in data["spent_s"] if own in test})
    chosen, spent = [], 0.0
    for test in sorted(reached, key=lambda test: (own not in test, data["spent_s"][test], test)):
        spent += data["spent_s"][test]
        if chosen and spent > most_s:
            break
        chosen.append(test)
    return chosen
