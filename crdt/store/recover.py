"""Opening a store, and knowing afterwards what is in it.

Nothing read from a disk is believed because it was once written there. Every log is walked (walk.py) before the
caller sees it; where LevelDB refuses to open or to read, or a walk does not come out whole, the directory is set
aside and a new one is built of the longest verified prefixes (salvage.py). What is missing then is reported, and
peers give it again.

Signatures are not checked again where a document is what its seal says (seal.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from crdt.entry import Entry
from crdt.errors import OperatingFailure, SymJamError
from crdt.store.base import Batch, Store, StoreDamaged
from crdt.store.keys import ENTRY, PROOF, LogName
from crdt.store.level import LevelStore
from crdt.store.mark import (
    Mark,
    is_of_network,
    machine_went_down,
    mark_clean,
    mark_network,
    mark_open,
    read_mark,
)
from crdt.store.salvage import Salvage, salvage
from crdt.store.seal import SEAL_PREFIX, EntriesDigest, changed, documents
from crdt.store.swap import finish_swap
from crdt.store.upgrade import STEPS, Step, Upgraded, brought_up, newest, require_newest
from crdt.store.walk import Loss, Walk, verified_proof, walk
from crdt.types import DocumentName, NetworkId, Nonce


@dataclass(frozen=True, slots=True)
class Recovery:
    """What opening found. `lost` counts what was read and not kept; `unaccounted` what a clean close had counted
    and nothing was read of."""

    entries: int
    signatures_checked: bool
    machine_went_down: bool
    lost: Mapping[LogName, Loss]
    unaccounted: int
    set_aside: Path | None
    unreadable: str | None
    upgraded: Upgraded | None = None

    @property
    def damaged(self) -> bool:
        """Whether the store was not what had been written to it."""
        return self.set_aside is not None

    def words(self) -> list[str]:
        """The report as a user reads it; empty when there is nothing to say."""
        said = []
        if self.upgraded is not None:
            before, after, aside = self.upgraded.before, self.upgraded.after, self.upgraded.set_aside
            said.append(f"the store was brought from format {before} to {after}; what it was is in {aside}")
        if self.machine_went_down:
            said.append("the machine went down while this node was running")
        if self.set_aside is not None:
            said.append(f"the store was damaged; a copy is in {self.set_aside}")
        if self.unreadable is not None:
            said.append(f"it could not be opened ({self.unreadable}); {self.entries} entries were found in its files")
        for name, loss in self.lost.items():
            author = name.log.author.hex()[:8]
            said.append(f"{name.document} of {author}: {loss.kept} entries kept, {loss.dropped} dropped ({loss.why})")
        if self.unaccounted:
            said.append(f"{self.unaccounted} entries that were there at the last clean stop are missing")
        return said


@dataclass(frozen=True, slots=True)
class Opened:
    """A store in use, the entries in it by log, the equivocation proofs, the nonce for one's own jam logs."""

    store: Store
    logs: Mapping[LogName, list[Entry]]
    proofs: tuple[tuple[bytes, bytes], ...]
    nonce: Nonce
    recovery: Recovery

    def entries(self) -> Iterator[Entry]:
        """All entries, each after its predecessor, ledger documents by epoch before jams."""
        for log in self.logs.values():
            yield from log


def open_verified(
    path: Path, network: NetworkId, boot_id: str, fresh_nonce: Nonce, steps: Sequence[Step] = STEPS
) -> Opened:
    """Open the LevelDB store at `path`, made when there is none, and brought to the newest format when it is of an
    older one (`steps` lead there). `close_clean` ends its use.

    `boot_id` names this boot of the machine. `fresh_nonce` becomes the nonce of this author's jam logs unless the
    store knows the present one and nothing sent under it can be lost; so it is random, except for an identity that
    was made a moment ago and has written nothing (NO_NONCE).
    Raises OperatingFailure: StoreInUse, StoreTooNew, a store of another network, a disk that fails or has no room for a
    copy.
    """
    finish_swap(path)
    with _making(path):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    upgraded = None
    try:
        store, upgraded = brought_up(LevelStore(path), steps)
        opened = open_store(store, network, boot_id, fresh_nonce, steps=steps)
    except StoreDamaged:
        rescue = salvage(path, network, newest(steps))
        opened = open_store(LevelStore(path), network, boot_id, fresh_nonce, rescue, steps)
    return replace(opened, recovery=replace(opened.recovery, upgraded=upgraded))


def open_store(
    store: Store,
    network: NetworkId,
    boot_id: str,
    fresh_nonce: Nonce,
    rescue: Salvage | None = None,
    steps: Sequence[Step] = STEPS,
) -> Opened:
    """As `open_verified`, for a store of any kind that is open already. It is closed when this fails.

    Raises StoreDamaged when anything in it does not verify; `rescue` is what has been done about that. StoreTooNew.
    """
    try:
        require_newest(store, steps)
        return _open_store(store, network, boot_id, fresh_nonce, rescue)
    except SymJamError:
        store.close()
        raise


def close_clean(store: Store) -> None:
    """End the use of a store to which nothing more will be written, so that the next start is quick."""
    mark_clean(store)
    store.close()


def _open_store(store: Store, network: NetworkId, boot_id: str, fresh_nonce: Nonce, rescue: Salvage | None) -> Opened:
    if not is_of_network(store, network):
        mark_network(store, network)
    mark = read_mark(store)
    found, trusted, seals = _read(store, network, mark)
    if not found.whole:
        raise StoreDamaged("the store cannot be used", "entries in it do not verify", "Restore it from a copy")
    proofs = [verified_proof(network, key, value) for key, value in store.scan(PROOF)]
    went_down = machine_went_down(mark, boot_id)
    certain = rescue is None and not went_down and mark is not None and (trusted or not mark.clean)
    nonce = mark.nonce if mark is not None and certain else fresh_nonce
    mark_open(store, boot_id, nonce, seals)
    recovery = Recovery(
        entries=found.entries,
        signatures_checked=found.checked,
        machine_went_down=went_down,
        lost=rescue.walk.lost if rescue else {},
        unaccounted=_unaccounted(mark, found, rescue),
        set_aside=rescue.set_aside if rescue else None,
        unreadable=rescue.unreadable if rescue else None,
    )
    return Opened(store, found.logs, tuple(proof for proof in proofs if proof is not None), nonce, recovery)


def _read(store: Store, network: NetworkId, mark: Mark | None) -> tuple[Walk, bool, Batch]:
    """All entries, walked, whether they are those of the last clean close, and the seals that are new."""
    known, now, sealed = dict(store.scan(SEAL_PREFIX)), EntriesDigest(), set[DocumentName]()
    found = walk(network, documents(store.scan(ENTRY), known, now, sealed), sealed)
    trusted = mark is not None and mark.clean and (now.count, now.digest()) == (mark.entries, mark.digest)
    return found, trusted, changed(known, now.seals())


def _unaccounted(mark: Mark | None, found: Walk, rescue: Salvage | None) -> int:
    if mark is None or not mark.clean:
        return 0
    dropped = sum(loss.dropped for loss in rescue.walk.lost.values()) + len(rescue.walk.strays) if rescue else 0
    return max(0, mark.entries - found.entries - dropped)


@contextmanager
def _making(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OperatingFailure(
            f"the directory {path} cannot be made", error.strerror or str(error), "Choose another data directory"
        ) from error
