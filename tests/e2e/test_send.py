"""Two running nodes, and what one earned goes to the other: the whole way from the command to the other's wallet."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from consensus.params import SMALL, network_id
from crdt.store.keys import entry_item
from crdt.store.recover import close_clean, open_verified
from crdt.types import NO_NONCE
from node.commands.processes import Process
from node.shell.config import Config, boot_id
from tests.consensus.world import World
from wallet import keystore
from wallet.amounts import parse_jam
from wallet.keyfile import Form, Key


def wallet(node: Process, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "node", "wallet", *arguments, "--data", str(node.data_dir), "--json"]
    return subprocess.run(command, capture_output=True, timeout=60, check=False)


def earned(node: Process, world: World, number: int) -> None:
    """A data directory in which a player of a small world has what it has."""
    keystore.put(node.data_dir / "keys", Key(Form.SEED, world.people[number].identity.seed()), None)
    config = Config(node.data_dir, preset="small", room=node.room)
    opened = open_verified(config.store_path, network_id(world.params), boot_id(), NO_NONCE)
    opened.store.write([entry_item(entry) for entry in world.entries], sync=True)
    close_clean(opened.store)


def test_what_one_sends_the_other_has(tmp_path: Path) -> None:
    room = f"send-{tmp_path.name}"
    world = World(3, msgspec.structs.replace(SMALL, room=room))
    window = SMALL.window_at(time.time_ns() // 1_000) - SMALL.epoch_windows
    world.open_session(world.people[0], window)
    world.round(window)
    ann, ben = (Process(name, tmp_path / name, room) for name in "AB")
    for number, node in enumerate((ann, ben)):
        node.data_dir.mkdir(mode=0o700)
        earned(node, world, number)
        node.begin()
    try:
        for node in (ann, ben):
            node.await_ready()
        before = [node.client().wallet()["balance_micro"] for node in (ann, ben)]
        done = wallet(ann, "send", ben.player, "0.123456", "--memo", "for the bass", "--yes", "--wait", "60")
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert (found["state"], found["held_by"]) == ("local", [ben.player])
        after = [node.client().wallet()["balance_micro"] for node in (ann, ben)]
        paid = parse_jam("0.123456")
        assert after == [before[0] - paid, before[1] + paid]
        (seen,) = ben.client().wallet()["operations"]
        assert (seen["from"], seen["amount_micro"], seen["memo"]) == (ann.player, paid, "for the bass")
        refused = wallet(ann, "send", ben.player, "1000", "--yes")
        assert refused.returncode == 1 and json.loads(refused.stdout)["reason"] == "too-little"
    finally:
        ann.stop()
        ben.stop()
