"""The decoders under test, each with its oracles: an input is parsed or is a Violation, never anything else.

A target returns whether the input was accepted. Whatever else it raises is a finding. The first byte of an input
chooses the way through: Ed25519 refuses mutated bytes before anything deeper is reached, so there are ways in which
the target signs what was mutated, or builds the message out of parts that are signed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

from crdt.canonical import encode
from crdt.entry import Entry, open_entry, sign
from crdt.errors import Reason, Violation
from crdt.gate import entries_of
from crdt.limits import FRAME_MAX_BYTES, YJS_COUNT_MAX
from crdt.replica import Replica
from crdt.types import Digest
from crdt.yupdate import Item, Update, decode_update, encode_append
from node.engine import frames
from node.mesh import framing
from tests.crdt.authors import ALICE, GIVER, JAM, NETWORK
from tests.fuzz import edits, recipe, seeds
from tests.fuzz.yencode import encode_update


@dataclass(frozen=True)
class Target:
    """What `make fuzz TARGET=...` names. `structured` says which ways are MessagePack after the first byte."""

    run: Callable[[bytes], bool]
    seeds: Callable[[], list[bytes]]
    structured: frozenset[int]
    max_bytes: int


def entry(data: bytes) -> bool:
    """0: the bytes of an entry. 1: a body, signed here as ALICE, then admitted to a document that holds her log."""
    way, raw = data[:1], data[1:]
    if way == b"\1":
        raw = ALICE.sign(encode(("symjam/entry/1", NETWORK, raw))) + raw
    try:
        opened = open_entry(NETWORK, raw)
    except Violation:
        return False
    assert opened.raw == raw and encode(opened.body) == raw[64:]
    if opened.body.author == ALICE.player:
        assert sign(ALICE, NETWORK, opened.body) == opened
    if way == b"\1":
        _admit(opened)
    return True


def _admit(opened: Entry) -> None:
    replica = Replica(NETWORK, opened.body.document)
    if opened.body.document == JAM:
        replica.restore(iter(seeds.CHAIN[:3]))
    before = replica.digest()
    try:
        admission = replica.admit(opened, GIVER)
    except Violation:
        assert replica.digest() == before and replica.held_count() == 0
        return
    changed = bool(admission.added or admission.equivocation)
    assert changed == (replica.digest() != before)
    assert replica.entry_count == sum(map(len, replica.logs.values()))
    assert changed or admission.held or opened in seeds.CHAIN


def yjs(data: bytes) -> bool:
    """0: an update. 1: an update for the gate. 2: a recipe by which one is made of signed entries, for the gate."""
    way, raw = data[:1], data[1:]
    expected: list[Entry] | None = None
    if way == b"\2":
        raw, expected = recipe.cook(raw)
    try:
        update = decode_update(raw)
    except Violation:
        assert expected is None
        return False
    _check_update(raw, update)
    return _gated(raw, update, expected) if way in (b"\1", b"\2") else True


def _check_update(raw: bytes, update: Update) -> None:
    assert decode_update(encode_update(update)) == update
    assert len(update.items) + update.deletes <= YJS_COUNT_MAX
    assert sum(len(value) for item in update.items for value in item.values) <= len(raw)
    if len(update.items) == 1 and not update.deletes and len(update.items[0].values) > 1:  # so not as JavaScript writes
        again = _as_append(update.items[0])
        assert again is None or len(again) != len(raw) or again == raw


def _as_append(item: Item) -> bytes | None:
    """The item as this node writes it, None when it never writes such a thing."""
    client, clock = item.id
    follows = (item.origin == (client, clock - 1) and item.parent is None) if clock else isinstance(item.parent, str)
    if not follows or item.right is not None or (not clock and item.origin):
        return None
    return encode_append(str(item.parent), client, clock, item.values)


def _gated(raw: bytes, update: Update, expected: list[Entry] | None) -> bool:
    replica, before = _partly_filled()
    try:
        found = entries_of(replica, raw)
    except Violation:
        assert expected is None
        return False
    assert expected is None or list(found) == expected
    places = [(item, offset) for item in update.items for offset in range(len(item.values))]
    assert len(places) == len(found)
    for opened, (item, offset) in zip(found, places, strict=True):
        assert opened.raw == item.values[offset] and opened in seeds.SIGNED
        assert (opened.body.document, opened.body.seq) == (JAM, item.id.clock + offset)
        assert _as_append(item) is not None
    assert replica.digest() == before and replica.held_count() == 0
    return True


@functools.cache
def _partly_filled() -> tuple[Replica, Digest]:
    """A document that holds all but one of the logs, and its digest: what is held is not verified again, so that
    most of the time goes into the rest."""
    replica = Replica(NETWORK, JAM)
    for log in (seeds.LOGS[0], seeds.LOGS[2]):
        replica.restore(iter(log))
    return replica, replica.digest()


def frame(data: bytes) -> bool:
    """0: the bytes of a frame. 1: a byte that says how to cut, and a stream of frames."""
    return _stream(data[1:2], data[2:]) if data[:1] == b"\1" else _unpacked(data[1:])


def _unpacked(raw: bytes) -> bool:
    try:
        message = frames.unpack(raw)
    except Violation:
        return False
    assert frames.pack(message) == raw
    return True


def _stream(cut: bytes, stream: bytes) -> bool:
    """The decoder, fed in pieces, against a few lines that see the whole."""
    step = cut[0] + 1 if cut else 1
    decoder, found, refused = framing.Decoder(), [], None
    for start in range(0, len(stream), step):
        try:
            found.extend(decoder.feed(stream[start : start + step]))
        except Violation as violation:
            refused = violation.reason
            break
    if refused is None:
        try:
            decoder.finish()
        except Violation as violation:
            refused = violation.reason
    whole, why = _whole(stream)
    assert (found, refused) == (whole, why)
    for raw in found:
        _unpacked(raw)
    return refused is None


def _whole(stream: bytes) -> tuple[list[bytes], Reason | None]:
    found, at = [], 0
    while at + 4 <= len(stream):
        size = int.from_bytes(stream[at : at + 4], "big")
        if not 0 < size <= FRAME_MAX_BYTES:
            return found, Reason.OVERSIZE if size else Reason.GARBAGE
        if at + 4 + size > len(stream):
            break
        found.append(stream[at + 4 : at + 4 + size])
        at += 4 + size
    return found, Reason.TRUNCATED if at < len(stream) else None


TARGETS = {
    "entry": Target(entry, seeds.entries, frozenset({1}), 600),
    "yjs": Target(yjs, seeds.updates, frozenset(), 700),
    "edit": Target(edits.edit, edits.edits, frozenset(), 300),
    "frame": Target(frame, seeds.streams, frozenset({0}), 600),
}
