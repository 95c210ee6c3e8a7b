"""Real processes, each with a data directory of its own, on the loopback interface only; ended by pid."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.commands.processes import Process


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Process]:
    """One running node of the small preset."""
    process = Process("A", tmp_path / "a", room=f"test-{tmp_path.name}")
    try:
        process.start()
        yield process
    finally:
        process.stop()
