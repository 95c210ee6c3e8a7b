"""What `symjam backup`, `restore` and `verify` print with `--json`."""

from __future__ import annotations

from typing import Literal

from node.shapes.common import Hex, Shape

KeyState = Literal["passphrase", "open", "left-out", "none"]


class StoreCopied(Shape, frozen=True):
    """One network's store in a backup. `root`: of its ledger, as a running node said."""

    name: str
    network: Hex
    records: int
    entries: int
    root: Hex | None


class Backup(Shape, frozen=True, tag_field="schema", tag="symjam.backup/1"):
    """A backup was made. `key`: how it is in there; `digest`: BLAKE2b-256, as its last member says."""

    file: str
    bytes: int
    digest: Hex
    created_us: int
    player: Hex | None
    key: KeyState
    stores: list[StoreCopied]
    files: list[str]


class Restore(Shape, frozen=True, tag_field="schema", tag="symjam.restore/1"):
    """A data directory was made of a backup."""

    data_dir: str
    digest: Hex
    created_us: int
    player: Hex | None
    key: KeyState
    stores: list[StoreCopied]
    files: list[str]


class Fault(Shape, frozen=True):
    """One thing that is not as it must be."""

    where: str
    what: str


class FoldedTwice(Shape, frozen=True):
    """The ledger's root by two orders of its entries, and the running node's at that moment."""

    entries: int
    root: Hex
    again: Hex
    running: Hex | None


class StoreVerified(Shape, frozen=True):
    """One store. `pruned`: entries of which only the ids are left; `checkpoint`: its epoch; `unfolded`: why `ledger` is
    null, empty when it is not."""

    name: str
    network: Hex | None
    records: int
    entries: int
    logs: int
    documents: int
    proofs: int
    pruned: int
    checkpoint: int | None
    faults: list[Fault]
    ledger: FoldedTwice | None
    unfolded: str


class FileVerified(Shape, frozen=True):
    """One small file; `fault` is empty when nothing is wrong with it."""

    path: str
    fault: str


class Verified(Shape, frozen=True, tag_field="schema", tag="symjam.verify/1"):
    """All of a data directory was looked at. `running`: by the API of the node that has it open."""

    data_dir: str
    fine: bool
    running: bool
    stores: list[StoreVerified]
    files: list[FileVerified]
