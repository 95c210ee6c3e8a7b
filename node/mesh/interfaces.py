"""Which of this machine's addresses other players could reach."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import Final

import ifaddr

# Bridges and tunnels of containers, virtual machines and VPNs: the same 172.17.0.1 exists on every machine with
# docker, and announcing it sends each peer to itself.
_LEFT_OUT: Final = ("docker", "br-", "veth", "virbr", "vmnet", "vboxnet", "tun", "tap", "wg", "utun", "ppp", "cni")
LOOPBACK: Final = "127.0.0.1"


def all_ipv4() -> list[tuple[str, str]]:
    """(interface name, IPv4 address) of every interface."""
    return [
        (adapter.name, ip.ip)
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
        if isinstance(ip.ip, str)  # IPv6 comes as a tuple
    ]


def usable(found: Iterable[tuple[str, str]], wanted: Sequence[str] | None) -> list[str]:
    """The addresses to announce, sorted: those wanted, or every one outside containers and tunnels.

    Loopback is announced when it is wanted, or when nothing else is there: two nodes on a machine without a network
    still find each other.
    """
    if wanted is not None:
        return sorted(set(wanted))
    hosts = {
        host
        for name, host in found
        if not name.lower().startswith(_LEFT_OUT) and not ipaddress.IPv4Address(host).is_loopback
    }
    return sorted(hosts) or [LOOPBACK]
