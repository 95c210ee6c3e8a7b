"""The handshake of WebSockets, without any: what each side accepts as a proof."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.canonical import encode
from crdt.errors import Reason, Violation
from crdt.keys import Identity
from crdt.types import NetworkId
from node.mesh.challenge import Challenge, Handshake, Proof
from tests.node.mesh.helpers import NETWORK

A, B, C = (Identity(bytes((n,)) * 32) for n in (1, 2, 3))


def both(nonces: tuple[bytes, bytes] = (b"a" * 32, b"b" * 32)) -> tuple[Handshake, Handshake]:
    return (
        Handshake(A, NETWORK, nonces[0], dialled=True),
        Handshake(B, NETWORK, nonces[1], dialled=False),
    )


def reason_of(handshake: Handshake, challenge: bytes, proof: bytes | None = None) -> Reason:
    with pytest.raises(Violation) as caught:
        handshake.answer(challenge)
        if proof is not None:
            handshake.finish(proof)
    return caught.value.reason


def test_each_learns_who_the_other_is() -> None:
    dialler, listener = both()
    proof_a, proof_b = dialler.answer(listener.challenge()), listener.answer(dialler.challenge())
    assert dialler.finish(proof_b) == B.player
    assert listener.finish(proof_a) == A.player


def test_a_proof_is_good_for_one_direction_and_one_connection() -> None:
    dialler, listener = both()
    proof_a, proof_b = dialler.answer(listener.challenge()), listener.answer(dialler.challenge())
    assert reason_of(both()[1], dialler.challenge(), proof_b) is Reason.BAD_SIGNATURE
    late = Handshake(B, NETWORK, b"c" * 32, dialled=False)
    assert reason_of(late, dialler.challenge(), proof_a) is Reason.BAD_SIGNATURE
    assert (
        reason_of(both()[1], Handshake(C, NETWORK, b"a" * 32, dialled=True).challenge(), proof_a)
        is Reason.BAD_SIGNATURE
    )


def test_whoever_is_not_meant_is_told_apart() -> None:
    dialler, listener = both()
    other = NetworkId(bytes(32))
    assert reason_of(dialler, Handshake(B, other, b"b" * 32, dialled=False).challenge()) is Reason.WRONG_NETWORK
    assert reason_of(dialler, dialler.challenge()) is Reason.UNEXPECTED
    assert reason_of(dialler, Handshake(B, NETWORK, b"a" * 32, dialled=False).challenge()) is Reason.UNEXPECTED
    meant = Handshake(A, NETWORK, b"a" * 32, dialled=True, expected=C.player)
    assert reason_of(meant, listener.challenge()) is Reason.BAD_KEY
    with pytest.raises(Violation):
        listener.finish(encode(Proof(bytes(64))))


def test_another_version_and_unusable_keys() -> None:
    dialler, _ = both()
    assert reason_of(dialler, encode(Challenge(2, NETWORK, B.player, b"b" * 32))) is Reason.WRONG_NETWORK
    unusable = encode(Challenge(1, NETWORK, bytes(32), b"b" * 32))
    assert reason_of(dialler, unusable, encode(Proof(bytes(64)))) is Reason.BAD_SIGNATURE


@given(st.binary(max_size=400))
def test_garbage_is_a_violation(raw: bytes) -> None:
    dialler, listener = both()
    with pytest.raises(Violation):
        dialler.answer(raw)
    dialler.answer(listener.challenge())
    with pytest.raises(Violation):
        dialler.finish(raw)
