"""What a client may say on the WebSocket: typed, bounded, and refused with a reason."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from crdt.errors import Reason, Violation
from crdt.limits import EVENTS_PER_ENTRY_MAX, WEBSOCKET_MESSAGE_MAX_BYTES
from node.api.backend import Played, SessionWish

MessageId = Annotated[int, Meta(ge=0, le=2**53 - 1)] | Annotated[str, Meta(max_length=64)] | None


class Play(msgspec.Struct, frozen=True, tag_field="type", tag="play"):
    """These were played."""

    events: Annotated[tuple[Played, ...], Meta(min_length=1, max_length=EVENTS_PER_ENTRY_MAX)]
    id: MessageId = None


class Ping(msgspec.Struct, frozen=True, tag_field="type", tag="ping"):
    """What time is it on the node's clock?"""

    id: MessageId = None


class Open(SessionWish, frozen=True, tag_field="type", tag="open"):
    """Open a session."""

    id: MessageId = None


class Close(msgspec.Struct, frozen=True, tag_field="type", tag="close"):
    """Close the session that this node opened."""

    id: MessageId = None


Spoken = Play | Ping | Open | Close
_decoder: msgspec.json.Decoder[Spoken] = msgspec.json.Decoder(Spoken)


def understand(text: str | None) -> Spoken:
    """The message in a text frame. Violation: OVERSIZE, or GARBAGE for anything that is not one."""
    if text is None:
        raise Violation(Reason.GARBAGE, "messages are JSON in text frames")
    if len(text) > WEBSOCKET_MESSAGE_MAX_BYTES:
        raise Violation(Reason.OVERSIZE, f"a message has at most {WEBSOCKET_MESSAGE_MAX_BYTES} bytes")
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Violation(Reason.GARBAGE, str(error)[:200]) from None
