"""docs/reference, written from the code: the commands from their tree, the API from its description."""

from __future__ import annotations

from pathlib import Path

from tests.reference.api import api
from tests.reference.commands import commands

FOLDER = Path(__file__).parents[2] / "docs" / "reference"


def pages() -> dict[Path, str]:
    """Every page as it should be."""
    return {FOLDER / "commands.md": commands(), FOLDER / "api.md": api()}
