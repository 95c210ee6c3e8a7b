"""`symjam verify`: is everything that is kept what was written?"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from threading import Thread, get_native_id
from typing import Any, Final

import click

from crdt.errors import SymJamError
from node.commands.common import as_json_line, plain
from node.commands.progress import Progress
from node.failures import DAMAGED
from node.keep.verify import Report, StoreReport, verify_data
from node.shell.config import default_data_dir

NICER: Final = 15  # than what plays; the work is done here, not in the node
SHOWN: Final = 20  # faults of one store; --json has them all
STOPPED_NEXT: Final = (
    "symjam up sets the original aside, keeps what can be verified, and fetches",
    "the rest from peers. What no peer has is in that original, and in backups:",
    "  symjam restore FILE --data ANOTHER",
)
RUNNING_NEXT: Final = ("symjam stop, and:", *STOPPED_NEXT)


def run(data: Path | None, as_json: bool) -> int:
    """Verify all of a data directory; 6 when something is wrong."""
    data_dir = data or default_data_dir()
    with Progress() as progress:
        report = _aside(data_dir, progress)
    if as_json:
        as_json_line(document(data_dir, report))
    else:
        _say(report)
    if report.is_fine:
        return 0
    for line in RUNNING_NEXT if report.running else STOPPED_NEXT:
        click.echo(line, err=True)
    return DAMAGED


class _Aside(Thread):
    """The work in a thread of low priority: that of this process is not to be had back, where others go on with it."""

    def __init__(self, data_dir: Path, progress: Progress) -> None:
        super().__init__(daemon=True)
        self._data_dir, self._progress = data_dir, progress
        self.report: Report | None = None
        self.failure: SymJamError | None = None

    def run(self) -> None:
        """See Thread."""
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, get_native_id(), NICER)
        try:
            self.report = verify_data(self._data_dir, self._progress)
        except SymJamError as error:
            self.failure = error


def _aside(data_dir: Path, progress: Progress) -> Report:
    work = _Aside(data_dir, progress)
    work.start()
    work.join()
    if work.failure is not None:
        raise work.failure
    assert work.report is not None
    return work.report


def document(data_dir: Path, report: Report) -> dict[str, Any]:
    """`symjam.verify/1`."""
    return {
        "schema": "symjam.verify/1",
        "data_dir": str(data_dir),
        "fine": report.is_fine,
        "running": report.running,
        "stores": [_store(store) for store in report.stores],
        "files": [{"path": path, "fault": fault} for path, fault in report.files],
    }


def _store(store: StoreReport) -> dict[str, Any]:
    found, ledger = store.found, store.ledger
    return {
        "name": store.name,
        "network": store.network.hex() if store.network else None,
        "records": found.records,
        "entries": found.walk.entries,
        "logs": len(found.walk.logs),
        "documents": len({name.document for name in found.walk.logs}),
        "proofs": len(found.proofs),
        "pruned": found.pruned,
        "checkpoint": store.checkpoint,
        "faults": [{"where": fault.where, "what": fault.what} for fault in found.faults],
        "ledger": ledger and {**ledger._asdict(), "running": store.running_root},
        "unfolded": store.unfolded,
    }


def _say(report: Report) -> None:
    for store in report.stores:
        found = store.found
        state = "fine" if store.is_fine else "DAMAGED"
        click.echo(f"{store.name}: {state}")
        click.echo(f"  {found.records:,} records: {found.walk.entries:,} entries, {len(found.proofs):,} proofs")
        for where, what in found.faults[:SHOWN]:
            click.echo(f"  {plain(where)}: {plain(what)}")
        if len(found.faults) > SHOWN:
            click.echo(f"  and {len(found.faults) - SHOWN} faults more: --json")
        if store.ledger is not None:
            same = ", and so does the running node" if store.running_root else ""
            click.echo(f"  ledger of {store.ledger.entries:,} entries, worked out twice: {store.ledger.root}{same}")
        elif store.unfolded:
            click.echo(f"  the ledger was not worked out: {store.unfolded}")
    for path, fault in report.files:
        click.echo(f"{path}: {fault or 'fine'}")
