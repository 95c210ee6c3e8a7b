"""The y-websocket protocol as bytes: what a Yjs client says, and what it is told (y-protocols: sync, awareness, auth).

A message is a kind, then what the kind says, in lib0's encoding: integers little-endian base 128, bytes and text with
their length in front. One WebSocket message holds one of them. Nothing here knows sockets or documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from crdt.errors import Reason, Violation
from crdt.lib0 import Reader, buffer
from crdt.limits import YJS_MESSAGE_MAX_BYTES
from crdt.yupdate import decode_state_vector, encode_state_vector

_SYNC: Final = 0
_AWARENESS: Final = 1
_AUTH: Final = 2
_QUERY_AWARENESS: Final = 3
_STEP_1: Final = 0
_STEP_2: Final = 1
_UPDATE: Final = 2
_DENIED: Final = 0

NOTHING: Final = b"\0\0"  # an update without structs and deletes
# Who reads nothing for 30 s takes the connection for dead; a list of nobody's awareness is the smallest thing to say.
KEEP_ALIVE: Final = bytes((_AWARENESS, 1, 0))


class Asked(NamedTuple):
    """Sync step 1: the client says what it holds, and wants the rest."""

    clocks: Mapping[int, int]


class Given(NamedTuple):
    """Sync step 2, or an update: what the client holds and believes the other side lacks. Not decoded."""

    update: bytes


class Presence(NamedTuple):
    """Something about awareness: cursors and names, of which a log has none. Not looked at."""


def understand(raw: bytes) -> Asked | Given | Presence:
    """One message of a client. Raises Violation: OVERSIZE, TRUNCATED, GARBAGE, NON_CANONICAL or UNEXPECTED."""
    if len(raw) > YJS_MESSAGE_MAX_BYTES:
        raise Violation(Reason.OVERSIZE, f"a message of {len(raw)} bytes")
    reader = Reader(raw)
    kind = reader.varuint()
    if kind == _QUERY_AWARENESS:
        reader.finish()
        return Presence()
    if kind == _AWARENESS:
        reader.buffer()
        reader.finish()
        return Presence()
    if kind != _SYNC:
        raise Violation(Reason.UNEXPECTED, f"a message of kind {kind}")
    step = reader.varuint()
    if step not in (_STEP_1, _STEP_2, _UPDATE):
        raise Violation(Reason.UNEXPECTED, f"a sync message of kind {step}")
    content = reader.buffer()
    reader.finish()
    return Asked(decode_state_vector(content)) if step == _STEP_1 else Given(content)


def ask(clocks: Mapping[int, int]) -> bytes:
    """Sync step 1: what the node holds."""
    return bytes((_SYNC, _STEP_1)) + buffer(encode_state_vector(clocks))


def answer(update: bytes) -> bytes:
    """Sync step 2: after it the client has what there was when it asked."""
    return bytes((_SYNC, _STEP_2)) + buffer(update)


def news(update: bytes) -> bytes:
    """An update."""
    return bytes((_SYNC, _UPDATE)) + buffer(update)


def denied(why: str) -> bytes:
    """Permission denied, as y-protocols says it: the client shows why."""
    return bytes((_AUTH, _DENIED)) + buffer(why.encode())
