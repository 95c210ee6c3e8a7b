"""docs/reference says what the code says."""

from __future__ import annotations

import pytest

from tests.reference import FOLDER, pages


@pytest.mark.parametrize("name", ["commands.md", "api.md"])
def test_the_reference_is_fresh(name: str) -> None:
    wanted = pages()[FOLDER / name]
    assert (FOLDER / name).read_text(encoding="utf-8") == wanted, "run: make reference"
    assert wanted.count("### ") > 20
