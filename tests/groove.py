"""Where the Groove MIDI dataset is, for tests on real playing. It is not part of the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

GROOVE = Path(os.environ.get("SYMJAM_GROOVE") or Path(__file__).resolve().parents[2] / "shared" / "data" / "groove")

needs_groove = pytest.mark.skipif(
    not (GROOVE / "info.csv").is_file(), reason="no Groove MIDI dataset: set SYMJAM_GROOVE to its directory"
)


def take(name: str) -> Path:
    """A take by its path within the dataset, without the suffix."""
    return GROOVE / f"{name}.mid"
