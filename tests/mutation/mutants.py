"""Faults that a person could make: one changed operator, number, condition or missing statement each."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

_COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_BINARY: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult, ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
}  # fmt: skip
_CALLS = {"min": "max", "max": "min", "any": "all", "all": "any", "sorted": "list"}
# What is said to people and not decided by: changing a word there is no fault of the rules.
_WORDS = {"Misuse", "Violation", "TypeVar", "NewType"}
# Whether the cycle collector looks at a struct: no result depends on it.
_COLLECTOR = "gc"


class Mutant(NamedTuple):
    """One fault: `nth` of its module, where, what it is in words, and the module's text with it."""

    path: str
    nth: int
    line: int
    words: str
    source: str

    @property
    def name(self) -> str:
        return f"{self.path}:{self.line} {self.words}"


class _Change(NamedTuple):
    """A node to put another one for. `node` is found again by its number in the walk."""

    number: int
    line: int
    new: ast.AST | None  # None: `pass` for a statement


def mutants_of(path: str, source: str) -> list[Mutant]:
    """All faults of one module, in the order of its text."""
    found = []
    for nth, change in enumerate(_changes(ast.parse(source))):
        tree = ast.parse(source)
        old, new = _put(tree, change)
        text = ast.unparse(ast.fix_missing_locations(tree))
        found.append(Mutant(path, nth, change.line, f"{_short(old)} -> {_short(new)}", text))
    return found


def _short(node: ast.AST) -> str:
    return " ".join(ast.unparse(ast.fix_missing_locations(node)).split())[:100]


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """Nodes in the order of the text; nothing that is only a type, a docstring or a message."""
    yield node
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _WORDS:
        return
    if isinstance(node, ast.keyword) and node.arg == _COLLECTOR:
        return
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
                continue
            if isinstance(child, ast.AST):
                yield from _walk(child)


def _changes(tree: ast.Module) -> Iterator[_Change]:
    for number, node in enumerate(_walk(tree)):
        for new in _faults(node):
            yield _Change(number, getattr(node, "lineno", 0), new)


def _put(tree: ast.Module, change: _Change) -> tuple[ast.AST, ast.AST]:
    """Put the change into the tree; returns what was there and what is."""
    target = next(node for number, node in enumerate(_walk(tree)) if number == change.number)
    new = ast.Pass() if change.new is None else change.new
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is target:
                setattr(parent, name, new)
            elif isinstance(value, list):
                value[:] = [new if child is target else child for child in value]
    return target, new


def _faults(node: ast.AST) -> list[ast.AST | None]:
    if isinstance(node, ast.Compare):
        return [_compared(node, i) for i, op in enumerate(node.ops) if type(op) in _COMPARE]
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        return [ast.BinOp(node.left, _BINARY[type(node.op)](), node.right)]
    if isinstance(node, ast.AugAssign) and type(node.op) in _BINARY:
        return [ast.AugAssign(node.target, _BINARY[type(node.op)](), node.value), None]
    if isinstance(node, ast.BoolOp):
        return [ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        return [node.operand]
    if isinstance(node, ast.Constant):
        return _constants(node)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _CALLS:
        keywords = [] if node.func.id == "sorted" else node.keywords
        return [ast.Call(ast.Name(_CALLS[node.func.id], ast.Load()), node.args, keywords)]
    return _statements(node)


def _statements(node: ast.AST) -> list[ast.AST | None]:
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        opposite = ast.UnaryOp(ast.Not(), node.test)
        if isinstance(node, ast.IfExp):
            return [ast.IfExp(opposite, node.body, node.orelse)]
        return [type(node)(opposite, node.body, node.orelse)]
    if isinstance(node, ast.Break):
        return [ast.Continue()]
    if isinstance(node, ast.Continue):
        return [ast.Break()]
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return [None]
    return []


def _compared(node: ast.Compare, nth: int) -> ast.Compare:
    ops = [_COMPARE[type(op)]() if i == nth else op for i, op in enumerate(node.ops)]
    return ast.Compare(node.left, ops, node.comparators)


def _constants(node: ast.Constant) -> list[ast.AST | None]:
    value = node.value
    if isinstance(value, bool):
        return [ast.Constant(not value)]
    if isinstance(value, int):
        return [ast.Constant(value + 1)]
    if isinstance(value, bytes):
        return [ast.Constant(value[:-1] if value else b"\x00")]
    return []
