"""Addresses from strangers are parsed strictly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.errors import Reason, Violation
from crdt.keys import Identity
from node.mesh.address import at, parse
from node.mesh.peerid import peer_id_of

PLAYER = Identity(bytes(range(32))).player
PEER = peer_id_of(PLAYER)


@given(st.ip_addresses(), st.integers(1, 65_535))
def test_round_trip(ip: object, port: int) -> None:
    host = str(ip)
    address = at(host, port, PLAYER)
    if ip.is_unspecified or ip.is_multicast or "%" in host:  # type: ignore[attr-defined]
        with pytest.raises(Violation):
            parse(str(address))
        return
    assert parse(str(address)) == address
    assert str(address).endswith(f"/tcp/{port}/p2p/{PEER}")


def test_a_name_is_allowed_for_those_who_give_one() -> None:
    assert parse(f"/dns4/studio.local/tcp/4001/p2p/{PEER}").host == "studio.local"


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"/ip4/0.0.0.0/tcp/4001/p2p/{PEER}",
        f"/ip4/224.0.0.251/tcp/4001/p2p/{PEER}",
        f"/ip4/300.1.1.1/tcp/4001/p2p/{PEER}",
        f"/ip6/10.0.0.1/tcp/4001/p2p/{PEER}",
        f"/ip4/10.0.0.1/tcp/0/p2p/{PEER}",
        f"/ip4/10.0.0.1/tcp/65536/p2p/{PEER}",
        f"/ip4/10.0.0.1/tcp/04001/p2p/{PEER}",
        f"/ip4/10.0.0.1/udp/4001/quic-v1/p2p/{PEER}",
        f"/ip4/10.0.0.1/tcp/4001/ws/p2p/{PEER}",
        "/ip4/10.0.0.1/tcp/4001",
        f"/ip4/10.0.0.1/tcp/4001/p2p/{PEER}/p2p-circuit",
        f"/ip4/10.0.0.1/tcp/4001/p2p/{PEER}\n",
        f"/dns4/-bad-/tcp/4001/p2p/{PEER}",
        f"/dns4/{'a' * 300}/tcp/4001/p2p/{PEER}",
    ],
)
def test_what_this_mesh_would_not_dial_is_refused(text: str) -> None:
    with pytest.raises(Violation) as caught:
        parse(text)
    assert caught.value.reason is Reason.GARBAGE


def test_another_kind_of_key_is_refused() -> None:
    with pytest.raises(Violation) as caught:
        parse("/ip4/10.0.0.1/tcp/4001/p2p/QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N")
    assert caught.value.reason is Reason.BAD_KEY


@given(st.text(max_size=300))
def test_text_never_raises_anything_else(text: str) -> None:
    with pytest.raises(Violation):
        parse(text)
