"""Whether a JSON document is what its type says: every field there, no other, all within bounds."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from node.api.notices import encode_json


def misfit(document: Any, kind: Any) -> str:
    """What is wrong with a document, a value or its text; empty when nothing is. The name of its schema counts too."""
    raw = document if isinstance(document, bytes | str) else encode_json(document)
    try:
        found = msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        return str(error)
    shown = json.loads(raw)
    config = found.__struct_config__ if isinstance(found, msgspec.Struct) else None
    if config is not None and config.tag is not None and shown.get(config.tag_field) != config.tag:
        return f"{config.tag_field} is {shown.get(config.tag_field)!r}, not {config.tag!r}"
    return ""
