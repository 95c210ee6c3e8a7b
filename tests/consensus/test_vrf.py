"""RFC 9381 Appendix B.3 (examples 16 to 18), and everything that must not verify."""

from __future__ import annotations

import pytest
from nacl.bindings import crypto_core_ed25519_add

from consensus import vrf
from consensus.vrf import GROUP_ORDER, is_valid_key, prove, public_key, verify
from crdt.errors import Misuse

VECTORS = [  # seed, public key, alpha, proof, output
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "8657106690b5526245a92b003bb079ccd1a92130477671f6fc01ad16f26f723f26f8a57ccaed74ee1b190bed1f479d97"
        "27d2d0f9b005a6e456a35d4fb0daab1268a1b0db10836d9826a528ca76567805",
        "90cf1df3b703cce59e2a35b925d411164068269d7b2d29f3301c03dd757876ff"
        "66b71dda49d2de59d03450451af026798e8f81cd2e333de5cdf4f3e140fdd8ae",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "f3141cd382dc42909d19ec5110469e4feae18300e94f304590abdced48aed5933bf0864a62558b3ed7f2fea45c92a465"
        "301b3bbf5e3e54ddf2d935be3b67926da3ef39226bbc355bdc9850112c8f4b02",
        "eb4440665d3891d668e7e0fcaf587f1b4bd7fbfe99d0eb2211ccec90496310eb"
        "5e33821bc613efb94db5e5b54c70a848a0bef4553a41befc57663b56373a5031",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "9bc0f79119cc5604bf02d23b4caede71393cedfbb191434dd016d30177ccbf8096bb474e53895c362d8628ee9f9ea3c0"
        "e52c7a5c691b6c18c9979866568add7a2d41b00b05081ed0f58ee5e31b3a970e",
        "645427e5d00c62a23fb703732fa5d892940935942101e456ecca7bb217c61c45"
        "2118fec1219202a0edcf038bb6373241578be7217ba85a2687f7a0310b2df19f",
    ),
]
SEED, ALPHA = bytes(range(32)), b"a window"
PUBLIC, PROOF = public_key(SEED), prove(SEED, ALPHA)

SMALL_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
]
NON_CANONICAL = [
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  # y = p + 1
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  # y = p
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
]
ORDER_8 = bytes.fromhex(SMALL_ORDER[4])


@pytest.mark.parametrize(("seed", "public", "alpha", "proof", "output"), VECTORS)
def test_rfc_9381_vectors(seed: str, public: str, alpha: str, proof: str, output: str) -> None:
    assert public_key(bytes.fromhex(seed)).hex() == public
    assert prove(bytes.fromhex(seed), bytes.fromhex(alpha)).hex() == proof
    found = verify(bytes.fromhex(public), bytes.fromhex(alpha), bytes.fromhex(proof))
    assert found is not None and found.hex() == output


def test_what_is_proved_verifies_and_differs_by_input_and_by_key() -> None:
    outputs = {verify(public_key(s), a, prove(s, a)) for s in (SEED, bytes(32)) for a in (b"", ALPHA, ALPHA * 50)}
    assert None not in outputs and len(outputs) == 6


