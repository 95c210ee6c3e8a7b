"""Addresses and interfaces that come and go under running nodes: no restart, nothing to configure."""

from __future__ import annotations

import socket

from tests.lan.nodes import LanNode, all_linked, until
from tests.lan.wires import Lan, Namespace

PATIENCE_S = 20.0
REJOINED_S = 5.0


def listens(node: LanNode, from_host: Namespace, address: str) -> bool:
    """Whether its mesh port answers there."""
    port = int(node.status()["addresses"][0].split("/")[4])

    def dial() -> bool:
        try:
            with socket.create_connection((address, port), timeout=2):
                return True
        except OSError:
            return False

    return from_host.call(dial)


def test_another_address_is_announced_listened_on_and_linked_over(wires: Lan, running: list[LanNode]) -> None:
    """As a new lease or another Wi-Fi: rejoined under five seconds."""
    until(lambda: all_linked(running), "the links", PATIENCE_S)
    node, host = running[1], wires.hosts[1]
    host.ip("addr", "del", "10.83.0.2/24", "dev", "eth0")
    until(lambda: node.hosts() == {"127.0.0.1"}, "nothing but loopback to announce", PATIENCE_S)
    until(lambda: not node.peers(), "the loss being noticed", PATIENCE_S)
    host.ip("addr", "add", "10.83.0.77/24", "dev", "eth0")
    assert until(lambda: all_linked(running), "links between all", PATIENCE_S) < REJOINED_S
    until(lambda: node.hosts() == {"10.83.0.77"}, "the new address", PATIENCE_S)
    assert listens(node, wires.hosts[0], "10.83.0.77")


def test_a_second_interface_takes_over_from_the_first(wires: Lan, running: list[LanNode]) -> None:
    """A cable besides the Wi-Fi, and then the Wi-Fi goes."""
    for i in (0, 2):
        wires.cable(i, "eth1", f"10.84.0.{i + 1}/24")
    first, third = running[0], running[2]
    until(lambda: first.hosts() == {"10.83.0.1", "10.84.0.1"}, "both addresses", PATIENCE_S)
    until(lambda: third.hosts() == {"10.83.0.3", "10.84.0.3"}, "both addresses", PATIENCE_S)
    wires.pull(2)
    took_s = until(lambda: first.via(third.player) == "10.84.0.3", "the other way", PATIENCE_S)
    assert took_s < REJOINED_S
    wires.plug(2)
    wires.hosts[2].ip("link", "del", "eth1")
    until(lambda: third.hosts() == {"10.83.0.3"}, "the one address", PATIENCE_S)
    until(lambda: all_linked(running) and first.via(third.player) == "10.83.0.3", "the first way again", PATIENCE_S)
