"""Encoding, ids and entries: what is accepted byte for byte, and why the rest is not."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from consensus.ops import (
    AnyOp,
    Attest,
    Block,
    Checkpoint,
    LotRef,
    Measures,
    ParamVote,
    Pulse,
    PulseRef,
    Rating,
    Report,
    SessionClose,
    SessionOpen,
    Stage,
    Stake,
    Transfer,
    Unstake,
    Unvouch,
    Vote,
    Vouch,
    Why,
    Witness,
    block_id,
    encode_ops,
    session_id,
)
from consensus.params import PRESETS, network_id
from crdt.canonical import Canonical, encode
from crdt.entry import Body, LogKey, client_id, first_body, next_body, open_entry, root_name, sign
from crdt.keys import Identity, is_valid_player
from crdt.types import (
    NO_NONCE,
    BlockId,
    Digest,
    EntryId,
    Epoch,
    MicroJam,
    NetworkId,
    Seq,
    SessionId,
    Window,
    jam_document,
    ledger_document,
    ledger_epoch,
)
from tests.vectors.form import Case, File, case, plain, verdict

NETWORK = NetworkId(bytes(range(32)))
ALICE, BOB, CAROL = (Identity(bytes([n]) * 32) for n in (1, 2, 3))
B1, B2 = BlockId(b"\x01" * 32), BlockId(b"\x02" * 32)
SESSION = SessionId(b"\x51" * 32)
EPOCH = Epoch(7)

MEASURES = Measures(**{name: 1_000 * (i + 1) for i, name in enumerate(Measures.__struct_fields__)})
BLOCK = Block(
    window=Window(210),
    session=SESSION,
    document=jam_document(SESSION, 2),
    nonce=NO_NONCE,
    first=Seq(3),
    last=Seq(9),
    head=EntryId(b"\xe1" * 32),
    root=Digest(b"\x22" * 32),
    quality=MEASURES,
    riff=True,
    pulses=(PulseRef(BOB.player, EntryId(b"\xe2" * 32)),),
)
OPS: tuple[AnyOp, ...] = (
    Pulse(Window(210), bytes(16), b"\x0a" * 32),
    SessionOpen("Thursday", 120_000, 4, 4, 1_700_000_000_000_000, ("drums", "late")),
    SessionClose(SESSION, 5_000_000),
    BLOCK,
    Attest(B1, BOB.player, Window(210), Vote.YES, Why.FINE, 0, bytes(80)),
    Transfer(BOB.player, (LotRef(B1, MicroJam(1)), LotRef(B2, MicroJam(2**60))), "thank you"),
    Stake((LotRef(B1, MicroJam(70)),)),
    Unstake((LotRef(B1, MicroJam(70)),)),
    Vouch(BOB.player),
    Unvouch(BOB.player),
    Report(BOB.player, Why.REPLAY, B1),
    Witness(SESSION, BOB.player, (Rating("joy", 5), Rating("swing", 0)), True),
    Checkpoint(EPOCH, Digest(b"\x33" * 32), Digest(bytes(32)), Stage.PREPARE),
    ParamVote("decay_blocks", -1),
)


NAMED = (
    "player of a seed",
    "seed of the VRF key",
    "session",
    "block",
    "client id",
    "root name",
    "root name under a nonce",
)
NAMES = ("parameters", "encoding", "ids", "entries")


def files() -> list[File]:
    """The files of this module."""
    return [
        File(
            "parameters",
            "The presets, in the order of their fields, and the id of each network.",
            _parameters(),
            ("parameters",),
        ),
        File("encoding", "Bytes as MessagePack of a given shape: decoded strictly, or why not.", _encoding()),
        File("ids", "Ids and names: BLAKE2b-256 with the personalisation named, over the bytes given.", _ids(), NAMED),
        File("entries", "Raw entries in a network: opened, or why not.", _entries()),
    ]


def _parameters() -> list[Case]:
    return [
        {
            "name": name,
            "given": plain(params),
            "expect": {"network": plain(network_id(params)), "raw": encode(params).hex()},
        }
        for name, params in PRESETS.items()
    ]


def shaped(shape: str) -> Canonical[Any]:
    """A decoder of one of the shapes."""
    types: dict[str, Any] = {
        "integer 0..100000": Annotated[int, Meta(ge=0, le=100_000)],
        "bytes, 1 to 3": Annotated[bytes, Meta(min_length=1, max_length=3)],
        "text, at most 3": Annotated[str, Meta(max_length=3)],
        "list of integers, at most 2": Annotated[tuple[int, ...], Meta(max_length=2)],
        "bool": bool,
    }
    return Canonical(types[shape], 40)


def _encoding() -> list[Case]:
    number, raw, text, items = "integer 0..100000", "bytes, 1 to 3", "text, at most 3", "list of integers, at most 2"
    given = [
        ("smallest form of 0", number, "00"),
        ("127", number, "7f"),
        ("128", number, "cc80"),
        ("256", number, "cd0100"),
        ("65536", number, "ce00010000"),
        ("one byte", raw, "c40107"),
        ("three", raw, "c403070809"),
        ("empty text", text, "a0"),
        ("umlaut", text, "a2c3bc"),
        ("empty list", items, "90"),
        ("two", items, "920102"),
        ("true", "bool", "c3"),
        ("5 in two bytes", number, "cc05"),
        ("5 in three bytes", number, "cd0005"),
        ("5 in five", number, "ce00000005"),
        ("5 as signed", number, "d005"),
        ("too large", number, "ce000186a1"),
        ("negative", number, "ff"),
        ("a float", number, "cb4014000000000000"),
        ("a number in text", number, "a135"),
        ("nil", number, "c0"),
        ("truncated", number, "cd01"),
        ("nothing", number, ""),
        ("more behind", number, "0000"),
        ("the unused code", number, "c1"),
        ("true for 1", number, "c3"),
        ("text for bytes", raw, "a161"),
        ("longer head than needed", raw, "c5000107"),
        ("no bytes", raw, "c400"),
        ("four bytes", raw, "c40401020304"),
        ("shorter than it says", raw, "c40301"),
        ("invalid UTF-8", text, "a1ff"),
        ("surrogate", text, "a3eda080"),
        ("text with a longer head", text, "d90161"),
        ("too long", text, "a461616161"),
        ("bytes for text", text, "c40161"),
        ("three items", items, "93010203"),
        ("array with a longer head", items, "dc00020102"),
        ("an item that is none", items, "9201c0"),
        ("a map", items, "8101 02".replace(" ", "")),
        ("an extension", items, "d40100"),
        ("1 for true", "bool", "01"),
        ("oversize", text, "da0029" + "61" * 41),
    ]
    return [
        case(
            name,
            {"shape": shape, "raw": code, "max_bytes": 40},
            lambda s=shape, c=code: shaped(s).decode(bytes.fromhex(c)),
        )
        for name, shape, code in given
    ]


def _ids() -> list[Case]:
    log, opened = LogKey(ALICE.player, NO_NONCE), OPS[1]
    assert isinstance(opened, SessionOpen)
    cases = [
        case("player of a seed", {"seed": ALICE.seed()}, lambda: ALICE.player),
        case("seed of the VRF key", {"seed": ALICE.seed(), "person": b"symjam-vrf-seed".decode()}, ALICE.vrf_seed),
        case(
            "session",
            {"creator": ALICE.player, "op": opened, "person": "symjam-session"},
            lambda: session_id(ALICE.player, opened),
        ),
        case(
            "block",
            {"proposer": ALICE.player, "op": BLOCK, "person": "symjam-block"},
            lambda: block_id(ALICE.player, BLOCK),
        ),
        case(
            "client id",
            {"document": "ledger/7", "author": ALICE.player, "nonce": NO_NONCE},
            lambda: client_id(ledger_document(EPOCH), log),
        ),
        case("root name", {"author": ALICE.player, "nonce": NO_NONCE}, lambda: root_name(log)),
        case(
            "root name under a nonce",
            {"author": ALICE.player, "nonce": b"\x01" * 8},
            lambda: root_name(LogKey(ALICE.player, b"\x01" * 8)),
        ),
    ]
    names = (
        "ledger/0",
        "ledger/999999999999",
        "ledger/00",
        "ledger/-1",
        "ledger/1000000000000",
        "ledger/7 ",
        "Ledger/7",
        "ledger/",
    )
    cases += [verdict("ledger document", {"document": n}, ledger_epoch(n), "no ledger document") for n in names]
    players = (
        ALICE.player,
        bytes(32),
        b"\x01" + bytes(31),
        b"\xff" * 32,
        bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
        ALICE.player[:31],
    )
    keys = [verdict("key of a player", {"player": p}, is_valid_player(p) or None, "bad-key") for p in players]
    return cases + keys


def forged(author: Identity, body: object, network: NetworkId = NETWORK) -> bytes:
    """A good signature under whatever body."""
    encoded = encode(body)
    return author.sign(encode(("symjam/entry/1", network, encoded))) + encoded


def _entries() -> list[Case]:
    payload = encode_ops(OPS[:1])
    first = sign(ALICE, NETWORK, first_body(NETWORK, ledger_document(EPOCH), LogKey(ALICE.player, NO_NONCE), payload))
    second = sign(ALICE, NETWORK, next_body(first, b""))
    good, body = first.raw, first.body

    def swap(**fields: object) -> bytes:
        values = [fields.get(name, getattr(body, name)) for name in Body.__struct_fields__]
        return forged(ALICE, values)

    raws = [
        ("first of a document", good),
        ("second", second.raw),
        ("in a jam under a nonce", swap(document=jam_document(SESSION), nonce=b"\x07" * 8)),
        ("a predecessor in an earlier document", swap(prev=EntryId(b"\x09" * 32))),
        ("payload of nothing known", swap(payload=b"\xc1")),
        ("empty", b""),
        ("only a signature", good[:64]),
        ("cut short", good[:-1]),
        ("a byte more", good + b"\x00"),
        ("one bit of the signature", bytes([good[0] ^ 1]) + good[1:]),
        ("one bit of the payload", good[:-1] + bytes([good[-1] ^ 1])),
        (
            "signed for another network",
            forged(ALICE, [getattr(body, n) for n in Body.__struct_fields__], NetworkId(NETWORK[:8] + bytes(24))),
        ),
        ("another network", swap(network=bytes(8))),
        ("signed by another", forged(BOB, [getattr(body, n) for n in Body.__struct_fields__])),
        ("version 0", swap(version=0)),
        ("version 2", swap(version=2)),
        ("unknown document", swap(document="board/1")),
        ("document with a leading zero", swap(document="ledger/07")),
        ("a nonce in the ledger", swap(nonce=b"\x07" * 8)),
        ("negative seq", swap(seq=-1)),
        ("seq beyond 2^53", swap(seq=2**53)),
        ("prev of 31 bytes", swap(prev=bytes(31))),
        ("refs that is a map", swap(refs={})),
        ("a field less", forged(ALICE, [getattr(body, n) for n in Body.__struct_fields__][:-1])),
        ("a field more", forged(ALICE, [*(getattr(body, n) for n in Body.__struct_fields__), 0])),
        ("author of small order", swap(author=b"\x01" + bytes(31))),
        ("payload of 16385 bytes", swap(payload=bytes(16_385))),
        ("oversize", bytes(24_641)),
    ]
    return [case(name, {"network": NETWORK, **short(raw)}, lambda r=raw: opened(NETWORK, r)) for name, raw in raws]


def short(raw: bytes) -> dict[str, Any]:
    """Bytes, the last of a long run of zeros left out."""
    short = raw.rstrip(b"\x00")
    return {"raw": short, "zeros_after": len(raw) - len(short)} if len(raw) - len(short) > 100 else {"raw": raw}


def opened(network: NetworkId, raw: bytes) -> dict[str, Any]:
    """An entry that was opened, in short."""
    entry = open_entry(network, raw)
    return {"id": entry.id, "document": entry.body.document, "author": entry.body.author, "seq": entry.body.seq}
