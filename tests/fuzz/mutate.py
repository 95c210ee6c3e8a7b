"""Mutations: of bytes, and of what canonical bytes mean. All chance comes from the caller."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import msgspec

INTEGERS = (0, 1, -1, 127, 128, 255, 256, 65_535, 65_536, 2**31, 2**32, 2**53 - 1, 2**53, 2**63 - 1, 2**63, 2**64 - 1)
SIZES = (0, 1, 7, 8, 9, 31, 32, 33, 64, 65, 255, 256)
STRINGS = ("", "ledger/0", "ledger/00", "ledger/1", "jam/", "jam/" + "0" * 64 + "/0", "\ud7ff", "x" * 97, "a\0b")


def of_bytes(raw: bytes, random: Random) -> bytes:
    """One small change somewhere."""
    at = random.randrange(len(raw) + 1)
    kind = random.randrange(6)
    if kind == 0 and at < len(raw):
        return raw[:at] + bytes([raw[at] ^ 1 << random.randrange(8)]) + raw[at + 1 :]
    if kind == 1:
        return raw[:at] + raw[at + random.randint(1, 8) :]
    if kind == 2:
        return raw[:at] + random.randbytes(random.randint(1, 4)) + raw[at:]
    if kind == 3:
        return raw[:at]
    if kind == 4:
        number = random.choice(INTEGERS) % 2**64
        width = random.choice((1, 2, 4, 8))
        return raw[:at] + (number % 256**width).to_bytes(width, "big") + raw[at + width :]
    start = random.randrange(len(raw) + 1)
    return raw[:at] + raw[start : start + random.randint(1, 40)] + raw[at:]


def of_message(raw: bytes, random: Random) -> bytes:
    """One change of a value inside a MessagePack message, which is whole afterwards; of bytes when it is none."""
    try:
        value = msgspec.msgpack.decode(raw)
        return msgspec.msgpack.encode(_changed(value, random))
    except (msgspec.DecodeError, msgspec.EncodeError, ValueError, OverflowError, RecursionError, TypeError):
        return of_bytes(raw, random)


def _changed(value: Any, random: Random) -> Any:
    """A copy with one leaf, or the shape of one list, changed."""
    if isinstance(value, list):
        return _of_list(list(value), random)
    change = _CHANGES.get(type(value))
    if change is None or not random.randrange(12):
        return random.choice([None, True, 1.5, b"", [], {}, *INTEGERS, *STRINGS])
    return change(value, random)


def _of_list(items: list[Any], random: Random) -> list[Any]:
    kind = random.randrange(8)
    if not items or kind == 0:
        items.insert(random.randrange(len(items) + 1), random.choice([0, b"", "", [], bytes(32)]))
        return items
    at = random.randrange(len(items))
    if kind == 1:
        del items[at]
    elif kind == 2:
        items.insert(at, items[random.randrange(len(items))])
    elif kind == 3:
        other = random.randrange(len(items))
        items[at], items[other] = items[other], items[at]
    else:
        items[at] = _changed(items[at], random)
    return items


def _of_integer(value: int, random: Random) -> int:
    return random.choice([value + 1, value - 1, value ^ 1 << random.randrange(16), random.choice(INTEGERS)])


def _of_bytes(value: bytes, random: Random) -> bytes:
    if random.randrange(3):
        return of_bytes(value, random)
    return (value or b"\0").ljust(random.choice(SIZES), b"\0")[: random.choice(SIZES)]


def _of_string(value: str, random: Random) -> str:
    at = random.randrange(len(value) + 1)
    return random.choice([value[:at], value[:at] + random.choice("0/é9f") + value[at:], random.choice(STRINGS)])


_CHANGES: dict[type, Callable[[Any, Random], Any]] = {
    int: _of_integer,
    bool: lambda value, _: not value,
    bytes: _of_bytes,
    str: _of_string,
}
