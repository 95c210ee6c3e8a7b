import hashlib
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crdt.canonical import encode
from crdt.entry import (
    Body,
    Entry,
    LogKey,
    Ref,
    client_id,
    entry_id,
    first_body,
    next_body,
    open_entry,
    root_name,
    sign,
    signature_of,
)
from crdt.errors import Misuse, Reason, Violation
from crdt.limits import BODY_MAX_BYTES, ENTRY_MAX_BYTES, PAYLOAD_MAX_BYTES, REFS_MAX
from crdt.types import NO_NONCE, DocumentName, EntryId, NetworkId, Nonce, Seq
from tests.crdt.authors import ALICE, BOB, JAM, LEDGER, NETWORK, OTHER_NETWORK, TWIN_NETWORK, chain, forge, key_of

BODY = first_body(NETWORK, JAM, key_of(ALICE), b"payload")
REF = Ref(LEDGER, BOB.player, Seq(3), EntryId(b"r" * 32))


def fields(**changes: Any) -> list[Any]:
    """The body's fields in order, some of them exchanged."""
    values = {name: getattr(BODY, name) for name in Body.__struct_fields__}
    assert set(changes) <= set(values)
    return list({**values, **changes}.values())


def refused(raw: bytes, network: NetworkId = NETWORK) -> Reason:
    with pytest.raises(Violation) as caught:
        open_entry(network, raw)
    return caught.value.reason


@given(st.binary(max_size=200), st.integers(0, 3), st.sampled_from([JAM, LEDGER]))
def test_what_is_signed_opens_as_the_same_entry(payload: bytes, refs: int, document: DocumentName) -> None:
    entry = sign(ALICE, NETWORK, first_body(NETWORK, document, key_of(ALICE), payload, refs=(REF,) * refs))
    opened = open_entry(NETWORK, entry.raw)
    assert opened == entry
    assert (opened.id, opened.body, opened.log, hash(opened)) == (entry.id, entry.body, entry.log, hash(entry))
    assert opened.raw == signature_of(entry) + encode(entry.body)


def test_the_id_is_of_the_unsigned_body() -> None:
    entry = sign(ALICE, NETWORK, BODY)
    assert entry.id == hashlib.blake2b(encode(BODY), digest_size=32, person=b"symjam-entry").digest()
    assert entry.id == entry_id(encode(BODY))


def test_the_largest_entry_fits_its_bounds() -> None:
    largest = Ref(DocumentName("ledger/999999999999"), BOB.player, Seq(2**53 - 1), EntryId(b"r" * 32))
    body = Body(
        1, NETWORK[:8], JAM, ALICE.player, Nonce(b"n" * 8), Seq(2**53 - 1), EntryId(b"p" * 32),
        (largest,) * REFS_MAX, bytes(PAYLOAD_MAX_BYTES),
    )  # fmt: skip
    assert len(encode(body)) <= BODY_MAX_BYTES
    assert open_entry(NETWORK, sign(ALICE, NETWORK, body).raw).body == body


def test_a_chain_counts_and_links() -> None:
    entries = chain(ALICE, 4)
    assert [entry.body.seq for entry in entries] == [0, 1, 2, 3]
    assert [entry.body.prev for entry in entries[1:]] == [entry.id for entry in entries[:-1]]
    assert len({entry.id for entry in entries}) == 4


def test_a_repr_is_short() -> None:
    assert len(repr(sign(ALICE, NETWORK, BODY))) < 130


@pytest.mark.parametrize(
    ("reason", "raw"),
    [
        (Reason.TRUNCATED, b""),
        (Reason.TRUNCATED, bytes(63)),
        (Reason.TRUNCATED, bytes(64)),
        (Reason.GARBAGE, bytes(65)),
        (Reason.GARBAGE, b"\xff" * 300),
        (Reason.OVERSIZE, bytes(ENTRY_MAX_BYTES + 1)),
        (Reason.GARBAGE, forge(ALICE, None)),
        (Reason.GARBAGE, forge(ALICE, [])),
        (Reason.GARBAGE, forge(ALICE, fields()[:-1])),
        (Reason.GARBAGE, forge(ALICE, [*fields(), 0])),
        (Reason.GARBAGE, forge(ALICE, dict(zip(Body.__struct_fields__, fields(), strict=True)))),
        (Reason.GARBAGE, forge(ALICE, fields(version=0))),
        (Reason.GARBAGE, forge(ALICE, fields(version=2))),
        (Reason.GARBAGE, forge(ALICE, fields(network=NETWORK))),
        (Reason.GARBAGE, forge(ALICE, fields(author=ALICE.player[:31]))),
        (Reason.GARBAGE, forge(ALICE, fields(nonce=b""))),
        (Reason.GARBAGE, forge(ALICE, fields(seq=-1))),
        (Reason.GARBAGE, forge(ALICE, fields(seq=2**53))),
        (Reason.GARBAGE, forge(ALICE, fields(seq=0.0))),
        (Reason.GARBAGE, forge(ALICE, fields(prev=b"short"))),
        (Reason.GARBAGE, forge(ALICE, fields(refs=[REF] * (REFS_MAX + 1)))),
        (Reason.GARBAGE, forge(ALICE, fields(refs=[[LEDGER, BOB.player, 0]]))),
        (Reason.GARBAGE, forge(ALICE, fields(payload="text"))),
        (Reason.GARBAGE, forge(ALICE, fields(payload=bytes(PAYLOAD_MAX_BYTES + 1)))),
        (Reason.GARBAGE, forge(ALICE, fields(document=""))),
        (Reason.GARBAGE, forge(ALICE, fields(document="j" * 97))),
        (Reason.WRONG_DOCUMENT, forge(ALICE, fields(document="chat/1"))),
        (Reason.WRONG_DOCUMENT, forge(ALICE, fields(document="ledger/01"))),
        (Reason.WRONG_DOCUMENT, forge(ALICE, fields(document=JAM + "\n"))),
        (Reason.WRONG_NONCE, forge(ALICE, fields(document=LEDGER, nonce=b"\0\0\0\0\0\0\0\x01"))),
        (Reason.WRONG_NETWORK, forge(ALICE, fields(network=OTHER_NETWORK[:8]))),
        (Reason.BAD_SIGNATURE, forge(BOB, fields())),
        (Reason.BAD_SIGNATURE, forge(ALICE, fields(), OTHER_NETWORK)),
        (Reason.BAD_SIGNATURE, forge(ALICE, fields(), TWIN_NETWORK)),
        (Reason.BAD_SIGNATURE, bytes(64) + encode(BODY)),
        (Reason.BAD_SIGNATURE, ALICE.sign(encode(BODY)) + encode(BODY)),
        (Reason.BAD_KEY, forge(ALICE, fields(author=b"\x01" + bytes(31)))),
        (Reason.BAD_KEY, b"\x01" + bytes(63) + encode(fields(author=b"\x01" + bytes(31)))),
        (Reason.BAD_KEY, forge(ALICE, fields(author=b"\xff" * 32))),
    ],
)
def test_what_no_entry_may_be(reason: Reason, raw: bytes) -> None:
    assert refused(raw) is reason


