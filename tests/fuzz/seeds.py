"""Valid values of every kind that the decoders take, made by code: what mutation begins with.

The first byte of an input says which way it takes through its target (tests/fuzz/targets.py).
"""

from __future__ import annotations

from crdt.canonical import encode
from crdt.entry import Body, Entry, Ref, client_id, first_body, root_name, sign
from crdt.types import NO_ENTRY, Digest, EntryId, Micros, Nonce, Seq
from crdt.yupdate import encode_append
from node.engine import frames
from node.mesh import framing
from tests.crdt.authors import ALICE, BOB, JAM, LEDGER, NETWORK, OTHER_JAM, chain, key_of

NONCE = Nonce(b"restart!")
CHAIN = chain(ALICE, 4)
LOGS: tuple[list[Entry], ...] = (CHAIN, chain(ALICE, 3, nonce=NONCE), chain(BOB, 4), chain(ALICE, 2, OTHER_JAM))
SIGNED = frozenset(entry for log in LOGS for entry in log)
REF = Ref(JAM, BOB.player, Seq(3), LOGS[2][3].id)


def bodies() -> list[Body]:
    """Bodies that ALICE may sign: of a jam and of the ledger, early and late, with and without references."""
    ledger = chain(ALICE, 2, LEDGER)
    last = Body(1, NETWORK[:8], JAM, ALICE.player, NONCE, Seq(2**53 - 1), EntryId(bytes(32)), (REF, REF), bytes(40))
    own = [entry.body for entry in (*CHAIN, *LOGS[1], *ledger)]
    return [*own, last, first_body(NETWORK, LEDGER, key_of(ALICE), b"", NO_ENTRY, (REF,))]


def entries() -> list[bytes]:
    """Whole entries (0), and bodies that the target signs anew (1)."""
    signed = [b"\0" + sign(ALICE, NETWORK, body).raw for body in bodies()]
    return signed + [b"\1" + encode(body) for body in bodies()]


def _append(log: list[Entry], start: int, stop: int) -> bytes:
    key, document = log[0].log, log[0].body.document
    values = [entry.raw for entry in log[start:stop]]
    return encode_append(root_name(key), client_id(document, key), start, values)


def updates() -> list[bytes]:
    """Updates of bytes alone (0), of signed entries for the gate (1), and recipes of such (2)."""
    plain = [encode_append("a", 5, 0, [b"x", b""]), encode_append("a", 2**53 - 1, 7, [b"y" * 130]), b"\0\0"]
    plain += [
        b"\1\2\5\0\3\1\1a\2hi\x83\5\0\1!\0",  # as JavaScript writes bytes
        b"\2\1\5\0\x08\1\1a\1t\1x\1\3\0\x48\5\0\1t\1y\0",  # two clients, one inserting before the other
        b"\1\1\5\1\x08\0\5\0\1t\1x\1\5\2\0\1\7\2",  # a parent by id, and deletes
    ]
    gated = [_append(log, 0, 2) for log in LOGS] + [_append(CHAIN, 2, 4)]
    recipes = [bytes(12), bytes([2, 0, 0, 1, *bytes(6), 1, 0, 0, *bytes(6)]), bytes(range(16)) * 3]
    return [b"\0" + raw for raw in plain + gated] + [b"\1" + raw for raw in gated] + [b"\2" + raw for raw in recipes]


def messages() -> list[frames.Frame]:
    """One frame of each kind, filled."""
    head = frames.LogHead(ALICE.player, NONCE, 3, LOGS[1][2].id, False)
    raw = tuple(entry.raw for entry in CHAIN)
    zeros = Digest(bytes(32))
    return [
        frames.Hello(frames.PROTOCOL, NETWORK, BOB.player, "fuzz"),
        frames.Total(zeros),
        frames.Documents((frames.DocumentDigest(JAM, zeros), frames.DocumentDigest(LEDGER, zeros))),
        frames.Heads(JAM, (head, head), False),
        frames.Ask(JAM, ALICE.player, NONCE, Seq(0), Seq(3), 1),
        frames.Entries(JAM, raw[:2], 0),
        frames.Proof(raw[0], raw[1]),
        frames.Probe(Micros(1)),
        frames.Echo(Micros(1), Micros(2), Micros(2**63 - 1)),
        frames.ClockTold(ALICE.player, -5, 20_000, 300, (BOB.player,)),
        frames.Links((ALICE.player, BOB.player)),
        frames.Guests((BOB.player,)),
    ]


def streams() -> list[bytes]:
    """Single frames (0), and streams of them (1, then how to cut the stream into pieces)."""
    packed = [frames.pack(message) for message in messages()]
    small = b"".join(framing.encode(raw) for raw in packed if len(raw) < 120)
    cut = [b"\1" + bytes([cut]) + small for cut in (0, 1, 7, 255)]
    return [b"\0" + raw for raw in packed] + cut + [b"\1\3" + framing.encode(b"x" * 5)]
