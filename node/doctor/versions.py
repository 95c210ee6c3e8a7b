"""Which versions run: of SymJam, of Python, and of what it is built on."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version
from platform import machine, python_version, release, system
from typing import Final

from node.doctor.check import Check, fail, ok, warning

PYTHONS: Final = ((3, 11), (3, 12))
PACKAGES: Final = (
    "libp2p", "trio", "zeroconf", "pycrdt", "PyNaCl", "plyvel", "msgspec", "hypercorn", "starlette", "click",
    "platformdirs", "prometheus-client", "mnemonic",
)  # fmt: skip


def installed() -> dict[str, str | None]:
    """The version of each package, None for one that is missing."""
    return {name: _version(name) for name in ("symjam", *PACKAGES)}


def machine_words() -> str:
    """Python and the machine that it runs on."""
    return f"Python {python_version()}, {system()} {release()}, {machine()}"


def check(node_version: str | None) -> Check:
    """`node_version`: what the running node says to be."""
    found = installed()
    missing = [name for name, one in found.items() if one is None]
    if missing:
        why, remedy = "parts of it do not work", "Install from the lock file again: `make setup`."
        return fail("version", f"not installed: {', '.join(missing)}", why, remedy)
    if sys.version_info[:2] not in PYTHONS:
        remedy = "Use Python 3.11 or 3.12."
        return warning("version", machine_words(), "SymJam is tested with other versions of Python", remedy)
    mine = found["symjam"]
    if node_version is not None and node_version != mine:
        seen = f"the node is of version {node_version}, this command of {mine}"
        return warning("version", seen, "they may not understand each other", "`symjam stop`, then `symjam up`.")
    return ok("version", f"symjam {mine}, {machine_words()}, libp2p {found['libp2p']}, trio {found['trio']}")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
