"""`python -m tests.doors.lock`: resolve the Node.js packages of the doors' tests again, part of `make lock`.

What is written names versions and hashes, but no address: where packages come from is for whoever installs them.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tests.doors.npm import FOLDERS

_PLACES = ("resolved", "funding")


def without_places(lock: dict[str, Any]) -> dict[str, Any]:
    """A package-lock.json without addresses."""
    packages = {
        name: {key: value for key, value in package.items() if key not in _PLACES}
        for name, package in lock["packages"].items()
    }
    return {**lock, "packages": packages}


def main() -> None:
    """Write every package-lock.json anew."""
    for folder in FOLDERS.values():
        with tempfile.TemporaryDirectory() as scratch:
            shutil.copy(folder / "package.json", scratch)
            subprocess.run(
                ["npm", "install", "--package-lock-only", "--no-audit", "--no-fund"], cwd=scratch, check=True
            )
            lock = json.loads((Path(scratch) / "package-lock.json").read_text())
        (folder / "package-lock.json").write_text(json.dumps(without_places(lock), indent=1) + "\n")


if __name__ == "__main__":
    main()
