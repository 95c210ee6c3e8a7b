"""From the JSON of a file back to the rules' own types: what another implementation has to do as well."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from enum import Enum
from typing import Annotated, Any, NewType, get_args, get_origin, get_type_hints

import msgspec

from consensus.params import MAIN, Params
from crdt.errors import Misuse, Violation
from tests.vectors.form import Case, plain

Rule = Callable[[Params, Any], Any]  # of parameters and what is given; raises Refused, Violation or Misuse


class Refused(Exception):
    """What is given counts for nothing, and in a word why. Some leave a value nonetheless."""

    def __init__(self, why: str, left: Any = None) -> None:
        super().__init__(why)
        self.why, self.left = why, left


def typed(kind: Any, value: Any) -> Any:
    """A value of JSON as one of this type."""
    if isinstance(kind, NewType):
        return typed(kind.__supertype__, value)
    origin, args = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return typed(args[0], value)
    if origin in {types.UnionType, typing.Union}:
        return _one_of(args, value)
    if origin is tuple:
        kinds = args[:1] * len(value) if args[-1] is Ellipsis else args
        return tuple(typed(one, item) for one, item in zip(kinds, value, strict=True))
    if origin in {list, set, frozenset}:
        return origin(typed(args[0], item) for item in value)
    if origin is dict:
        return {typed(args[0], key): typed(args[1], item) for key, item in value}
    if kind is bytes:
        return bytes.fromhex(value)
    if issubclass(kind, Enum):
        return kind(value)
    if issubclass(kind, msgspec.Struct | tuple):
        return _fields(kind, value)
    assert kind is type(None) or type(value) is kind, (kind, value)
    return value


def _one_of(kinds: tuple[Any, ...], value: Any) -> Any:
    if value is None:
        return None
    some = [kind for kind in kinds if kind is not type(None)]
    if len(some) == 1:
        return typed(some[0], value)
    return typed(next(kind for kind in some if kind.__name__ == value["op"]), value)


def _fields(kind: Any, value: Any) -> Any:
    """A struct or a named tuple, as an object or as a list of its fields."""
    names = kind.__struct_fields__ if issubclass(kind, msgspec.Struct) else kind._fields
    hints = get_type_hints(kind)
    given = value if isinstance(value, dict) else dict(zip(names, value, strict=False))
    return kind(**{name: typed(hints[name], given[name]) for name in names if name in given})


def params_of(changes: dict[str, Any], base: Params = MAIN) -> Params:
    """The main preset with these changes."""
    hints = get_type_hints(Params)
    return msgspec.structs.replace(base, **{name: typed(hints[name], value) for name, value in changes.items()})


def outcome(rule: Rule, case: Case) -> Case:
    """What the rule makes of a stored case: `expect`, `refused`, or both."""
    try:
        return {"expect": plain(rule(params_of(case.get("params", {})), case["given"]))}
    except Refused as refused:
        left = {} if refused.left is None else {"expect": plain(refused.left)}
        return {**left, "refused": refused.why}
    except Violation as violation:
        return {"refused": str(violation.reason)}
    except Misuse:
        return {"refused": "misuse"}


def answered(name: str, rule: Rule, given: Any, params: dict[str, Any] | None = None) -> Case:
    """A case that is worked out from its own JSON."""
    case = {"name": name, **({} if params is None else {"params": params}), "given": plain(given)}
    return {**case, **outcome(rule, case)}


def holds(found: Any, why: str) -> Any:
    """The value, or a refusal when there is none."""
    if found is None or found is False:
        raise Refused(why)
    return found
