import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.errors import Misuse
from crdt.keys import Identity, is_valid_player, verify
from crdt.types import PlayerId

# RFC 8032, section 7.1, test 2
SEED = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
PUBLIC = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)
ORDER = 2**252 + 27742317777372353535851937790883648493

SMALL_ORDER = [
    bytes(32),  # 0
    b"\x01" + bytes(31),  # the neutral element
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
    bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),  # -1
    bytes.fromhex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),  # p: 0 spelled otherwise
    b"\xff" * 32,
]


def test_the_rfc_s_vector() -> None:
    identity = Identity(SEED)
    assert identity.player == PUBLIC
    assert identity.sign(b"\x72") == SIGNATURE
    assert verify(PlayerId(PUBLIC), b"\x72", SIGNATURE)


@pytest.mark.parametrize("size", [0, 16, 31, 33, 64])
def test_a_seed_has_32_bytes(size: int) -> None:
    with pytest.raises(Misuse):
        Identity(bytes(size))


def test_an_identity_never_shows_its_secret() -> None:
    identity = Identity(SEED)
    for shown in (repr(identity), str(identity), f"{identity}", f"{[identity]}", f"{identity!r:>99}"):
        assert "4ccd089b" not in shown
        assert repr(SEED)[2:10] not in shown
        assert "secret hidden" in shown
    assert not hasattr(identity, "__dict__")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_an_identity_is_never_pickled(protocol: int) -> None:
    with pytest.raises(Misuse):
        pickle.dumps(Identity(SEED), protocol)


def test_an_identity_is_never_copied_without_being_asked() -> None:
    with pytest.raises(Misuse):
        copy.copy(Identity(SEED))
    with pytest.raises(Misuse):
        copy.deepcopy([Identity(SEED)])


def test_the_vrf_key_is_another_one() -> None:
    vrf = Identity(SEED).vrf_seed()
    assert len(vrf) == 32
    assert vrf not in (SEED, Identity(bytes(32)).vrf_seed())
    assert vrf == Identity(SEED).vrf_seed()


@pytest.mark.parametrize(
    "key", [*SMALL_ORDER, b"", PUBLIC[:31], PUBLIC + b"\0"], ids=lambda key: key.hex()[:8] or "none"
)
def test_a_key_that_is_no_valid_point_verifies_nothing(key: bytes) -> None:
    assert not is_valid_player(key)
    assert not verify(PlayerId(key), b"", bytes(64))
    assert not verify(PlayerId(key), b"", b"\x01" + bytes(63))  # the neutral element as R, with S = 0


def test_a_signature_has_one_spelling() -> None:
    """S + L is the same scalar: accepting it would give everybody a second signature for any message."""
    s = int.from_bytes(SIGNATURE[32:], "little") + ORDER
    assert not verify(PlayerId(PUBLIC), b"\x72", SIGNATURE[:32] + s.to_bytes(32, "little"))


@pytest.mark.parametrize(
    "signature", [b"", SIGNATURE[:63], SIGNATURE + b"\0", bytes(64), SIGNATURE[32:] + SIGNATURE[:32]]
)
def test_other_bytes_are_no_signature(signature: bytes) -> None:
    assert not verify(PlayerId(PUBLIC), b"\x72", signature)


@given(st.integers(0, 511))
def test_one_flipped_bit_ends_it(bit: int) -> None:
    flipped = bytearray(SIGNATURE)
    flipped[bit // 8] ^= 1 << bit % 8
    assert not verify(PlayerId(PUBLIC), b"\x72", bytes(flipped))


@given(st.binary(max_size=40), st.binary(max_size=80), st.binary(max_size=70))
def test_foreign_bytes_never_raise(player: bytes, message: bytes, signature: bytes) -> None:
    assert not verify(PlayerId(player), message, signature)


def test_a_message_of_another_length_is_another_message() -> None:
    assert not verify(PlayerId(PUBLIC), b"", SIGNATURE)
    assert not verify(PlayerId(PUBLIC), b"\x72\0", SIGNATURE)
