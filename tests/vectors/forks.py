"""One author's log: what follows, what does not, and two entries that prove a fork."""

from __future__ import annotations

from typing import Any

import msgspec

from consensus.ops import Vouch, encode_ops
from crdt.entry import Body, Entry, LogKey, first_body, next_body, sign
from crdt.types import NO_NONCE, DocumentName, EntryId, Epoch, Nonce, Seq, jam_document, ledger_document
from tests.vectors.answers.wire import RULES
from tests.vectors.encoding import ALICE, BOB, NETWORK, SESSION, forged
from tests.vectors.form import Case, File, under
from tests.vectors.reading import answered

NAMES = ("forks",)
HERE = ledger_document(Epoch(7))
PAYLOADS = [encode_ops((Vouch(bytes([n]) * 32),)) for n in range(1, 5)]


def files() -> list[File]:
    """The files of this module."""
    about = "Two entries as proof of a fork (`pair`); an entry that comes to a log which holds some (`held`, `proofs`)."
    return [File("forks", about, _proofs() + _logs())]


def _log(count: int, document: DocumentName = HERE, nonce: Nonce = NO_NONCE) -> list[Entry]:
    """The first entries of Alice's log."""
    entries = [sign(ALICE, NETWORK, first_body(NETWORK, document, LogKey(ALICE.player, nonce), PAYLOADS[0]))]
    for n in range(1, count):
        entries.append(sign(ALICE, NETWORK, next_body(entries[-1], PAYLOADS[n])))
    return entries


def _other(entry: Entry, who: Any = ALICE, **fields: Any) -> Entry:
    """An entry with other fields, signed anew."""
    body: Body = msgspec.structs.replace(entry.body, **fields)
    return sign(who, NETWORK, body)


def _elsewhere(body: Body) -> bytes:
    """The bytes of an entry as another network would have them."""
    return forged(ALICE, [getattr(body, name) if name != "network" else bytes(8) for name in Body.__struct_fields__])


def _proofs() -> list[Case]:
    log, jam = _log(3), _log(3, jam_document(SESSION), Nonce(b"\x01" * 8))
    first, second, third = log
    at, again = EntryId(b"\x09" * 32), b"\xc1"
    given: list[tuple[str, Entry, Entry]] = [
        ("two seconds", second, _other(second, payload=again)),
        ("two firsts", first, _other(first, payload=again)),
        ("firsts that link to two entries of the document before", first, _other(first, prev=at)),
        ("in a jam", jam[1], _other(jam[1], payload=again)),
        ("one and the same", second, second),
        ("of two authors", second, _other(second, BOB, author=BOB.player, payload=again)),
        ("of two documents", second, _other(second, document=ledger_document(Epoch(8)), payload=again)),
        ("of a jam's two parts", jam[1], _other(jam[1], document=jam_document(SESSION, 1), payload=again)),
        ("under two nonces", jam[1], _other(jam[1], nonce=Nonce(b"\x02" * 8), payload=again)),
        ("one after the other", first, second),
        ("with one between them", first, third),
        ("of two numbers after one entry", second, _other(second, seq=Seq(2))),
        ("after two different entries", second, _other(second, prev=at)),
    ]
    rule = RULES["forks", "proof"]
    cases = [answered(name, rule, {"network": NETWORK, "pair": [a.raw, b.raw]}) for name, a, b in given]
    rival = _other(second, payload=again)
    bad = [
        ("one is not signed by its author", rival.raw[:63] + bytes([rival.raw[63] ^ 1]) + rival.raw[64:]),
        ("one is of another network", _elsewhere(rival.body)),
        ("one is cut short", rival.raw[:-1]),
    ]
    cases += [answered(name, rule, {"network": NETWORK, "pair": [second.raw, raw]}) for name, raw in bad]
    return under("proof", cases)


def _logs() -> list[Case]:
    first, second, third, fourth = log = _log(4)
    fork, at = (second, _other(second, payload=b"\xc1")), EntryId(b"\x09" * 32)
    given: list[tuple[str, list[Entry], list[Any], Entry]] = [
        ("the first", [], [], first),
        ("the next", log[:2], [], third),
        ("a first that goes on from an earlier document", [], [], _other(first, prev=at)),
        ("what fills a gap", [first, third], [], second),
        ("the one before two that fork", log[:1], [(third, _other(third, payload=b""))], second),
        ("one that is held", log[:3], [], second),
        ("one that leaves a gap", log[:2], [], fourth),
        ("another second", log[:3], [], fork[1]),
        ("another first", log[:3], [], _other(first, payload=b"\xc1")),
        ("after another entry", log[:2], [], _other(third, prev=at)),
        ("after the entry before the last", log[:2], [], _other(third, prev=first.id)),
        ("of another document", log[:2], [], _other(third, document=ledger_document(Epoch(8)))),
        ("at the fork", log[:3], [fork], _other(second, payload=b"\xc2")),
        ("beyond the fork", log[:3], [fork], fourth),
        ("one of the two that fork", log[:3], [fork], fork[1]),
        ("of a branch that was cut", log[:3], [fork], _other(third, prev=fork[1].id)),
    ]
    rule, cases = RULES["forks", "log"], []
    for name, held, proofs, entry in given:
        told = {"network": NETWORK, "document": HERE, "held": [e.raw for e in held], "raw": entry.raw}
        told["proofs"] = [[one.raw, other.raw] for one, other in proofs]
        cases.append(answered(name, rule, told))
    return under("log", cases)
