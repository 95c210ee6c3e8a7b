"""A process that saves, then speaks, and goes on where it stopped: `python -m tests.soak.writer DIRECTORY TURNS`.

One line on stdout for each entry, after it is saved (in the ledger: synced and recorded): document, nonce, number, id.
A failure of the disk is told as three fields on stderr, with exit code 3.
"""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

from crdt.entry import Entry, LogKey, first_body, next_body, sign
from crdt.errors import OperatingFailure
from crdt.store.keys import LogName, entry_item
from crdt.store.last_signed import LastSigned
from crdt.store.recover import close_clean, open_verified
from crdt.types import NO_NONCE, DocumentName, Nonce
from tests.crdt.store.logs import BOOT, JAM, LEDGER, NETWORK, player

ME = player(1)
LEDGER_EVERY = 4


def main(directory: Path, turns: int) -> None:
    """Five jam entries a turn, unsynced; in every fourth turn a ledger entry with them, synced."""
    opened = open_verified(directory / "db", NETWORK, BOOT, Nonce(secrets.token_bytes(8)))
    record = LastSigned.load(directory / "signed")
    last = {name: log[-1] for name, log in opened.logs.items()}
    print("open", "damaged" if opened.recovery.damaged else "whole", flush=True)

    def written(document: DocumentName, nonce: Nonce) -> Entry:
        name = LogName(document, LogKey(ME.player, nonce))
        before = last.get(name)
        body = (
            next_body(before, bytes(90)) if before else first_body(NETWORK, document, name.log, secrets.token_bytes(9))
        )
        last[name] = sign(ME, NETWORK, body)
        return last[name]

    held = last.get(LogName(LEDGER, LogKey(ME.player, NO_NONCE)))
    may_sign = record.latest is None or (held is not None and held.body.seq >= record.latest.seq)
    for turn in range(turns):
        synced = may_sign and turn % LEDGER_EVERY == 0
        fresh = [written(JAM, opened.nonce) for _ in range(5)] + [written(LEDGER, NO_NONCE) for _ in range(synced)]
        opened.store.write([entry_item(entry) for entry in fresh], sync=synced)
        if synced:
            record.record(LEDGER, fresh[-1].body.seq, fresh[-1].id)
        for entry in fresh:
            print(entry.body.document, entry.body.nonce.hex(), entry.body.seq, entry.id.hex())
        sys.stdout.flush()
    close_clean(opened.store)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), int(sys.argv[2]))
    except OperatingFailure as failure:
        print(failure.what, failure.why, failure.remedy, sep=" | ", file=sys.stderr)
        sys.exit(3)
