"""The bytes of a key file of version 2: what is refused before it is opened, and what when it is."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.pwhash import argon2id
from nacl.secret import SecretBox

from crdt.canonical import digest, encode
from crdt.errors import OperatingFailure
from crdt.keys import Identity
from wallet.keyfile import (
    ARGON2ID,
    MAGIC,
    MEMORY_MAX_KIB,
    MODERATE,
    NO_LOCK,
    PASSES_MAX,
    Cost,
    Form,
    Key,
    KeyFile,
    KeyRefused,
    WrongPassphrase,
    pack,
    unpack,
)
from wallet.words import seed_of

PATH = Path("identity.key")
SECRET = bytes(range(32))
PLAYER = Identity(SECRET).player
PASSPHRASE = "a passphrase of some length"
CHEAP = Cost(1, 8)


def packed(body: Any) -> bytes:
    encoded = encode(body)
    return MAGIC + digest(b"symjam-key", encoded) + encoded


def fields(**changed: Any) -> tuple[Any, ...]:
    plain = {
        "version": 2,
        "player": PLAYER,
        "form": "seed",
        "lock": NO_LOCK,
        "passes": 0,
        "memory_kib": 0,
        "salt": b"",
        "held": SECRET,
    }
    return tuple((plain | changed).values())


NAMES = st.sampled_from(["seed", "words", NO_LOCK, ARGON2ID])
VALUES = st.one_of(st.just(PLAYER), NAMES, st.integers(0, 2**60), st.binary(max_size=80))
LOCKED: dict[str, Any] = {"lock": ARGON2ID, "passes": 1, "memory_kib": 8, "salt": bytes(16), "held": bytes(72)}


def test_the_format_is_fixed() -> None:
    assert unpack(PATH, packed(fields())).open().identity().player == PLAYER
    words = fields(form="words", player=Identity(seed_of(SECRET)).player)
    assert unpack(PATH, packed(words)).open().identity().seed() == seed_of(SECRET)
    assert pack(Key(Form.SEED, SECRET), None, CHEAP) == packed(fields())


def test_a_box_of_another_day_opens() -> None:
    """Sealed once and kept here: passes 1, 8 KiB, the salt of zeros, nonce of ones."""
    box = SecretBox(argon2id.kdf(32, PASSPHRASE.encode(), bytes(16), 1, 8_192))
    held = bytes(box.encrypt(SECRET, b"\x01" * 24))
    assert unpack(PATH, packed(fields(**LOCKED | {"held": held}))).open(PASSPHRASE).secret == SECRET
    other = fields(**LOCKED | {"held": held}, player=Identity(bytes(32)).player)
    with pytest.raises(KeyRefused, match="another player"):
        unpack(PATH, packed(other)).open(PASSPHRASE)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"version": 3}, "another format"),
        ({"version": 0}, "another format"),
        ({"player": PLAYER[:31]}, "another format"),
        ({"player": Identity(bytes(32)).player}, "another player"),
        ({"form": "shares"}, "does not know"),
        ({"lock": "scrypt"}, "does not know"),
        ({"held": SECRET[:31]}, "no key of 32 bytes"),
        ({"held": bytes(257)}, "another format"),
        ({"salt": bytes(16)}, "no key of 32 bytes"),
        ({"passes": 1}, "no key of 32 bytes"),
        ({**LOCKED, "salt": bytes(15)}, "as long as"),
        ({**LOCKED, "salt": b""}, "as long as"),
        ({**LOCKED, "held": bytes(71)}, "as long as"),
        ({**LOCKED, "held": SECRET}, "as long as"),
        ({**LOCKED, "passes": 0}, "out of all proportion"),
        ({**LOCKED, "passes": PASSES_MAX + 1}, "out of all proportion"),
        ({**LOCKED, "memory_kib": 7}, "out of all proportion"),
        ({**LOCKED, "memory_kib": MEMORY_MAX_KIB + 1}, "out of all proportion"),
        ({**LOCKED, "memory_kib": 2**53}, "out of all proportion"),
        ({**LOCKED, "memory_kib": -1}, "another format"),
        ({**LOCKED, "passes": 1.0}, "another format"),
        ({**LOCKED, "extra": 0}, "another format"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_spent_on_it(changed: dict[str, Any], why: str) -> None:
    with pytest.raises(KeyRefused, match=why) as caught:
        unpack(PATH, packed(fields(**changed)))
    assert caught.value.remedy
    assert SECRET.hex()[:16] not in str(caught.value) + repr(caught.value.__context__)


@pytest.mark.parametrize("raw", [b"", b"symjam-ke", b"symjam-kex" + bytes(64), MAGIC, MAGIC + bytes(32), bytes(200)])
def test_what_is_no_key_file_is_told_so(raw: bytes) -> None:
    with pytest.raises(KeyRefused):
        unpack(PATH, raw)


@given(st.one_of(st.binary(max_size=300), st.builds(lambda body: encode((2, *body)), st.lists(VALUES, max_size=9))))
@settings(max_examples=150, deadline=None)
def test_whatever_stands_behind_a_right_checksum_is_a_key_or_refused(body: bytes) -> None:
    try:
        unpack(PATH, MAGIC + digest(b"symjam-key", body) + body)
    except KeyRefused as refused:
        assert refused.remedy


def test_any_flipped_bit_and_any_truncation_of_a_locked_file_is_noticed() -> None:
    good = pack(Key(Form.WORDS, SECRET), PASSPHRASE, CHEAP)
    assert unpack(PATH, good).open(PASSPHRASE).secret == SECRET
    for at in range(len(good)):
        with pytest.raises(KeyRefused):
            unpack(PATH, good[:at] + bytes([good[at] ^ 4]) + good[at + 1 :])
        with pytest.raises(KeyRefused):
            unpack(PATH, good[:at])


@pytest.mark.parametrize("place", [0, 23, 24, 40, 71])
def test_a_box_that_was_tampered_with_does_not_open(place: int) -> None:
    """By somebody who mended the checksum too."""
    file = unpack(PATH, pack(Key(Form.SEED, SECRET), PASSPHRASE, CHEAP))
    held = bytearray(file._held)
    held[place] ^= 1
    with pytest.raises(WrongPassphrase):
        KeyFile(PATH, file.player, file.form, file.cost, file._salt, bytes(held)).open(PASSPHRASE)


def test_two_files_of_one_key_under_one_passphrase_share_neither_salt_nor_box() -> None:
    one, other = (unpack(PATH, pack(Key(Form.SEED, SECRET), PASSPHRASE, CHEAP)) for _ in range(2))
    assert one._salt != other._salt
    assert one._held != other._held


def test_memory_that_is_not_there_is_said_to_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """libsodium fails as it does when it cannot allocate; here because what is asked for is beyond its own bound."""
    monkeypatch.setattr("wallet.keyfile.MEMORY_MAX_KIB", 2**60)
    file = unpack(PATH, packed(fields(**LOCKED | {"memory_kib": 2**36})))
    with pytest.raises(OperatingFailure, match="memory"):
        file.open(PASSPHRASE)


def test_a_wrong_passphrase_costs_what_the_default_is_meant_to_cost() -> None:
    """At the real cost, once: 768 MiB filled and read takes any machine of today more than 0.3 s of its processor."""
    assert MODERATE.passes * MODERATE.memory_kib >= 768 * 1_024
    file = unpack(PATH, pack(Key(Form.SEED, SECRET), PASSPHRASE, MODERATE))
    assert file.cost == MODERATE
    began_s = time.process_time()
    with pytest.raises(WrongPassphrase):
        file.open(PASSPHRASE + "!")
    assert time.process_time() - began_s > 0.1
