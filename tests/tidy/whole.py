"""What shows only in the tree as a whole: dead files, dead limits, what must not be in any file, locks."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

from tests.tidy.files import ROOMS, in_tests, module_name

# Started by a person or by Python itself, and imported by nobody.
ENTRY_POINTS = {
    *("node.cli", "node.__main__", "bench.__main__", "bench.peers.node", "bench.scale"),
    *("bench.draws", "bench.drummers", "bench.odds", "bench.people", "bench.quality", "bench.start", "bench.idle"),
    "sim.people.judged",
}
# Parts that only tests use on purpose.
FOR_TESTS = {
    "consensus.concerts",
    "consensus.reports",
    "consensus.weights",
    "consensus.checkpoint",
}

# Written so that it does not match itself.
_HOST = re.compile(
    r"(?:pypi|rubygems|maven|anaconda|pythonhosted|npmjs|golang)[.](?:org|com)|yarnpkg[.]com|crates[.]io", re.IGNORECASE
)
_MACHINE_PATH = re.compile(r"(?<![\w.~$}/-])/(?:root|home|work|Users)(?:/|\b(?![\w-]))")
_PINNED = re.compile(r"[A-Za-z0-9._-]+(?:\[[a-z0-9,-]+\])?==[^\s;\\]+")
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}\b")


def _imported(path: str, source: str) -> set[str]:
    """Modules that a file names: imports, and dotted strings, since the command line imports lazily."""
    package = module_name(path).split(".")
    if not path.endswith("/__init__.py"):
        package = package[:-1]
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *(node.module.split(".") if node.module else [])])
            found.add(module)
            found.update(f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"[a-z_.]+", node.value):
            found.add(node.value)
    return found


def dead_modules(sources: Mapping[str, str]) -> list[str]:
    """Modules of the rooms that nothing but tests imports. Packages are alive by what is in them."""
    used: set[str] = set()
    for path, source in sources.items():
        if not in_tests(path):
            used |= _imported(path, source) - {module_name(path)}
    return [
        f"{path}: nothing imports it"
        for path in sources
        if path.split("/")[0] in (*ROOMS, "bench")
        and not path.endswith("/__init__.py")
        and module_name(path) not in used | ENTRY_POINTS | FOR_TESTS
    ]


def dead_limits(limits: str, sources: Mapping[str, str]) -> list[str]:
    """Constants of crdt/limits.py that no code outside tests uses: a bound that bounds nothing."""
    text = "\n".join(source for path, source in sources.items() if not in_tests(path) and path != "crdt/limits.py")
    used = set(re.findall(r"\b[A-Z][A-Z0-9_]+\b", text))
    tree = ast.parse(limits)
    inside = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    names = [
        node.target.id for node in tree.body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    ]
    return [f"crdt/limits.py: {name} is used nowhere" for name in names if name not in used | inside]


def places(path: str, text: str) -> list[str]:
    """Hosts of package registries and absolute paths of somebody's machine."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        found += [f"{path}:{number}: registry host {match[0]}" for match in _HOST.finditer(line)]
        found += [f"{path}:{number}: path of a machine {match[0]}" for match in _MACHINE_PATH.finditer(line)]
    return found


def loose_lock(path: str, text: str) -> list[str]:
    """Lines of a lock that are not `name==version` with at least one SHA-256, and anything with an address."""
    found = [f"{path}: has a URL"] if "://" in text else []
    lines = [line for line in re.sub(r"\\\n\s*", "", text).splitlines() if line.strip() and not line.startswith("#")]
    loose = [line for line in lines if not (_PINNED.match(line) and _HASH.search(line))]
    return found + [f"{path}: not pinned by version and hash: {line[:60]}" for line in loose]
