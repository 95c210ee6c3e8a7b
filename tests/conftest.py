"""What every test gets: no deadline on examples, no example database, and no way to the user's own files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

# Machines that run tests are busy: a slow example is no finding. Failing examples are printed, not kept.
settings.register_profile("house", deadline=None, database=None, print_blob=True)
settings.load_profile("house")


@pytest.fixture(autouse=True)
def _own_directories(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data, state and runtime directories of the test's own: nothing touches a node that runs on this machine."""
    own_directories(tmp_path_factory.mktemp("xdg"), monkeypatch)


def own_directories(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same below `base`, for processes that outlive a test."""
    for kind in ("DATA", "CONFIG", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(base / kind.lower()))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(base))
    monkeypatch.delenv("SYMJAM_DATA_DIR", raising=False)
