"""The API's description: it names every route and no other, and holds together."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import trio
from starlette.routing import Route, WebSocketRoute

from node.api import static
from node.api.calls import CALLS, SPECIFICATION
from node.api.door import Door
from node.api.gate import DOOR, holds
from node.api.openapi import SOCKETS, document, path_of
from node.api.server import build_app
from node.api.socket import Sockets
from tests.node.api.conftest import READ_TOKEN, Served
from tests.node.api.memory_node import MemoryNode

SPEC: dict[str, Any] = json.loads(json.dumps(document()))
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
TYPES = {"string", "integer", "number", "boolean", "object", "array", "null"}
# JSON Schema 2020-12, as far as it is used here: a word that is none of these would be looked over by validators.
WORDS = {
    *("$ref", "title", "description", "type", "properties", "required", "additionalProperties", "items", "prefixItems"),
    *("enum", "anyOf", "oneOf", "discriminator", "pattern", "minimum", "maximum", "minLength", "maxLength", "default"),
    *("minItems", "maxItems", "propertyNames", "maxProperties"),
}


def _served() -> set[tuple[str, str]]:
    """Method and path of whatever the daemon answers, but for the page's files."""
    closing, node = trio.Event(), MemoryNode()
    gate = build_app(node, Sockets(node, closing), Door(node.library, closing), port=1, check=holds("t", ""))
    files = {route.path for route in static.routes()}
    found = set()
    for route in gate._app.routes:  # type: ignore[attr-defined]
        if isinstance(route, WebSocketRoute):
            found.add(("GET", path_of(route.path)))
        elif isinstance(route, Route) and route.path not in files:
            found.update((method, path_of(route.path)) for method in (route.methods or ()) if method != "HEAD")
    return found


def _operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in SPEC["paths"].items():
        assert set(methods) <= set(METHODS)
        for method, operation in methods.items():
            yield method.upper(), path, operation


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from _objects(inner)


def test_every_route_is_described_and_the_other_way_round() -> None:
    assert {(method, path) for method, path, _ in _operations()} == _served()
    assert {path for _, path, _ in _operations()} == {path_of(call.path) for call in CALLS} | SOCKETS.keys()
    assert {"/ws", DOOR + "{name}"} == SOCKETS.keys()


def test_every_reference_leads_somewhere_and_everything_is_led_to() -> None:
    led_to = {one["$ref"] for one in _objects(SPEC) if "$ref" in one}
    there = {f"#/components/{kind}/{name}" for kind in ("schemas", "responses") for name in SPEC["components"][kind]}
    assert led_to <= there
    nested = {f"#/components/schemas/{name}" for name in SPEC["components"]["schemas"]}
    assert there - led_to <= nested  # the tagged members of a union are named by its discriminator


def test_every_operation_is_whole() -> None:
    names = [operation["operationId"] for _, _, operation in _operations()]
    assert len(names) == len(set(names))
    schemes = set(SPEC["components"]["securitySchemes"])
    for method, path, operation in _operations():
        placed = {one["name"] for one in operation.get("parameters", []) if one["in"] == "path"}
        assert placed == set(re.findall(r"\{(\w+)\}", path)), path
        assert all(one["required"] for one in operation.get("parameters", []) if one["in"] == "path")
        assert operation["security"] and all(set(one) <= schemes for one in operation["security"])
        assert {"401", "403", "500", "503"} < set(operation["responses"]), path
        assert ("requestBody" in operation) <= (method == "POST"), path
        for answer in operation["responses"].values():
            assert "$ref" in answer or answer["description"]


def test_schemas_say_only_what_validators_understand() -> None:
    def check(schema: dict[str, Any], at: str) -> None:
        assert set(schema) <= WORDS, (at, set(schema) - WORDS)
        kinds = schema.get("type", [])
        assert set([kinds] if isinstance(kinds, str) else kinds) <= TYPES, at
        if "pattern" in schema:
            re.compile(schema["pattern"])
        assert set(schema.get("required", ())) <= set(schema.get("properties", ())), at
        inner = [*schema.get("properties", {}).values(), *schema.get("anyOf", []), *schema.get("prefixItems", [])]
        inner += [schema[key] for key in ("items", "additionalProperties", "propertyNames") if key in schema]
        for one in inner:
            if isinstance(one, dict):
                check(one, at)

    for name, schema in SPEC["components"]["schemas"].items():
        check(schema, name)


def test_errors_are_typed_and_writes_are_not_for_the_read_only_token() -> None:
    assert SPEC["openapi"].startswith("3.1") and SPEC["info"]["version"]
    for answer in SPEC["components"]["responses"].values():
        assert answer["content"]["application/json"]["schema"]["$ref"].endswith("/Error")
    writes = {(call.method, path_of(call.path)) for call in CALLS if call.writes} | {("GET", DOOR + "{name}")}
    for method, path, operation in _operations():
        assert ({"readToken": []} in operation["security"]) == ((method, path) not in writes)


async def test_it_is_served_also_to_who_may_only_look(served: Served) -> None:
    headers = {"Authorization": f"Bearer {READ_TOKEN}"}
    status, _, raw = await served.call("GET", SPECIFICATION, headers=headers)
    assert status == 200 and json.loads(raw) == SPEC
