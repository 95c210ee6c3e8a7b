"""The API's page: every call and every type, from the description that the daemon serves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import msgspec

from node.api.openapi import API_VERSION, REFS, document
from tests.reference.commands import SAYS

HEAD = f"""# API

Version {API_VERSION}. Written from the code by `make reference`; a test fails when it is stale. A running node serves
the same as an OpenAPI 3.1 document at `/api/openapi.json`. [The daemon's API](../api.md) says what it all means, who
may ask, and what goes over the WebSocket.

Every call may be answered 401, 403, 500 or 503 with an `Error` too. Those marked (read) may also be made with the
read-only token.
"""


def api() -> str:
    """The page."""
    described = document()
    lines = [HEAD, "## Calls\n"]
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            lines += _call(method.upper(), path, operation)
    lines.append("## Types\n")
    for name, schema in _schemas(described["components"]["schemas"]).items():
        lines += _type(name, schema)
    return "\n".join(lines)


def _schemas(known: dict[str, Any]) -> dict[str, Any]:
    """Those of the API, and those that only commands print."""
    kinds = [kind for said in SAYS.values() for kind in (get_args(said) or (said,))]
    assert all(issubclass(kind, msgspec.Struct) for kind in kinds)
    _, found = msgspec.json.schema_components(kinds, ref_template=REFS)
    return dict(sorted({**found, **known}.items()))


def _call(method: str, path: str, operation: dict[str, Any]) -> Iterator[str]:
    reads = " (read)" if {"readToken": []} in operation["security"] else ""
    yield f"### {method} {path}\n\n{operation['summary']}{reads}\n"
    for one in operation.get("parameters", ()):
        words = f": {one['description']}" if "description" in one else ""
        yield f"- in the {one['in']}, `{one['name']}`: {_kind(one['schema'])}{words}"
    if "requestBody" in operation:
        yield f"- body: {_content(operation['requestBody'])}"
    for status, answer in operation["responses"].items():
        if "content" in answer:
            yield f"- {status}: {_content(answer)}"
    extra = [status for status in operation["responses"] if status.startswith("4") and status not in ("401", "403")]
    yield f"- refused: {', '.join(extra)}\n" if extra else ""


def _content(holder: dict[str, Any]) -> str:
    return ", ".join(
        f"{_kind(one['schema'])} ({media})" if one["schema"].get("$ref") else f"`{media}`"
        for media, one in holder["content"].items()
    )


def _type(name: str, schema: dict[str, Any]) -> Iterator[str]:
    yield f"### {name}\n"
    if "description" in schema:
        yield f"{' '.join(schema['description'].split())}\n"
    if schema.get("type") == "array":
        yield f"A list: {', '.join(_kind(one) for one in schema.get('prefixItems', ()))}\n"
        return
    required = set(schema.get("required", ()))
    for field, one in schema.get("properties", {}).items():
        words = f": {one['description']}" if "description" in one else ""
        optional = "" if field in required else ", may be left out"
        yield f"- `{field}`: {_kind(one)}{optional}{words}"
    yield ""


def _kind(schema: dict[str, Any]) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        return f"[{schema['$ref'].rpartition('/')[2]}](#{schema['$ref'].rpartition('/')[2].lower()})"
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(f"`{one}`" for one in schema["enum"])
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_kind(schema['additionalProperties'])}"
    if "description" in schema:
        return str(kind)
    bounds = {"minimum": "from", "maximum": "to", "maxLength": "characters at most", "pattern": "like"}
    said = [
        f"{words} `{schema[key]}`" for key, words in bounds.items() if key in schema and "description" not in schema
    ]
    return f"{kind} {', '.join(said)}".strip()
