"""Updates cooked from bytes: signed entries put where they belong, or where a forger would put them.

Zeros mean the right thing everywhere, so that mutation begins with what is accepted and departs from it step by step.
"""

from __future__ import annotations

from crdt.entry import Entry, client_id, root_name
from crdt.yupdate import Item, YId
from tests.crdt.authors import JAM
from tests.fuzz.seeds import LOGS
from tests.fuzz.yencode import Struct, encode_structs


class _Bytes:
    """Choices, one byte each, zeros when they run out. `honest` until one of them was not zero where it matters."""

    def __init__(self, raw: bytes) -> None:
        self._raw, self._at, self.honest = raw, 0, True

    def take(self, choices: int) -> int:
        byte = self._raw[self._at] if self._at < len(self._raw) else 0
        self._at += 1
        return byte % choices

    def lie(self, choices: int) -> int:
        lie = self.take(choices)
        self.honest = self.honest and lie == 0
        return lie


def cook(raw: bytes) -> tuple[bytes, list[Entry] | None]:
    """The update that a recipe makes, and the entries that must come out of it: None when the recipe has a lie in it,
    which the gate may or may not have to refuse (two lies may make a truth)."""
    choices = _Bytes(raw)
    structs, entries = [], []
    for _ in range(choices.take(3)):
        struct, chosen = _item(choices)
        structs.append(struct)
        entries += chosen
    deletes = choices.lie(3)
    return encode_structs(structs, deletes), entries if choices.honest else None


def _item(choices: _Bytes) -> tuple[Struct, list[Entry]]:
    log = LOGS[choices.take(len(LOGS))]
    if log[0].body.document != JAM:
        choices.honest = False
    start = choices.take(len(log))
    chosen = log[start : start + 1 + choices.take(min(2, len(log) - start))]
    key, document = log[0].log, log[0].body.document
    client = [client_id(document, key), 0, client_id(JAM, LOGS[2][0].log) ^ 1, 2**53 - 1][choices.lie(4)]
    clock = [start, start + 1, max(0, start - 1), 2**53 - 1][choices.lie(4)]
    before = YId(client, start - 1) if start else None
    origin = [before, None, YId(client, start), YId(1, 0)][choices.lie(4)]
    right = [None, YId(client, start + 1)][choices.lie(2)]
    parent: str | YId | None = [root_name(key), root_name(LOGS[1][0].log), "", YId(client, 0)][choices.lie(4)]
    values = _altered([entry.raw for entry in chosen], choices)
    if origin is not None or right is not None:
        parent = None
    binary = choices.take(2) == 1 and len(values) == 1
    return Struct(Item(YId(client, clock), origin, right, parent, tuple(values)), binary), chosen


def _altered(values: list[bytes], choices: _Bytes) -> list[bytes]:
    lie = choices.lie(6)
    at = choices.take(len(values))
    if lie == 1:
        values[at] = values[at][:-1]
    elif lie == 2:
        byte = choices.take(len(values[at]))
        values[at] = values[at][:byte] + bytes([values[at][byte] ^ 1]) + values[at][byte + 1 :]
    elif lie == 3:
        values.insert(at, values[at])
    elif lie == 4:
        values[at] = LOGS[choices.take(len(LOGS))][0].raw
    elif lie == 5:
        values.reverse()
    return values
