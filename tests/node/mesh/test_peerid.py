"""Peer ids and players, both ways."""

import subprocess
import sys

import base58
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.errors import Misuse, Reason, Violation
from crdt.keys import Identity
from crdt.types import PlayerId
from node.mesh.peerid import peer_id_bytes, peer_id_of, player_of, player_of_bytes

SEEDS = st.binary(min_size=32, max_size=32)


@given(SEEDS)
def test_a_player_comes_back_from_its_peer_id(seed: bytes) -> None:
    player = Identity(seed).player
    assert player_of(peer_id_of(player)) == player
    assert player_of_bytes(peer_id_bytes(player)) == player
    assert peer_id_of(player).startswith("12D3KooW")


def test_it_is_the_peer_id_that_libp2p_derives() -> None:
    from libp2p.crypto.ed25519 import create_new_key_pair
    from libp2p.peer.id import ID

    for n in range(20):
        identity = Identity(bytes((n,)) * 32)
        theirs = ID.from_pubkey(create_new_key_pair(identity.seed()).public_key)
        assert peer_id_of(identity.player) == str(theirs)
        assert peer_id_bytes(identity.player) == theirs.to_bytes()


@given(st.binary(max_size=80))
def test_other_bytes_are_refused(raw: bytes) -> None:
    with pytest.raises(Violation) as caught:
        player_of_bytes(raw)
    assert caught.value.reason is Reason.BAD_KEY


@given(st.text(max_size=80))
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(Violation) as caught:
        player_of(text)
    assert caught.value.reason is Reason.BAD_KEY


def test_a_second_spelling_is_refused() -> None:
    text = peer_id_of(Identity(bytes(32)).player)
    for other in (text + " ", " " + text, text + "\n", "1" + text):
        with pytest.raises(Violation):
            player_of(other)


def test_a_key_of_small_order_is_no_player() -> None:
    with pytest.raises(Violation):
        player_of_bytes(peer_id_bytes(PlayerId(bytes(32))))


def test_an_rsa_peer_is_no_player() -> None:
    with pytest.raises(Violation):
        player_of(base58.b58encode(b"\x12\x20" + bytes(32)).decode())


def test_a_short_key_is_misuse() -> None:
    with pytest.raises(Misuse):
        peer_id_of(PlayerId(b"short"))


def test_importing_it_does_not_import_libp2p() -> None:
    code = (
        "import sys, node.mesh.peerid, node.mesh.port, node.mesh.address;"
        "print('libp2p.abc' in sys.modules, 'trio' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
