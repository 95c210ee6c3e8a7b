"""Whether what is printed fits: a JSON document its type (every field there, no other, all within bounds), lines for
people a narrow terminal."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from node.api.notices import encode_json

COLUMNS = 80
UNBROKEN = 36  # digits of an id, an address, a path: such a word may stand out


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


def untidy(text: str) -> list[str]:
    """Lines that are too wide for no reason, or would move a terminal."""
    found = [line for line in text.splitlines() if re.search(r"[^\t\x20-\x7e\u00a0-\uffff]", line)]
    for line in text.splitlines():
        longest = max(map(len, line.split()), default=0)
        if len(line) > COLUMNS and longest < UNBROKEN:
            found.append(line)
    return found