def test_a_body_spelled_otherwise_is_refused_although_it_is_signed() -> None:
    canonical = encode(BODY)
    wide = canonical.replace(b"\xc4\x07payload", b"\xc5\x00\x07payload")
    assert wide != canonical
    raw = ALICE.sign(encode(("symjam/entry/1", NETWORK, wide))) + wide
    assert refused(raw) is Reason.NON_CANONICAL


def test_a_network_with_the_same_tag_is_still_another_network() -> None:
    assert refused(sign(ALICE, NETWORK, BODY).raw, TWIN_NETWORK) is Reason.BAD_SIGNATURE
    assert refused(sign(ALICE, NETWORK, BODY).raw, OTHER_NETWORK) is Reason.WRONG_NETWORK


@pytest.mark.parametrize(
    "changes",
    [
        {"author": BOB.player},
        {"version": 2},
        {"network": OTHER_NETWORK[:8]},
        {"network": b""},
        {"document": "chat/1"},
        {"document": LEDGER, "nonce": b"12345678"},
        {"nonce": b""},
        {"seq": -1},
        {"seq": 2**53},
        {"prev": b""},
        {"refs": (REF,) * (REFS_MAX + 1)},
        {"payload": bytes(PAYLOAD_MAX_BYTES + 1)},
    ],
    ids=str,
)
def test_nothing_is_signed_that_nobody_would_accept(changes: dict[str, Any]) -> None:
    with pytest.raises(Misuse):
        sign(ALICE, NETWORK, msgspec.structs.replace(BODY, **changes))


@given(st.binary(max_size=400))
def test_any_bytes_are_refused_with_a_reason(raw: bytes) -> None:
    with pytest.raises(Violation):
        open_entry(NETWORK, raw)


ENTRY = sign(ALICE, NETWORK, next_body(chain(ALICE, 1)[0], b"payload", (REF,)))


@settings(max_examples=300)
@given(st.data())
def test_a_mutated_entry_is_refused_with_a_reason(data: st.DataObject) -> None:
    raw = bytearray(ENTRY.raw)
    at = data.draw(st.integers(0, len(raw) - 1))
    match data.draw(st.sampled_from(["flip", "cut", "insert", "remove", "repeat"])):
        case "flip":
            raw[at] ^= 1 << data.draw(st.integers(0, 7))
        case "cut":
            del raw[at:]
        case "insert":
            raw[at:at] = data.draw(st.binary(min_size=1, max_size=9))
        case "remove":
            del raw[at : at + data.draw(st.integers(1, 9))]
        case "repeat":
            raw += raw[at:]
    with pytest.raises(Violation):
        open_entry(NETWORK, bytes(raw))


def test_equal_means_equal_bytes() -> None:
    one, other = sign(ALICE, NETWORK, BODY), sign(ALICE, NETWORK, next_body(ENTRY, b""))
    assert one != other
    assert one != one.raw
    assert one == Entry(BODY, one.id, one.raw)


def test_a_client_id_is_bound_to_document_author_and_nonce() -> None:
    keys = [key_of(ALICE), key_of(BOB), key_of(ALICE, Nonce(b"\0\0\0\0\0\0\0\x01"))]
    ids = {client_id(document, key) for document in (JAM, LEDGER) for key in keys}
    assert len(ids) == 6
    assert all(0 <= value < 2**53 for value in ids)
    low = hashlib.sha256(JAM.encode() + ALICE.player + NO_NONCE).digest()
    assert client_id(JAM, key_of(ALICE)) == int.from_bytes(low, "big") % 2**53


def test_a_root_is_named_after_its_log() -> None:
    assert root_name(key_of(ALICE)) == f"log:{ALICE.player.hex()}"
    assert root_name(LogKey(ALICE.player, Nonce(b"\0\0\0\0\0\0\0\x01"))) == f"log:{ALICE.player.hex()}:0000000000000001"
