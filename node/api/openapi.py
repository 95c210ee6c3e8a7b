"""The API described for programs: an OpenAPI 3.1 document, made of the table of calls and of the types they name.

OpenAPI knows requests and answers. What goes over the two WebSockets stands beside it, as `x-messages`, by the same
types. https://spec.openapis.org/oas/v3.1.0
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final, get_args

import msgspec

from node.api.calls import BEGINNING, CALLS, Bytes, Call
from node.api.messages import Spoken
from node.shapes.common import Error
from node.shapes.notices import Notice

API_VERSION: Final = "1.0.0"  # grows in front when a call or a field goes away, in the middle when one comes
REFS: Final = "#/components/schemas/{name}"
ALWAYS: Final = {
    401: "The token is missing or wrong",
    403: "Not to be asked so: foreign Host or Origin, a read-only token, a locked key",
    500: "A bug of ours",
    503: "The node cannot do it now; `why` says so",
}
ERRORS: Final = {
    **ALWAYS,
    400: "Unreadable, or out of bounds",
    404: "There is none",
    408: "The body took too long",
    409: "Not as things are: several begin so, or it would not count",
    413: "The body is too large",
    426: "This is for WebSockets",
}
PARAMETERS: Final = {
    "begins": ("How the id begins: 4 digits or more", {"type": "string", "pattern": BEGINNING}),
    "number": ("The request's number", {"type": "string", "pattern": "^[0-9a-f]{32}$"}),
    "name": ("The document's name, like `ledger/0`", {"type": "string", "minLength": 1, "maxLength": 200}),
}
TOKEN: Final[list[dict[str, list[str]]]] = [{"token": []}]
READ_TOKEN: Final[list[dict[str, list[str]]]] = [{"token": []}, {"readToken": []}]
SOCKETS: Final = {
    "/ws": ("live", "The live WebSocket, with the subprotocols `symjam` and `token.<token>`"),
    "/yjs/{name}": ("yjs", "The door for Yjs clients: the y-websocket protocol, with the token as `?token=` too"),
}
ABOUT: Final = """A SymJam node, on loopback. Port and tokens stand in `run/api.json` of its data directory.

Ids are hex, amounts whole micro-JAM, times whole microseconds; `*_q16` is a share of 65536. Every document names its
`schema`: `/1` grows when a field goes away or changes its meaning, not when one is added."""


@cache
def document() -> dict[str, Any]:
    """The whole of it. Nobody changes what this returns."""
    schemas = _schemas()
    paths: dict[str, dict[str, Any]] = {}
    for call in CALLS:
        paths.setdefault(path_of(call.path), {})[call.method.lower()] = _operation(call)
    for path, (name, says) in SOCKETS.items():
        paths[path] = {"get": _socket(path, name, says)}
    return {
        "openapi": "3.1.0",
        "info": {"title": "SymJam", "version": API_VERSION, "description": ABOUT, "license": {"name": "Apache-2.0"}},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {f"Error{status}": _error(words) for status, words in sorted(ERRORS.items())},
            "securitySchemes": {
                "token": _bearer("May ask and do everything: `token`"),
                "readToken": _bearer("May look, and change nothing: `read_token`"),
            },
        },
        "x-messages": {"toNode": _refs(Spoken), "fromNode": _refs(Notice)},
    }


def path_of(route: str) -> str:
    """A route's path as OpenAPI writes it: without the converters."""
    return re.sub(r"\{(\w+):\w+\}", r"{\1}", route)


def _types() -> list[Any]:
    named = [kind for call in CALLS for kind in (call.answer, call.body) if not isinstance(kind, Bytes | None)]
    return [*dict.fromkeys(named), Error, Spoken, Notice]


def _schemas() -> dict[str, Any]:
    _, found = msgspec.json.schema_components(_types(), ref_template=REFS)
    return dict(sorted(found.items()))


def _refs(union: Any) -> list[dict[str, Any]]:
    return [_ref(kind) for kind in get_args(union)]


def _ref(kind: Any) -> dict[str, Any]:
    (schema,), _ = msgspec.json.schema_components([kind], ref_template=REFS)
    return schema


def _operation(call: Call) -> dict[str, Any]:
    parameters = [*_path_parameters(call.path), *_query_parameters(call)]
    refused = {*ALWAYS, *call.refuses}
    refused |= {400} if call.query or call.body else set()
    refused |= {408, 413} if call.body else set()
    refused |= {400} if call.writes else set()
    return {
        "operationId": call.name,
        "summary": call.says,
        "security": TOKEN if call.writes else READ_TOKEN,
        **({"parameters": parameters} if parameters else {}),
        **({"requestBody": {"required": True, "content": _content(call.body)}} if call.body else {}),
        "responses": {
            str(call.status): {"description": call.says, "content": _content(call.answer)},
            **{str(status): {"$ref": f"#/components/responses/Error{status}"} for status in sorted(refused)},
        },
    }


def _socket(path: str, name: str, says: str) -> dict[str, Any]:
    return {
        "operationId": name,
        "summary": says,
        "security": READ_TOKEN if name == "live" else TOKEN,
        **({"parameters": _path_parameters(path)} if "{" in path else {}),
        "responses": {
            "101": {"description": "The WebSocket is open"},
            **{str(code): {"$ref": f"#/components/responses/Error{code}"} for code in sorted({*ALWAYS, 404, 426})},
        },
    }


def _content(kind: Any) -> dict[str, Any]:
    if isinstance(kind, Bytes):
        return {kind.media_type: {"schema": {"type": "object"} if kind.media_type == "application/json" else {}}}
    return {"application/json": {"schema": _ref(kind)}}


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "description": words, "schema": schema}
        for name, (words, schema) in PARAMETERS.items()
        if f"{{{name}" in path
    ]


def _query_parameters(call: Call) -> list[dict[str, Any]]:
    if call.query is None:
        return []
    shape = msgspec.json.schema(call.query)["$defs"][call.query.__name__]
    return [{"name": name, "in": "query", "schema": schema} for name, schema in shape["properties"].items()]


def _error(words: str) -> dict[str, Any]:
    return {"description": words, "content": {"application/json": {"schema": _ref(Error)}}}


def _bearer(words: str) -> dict[str, Any]:
    return {"type": "http", "scheme": "bearer", "description": words}
