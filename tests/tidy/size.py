"""A function fits on a screen, a module holds one job."""

from __future__ import annotations

import ast

from tests.tidy.files import in_tests

MODULE_LINES = 400
FUNCTION_LINES = 50
TEST_LINES = 60


def long_functions(path: str, source: str) -> list[str]:
    """Functions over the limit, decorators not counted."""
    limit = TEST_LINES if in_tests(path) else FUNCTION_LINES
    return [
        f"{path}:{node.lineno}: {node.name} has {lines} lines, at most {limit}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > limit
    ]


def long_module(path: str, source: str) -> list[str]:
    """The module itself, when it is over the limit."""
    lines = source.count("\n")
    return [f"{path}: {lines} lines, at most {MODULE_LINES}: two jobs?"] if lines > MODULE_LINES else []
