"""Does multicast DNS work here, and who answers? On each address a question is sent to the group, and listened for.

One question has a name that nobody else has: hearing it come back shows that this machine sends and receives multicast
there (RFC 6762 has every packet looped back to the machine's own listeners). It does not show that the switch or the
Wi-Fi passes multicast on; that somebody else answers does. The other question is the one that nodes ask (libp2p specs,
discovery/mdns), and every node in reach answers it, to all.
"""

from __future__ import annotations

import secrets
import socket
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from zeroconf._dns import DNSText
from zeroconf._protocol.incoming import DNSIncoming

from node.doctor.check import Check, fail, ok, warning
from node.mesh import dnssd
from node.mesh.address import Address

GROUP: Final = "224.0.0.251"
PORT: Final = 5353
LISTEN_S: Final = 1.6  # answers to a shared question are held back by up to half a second
ASK_AGAIN_S: Final = 0.6
PACKETS_MAX: Final = 2_000
_PACKET_BYTES: Final = 9_000
_NEIGHBOURS_MAX: Final = 512
_TYPE_A: Final = 1
_TYPE_PTR: Final = 12
_CLASS_IN: Final = 1
_ELSEWHERE: Final = (
    "or start the node with `symjam up --peer ADDRESS`, where ADDRESS is one that `symjam status` shows there"
)


@dataclass(slots=True)
class Neighbour:
    """A node that announced itself: where it is to be reached, and the tag of its network, "" when it says none."""

    addresses: list[Address]
    tag: str


@dataclass(slots=True)
class Heard:
    """What came of listening. `own`: addresses on which one's own packet came back; `failed`: why not, by address."""

    own: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    others: set[str] = field(default_factory=set)
    neighbours: list[Neighbour] = field(default_factory=list)


def question(names: Sequence[tuple[str, int]]) -> bytes:
    """An mDNS query (RFC 6762, 18) of (name, type) questions."""
    body = b"".join(_encoded(name) + struct.pack("!HH", kind, _CLASS_IN) for name, kind in names)
    return struct.pack("!6H", 0, 0, len(names), 0, 0, 0) + body


def listen(hosts: Sequence[str], listen_s: float = LISTEN_S) -> Heard:
    """Ask on each address and listen for a while. Opens sockets; raises nothing."""
    heard = Heard()
    marks = {host: f"symjam-doctor-{secrets.token_hex(8)}.local" for host in hosts}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            listening.bind(("", PORT))
        except OSError as error:
            heard.failed = dict.fromkeys(hosts, f"port {PORT}: {error.strerror}")
            return heard
        for host in hosts:
            member = socket.inet_aton(GROUP) + socket.inet_aton(host)
            try:
                listening.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
            except OSError as error:
                heard.failed[host] = str(error.strerror)
        _ask_and_take(listening, marks, heard, listen_s)
    return heard


def judge(hosts: Sequence[str], heard: Heard, linked: int) -> Check:
    """Whether peers can be found. `linked`: with how many the running node is linked."""
    silent = [host for host in hosts if host not in heard.own]
    if not silent:
        others = f"{len(heard.others)} other machines were heard" if heard.others else "nobody else was heard"
        return ok("multicast", f"one's own packet came back on {', '.join(hosts)}; {others}")
    details = "; ".join(f"{host}: {heard.failed.get(host, 'sent, and not heard')}" for host in silent)
    why = "nodes find each other by multicast DNS; without it this one finds nobody, and nobody finds it"
    remedy = (
        f"Let UDP port {PORT} through the firewall (`ufw allow {PORT}/udp`, firewalld: service mdns), {_ELSEWHERE}."
    )
    if linked or len(silent) < len(hosts):
        return warning("multicast", details, why, remedy)
    return fail("multicast", details, why, remedy)


def _ask_and_take(listening: socket.socket, marks: dict[str, str], heard: Heard, listen_s: float) -> None:
    began = time.monotonic()
    again = False
    _ask(marks, heard)
    for _ in range(PACKETS_MAX):
        left_s = began + listen_s - time.monotonic()
        if left_s <= 0:
            return
        if not again and left_s < listen_s - ASK_AGAIN_S:
            again = True
            _ask(marks, heard)
        listening.settimeout(min(left_s, ASK_AGAIN_S))
        try:
            packet, (source, _) = listening.recvfrom(_PACKET_BYTES)
        except TimeoutError:
            continue
        except OSError:
            return
        _take(packet, source, marks, heard)


def _ask(marks: dict[str, str], heard: Heard) -> None:
    for host, mark in marks.items():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            try:
                asking.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                asking.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                asking.bind((host, PORT))  # from another port it would be a legacy query, answered to that port
                asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(host))
                asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
                asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
                asking.sendto(question([(dnssd.SERVICE, _TYPE_PTR), (mark, _TYPE_A)]), (GROUP, PORT))
            except OSError as error:
                heard.failed.setdefault(host, str(error.strerror))


def _take(packet: bytes, source: str, marks: dict[str, str], heard: Heard) -> None:
    for host, mark in marks.items():
        if mark.split(".", 1)[0].encode() in packet:
            heard.own.add(host)
            return
    if source not in marks:
        heard.others.add(source)
    message = DNSIncoming(packet)
    if not message.valid or not message.is_response():
        return
    for record in message.answers():
        if isinstance(record, DNSText) and record.name.lower().endswith(dnssd.SERVICE) and record.ttl:
            neighbour = Neighbour(dnssd.from_txt(record.text, None), dnssd.tag_in(record.text))
            if neighbour.addresses and neighbour not in heard.neighbours and len(heard.neighbours) < _NEIGHBOURS_MAX:
                heard.neighbours.append(neighbour)


def _encoded(name: str) -> bytes:
    labels = name.rstrip(".").encode("ascii").split(b".")
    return b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
