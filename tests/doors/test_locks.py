"""The Node.js packages are pinned by version and hash, and no lock says where they come from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.doors.lock import without_places
from tests.doors.npm import FOLDERS


@pytest.mark.parametrize("folder", FOLDERS.values(), ids=FOLDERS)
def test_a_lock_pins_every_package_and_names_no_place(folder: Path) -> None:
    wanted = json.loads((folder / "package.json").read_text())["dependencies"]
    text = (folder / "package-lock.json").read_text()
    packages = json.loads(text)["packages"]
    assert "://" not in text
    assert packages.pop("")["dependencies"] == wanted
    assert all(package["version"] and package["integrity"].startswith("sha512-") for package in packages.values())
    assert {name: packages[f"node_modules/{name}"]["version"] for name in wanted} == wanted


def test_places_are_left_out() -> None:
    lock = {"packages": {"node_modules/a": {"version": "1", "resolved": "somewhere", "funding": {}, "integrity": "x"}}}
    assert without_places(lock) == {"packages": {"node_modules/a": {"version": "1", "integrity": "x"}}}
