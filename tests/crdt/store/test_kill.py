"""kill -9 of a real process that saves, then speaks: nothing it has said is missing afterwards."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from crdt.store.recover import open_verified
from tests.crdt.store.logs import BOOT, FRESH, NETWORK

_WRITER = """
import sys
from pathlib import Path
from crdt.entry import next_body, sign
from crdt.store.keys import entry_item
from crdt.store.last_signed import LastSigned
from crdt.store.recover import open_verified
from crdt.types import NO_NONCE
from tests.crdt.store.logs import BOOT, JAM, LEDGER, NETWORK, make_log, player

directory, me = Path(sys.argv[1]), player(1)
node = open_verified(directory / "db", NETWORK, BOOT, NO_NONCE)
signed = LastSigned.load(directory / "signed")
last = {JAM: None, LEDGER: None}
for entry in node.entries():
    last[entry.body.document] = entry
for turn in range(5_000):
    fresh = []
    for document in [JAM] * 5 + [LEDGER] * (turn % 4 == 0):
        before = last[document]
        entry = sign(me, NETWORK, next_body(before, b"x")) if before else make_log(me, 1, document)[0]
        last[document] = entry
        fresh.append(entry)
    node.store.write([entry_item(entry) for entry in fresh], sync=turn % 4 == 0)
    for entry in fresh:
        if entry.body.document == LEDGER:
            signed.record(LEDGER, entry.body.seq, entry.id)
    print(" ".join(entry.id.hex() for entry in fresh), flush=True)
"""


def run_and_kill(directory: Path, lines: int) -> set[str]:
    """Ids acknowledged by a writer that was killed after that many lines."""
    child = subprocess.Popen([sys.executable, "-c", _WRITER, str(directory)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    said: list[str] = []
    for _ in range(lines):
        said += child.stdout.readline().split()
    child.kill()
    rest, _ = child.communicate(timeout=60)
    if rest.endswith("\n"):
        said += rest.split()
    else:
        said += [word for line in rest.splitlines()[:-1] for word in line.split()]
    assert child.returncode == -9
    return set(said)


@pytest.mark.parametrize("seed", range(3))
def test_nothing_acknowledged_is_missing(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    acknowledged: set[str] = set()
    for _ in range(3):
        acknowledged |= run_and_kill(tmp_path, chance.randint(5, 120))
        node = open_verified(tmp_path / "db", NETWORK, BOOT, FRESH)
        held = {entry.id.hex() for entry in node.entries()}
        assert acknowledged <= held
        assert len(acknowledged) > 20
        assert not node.recovery.damaged
        assert not node.recovery.machine_went_down
        assert node.nonce != FRESH  # the process died, not the machine: its log goes on
        node.store.close()
