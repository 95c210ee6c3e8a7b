"""Where a peer may be reached: the one shape of multiaddr that this mesh dials, `/ip4/HOST/tcp/PORT/p2p/PEER`.

Addresses arrive from strangers (mDNS, remembered lists), so they are parsed strictly and by value.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

from crdt.errors import Reason, Violation
from crdt.types import PlayerId
from node.mesh.peerid import peer_id_of, player_of

TEXT_MAX_BYTES: Final = 247  # with `dnsaddr=` it fills a TXT string of 255
_SHAPE = re.compile(r"/(ip4|ip6|dns4|dns6|dns)/([^/\s]{1,128})/tcp/([1-9][0-9]{0,4})/p2p/([1-9A-HJ-NP-Za-km-z]+)\Z")
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?\Z")


@dataclass(frozen=True, slots=True)
class Address:
    """A dialable address and whom to expect there."""

    kind: str  # ip4, ip6, or dns* (static peers only)
    host: str
    port: int
    player: PlayerId

    @property
    def transport(self) -> str:
        """The multiaddr without the peer."""
        return f"/{self.kind}/{self.host}/tcp/{self.port}"

    def __str__(self) -> str:
        return f"{self.transport}/p2p/{peer_id_of(self.player)}"


def parse(text: str) -> Address:
    """An address from its multiaddr. Violation(GARBAGE or BAD_KEY) for anything that this mesh would not dial."""
    match = _SHAPE.match(text) if len(text) <= TEXT_MAX_BYTES else None
    if match is None:
        raise Violation(Reason.GARBAGE, f"not a /ip4/HOST/tcp/PORT/p2p/PEER address: {text[:80]!r}")
    kind, host, port = match[1], match[2], int(match[3])
    if port > 65_535:
        raise Violation(Reason.GARBAGE, f"port {port}")
    if kind in ("ip4", "ip6"):
        try:
            ip = ipaddress.IPv4Address(host) if kind == "ip4" else ipaddress.IPv6Address(host)
        except ValueError:
            raise Violation(Reason.GARBAGE, f"not an {kind} host: {host[:40]!r}") from None
        if ip.is_unspecified or ip.is_multicast:
            raise Violation(Reason.GARBAGE, f"nobody listens at {host}")
    elif not _NAME.match(host):
        raise Violation(Reason.GARBAGE, f"not a host name: {host[:40]!r}")
    return Address(kind, host, port, player_of(match[4]))


def at(host: str, port: int, player: PlayerId) -> Address:
    """The address of a player at an IP address and port."""
    kind = "ip6" if ":" in host else "ip4"
    return Address(kind, host, port, player)
