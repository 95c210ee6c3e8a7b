"""House style, held by a test. Every check is shown to find what it is for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tidy import files, manners, purity, size, whole

Check = Callable[[str, str], list[str]]

PYTHON = files.texts(".py")
EVERYTHING = files.texts()

EVERYWHERE: tuple[Check, ...] = (
    size.long_functions,
    size.long_module,
    manners.broad_excepts,
    manners.prints,
    manners.excuses,
    manners.undocumented,
)


def complaints(check: Check, sources: dict[str, str]) -> list[str]:
    return [complaint for path, text in sources.items() for complaint in check(path, text)]


def none(found: list[str]) -> None:
    assert not found, "\n" + "\n".join(found)


def test_there_is_something_to_look_at() -> None:
    assert {"crdt/entry.py", "consensus/ops.py", "tests/test_tidy.py"} <= set(PYTHON)
    assert {"Makefile", "LICENSE", "requirements.lock"} <= set(EVERYTHING)
    assert not [path for path in EVERYTHING if path.startswith((".venv", "build/"))]


@pytest.mark.parametrize("check", EVERYWHERE, ids=lambda check: check.__name__)
def test_python(check: Check) -> None:
    none(complaints(check, PYTHON))


@pytest.mark.parametrize("check", [manners.notes_to_self, whole.places], ids=lambda check: check.__name__)
def test_every_file(check: Check) -> None:
    none(complaints(check, EVERYTHING))


def test_pure_rooms_reach_for_nothing() -> None:
    none(complaints(purity.impure, {path: text for path, text in PYTHON.items() if purity.is_pure(path)}))


def test_what_is_signed_or_folded_knows_no_float() -> None:
    none(complaints(purity.floats, {path: text for path, text in PYTHON.items() if purity.is_integer(path)}))


def test_no_module_is_dead() -> None:
    none(whole.dead_modules(PYTHON))


def test_no_limit_is_dead() -> None:
    none(whole.dead_limits(PYTHON["crdt/limits.py"], PYTHON))


@pytest.mark.parametrize(
    "lock", ["requirements.lock", "requirements-dev.lock", "requirements-fuzz.txt", "requirements-api.txt"]
)
def test_locks_pin_versions_and_hashes_and_name_no_place(lock: str) -> None:
    none(whole.loose_lock(lock, EVERYTHING[lock]))


def test_the_licence_is_the_one_that_is_declared() -> None:
    assert "Apache License\n                           Version 2.0, January 2004" in EVERYTHING["LICENSE"]
    assert 'license = "Apache-2.0"' in EVERYTHING["pyproject.toml"]


# What each check is for, and what it must let pass.


def function_of(lines: int) -> str:
    return "def f():\n" + "    pass\n" * (lines - 1)


LOCKED = "name==1.0 \\\n    --hash=sha256:" + "a" * 64 + "\n"
LATER, BROKEN = "TO" + "DO", "FIX" + "ME"

FOUND: list[tuple[Check, str, str]] = [
    (size.long_functions, "node/x.py", function_of(51)),
    (size.long_functions, "node/x.py", "class A:\n    async " + function_of(60).replace("    ", "        ")),
    (size.long_functions, "tests/test_x.py", function_of(61)),
    (size.long_module, "node/x.py", "x = 1\n" * 401),
    (manners.broad_excepts, "node/x.py", "try:\n    f()\nexcept:\n    pass\n"),
    (manners.broad_excepts, "node/x.py", "try:\n    f()\nexcept Exception:\n    pass\n"),
    (manners.broad_excepts, "tests/x.py", "try:\n    f()\nexcept (OSError, BaseException) as e:\n    pass\n"),
    (manners.broad_excepts, "node/x.py", "try:\n    f()\nexcept* builtins.Exception:\n    pass\n"),
    (manners.broad_excepts, "node/x.py", "with contextlib.suppress(Exception):\n    f()\n"),
    (manners.broad_excepts, "node/mesh/guard.py", "try:\n    f()\nexcept Exception:\n    pass\n" * 3),
    (manners.prints, "crdt/x.py", "print('hello')\n"),
    (manners.prints, "node/shell/x.py", "def f():\n    print()\n"),
    (manners.notes_to_self, "README.md", f"words\n{LATER}: more\n"),
    (manners.notes_to_self, "node/web/js/x.js", f"// {BROKEN}\n"),
    (manners.excuses, "node/x.py", "# this is enough for " + "now\n"),
    (manners.excuses, "node/x.py", '"""A Simpl' + 'ified one."""\n'),
    (manners.excuses, "node/x.py", "x = 1  # place" + "holder\n"),
    (manners.undocumented, "node/x.py", "x = 1\n"),
    (manners.undocumented, "node/x.py", '"""Doc."""\ndef f():\n    return 1\n'),
    (
        manners.undocumented,
        "node/x.py",
        '"""Doc."""\nclass A:\n    """Doc."""\n    async def f(self):\n        return 1\n',
    ),
    (manners.undocumented, "node/x.py", '"""Doc."""\nclass A:\n    x = 1\n'),
    (purity.impure, "crdt/x.py", "import time\n"),
    (purity.impure, "crdt/x.py", "def f():\n    from os import urandom\n"),
    (purity.impure, "consensus/x.py", "import os.path as p\n"),
    (purity.impure, "consensus/x.py", "from nacl.utils import random\n"),
    (purity.impure, "consensus/x.py", "from nacl import utils\n"),
    (purity.impure, "node/engine/x.py", "f = open('x')\n"),
    (purity.impure, "node/engine/x.py", "def f():\n    global x\n    x = 1\n"),
    (purity.floats, "consensus/x.py", "x = 0.5\n"),
    (purity.floats, "consensus/x.py", "x = 1e3\n"),
    (purity.floats, "consensus/x.py", "x = a / b\n"),
    (purity.floats, "consensus/x.py", "x /= 2\n"),
    (purity.floats, "crdt/x.py", "x = float(a)\n"),
    (purity.floats, "crdt/x.py", "import math\nx = math.exp(a)\n"),
    (purity.floats, "crdt/x.py", "from math import sqrt\n"),
    (purity.floats, "crdt/x.py", "import statistics\n"),
    (whole.places, "docs/x.md", "at proxy." + "golang" + ".org\n"),
    (whole.places, "docs/x.md", "see https://" + "pypi" + ".org/simple\n"),
    (whole.places, "Makefile", "\tcp /" + "root/x y\n"),
    (whole.places, "node/x.py", "PATH = '/" + "home/somebody/x'\n"),
    (whole.places, "node/x.py", "PATH = '/" + "work'\n"),
    (whole.loose_lock, "x.lock", "name==1.0\n"),
    (whole.loose_lock, "x.lock", "name>=1.0 \\\n    --hash=sha256:" + "a" * 64 + "\n"),
    (whole.loose_lock, "x.lock", LOCKED + "other @ git+ssh\n"),
    (whole.loose_lock, "x.lock", "--index-url https://example.org\n" + LOCKED),
    (whole.loose_lock, "x.lock", "name==1.0 --hash=md5:" + "a" * 32 + "\n"),
]

PASSED: list[tuple[Check, str, str]] = [
    (size.long_functions, "node/x.py", "@a\n@b\n" + function_of(50)),
    (size.long_functions, "tests/test_x.py", function_of(60)),
    (size.long_module, "node/x.py", "x = 1\n" * 400),
    (manners.broad_excepts, "node/x.py", "try:\n    f()\nexcept (OSError, ValueError):\n    pass\n"),
    (manners.broad_excepts, "node/mesh/guard.py", "try:\n    f()\nexcept Exception:\n    pass\n"),
    (manners.prints, "node/commands/x.py", "print('data')\n"),
    (manners.notes_to_self, "x.md", "mast" + LATER + "n\n"),
    (manners.excuses, "node/x.py", "place" + "holder = 1\n"),
    (manners.undocumented, "node/__init__.py", ""),
    (manners.undocumented, "tests/test_x.py", "def test_x():\n    assert f()\n"),
    (manners.undocumented, "node/x.py", '"""Doc."""\ndef _f():\n    return 1\n'),
    (purity.impure, "crdt/x.py", "import hashlib\nfrom crdt.store.keys import x\n"),
    (purity.floats, "consensus/x.py", '"""About 0.5 / 2."""\nx = 1 // 2\nfrom math import isqrt\n'),
    (whole.places, "x.py", "'/api/work', 'a/home/b', '../home/x', '/homework', '~/home'\n"),
    (whole.loose_lock, "x.lock", "# words\n" + LOCKED + LOCKED.replace(" \\\n", " ; python_version < '3.12' \\\n")),
]


@pytest.mark.parametrize(("check", "path", "text"), FOUND)
def test_a_check_finds_what_it_is_for(check: Check, path: str, text: str) -> None:
    found = check(path, text)
    assert found
    assert all(complaint.startswith(path) for complaint in found)


@pytest.mark.parametrize(("check", "path", "text"), PASSED)
def test_a_check_lets_pass_what_is_right(check: Check, path: str, text: str) -> None:
    assert check(path, text) == []


def test_every_check_is_shown_to_find_something() -> None:
    shown = {check for check, _, _ in FOUND}
    assert shown == {
        *EVERYWHERE, manners.notes_to_self, whole.places, purity.impure, purity.floats, whole.loose_lock,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "pure", "integer"),
    [
        ("crdt/log.py", True, True),
        ("crdt/limits.py", True, False),
        ("crdt/store/level.py", False, False),
        ("consensus/quality/x.py", True, True),
        ("node/engine/sync.py", True, False),
        ("node/mesh/x.py", False, False),
        ("jam/clock.py", False, False),
    ],
)
def test_which_rooms_are_pure(path: str, pure: bool, integer: bool) -> None:
    assert (purity.is_pure(path), purity.is_integer(path)) == (pure, integer)


def test_dead_modules_are_found_however_they_might_be_named() -> None:
    sources = {
        "node/__init__.py": "",
        "node/cli.py": "def f():\n    from node.commands import used\n    return 'node.lazy'\n",
        "node/commands/__init__.py": "",
        "node/commands/used.py": "from . import beside\nimport node.plain\n",
        "node/commands/beside.py": "from ..upper import thing\n",
        "node/plain.py": "",
        "node/lazy.py": "",
        "node/upper.py": "",
        "node/dead.py": "import node.dead\n",
        "node/tested.py": "",
        "tests/test_x.py": "import node.tested\n",
    }
    assert whole.dead_modules(sources) == ["node/dead.py: nothing imports it", "node/tested.py: nothing imports it"]


def test_dead_limits_are_found() -> None:
    limits = "A_MAX: Final = 1\nB_MAX: Final = A_MAX + 1\nC_MAX: Final = 2\nD_MAX: Final = 3\n"
    sources = {"crdt/limits.py": limits, "crdt/x.py": "f(B_MAX)", "tests/x.py": "C_MAX", "node/y.py": "D_MAX_BYTES"}
    found = whole.dead_limits(limits, sources)
    assert found == ["crdt/limits.py: C_MAX is used nowhere", "crdt/limits.py: D_MAX is used nowhere"]


def test_without_a_checkout_the_same_kind_of_files_is_seen(tmp_path: Path) -> None:
    for name in ("a/b.py", ".venv/lib/x.py", "build/y.py", "a/__pycache__/b.pyc", "Makefile"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    assert files.tracked(tmp_path) == ["Makefile", "a/b.py"]
