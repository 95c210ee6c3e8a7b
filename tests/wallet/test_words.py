"""24 words and what follows from them, by the published vectors; and every way of typing them wrongly."""

from __future__ import annotations

import pytest
from mnemonic import Mnemonic

from crdt.errors import Misuse
from crdt.keys import Identity
from wallet.words import HARDENED, WordsRefused, derive, entropy_of, seed_of, words_of

# The vectors of BIP-39 with 256 bits (theirs are with the password TREZOR): entropy, words, seed.
BIP39 = [
    (
        "00" * 32,
        "abandon " * 23 + "art",
        "bda85446c68413707090a52022edd26a1c9462295029f2e60cd7c4f2bbd3097170af7a4d73245cafa9c3cca8d561a7c3de6f5d4a10be8ed2a5e608d68f92fcc8",
    ),
    (
        "ff" * 32,
        "zoo " * 23 + "vote",
        "dd48c104698c30cfe2b6142103248622fb7bb0ff692eebb00089b32d22484e1613912f0a5b694407be899ffd31ed3992c456cdf60f5d4564b8ba3f05a69890ad",
    ),
    (
        "7f" * 32,
        "legal winner thank year wave sausage worth useful " * 2 + "legal winner thank year wave sausage worth title",
        "bc09fca1804f7e69da93c2f2028eb238c227f2e9dda30cd63699232578480a4021b146ad717fbb7e451ce9eb835f43620bf5c514db0f8add49f5d121449d3e87",
    ),
]
# The vectors of SLIP-0010 for ed25519: secret, path, private key, public key.
SLIP10_ONE = "000102030405060708090a0b0c0d0e0f"
SLIP10_TWO = (
    "fffcf9f6f3f0edeae7e4e1dedbd8d5d2cfccc9c6c3c0bdbab7b4b1aeaba8a5a29f9c999693908d8a8784817e7b7875726f6c696663605d5a"
    "5754514e4b484542"
)
SLIP10 = [
    (SLIP10_ONE, (), "2b4be7f19ee27bbf30c667b642d5f4aa69fd169872f8fc3059c08ebae2eb19e7", "a4b2856b"),
    (SLIP10_ONE, (0,), "68e0fe46dfb67e368c75379acec591dad19df3cde26e63b93a8e704f1dade7a3", "8c8a13df"),
    (SLIP10_ONE, (0, 1), "b1d0bad404bf35da785a64ca1ac54b2617211d2777696fbffaf208f746ae84f2", "1932a527"),
    (SLIP10_ONE, (0, 1, 2), "92a5b23c0b8a99e37d07df3fb9966917f5d06e02ddbd909c7e184371463e9fc9", "ae987365"),
    (SLIP10_ONE, (0, 1, 2, 2), "30d1dc7e5fc04c31219ab25a27ae00b50f6fd66622f6e9c913253d6511d1e662", "8abae2d6"),
    (
        SLIP10_ONE,
        (0, 1, 2, 2, 1_000_000_000),
        "8f94d394a8e8fd6b1bc2f3f49f5c47e385281d5c17e65324b0f62483e37e8793",
        "3c24da04",
    ),
    (SLIP10_TWO, (), "171cb88b1b3c1db25add599712e36245d75bc65a1a5c9e18d76f9f2b1eab4012", "8fe9693f"),
    (
        SLIP10_TWO,
        (0, 2_147_483_647, 1, 2_147_483_646, 2),
        "551d333177df541ad876a60ea71f00447931c0a9da16f227c11ea080d7391b8d",
        "47150c75",
    ),
]
GOOD = words_of(bytes(range(32)))


@pytest.mark.parametrize(("entropy", "words", "seed"), BIP39, ids=["zeros", "ones", "sevens"])
def test_the_words_of_bip_39(entropy: str, words: str, seed: str) -> None:
    assert " ".join(words_of(bytes.fromhex(entropy))) == words
    assert entropy_of(words).hex() == entropy
    assert Mnemonic.to_seed(words, "TREZOR").hex() == seed


@pytest.mark.parametrize(("secret", "path", "private", "public"), SLIP10)
def test_the_keys_of_slip_0010(secret: str, path: tuple[int, ...], private: str, public: str) -> None:
    found = derive(bytes.fromhex(secret), path)
    assert found.hex() == private
    assert Identity(found).player.hex().startswith(public)


def test_the_path_is_fixed() -> None:
    """Worked out with SLIP-0010's reference implementation: whoever changes it takes everybody's key away."""
    assert seed_of(bytes(32)).hex() == "38a9e6e0b10727265009708bf7ff8721841817cc2bbb1a1cf33b594f742dbbca"
    assert seed_of(bytes(32), 1).hex() == "65d9e72619f159bc95334883444958d1db9a959537f187b49fea04fc25ff0a1f"
    assert seed_of(bytes(range(32))).hex() == "9b817cfaf535e48cfb472906b604456a6fd66dabd866a1fcc810615f9aa85bc6"


def test_case_and_blanks_do_not_matter() -> None:
    assert entropy_of("\n " + "  \t".join(GOOD).upper() + "\n") == bytes(range(32))


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "there are 0"),
        (GOOD[:23], "there are 23"),
        ((*GOOD, "zoo"), "there are 25"),
        (words_of(bytes(32))[:12], "there are 12"),
        (("abandom", *GOOD[1:]), "word 1 is"),
        ((*GOOD[:6], "sekrit", *GOOD[7:23], "sekrit"), "word 7 is"),
        ((*GOOD[:23], "unawar"), "word 24 is"),
        ((*GOOD[:23], "zoo"), "checksum"),
        ((GOOD[1], GOOD[0], *GOOD[2:]), "checksum"),
    ],
)
def test_wrong_words_are_told_by_their_place_and_never_shown(words: tuple[str, ...], why: str) -> None:
    with pytest.raises(WordsRefused, match=why) as caught:
        entropy_of(" ".join(words))
    shown = str(caught.value) + repr(caught.value.__context__)
    assert caught.value.remedy
    assert not {"abandom", "sekrit", "unawar", "liar", "candy", "rhythm"} & set(shown.split())


@pytest.mark.parametrize("entropy", [b"", bytes(16), bytes(31), bytes(33)])
def test_only_32_bytes_have_24_words(entropy: bytes) -> None:
    with pytest.raises(Misuse):
        words_of(entropy)


@pytest.mark.parametrize(
    ("secret", "path"), [(bytes(15), ()), (bytes(65), ()), (bytes(64), (HARDENED,)), (bytes(64), (44, -1))]
)
def test_no_step_is_taken_that_is_none(secret: bytes, path: tuple[int, ...]) -> None:
    with pytest.raises(Misuse):
        derive(secret, path)
