"""A backup of a node that plays, restored elsewhere: verified, with the same balance and history; and damage named."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from consensus.params import SMALL
from node.commands.processes import Process, start_player
from node.shapes.keeping import Backup, Restore, Verified
from tests.consensus.world import World
from tests.crdt.store.test_level import flip, in_table, the
from tests.e2e.test_send import earned
from tests.fitting import misfit


def said(*arguments: str, code: int = 0) -> dict[str, Any]:
    command = [sys.executable, "-m", "node", *arguments, "--json"]
    done = subprocess.run(command, capture_output=True, timeout=90, check=False)
    assert done.returncode == code, done.stderr
    shown: dict[str, Any] = json.loads(done.stdout)
    return shown


def account(node: Process) -> tuple[int, list[dict[str, Any]]]:
    """The balance, and the history of what moved; what is under way may be played on or not."""
    rows = [row for row in node.client().history()["items"] if row["counted"]]
    return node.client().wallet()["balance_micro"], rows


def rich(path: Path, room: str) -> Process:
    """A node whose player has earned something."""
    node = Process("A", path, room)
    node.data_dir.mkdir(mode=0o700)
    world = World(3, msgspec.structs.replace(SMALL, room=room))
    window = SMALL.window_at(time.time_ns() // 1_000) - 4 * SMALL.epoch_windows
    world.open_session(world.people[0], window)
    world.round(window)
    earned(node, world, 0)
    return node


def test_backup_while_it_plays_and_all_that_follows(tmp_path: Path) -> None:
    room = f"keep-{tmp_path.name}"
    node, other = rich(tmp_path / "a", room), Process("B", tmp_path / "b", room)
    archive = str(tmp_path / "backup.tar")
    node.start()
    try:
        before = account(node)
        player = start_player(node, None, 60)
        while node.client().status()["counters"].get("events_played", 0) < 5:
            assert player.is_playing()
            time.sleep(0.1)
        made = said("backup", archive, "--data", str(node.data_dir))
        looked = said("verify", "--data", str(node.data_dir))
        assert player.is_playing()
        player.stop()
    finally:
        node.stop()
    assert not misfit(made, Backup) and made["stores"][0]["entries"] > 5
    assert not misfit(looked, Verified) and looked["fine"] and looked["running"]
    assert looked["stores"][0]["ledger"]["root"] == looked["stores"][0]["ledger"]["running"]
    assert before[0] > 0 and before[1]

    damaged = tmp_path / "damaged.tar"
    damaged.write_bytes(Path(archive).read_bytes())
    flip(damaged, 2_000)
    refused = said("restore", str(damaged), "--data", str(other.data_dir), code=6)
    assert "digest" in refused["why"] and not other.data_dir.exists()

    restored = said("restore", archive, "--data", str(other.data_dir))
    assert not misfit(restored, Restore) and restored["digest"] == made["digest"]
    assert said("verify", "--data", str(other.data_dir))["stores"][0]["ledger"]["root"] == made["stores"][0]["root"]
    other.start()
    try:
        assert account(other) == before
        ledger = other.client().status()["ledger"]
        assert not ledger["ready"] and ledger["signs_from_epoch"] is not None
    finally:
        other.stop()

    store = next(other.data_dir.glob("store-small-????????"))
    in_table(store)
    table = the(store, ".ldb")
    flip(table, table.stat().st_size // 2)
    found = said("verify", "--data", str(other.data_dir), code=6)
    assert not misfit(found, Verified)
    assert "checksum mismatch" in found["stores"][0]["faults"][0]["what"]
