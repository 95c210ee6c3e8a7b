"""mDNS packets byte by byte, as the three other implementations of libp2p spell them, and a socket to say them with.

Go (zeroconf): PTR, then TXT (all strings in one record), SRV and A as additional records, names compressed.
JavaScript (multicast-dns): PTR, then one TXT record per address, nothing else, nothing compressed.
Rust (libp2p-mdns): PTR to a name invented for this answer; one TXT record per address among the additional records,
marked as unique, a few of them per packet, so that many addresses come in packets that do not name the same instance.
"""

from __future__ import annotations

import secrets
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

GROUP, PORT = "224.0.0.251", 5353
SERVICE = ("_p2p", "_udp", "local")
A, PTR, TXT, SRV = 1, 12, 16, 33
IN, UNIQUE = 0x0001, 0x8001
ANSWER = 0x8400  # response, authoritative
TTL_S = 120


def name(*labels: str) -> bytes:
    """A name, not compressed."""
    return b"".join(bytes((len(label),)) + label.encode() for label in labels) + b"\0"


def record(owner: bytes, kind: int, data: bytes, *, class_: int = IN, ttl_s: int = TTL_S) -> bytes:
    """One resource record."""
    return owner + struct.pack(">HHIH", kind, class_, ttl_s, len(data)) + data


def packet(answers: Sequence[bytes], additional: Sequence[bytes] = (), *, flags: int = ANSWER) -> bytes:
    """A whole message."""
    return struct.pack(">6H", 0, flags, 0, len(answers), 0, len(additional)) + b"".join([*answers, *additional])


def string(text: str | bytes) -> bytes:
    """A character string, as TXT records hold them."""
    raw = text.encode() if isinstance(text, str) else text
    return bytes((len(raw),)) + raw


def pointer(offset: int) -> bytes:
    """A compressed name."""
    return struct.pack(">H", 0xC000 | offset)


def instance() -> str:
    """A random name, 32 characters."""
    return secrets.token_hex(16)


def go(addresses: Sequence[str], host: bytes = bytes((127, 0, 0, 1)), port: int = 4001) -> bytes:
    """An answer by go-libp2p."""
    who = instance()
    service = 12  # where the first name starts: right behind the header
    first = record(name(*SERVICE), PTR, string(who) + pointer(service))
    owner = pointer(12 + len(name(*SERVICE)) + 10)
    local = pointer(service + len("\4_p2p\4_udp"))
    target = string(who) + local
    return packet(
        [first],
        [
            record(owner, SRV, struct.pack(">HHH", 0, 0, port) + target, class_=UNIQUE),
            record(owner, TXT, b"".join(string(f"dnsaddr={one}") for one in addresses), class_=UNIQUE),
            record(string(who) + local, A, host, class_=UNIQUE),
        ],
    )


def javascript(addresses: Sequence[str]) -> bytes:
    """An answer by js-libp2p."""
    who = name(instance(), *SERVICE)
    texts = [record(who, TXT, string(f"dnsaddr={one}")) for one in addresses]
    return packet([record(name(*SERVICE), PTR, who), *texts])


def rust(addresses: Sequence[str], per_packet: int = 2) -> list[bytes]:
    """An answer by rust-libp2p: as many packets as it takes, each under a name of its own."""
    packets = []
    for start in range(0, len(addresses), per_packet):
        who = name(instance(), *SERVICE)
        texts = [
            record(who, TXT, string(f"dnsaddr={one}"), class_=UNIQUE, ttl_s=360)
            for one in addresses[start : start + per_packet]
        ]
        packets.append(packet([record(name(*SERVICE), PTR, who, ttl_s=360)], texts))
    return packets


@contextmanager
def speaker(interface: str = "127.0.0.1") -> Iterator[socket.socket]:
    """A socket that speaks to the group on one interface, from the port that mDNS speaks from."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind(("", PORT))
        made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
        made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        made.connect((GROUP, PORT))
        yield made
