"""Looking at all of a data directory: every record of every store, both ways through the ledger, the small files.

What looks is the process of whoever asks. A running node only hands out its records, piece by piece, so the work (a
tenth of a millisecond an entry, and twice the ledger) is done on somebody else's time, and the music does not hear it.
Nothing is mended: that is what starting the node does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from crdt.errors import OperatingFailure, Violation
from crdt.store.audit import Audit, audit
from crdt.store.base import StoreDamaged
from crdt.store.last_signed import LastSigned
from crdt.store.records import Item, items_in
from crdt.types import Epoch, NetworkId
from node.keep.backup import Progress
from node.keep.hold import Hold, Source
from node.keep.judge import Folded, fold_twice, judge
from wallet import keystore
from wallet.watched import Watched


@dataclass(slots=True)
class StoreReport:
    """One store: what is in it, what is wrong with it. `unfolded`: why the ledger was not worked out, if it was not."""

    name: str
    network: NetworkId | None = None
    found: Audit = field(default_factory=Audit)
    checkpoint: Epoch | None = None
    ledger: Folded | None = None
    running_root: str | None = None
    unfolded: str = ""

    @property
    def is_fine(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.found.faults


@dataclass(slots=True)
class Report:
    """All of a data directory. `files`: those that were looked at, each with what is wrong with it, or nothing."""

    running: bool
    stores: list[StoreReport]
    files: list[tuple[str, str]]

    @property
    def is_fine(self) -> bool:
        """Whether nothing is wrong."""
        return all(store.is_fine for store in self.stores) and not any(fault for _, fault in self.files)


def verify_data(data_dir: Path, progress: Progress) -> Report:
    """Look at everything. OperatingFailure when that cannot be done; damage is no failure, but what is reported."""
    with Hold(data_dir) as hold:
        names, files = hold.names(), _files(data_dir)
        if not names and not files:
            why = f"no node has run in {data_dir}"
            raise OperatingFailure("there is nothing to verify", why, "Give its data directory: --data")
        stores = [_store(hold, name, progress) for name in names]
        return Report(hold.client is not None, stores, files)


def _store(hold: Hold, name: str, progress: Progress) -> StoreReport:
    report = StoreReport(name)
    try:
        with hold.source(name) as source:
            _look(source, report, progress)
    except StoreDamaged as damage:
        report.found.fault("the store", damage.why)
        report.unfolded = "the store cannot be read"
    return report


def _look(source: Source, report: StoreReport, progress: Progress) -> None:
    report.network, report.running_root = source.network, source.running_root
    report.found = found = audit(source.network, _items(source, progress))
    judged = judge(found, source.network)
    report.checkpoint = judged.epoch
    if judged.params is None:
        report.unfolded = "the rules of this network are not in the store: a node of this version puts them there"
    if found.faults:
        report.unfolded = "what is in the store is not whole"
    if report.unfolded:
        return
    report.ledger = folded = fold_twice(found, judged, lambda done, of: progress("folding the ledger", done, of))
    if folded.root != folded.again:
        found.fault("the ledger", f"two orders of its entries give two roots, {folded.root} and {folded.again}")
    elif source.running_root not in (None, folded.root):
        found.fault("the ledger", f"the running node's root is {source.running_root}, its entries give {folded.root}")


def _items(source: Source, progress: Progress) -> Iterator[Item]:
    count = 0
    for piece in source.pieces:
        try:
            items = items_in(piece)
        except Violation as error:
            raise StoreDamaged("the store cannot be read", f"a piece came garbled: {error}") from error
        for item in items:
            if count % 1_000 == 0:
                progress(f"verifying {source.name}", count, source.about)
            count += 1
            yield item


def _files(data_dir: Path) -> list[tuple[str, str]]:
    """The small files on which a node depends."""
    found: list[tuple[str, str]] = []
    if keystore.exists(data_dir / "keys"):
        found.append((f"keys/{keystore.FILE_NAME}", _fault(lambda: keystore.look(data_dir / "keys"))))
    if (data_dir / "watched").exists():
        found.append(("watched", _fault(lambda: Watched(data_dir))))
    signed = sorted(data_dir.glob("last-signed-*")) + sorted(data_dir.glob("guests/*/last-signed-*"))
    return found + [(str(path.relative_to(data_dir)), _fault(partial(LastSigned.load, path))) for path in signed]


def _fault(look: Callable[[], object]) -> str:
    try:
        look()
    except OperatingFailure as failure:
        return failure.why
    return ""
