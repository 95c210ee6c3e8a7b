"""The libp2p mDNS record, spelled as the specification has it (libp2p specs, discovery/mdns).

A peer announces `_p2p._udp.local.` under a random instance name with TXT strings `dnsaddr=<multiaddr>/p2p/<peer id>`,
each at most 255 bytes, the key repeated as it is: Go and JavaScript read nothing but `dnsaddr=`. Who answers is told
by the peer id inside; the instance name says nothing, some peers invent a new one for every answer.

One string more, `symjam=<first bytes of the network id>`, which others pass over, spares nodes of different networks in
one room to connect only to be refused. Where it is missing, the peer may be anybody, and is dialled.
"""

from __future__ import annotations

import random
import string
from collections.abc import Iterable, Iterator
from typing import Final

from crdt.errors import Violation
from crdt.limits import ADDRESSES_ADVERTISED_MAX
from crdt.types import NetworkId
from node.mesh.address import Address, parse

SERVICE: Final = "_p2p._udp.local."
_KEY: Final = b"dnsaddr="
_NETWORK_KEY: Final = b"symjam="
_NETWORK_BYTES: Final = 8
_NAME_ALPHABET: Final = string.ascii_lowercase + string.digits
_NAME_LENGTHS: Final = (32, 63)
_STRINGS_MAX: Final = 64


def instance_name(chance: random.Random) -> str:
    """A fresh instance name: 32 to 63 random characters."""
    return "".join(chance.choices(_NAME_ALPHABET, k=chance.randint(*_NAME_LENGTHS)))


def to_txt(addresses: Iterable[Address], network: NetworkId) -> bytes:
    """The TXT record's bytes: length-prefixed strings, at most ADDRESSES_ADVERTISED_MAX addresses, then the network."""
    strings = [_KEY + str(address).encode() for address in addresses][:ADDRESSES_ADVERTISED_MAX]
    strings.append(_network(network))
    return b"".join(bytes((len(one),)) + one for one in strings)


def from_txt(text: bytes, network: NetworkId | None) -> list[Address]:
    """The addresses in a TXT record that this mesh could dial; none of a node that says to be of another network than
    this one (None: of any)."""
    found: list[Address] = []
    for one in _strings(text):
        if one.startswith(_NETWORK_KEY) and network is not None and one != _network(network):
            return []
        if not one.startswith(_KEY) or len(found) >= ADDRESSES_ADVERTISED_MAX:
            continue
        try:
            address = parse(one[len(_KEY) :].decode("ascii", "replace"))
        except Violation:
            continue  # a QUIC or WebSocket address, another key type, or rubbish: none of them for us
        if address.kind in ("ip4", "ip6") and address not in found:
            found.append(address)
    return found


def tag_of(network: NetworkId) -> str:
    """How a record names a network."""
    return network[:_NETWORK_BYTES].hex()


def tag_in(text: bytes) -> str:
    """The network that a TXT record names; empty when it names none."""
    named = [one[len(_NETWORK_KEY) :] for one in _strings(text) if one.startswith(_NETWORK_KEY)]
    return named[0].decode("ascii", "replace") if named else ""


def _network(network: NetworkId) -> bytes:
    return _NETWORK_KEY + tag_of(network).encode()


def _strings(text: bytes) -> Iterator[bytes]:
    position = 0
    for _ in range(_STRINGS_MAX):
        if position >= len(text):
            return
        end = position + 1 + text[position]
        yield text[position + 1 : end]
        position = end