@pytest.mark.parametrize("bit", range(0, 640, 7))
def test_any_bit_flipped_in_a_proof(bit: int) -> None:
    broken = bytearray(PROOF)
    broken[bit // 8] ^= 1 << bit % 8
    assert verify(PUBLIC, ALPHA, bytes(broken)) is None


@pytest.mark.parametrize("proof", [b"", PROOF[:79], PROOF + b"\x00", bytes(80), b"\xff" * 80, PROOF[:32] + bytes(48)])
def test_proofs_of_wrong_form(proof: bytes) -> None:
    assert verify(PUBLIC, ALPHA, proof) is None


def test_other_input_or_other_key() -> None:
    assert verify(PUBLIC, ALPHA + b"\x00", PROOF) is None
    assert verify(public_key(bytes(32)), ALPHA, PROOF) is None


def test_s_must_be_canonical() -> None:
    s = int.from_bytes(PROOF[48:], "little")
    for k in range(1, 16):
        if s + k * GROUP_ORDER < 2**256:
            assert verify(PUBLIC, ALPHA, PROOF[:48] + (s + k * GROUP_ORDER).to_bytes(32, "little")) is None
    assert verify(PUBLIC, ALPHA, PROOF[:48] + GROUP_ORDER.to_bytes(32, "little")) is None


@pytest.mark.parametrize("point", SMALL_ORDER + NON_CANONICAL)
def test_bad_points_are_neither_keys_nor_gamma(point: str) -> None:
    raw = bytes.fromhex(point)
    assert not is_valid_key(raw)
    assert verify(raw, ALPHA, PROOF) is None
    assert verify(PUBLIC, ALPHA, raw + PROOF[32:]) is None


def test_gamma_with_a_small_component_would_have_the_same_output_and_is_refused() -> None:
    """The cofactor takes the component out again, so the RFC leaves such proofs to the challenge; we refuse them."""
    mixed = crypto_core_ed25519_add(PROOF[:32], ORDER_8)
    assert vrf._output(mixed) == vrf._output(PROOF[:32])
    assert verify(PUBLIC, ALPHA, mixed + PROOF[32:]) is None


def test_a_key_with_a_small_component_is_refused() -> None:
    mixed = crypto_core_ed25519_add(PUBLIC, ORDER_8)
    assert not is_valid_key(mixed) and verify(mixed, ALPHA, PROOF) is None


@pytest.mark.parametrize("scalar", [1, 2, 77])
def test_anyone_could_prove_anything_for_a_key_of_small_order_so_there_is_none(scalar: int) -> None:
    """With key and Gamma the identity, c drops out of RFC 9381's equations: U = sB and V = sH, for any s. The proof is
    a perfect one, its output known to everyone; only the check of the key refuses it."""
    identity = bytes.fromhex(SMALL_ORDER[0])
    s = scalar.to_bytes(32, "little")
    h = vrf._encode_to_curve(identity, ALPHA)
    u, v = vrf.crypto_scalarmult_ed25519_base_noclamp(s), vrf.crypto_scalarmult_ed25519_noclamp(s, h)
    proof = identity + vrf._challenge(identity, h, identity, u, v) + s
    assert verify(identity, ALPHA, proof) is None


@pytest.mark.parametrize(("seed", "public", "alpha", "proof", "output"), VECTORS)
def test_the_output_alone_is_that_of_the_proof(seed: str, public: str, alpha: str, proof: str, output: str) -> None:
    assert vrf.evaluate(bytes.fromhex(seed), bytes.fromhex(alpha)).hex() == output


@pytest.mark.parametrize(("seed", "public", "alpha", "proof", "output"), VECTORS)
def test_vectors_with_parts_exchanged(seed: str, public: str, alpha: str, proof: str, output: str) -> None:
    """Each part of a valid proof in the place of another, or of another vector's."""
    key, text, whole = bytes.fromhex(public), bytes.fromhex(alpha), bytes.fromhex(proof)
    gamma, c, s = whole[:32], whole[32:48], whole[48:]
    other = next(bytes.fromhex(v[3]) for v in VECTORS if v[3] != proof)
    h = vrf._encode_to_curve(key, text)
    minus_s = (GROUP_ORDER - int.from_bytes(s, "little")).to_bytes(32, "little")
    for bad in (
        other,
        other[:32] + c + s,
        gamma + other[32:48] + s,
        gamma + c + other[48:],
        h + c + s,
        key + c + s,
        gamma[:31] + bytes([gamma[31] ^ 0x80]) + c + s,  # -Gamma
        gamma + c + minus_s,
        gamma + s + c,
        c + s + gamma,
        gamma + bytes(16) + s,
        gamma + c + bytes(32),
    ):
        assert len(bad) == vrf.PROOF_BYTES and verify(key, text, bad) is None
    for wrong_key in (gamma, h, key[:31] + bytes([key[31] ^ 0x80])):
        assert verify(wrong_key, text, whole) is None
    for wrong_text in (text + b"\0", text[:-1] if text else b"\x72", text * 2 + b"\1"):
        assert verify(key, wrong_text, whole) is None


@pytest.mark.parametrize("key", [b"", PUBLIC[:31], PUBLIC + b"\x00"])
def test_keys_of_wrong_length(key: bytes) -> None:
    assert not is_valid_key(key) and verify(key, ALPHA, PROOF) is None


@pytest.mark.parametrize("seed", [b"", bytes(31), bytes(33)])
def test_a_seed_has_32_bytes(seed: bytes) -> None:
    with pytest.raises(Misuse):
        prove(seed, ALPHA)
