"""What a client may say on the WebSocket: typed, bounded, and refused with a reason."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from crdt.errors import Reason, Violation
from crdt.limits import BOARD_LINE_MAX, EVENTS_PER_ENTRY_MAX, WEBSOCKET_MESSAGE_MAX_BYTES
from crdt.types import PlayerId
from jam.board import Assign, Change, DropPart, SetChart, SetTempo, SetTitle
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


class Say(msgspec.Struct, frozen=True, tag_field="type", tag="say"):
    """A line for the chat of the session that is on."""

    text: Annotated[str, Meta(min_length=1, max_length=BOARD_LINE_MAX)]
    id: MessageId = None


class Edit(msgspec.Struct, frozen=True, tag_field="type", tag="edit"):
    """One change to the board of the session that is on: exactly one of these, `player` with `part`."""

    title: str | msgspec.UnsetType = msgspec.UNSET
    tempo_mbpm: int | msgspec.UnsetType = msgspec.UNSET
    chart: str | msgspec.UnsetType = msgspec.UNSET
    part: str | msgspec.UnsetType = msgspec.UNSET
    player: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")] | None = None
    drop_part: str | msgspec.UnsetType = msgspec.UNSET
    id: MessageId = None


Spoken = Play | Ping | Open | Close | Say | Edit
_decoder: msgspec.json.Decoder[Spoken] = msgspec.json.Decoder(Spoken)


def change_of(edit: Edit) -> Change:
    """The one change that an edit asks for. Violation GARBAGE for none or several."""
    asked: list[Change] = []
    if not isinstance(edit.title, msgspec.UnsetType):
        asked.append(SetTitle(edit.title))
    if not isinstance(edit.tempo_mbpm, msgspec.UnsetType):
        asked.append(SetTempo(edit.tempo_mbpm))
    if not isinstance(edit.chart, msgspec.UnsetType):
        asked.append(SetChart(edit.chart))
    if not isinstance(edit.part, msgspec.UnsetType):
        asked.append(Assign(edit.part, PlayerId(bytes.fromhex(edit.player)) if edit.player else None))
    if not isinstance(edit.drop_part, msgspec.UnsetType):
        asked.append(DropPart(edit.drop_part))
    if len(asked) != 1:
        raise Violation(Reason.GARBAGE, "an edit has one of title, tempo_mbpm, chart, part and drop_part")
    return asked[0]


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
