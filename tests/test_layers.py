"""The rooms' order, held by `make test` too: the contracts in pyproject.toml, and proof that they bite."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.tidy.files import ROOMS, ROOT, module_name, texts
from tests.tidy.purity import is_pure

PYPROJECT = (ROOT / "pyproject.toml").read_text()
CONTRACTS = tomllib.loads(PYPROJECT)["tool"]["importlinter"]["contracts"]


def lint_imports(directory: Path) -> subprocess.CompletedProcess[str]:
    """import-linter over the packages in a directory, with the pyproject.toml that lies there."""
    code = (
        "import sys; sys.path.insert(0, ''); from importlinter.cli import lint_imports_command; lint_imports_command()"
    )
    return subprocess.run(
        [sys.executable, "-c", code, "--no-cache", "--no-logo"],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_house_keeps_its_contracts() -> None:
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(CONTRACTS)} kept, 0 broken" in done.stdout


def test_every_pure_module_of_crdt_is_under_the_contract() -> None:
    named = next(contract for contract in CONTRACTS if contract["name"].startswith("Pure rooms"))["source_modules"]
    pure = {module_name(path) for path in texts(".py") if path.startswith("crdt/") and is_pure(path)} - {"crdt"}
    assert pure == {name for name in named if name.startswith("crdt.")}


def hollow_house(directory: Path, path: str, source: str) -> None:
    """Empty modules under the names that the contracts mention, and one that says something."""
    mentioned = set(re.findall(rf'"((?:{"|".join(ROOMS)})(?:\.[a-z0-9]+)*)"', PYPROJECT))
    for name in {*mentioned, *ROOMS}:
        place = directory.joinpath(*name.split("."))
        place.mkdir(parents=True, exist_ok=True)
        (place / "__init__.py").touch()
    (directory / path).parent.mkdir(parents=True, exist_ok=True)
    (directory / path).write_text(source)
    (directory / "pyproject.toml").write_text(PYPROJECT)


def test_an_empty_house_breaks_nothing(tmp_path: Path) -> None:
    hollow_house(tmp_path, "jam/x.py", "import consensus\nimport crdt.store\n")
    done = lint_imports(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("path", "source", "contract"),
    [
        ("crdt/x.py", "import consensus", "The house"),
        ("consensus/x.py", "from jam import y", "The house"),
        ("jam/x.py", "import wallet", "The house"),
        ("wallet/x.py", "import jam", "The house"),
        ("jam/x.py", "def f():\n    from node.engine import y", "The house"),
        ("node/x.py", "import sim", "The house"),
        ("consensus/x.py", "import time", "Pure rooms"),
        ("consensus/deep/x.py", "from random import Random", "Pure rooms"),
        ("crdt/log/x.py", "import os", "Pure rooms"),
        ("node/engine/x.py", "import trio", "Pure rooms"),
        ("crdt/gate/x.py", "from crdt.store import y", "Logs do not know"),
        ("node/shell/x.py", "import plyvel", "LevelDB"),
        ("node/engine/x.py", "import node.shell", "The engine knows"),
        ("node/api/x.py", "import libp2p", "libp2p stays"),
        ("sim/x.py", "import libp2p", "The simulator"),
        ("sim/x.py", "from node.mesh import y", "The simulator"),
    ],
)
def test_a_forbidden_import_breaks_a_contract(tmp_path: Path, path: str, source: str, contract: str) -> None:
    hollow_house(tmp_path, path, source)
    (tmp_path / path).parent.joinpath("__init__.py").touch()
    done = lint_imports(tmp_path)
    assert done.returncode == 1
    broken = [line for line in done.stdout.splitlines() if line.endswith("BROKEN")]
    assert any(line.startswith(contract) for line in broken), done.stdout
