"""What a backup says of itself: `manifest.json` in the archive, `symjam.manifest/1`."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from crdt.limits import BACKUP_DEPTH_MAX, BACKUP_FILES_MAX

SCHEMA: Final = "symjam.manifest/1"
STORE_NAME: Final = re.compile(r"store-([a-z]{1,16})-([0-9a-f]{8})")
_PART: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")

Hex = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Count = Annotated[int, Meta(ge=0, le=2**53 - 1)]

LEFT_OUT: Final = "left-out"


class StoreKept(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One network's store. `root`: of the ledger at that moment, where a running node said it."""

    name: Annotated[str, Meta(pattern=f"^{STORE_NAME.pattern}$")]
    network: Hex
    pieces: Count
    records: Count
    entries: Count
    root: Hex | None


class FileKept(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another file, by its place in the data directory."""

    path: Annotated[str, Meta(max_length=600)]
    bytes: Count


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`key`: how it is in there. `player`: whose data it is, where that is known."""

    schema: Literal["symjam.manifest/1"] = SCHEMA
    version: Annotated[str, Meta(max_length=32)]
    created_us: Count
    player: Hex | None
    key: Literal["passphrase", "open", "left-out", "none"]
    stores: Annotated[tuple[StoreKept, ...], Meta(max_length=64)]
    files: Annotated[tuple[FileKept, ...], Meta(max_length=BACKUP_FILES_MAX)]


def is_place(path: str) -> bool:
    """Whether a file may lie there in a data directory: below it, by plain names, and where no store or process is."""
    parts = path.split("/")
    plain = len(parts) <= BACKUP_DEPTH_MAX and all(_PART.fullmatch(part) for part in parts)
    return plain and parts[0] != "run" and not parts[0].startswith("store")
