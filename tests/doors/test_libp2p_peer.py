"""A Node.js libp2p peer on another host of a LAN: finds the node by mDNS, joins the gossip topic, reads entries."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crdt.gate import entries_of
from crdt.replica import Replica
from crdt.types import DocumentName, NetworkId
from node.client import Client
from tests.doors.conftest import Start
from tests.doors.npm import Program, needs_npm, node_version
from tests.lan.nodes import LanNode, until
from tests.lan.wires import Lan, lan, missing

pytestmark = needs_npm
PUBLISHED = "mesh_entries-published"


@pytest.fixture(scope="module")
def wires() -> Iterator[Lan]:
    """A host for the node and one for the peer."""
    if why := missing():
        pytest.skip(why)
    if node_version() < (20,):
        pytest.skip("js-libp2p needs Node.js 20")
    with lan(2) as made:
        yield made


@pytest.fixture
def node(wires: Lan, tmp_path: Path) -> Iterator[LanNode]:
    made = LanNode(wires.hosts[0], tmp_path / "node")
    try:
        made.begin()
        until(made.is_up, "the start", 60)
        made.player = made.status()["player"]
        yield made
    finally:
        made.stop()


def entries_held(node: LanNode) -> dict[str, set[str]]:
    """All entries of a node, as hex, by document."""
    status = node.status()
    held = {}
    for document in status["documents"]:
        name = DocumentName(document["name"])
        update = node.host.call(lambda name=name: Client.of(node.data_dir).document(name))
        replica = Replica(NetworkId(bytes.fromhex(status["network"])), name)
        held[name] = {entry.raw.hex() for entry in entries_of(replica, update)}
    return held


def read_while(peer: Program, playing: subprocess.Popen[bytes]) -> list[dict[str, Any]]:
    """What the peer reads while somebody plays, and a little longer."""
    out = []
    quiet_since = time.monotonic()
    while playing.poll() is None or time.monotonic() < quiet_since + 1.5:
        if playing.poll() is None:
            quiet_since = time.monotonic()
        line = peer.poll(0.2)
        if line is not None and line["event"] == "entry":
            out.append(line)
    return out


def test_a_nodejs_peer_finds_the_node_joins_and_reads_entries(
    wires: Lan, node: LanNode, libp2p: Path, start: Start
) -> None:
    node.open_jam()
    status = node.status()
    assert PUBLISHED not in status["counters"]  # nobody listens yet
    peer = start(libp2p, "peer.mjs", prefix=wires.hosts[1].command(), network=status["network"])
    peer.next("started", 60)
    found = peer.next("found")
    assert found["peer"] == status["peer_id"]
    assert any(address.startswith("/ip4/10.83.0.1/tcp/") for address in found["addresses"])
    peer.next("dialled")
    assert "/meshsub/1.1.0" in peer.next("identified")["protocols"]
    subscribed = peer.next("subscribed")
    assert subscribed["topics"] == [f"symjam/{status['network'][:16]}/hints"]

    playing = node.play(3)
    said = read_while(peer, playing)
    assert playing.returncode == 0
    held = entries_held(node)
    assert said and all(line["isVerified"] for line in said)
    assert {line["author"] for line in said} == {node.player}
    for line in said:
        assert line["raw"] in held[line["document"]]
    jams = {name for name in held if name.startswith("jam/")}
    assert {line["raw"] for line in said if line["document"] in jams} == set().union(*(held[name] for name in jams))
    assert len({line["raw"] for line in said}) == len(said)
    status = node.status()
    assert status["refused"] == {}
    assert 0 < status["counters"][PUBLISHED] <= 10 * 8
    peer.stop()
    until(lambda: node.status()["listeners"] == 0, "that it has left", 10)
