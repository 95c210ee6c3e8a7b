"""At which addresses guests can reach this machine."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from typing import Final

from crdt.errors import OperatingFailure
from node.mesh.interfaces import all_ipv4, usable

_FAR: Final = ("192.0.2.1", 9)  # a documentation address: nothing is sent there


def addresses(wanted: Sequence[str] | None) -> list[str]:
    """This machine's addresses on local networks, the one that most traffic leaves by first.

    `wanted`: those that the user chose to listen on, None for all. OperatingFailure when there is none: guests come
    from next door, so no public address is opened to them unless it was asked for.
    """
    found = [ip for ip in usable(all_ipv4(), wanted) if wanted is not None or _is_local(ip)]
    if not found:
        why = "this machine has no address on a local network"
        raise OperatingFailure("cannot let guests in", why, "Join a Wi-Fi or plug in a cable, then try again.")
    chosen = _outgoing()
    return sorted(found, key=lambda ip: (ip != chosen, ip))


def _is_local(ip: str) -> bool:
    address = ipaddress.IPv4Address(ip)
    return address.is_private and not address.is_loopback


def _outgoing() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_FAR)
            return str(probe.getsockname()[0])
        except OSError:  # no route leads out: a room of its own
            return ""
