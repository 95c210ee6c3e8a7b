"""Packages of Node.js, and real nodes for its programs to talk to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from node.commands.processes import Process
from tests.doors.npm import Program, installed


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "npm: installs packages with npm")


@pytest.fixture(scope="session")
def yjs() -> Path:
    """A folder in which Node.js finds Yjs."""
    return installed("yjs")


@pytest.fixture(scope="session")
def libp2p() -> Path:
    """A folder in which Node.js finds libp2p."""
    return installed("libp2p")


Start = Callable[..., Program]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts programs, which end with the test."""
    programs: list[Program] = []

    def begin(folder: Path, program: str, /, prefix: Sequence[str] = (), **question: Any) -> Program:
        programs.append(Program(folder, program, question, prefix))
        return programs[-1]

    yield begin
    for program in programs:
        program.stop()


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """One running node of the small preset, for all tests of a file."""
    path = tmp_path_factory.mktemp("node")
    process = Process("A", path, room=f"doors-{path.parent.name}-{path.name}")
    try:
        process.start()
        yield process
    finally:
        process.stop()
