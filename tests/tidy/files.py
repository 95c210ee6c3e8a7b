"""Which files the style is about."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("crdt", "consensus", "jam", "wallet", "node", "sim")
_SKIPPED = {"build", "__pycache__", "node_modules"}


def tracked(root: Path = ROOT) -> list[str]:
    """Paths of the tracked files that exist; without a checkout, of all that are not hidden or built."""
    try:
        listed = subprocess.run(["git", "-C", str(root), "ls-files", "-z"], capture_output=True, check=True, text=True)
        names = [name for name in listed.stdout.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        names = [
            path.relative_to(root).as_posix()
            for path in root.rglob("*")
            if not any(part.startswith(".venv") or part in _SKIPPED for part in path.relative_to(root).parts)
        ]
    return sorted(name for name in names if (root / name).is_file())


def texts(suffix: str = "") -> dict[str, str]:
    """Path and content of the tracked text files with that suffix."""
    found = {}
    for name in tracked():
        if name.endswith(suffix):
            raw = (ROOT / name).read_bytes()
            if b"\0" not in raw:
                found[name] = raw.decode()
    return found


def module_name(path: str) -> str:
    """`node/engine/__init__.py` is `node.engine`."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def in_tests(path: str) -> bool:
    """Whether a file is a test or helps one."""
    return path.startswith("tests/")
