"""What all documents share."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

Hex = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="32 bytes: an id, or a player's public key")]
Micro = Annotated[int, Meta(description="micro-JAM")]
Q16 = Annotated[int, Meta(ge=0, le=65_536, description="a share of 65536")]
Counts = dict[str, int]


class Shape(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A JSON object that has these fields and no others."""


class Error(Shape, frozen=True, tag_field="schema", tag="symjam.error/1"):
    """What failed, why, and what to do next. `reason`: one word for programs, of what is refused as things are."""

    what: str
    why: str
    remedy: str
    reason: str | msgspec.UnsetType = msgspec.UNSET
