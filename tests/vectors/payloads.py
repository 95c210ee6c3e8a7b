"""Payloads: the operations of ledger entries, the events of jam entries."""

from __future__ import annotations

from typing import Any

import msgspec

from consensus.events import Event, decode_events, encode_events
from consensus.ops import Measures, decode_ops, encode_ops
from crdt.canonical import encode
from tests.vectors.encoding import B1, BLOCK, BOB, OPS, SESSION, short
from tests.vectors.form import Case, File, plain, verdict

NAMES = ("operations", "events")


def files() -> list[File]:
    """The files of this module."""
    about = "Payloads of ledger entries: the operations in them, and how many are skipped."
    return [
        File("operations", about, _operations()),
        File("events", "Payloads of jam entries: the events in them.", _events()),
    ]


def _operations() -> list[Case]:
    cases = [_payload(type(op).__name__, encode_ops((op,))) for op in OPS]
    cases.append(_payload("all in one", encode_ops(OPS)))
    bad: list[tuple[str, bytes]] = [
        ("tag 0", encode((0, 1))),
        ("tag of a later version", encode((99, 1, 2))),
        ("no tag", encode(())),
        ("a map", encode({"tag": 9})),
        ("a field less", encode((9,))),
        ("a field more", encode((9, BOB.player, 1))),
        ("player of 31 bytes", encode((9, BOB.player[:31]))),
        ("tag in two bytes", b"\x92\xcc\x09\xc4\x20" + BOB.player),
        ("text for bytes", encode((9, "a" * 32))),
        ("negative window", encode((1, -1, bytes(16), bytes(32)))),
        ("window beyond 2^40", encode((1, 2**40 + 1, bytes(16), bytes(32)))),
        ("salt of 15 bytes", encode((1, 1, bytes(15), bytes(32)))),
        ("tempo too slow", encode((2, "", 19_999, 4, 4, 0, ()))),
        ("nine tags", encode((2, "", 120_000, 4, 4, 0, ("t",) * 9))),
        ("title of 81", encode((2, "x" * 81, 120_000, 4, 4, 0, ()))),
        ("subdivision 0", encode((2, "", 120_000, 4, 0, 0, ()))),
        ("quality beyond one", encode(_with(BLOCK, "quality", [65_537] * len(Measures.__struct_fields__)))),
        ("a measure less", encode(_with(BLOCK, "quality", [1] * (len(Measures.__struct_fields__) - 1)))),
        ("65 pulses", encode(_with(BLOCK, "pulses", [[BOB.player, bytes(32)]] * 65))),
        ("riff 1", encode(_with(BLOCK, "riff", 1))),
        ("vote 3", encode(_with(OPS[4], "vote", 3))),
        ("reason 99", encode(_with(OPS[4], "why", 99))),
        ("tranche 3", encode(_with(OPS[4], "tranche", 3))),
        ("proof of 79 bytes", encode(_with(OPS[4], "proof", bytes(79)))),
        ("no lots", encode((7, ()))),
        ("65 lots", encode((7, [[B1, 1]] * 65))),
        ("an amount of 0", encode((7, [[B1, 0]]))),
        ("an amount beyond 2^60", encode((7, [[B1, 2**60 + 1]]))),
        ("memo of 81", encode((6, BOB.player, [[B1, 1]], "x" * 81))),
        ("six stars", encode((12, SESSION, BOB.player, [["joy", 6]], False))),
        ("a tag of nothing", encode((12, SESSION, BOB.player, [["", 1]], False))),
        ("a value of 2^53 + 1", encode((14, "x", 2**53 + 1))),
    ]
    cases += [_payload(name, encode((raw,))) for name, raw in bad]
    cases.append(verdict("good ones beside bad ones", *_mixed([raw for _, raw in bad[:4]])))
    cases += [
        _payload("nothing", b""),
        _payload("no operations", encode(())),
        _payload("not a list", encode(7)),
        _payload("operations that are not bytes", encode(((9, BOB.player),))),
        _payload("list with a longer head", b"\xdc\x00\x00"),
        _payload("129 operations", encode((encode(OPS[8]),) * 129)),
    ]
    return cases


def _with(op: msgspec.Struct, field: str, value: object) -> list[object]:
    """An operation as a list, with another value of one field."""
    values = [value if name == field else getattr(op, name) for name in op.__struct_fields__]
    return [type(op).__struct_config__.tag, *values]


def _payload(name: str, raw: bytes) -> Case:
    ops, skipped = decode_ops(raw)
    return verdict(name, {"payload": raw}, None if skipped else [plain(op) for op in ops], "skipped")


def _mixed(bad: list[bytes]) -> tuple[dict[str, Any], dict[str, Any]]:
    raw = encode((encode(OPS[8]), *bad, encode(OPS[9])))
    ops, skipped = decode_ops(raw)
    return {"payload": raw}, {"ops": [plain(op) for op in ops], "skipped": skipped}


def _events() -> list[Case]:
    good = (Event(0, 0, 0, 0, 0), Event(2**63 - 1, 63, 9, 127, 127, b"\x01" * 40))
    raws = [
        ("two events", encode_events(good)),
        ("none", encode(())),
        ("a time below 0", encode(((-1, 0, 0, 0, 0, None),))),
        ("kind 64", encode(((0, 64, 0, 0, 0, None),))),
        ("lane 10", encode(((0, 0, 10, 0, 0, None),))),
        ("pitch 128", encode(((0, 0, 0, 128, 0, None),))),
        ("velocity 128", encode(((0, 0, 0, 0, 128, None),))),
        ("data of nothing", encode(((0, 0, 0, 0, 0, b""),))),
        ("data of 41", encode(((0, 0, 0, 0, 0, bytes(41)),))),
        ("without data", encode(((0, 0, 0, 0, 0),))),
        ("a float", encode(((0.0, 0, 0, 0, 0, None),))),
        ("garbage", b"\xc1"),
        ("257 events", encode(((0, 0, 0, 0, 0, None),) * 257)),
    ]
    return [verdict(name, short(raw), plain(decode_events(raw)) or None, "no events") for name, raw in raws]
