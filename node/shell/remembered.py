"""Addresses at which peers were reached, kept from one run to the next: a hint, so a damaged file is no failure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

ADDRESSES_MAX: Final = 256
_FILE_MAX_BYTES: Final = 65_536


def load(path: Path) -> list[str]:
    """The remembered addresses; none when there is no file that can be read."""
    try:
        with path.open("rb") as file:
            content = json.loads(file.read(_FILE_MAX_BYTES))
    except (OSError, ValueError):
        return []
    if not isinstance(content, list):
        return []
    return [address for address in content[:ADDRESSES_MAX] if isinstance(address, str)]


def save(path: Path, addresses: list[str]) -> None:
    """Remember addresses, newest last."""
    beside = path.with_suffix(".new")
    try:
        beside.write_text(json.dumps(addresses[-ADDRESSES_MAX:]), encoding="utf-8")
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)  # the disk is full: peers are found again without it
