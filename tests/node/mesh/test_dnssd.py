"""The mDNS record as the specification has it (notes/libp2p.md, "Discovery")."""

import random

from hypothesis import given
from hypothesis import strategies as st

from crdt.keys import Identity
from crdt.limits import ADDRESSES_ADVERTISED_MAX
from crdt.types import NetworkId
from node.mesh.address import at
from node.mesh.dnssd import from_txt, instance_name, to_txt
from node.mesh.peerid import peer_id_of
from tests.node.mesh.helpers import NETWORK

PLAYER = Identity(bytes(range(32))).player


def strings(text: bytes) -> list[bytes]:
    out, position = [], 0
    while position < len(text):
        out.append(text[position + 1 : position + 1 + text[position]])
        position += 1 + text[position]
    return out


def txt(*entries: bytes) -> bytes:
    return b"".join(bytes((len(entry),)) + entry for entry in entries)


def test_every_string_is_keyed_dnsaddr_exactly() -> None:
    """Trap: libp2p's own mDNS writes dnsaddr2=, dnsaddr3=, which Go and JavaScript do not read."""
    addresses = [at(f"10.0.0.{n}", 4001, PLAYER) for n in range(1, 4)] + [at("fd00::2", 4001, PLAYER)]
    *written, network = strings(to_txt(addresses, NETWORK))
    assert network == b"symjam=" + NETWORK[:8].hex().encode()
    assert len(written) == 4
    for one in written:
        assert one.startswith(b"dnsaddr=/ip")
        assert one.endswith(b"/p2p/" + peer_id_of(PLAYER).encode())
        assert len(one) <= 255
    assert from_txt(to_txt(addresses, NETWORK), NETWORK) == addresses


def test_instance_names_are_random_and_long_enough() -> None:
    names = {instance_name(random.Random(n)) for n in range(100)}
    assert len(names) == 100
    assert all(32 <= len(name) <= 63 and name.isascii() and name.isalnum() for name in names)


def test_what_cannot_be_dialled_is_passed_over() -> None:
    good = f"dnsaddr=/ip4/10.0.0.1/tcp/4001/p2p/{peer_id_of(PLAYER)}".encode()
    others = [
        b"dnsaddr=/ip4/10.0.0.1/udp/4001/quic-v1/p2p/" + peer_id_of(PLAYER).encode(),
        b"dnsaddr=/ip4/0.0.0.0/tcp/4001/p2p/" + peer_id_of(PLAYER).encode(),
        b"dnsaddr2=/ip4/10.0.0.2/tcp/4001/p2p/" + peer_id_of(PLAYER).encode(),
        b"dnsaddr=/dns4/evil.example/tcp/4001/p2p/" + peer_id_of(PLAYER).encode(),
        b"dnsaddr=\xff\xfe",
        b"",
        good,
        good,
    ]
    assert [str(one) for one in from_txt(txt(*others), NETWORK)] == [good.removeprefix(b"dnsaddr=").decode()]


def test_a_record_is_bounded() -> None:
    many = txt(*(f"dnsaddr={at(f'10.0.{n}.1', 4001, PLAYER)}".encode() for n in range(50)))
    assert len(from_txt(many, NETWORK)) == ADDRESSES_ADVERTISED_MAX
    written = strings(to_txt((at(f"10.0.{n}.1", 4001, PLAYER) for n in range(50)), NETWORK))
    assert len(written) == ADDRESSES_ADVERTISED_MAX + 1


@given(st.binary(max_size=600))
def test_any_bytes_are_read_without_failing(text: bytes) -> None:
    assert isinstance(from_txt(text, NETWORK), list)


def test_who_says_to_be_of_another_network_is_not_dialled() -> None:
    """And whoever says nothing, as Go, JavaScript and Rust do, is."""
    addresses = [at("10.0.0.1", 4001, PLAYER)]
    other = NetworkId(bytes(32))
    assert from_txt(to_txt(addresses, other), NETWORK) == []
    assert from_txt(txt(b"symjam=", *strings(to_txt(addresses, NETWORK))), NETWORK) == []
    assert from_txt(txt(*strings(to_txt(addresses, other))[:-1]), NETWORK) == addresses
