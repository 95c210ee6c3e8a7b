"""Two transports between two real nodes: when one is blocked, the other carries on, and nothing is missing."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.lan import trials
from tests.lan.nodes import START_S, LanNode, all_same, until
from tests.lan.wires import Lan

PATIENCE_S = 30.0
PORT = 9473
PLAYED_S = 5


@pytest.fixture
def linked(wires: Lan, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[LanNode]]:
    """Two nodes that are linked by both. Without multicast: other tests' nodes on this LAN are none of theirs."""
    root = tmp_path_factory.mktemp("failover")
    first = LanNode(wires.hosts[0], root / "first", "--no-mdns", "--room", "failover", "--websocket", str(PORT))
    second: LanNode | None = None
    try:
        first.begin()
        until(first.is_up, "the start", START_S)
        address = next(one for one in first.status()["addresses"] if one.startswith("/ip4/10.83."))
        peers = ("--peer", address, "--peer", f"ws://10.83.0.1:{PORT}")
        second = LanNode(wires.hosts[1], root / "second", "--no-mdns", "--room", "failover", *peers)
        second.begin()
        until(second.is_up, "the start", START_S)
        for node in (first, second):
            node.player = node.status()["player"]
        yield [first, second]
    finally:
        for node in (first, second):
            if node is not None:
                node.stop()


def transports(node: LanNode) -> list[str]:
    """Those to the one peer, the one in use first."""
    peers = node.status()["peers"]
    return peers[0]["transports"] if peers else []


def test_the_other_transport_takes_over_while_music_goes_on(wires: Lan, linked: list[LanNode]) -> None:
    """TCP links are cut off as by a firewall: packets of their port vanish, and nobody is told."""
    first, second = linked
    until(lambda: all(set(transports(node)) == {"tcp", "websocket"} for node in linked), "both links", PATIENCE_S)
    since = [node.status()["peers"][0]["since_us"] for node in linked]
    port = next(one for one in first.status()["addresses"] if one.startswith("/ip4/")).split("/")[4]
    players = trials.play_together(linked, PLAYED_S)
    wires.hosts[0].nft("add", "table", "ip", "wall")
    wires.hosts[0].nft("add", "chain", "ip", "wall", "in", "{ type filter hook input priority 0 ; }")
    wires.hosts[0].nft("add", "rule", "ip", "wall", "in", "tcp", "dport", port, "drop")
    try:
        until(lambda: all(transports(node) == ["websocket"] for node in linked), "the end of TCP", PATIENCE_S)
        done = subprocess.run(
            second.host.command(sys.executable, "-m", "node", "peers", "--data", str(second.data_dir), "--json"),
            capture_output=True,
            check=True,
            timeout=30,
        )
        assert [peer["transport"] for peer in json.loads(done.stdout)["peers"]] == ["websocket"]
        played = trials.saved(players, PLAYED_S)
        until(lambda: all_same(linked), "the same everywhere", PATIENCE_S)
        trials.heard_all(linked, played)
        assert [node.status()["peers"][0]["since_us"] for node in linked] == since, "it left and joined again"
    finally:
        wires.hosts[0].nft("delete", "table", "ip", "wall")
    until(lambda: all(len(transports(node)) == 2 for node in linked), "TCP again", PATIENCE_S)
